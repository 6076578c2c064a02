"""The definitions behind the figures, with their marks and who confirmed them, and what every figure says."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from domain.field.definitions import VERSION
from domain.indicators.catalogue import INDICATORS
from portal.pages import confirming
from portal.pages.confirmable import CONFIRMABLE
from portal.pages.seeing import gebruiker

_MARKS: Final = {"F": "bevestigd", "R": "lezing", "P": "niet bevestigd"}


def definitions(request: HttpRequest) -> HttpResponse:
    """All of them; what no source fixes says so, also when somebody confirmed it here."""
    confirmed = confirming.newest()
    rows: list[dict[str, Any]] = [
        {"key": key, "one": one, "mark": _MARKS[one.mark], "confirmed": confirmed.get(key) if one.open else None}
        for key, one in CONFIRMABLE.items()
    ]
    figures = [
        {"key": key, "title": one.title, "unit": one.unit, "mark": _MARKS[one.mark]} for key, one in INDICATORS.items()
    ]
    region = gebruiker(request).rol == "functioneel_beheerder"
    shown = {"rows": rows, "figures": figures, "version": VERSION, "region": region}
    return render(request, "definities.html", shown | {"file": region and bool(confirming.file_text())})
