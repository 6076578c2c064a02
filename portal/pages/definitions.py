"""The definitions behind the figures, with their marks, and what every figure says."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from domain.field.definitions import DEFINITIONS, VERSION
from domain.indicators.catalogue import INDICATORS

_MARKS: Final = {"F": "bevestigd", "R": "lezing", "P": "niet bevestigd"}


def definitions(request: HttpRequest) -> HttpResponse:
    """All of them; what nobody has confirmed says so."""
    rows = [
        {"key": key, "value": one.value, "meaning": one.meaning, "basis": one.basis, "mark": _MARKS[one.mark]}
        for key, one in DEFINITIONS.items()
    ]
    figures = [
        {"key": key, "title": one.title, "unit": one.unit, "mark": _MARKS[one.mark]} for key, one in INDICATORS.items()
    ]
    return render(request, "definities.html", {"rows": rows, "figures": figures, "version": VERSION})
