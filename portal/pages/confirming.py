"""The region notes that a definition was confirmed, and takes away a file of what was. No figure changes by it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from domain.field.definitions import VERSION
from portal.pages.confirmable import CONFIRMABLE, Confirmable, Confirmed, document
from portal.pages.seeing import gebruiker
from portal.people.days import DayField
from portal.people.models import AGREED, Bevestiging


class ConfirmForm(forms.Form):
    """Which value, on which day, with whom."""

    waarde = forms.CharField()
    day = DayField(label="bevestigd op")
    agreed = forms.ChoiceField(label="bevestigd door", choices=[("", "Kies door wie"), *AGREED.items()])

    def __init__(self, data: Any, one: Confirmable) -> None:
        super().__init__(data)
        self.fields["waarde"] = (
            forms.ChoiceField(label="waarde", choices=[(value, value) for value in one.choices], initial=one.value)
            if one.choices
            else forms.IntegerField(label="waarde", min_value=one.least, max_value=one.most, initial=int(one.value))
        )

    def clean_day(self) -> Any:
        """Nobody confirmed it later than today."""
        if self.cleaned_data["day"] > timezone.localdate():
            raise forms.ValidationError("Deze dag is nog niet geweest.")
        return self.cleaned_data["day"]


def newest() -> dict[str, Bevestiging]:
    """Key of a definition -> what was noted of it last."""
    found: dict[str, Bevestiging] = {}
    for one in Bevestiging.objects.select_related("noted_by__organisatie"):
        found.setdefault(one.definitie, one)
    return found


def file_text(*, every: bool = False) -> str:
    """The file of what was confirmed; empty when there is nothing for one. ``every``: as ``document``."""
    return document({key: _confirmed(one) for key, one in newest().items()}, every=every)


def _confirmed(one: Bevestiging) -> Confirmed:
    return Confirmed(one.waarde, one.day, AGREED.get(one.agreed, one.agreed))


def confirm(request: HttpRequest, key: str) -> HttpResponse:
    """One definition that no source fixes: a form, and what was noted before."""
    one = CONFIRMABLE.get(key)
    if one is None or not one.open:
        raise Http404
    form = ConfirmForm(request.POST if request.method == "POST" else None, one)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        Bevestiging.objects.create(
            definitie=key,
            waarde=str(given["waarde"]),
            version=VERSION,
            day=given["day"],
            agreed=given["agreed"],
            noted_by=gebruiker(request),
        )
        messages.success(request, f"De bevestiging van {key} is vastgelegd. De cijfers veranderen hier niet door.")
        return redirect("definities")
    before = Bevestiging.objects.filter(definitie=key).select_related("noted_by")
    return render(request, "definitie.html", {"key": key, "one": one, "form": form, "before": before})


def file(_request: HttpRequest) -> HttpResponse:
    """What was confirmed, as ``sor replay --definitions`` reads it."""
    text = file_text()
    if not text:
        raise Http404
    response = HttpResponse(text.encode(), content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="bevestigd.toml"'
    return response
