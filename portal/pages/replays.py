"""The region asks what confirmed definitions would change, and then to put them in use.

Nothing is recalculated here: the portal has no right to rows. A request waits in the database of the portal until a
process of the operator takes it up (``sor portal recalculate``), which writes back numbers and no row.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from domain.field.words import REPLAY_PER
from portal.pages import confirming
from portal.pages.seeing import gebruiker
from portal.people import replays as requests
from portal.people.models import Herberekening
from portal.people.replay_words import REPLAY_KINDS, REPLAY_TABLES

_SHOWN: Final = 20


class AskForm(forms.Form):
    """One box that must be ticked."""

    sure = forms.BooleanField(label="")

    def __init__(self, data: Any, kind: str) -> None:
        super().__init__(data)
        self.fields["sure"].label = (
            "Ik heb gezien wat er verandert, en dit is met de gemeenten en aanbieders afgesproken"
            if kind == "invoeren"
            else "Ik wil weten wat de bevestigde definities veranderen"
        )


def replays(request: HttpRequest) -> HttpResponse:
    """What was confirmed, what is known of it, and what was asked before."""
    document = confirming.file_text(every=True)
    rows = list(Herberekening.objects.select_related("asked_by")[:_SHOWN])
    compared = _compared(document)
    shown = {
        "lines": _lines(document),
        "open": next((one for one in rows if one.state in requests.OPEN), None),
        "compared": compared,
        "outcome": _outcome(compared) if compared else None,
        "in_use": _newest(document, "invoeren"),
        "rows": rows,
    }
    return render(request, "herberekeningen.html", shown)


def replay(request: HttpRequest, number: int) -> HttpResponse:
    """One of them: how far it is, or what came of it; a POST takes it back."""
    found = get_object_or_404(Herberekening.objects.select_related("asked_by"), pk=number)
    if request.method == "POST":
        if requests.withdraw(number):
            messages.success(request, "De aanvraag is ingetrokken.")
        else:
            messages.error(request, "Deze aanvraag is al begonnen of klaar: intrekken kan niet meer.")
        return redirect("herberekening", number)
    shown = {"one": found, "outcome": _outcome(found), "lines": _lines(found.document)}
    return render(request, "herberekening.html", shown)


@reauthentication_required  # type: ignore[untyped-decorator]
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """Ask one, of which ``key`` is the kind. What was not compared is not put in use."""
    document = confirming.file_text(every=True)
    compared = _compared(document)
    if key not in REPLAY_KINDS or not document or (key == "invoeren" and compared is None):
        raise Http404
    form = AskForm(request.POST if request.method == "POST" else None, key)
    if request.method == "POST" and form.is_valid() and _asked(request, key, document, form):
        messages.success(request, "De aanvraag is bewaard. Zodra ze klaar is, staat hier wat ervan kwam.")
        return redirect("herberekeningen")
    outcome = _outcome(compared) if key == "invoeren" and compared else None
    shown = {"key": key, "title": REPLAY_KINDS[key], "form": form, "lines": _lines(document), "outcome": outcome}
    return render(request, "herberekening_vragen.html", shown)


def _asked(request: HttpRequest, key: str, document: str, form: AskForm) -> bool:
    """Kept, unless another one waits or runs."""
    try:
        with transaction.atomic():
            if not Herberekening.objects.filter(state__in=requests.OPEN).exists():
                Herberekening.objects.create(soort=key, document=document, asked_by=gebruiker(request))
                return True
    except IntegrityError:  # somebody else at the same moment
        pass
    form.add_error(None, "Er wacht of loopt al een herberekening. Wacht tot die klaar is, of trek haar in.")
    return False


def _newest(document: str, kind: str) -> Herberekening | None:
    """The newest of a kind that was done with exactly these definitions."""
    return Herberekening.objects.filter(soort=kind, state="klaar", document=document).first() if document else None


def _compared(document: str) -> Herberekening | None:
    """The comparison of these definitions with those in use; None when none is done, or others came in use since."""
    found, swapped = _newest(document, "vergelijken"), Herberekening.objects.filter(soort="invoeren", state="klaar")
    if found is None or swapped.filter(pk__gt=found.pk).exists():
        return None
    return found


def _lines(document: str) -> list[str]:
    """What a document says, without its version: they get the one after those in use."""
    return [line for line in document.splitlines() if line and not line.startswith("versie")]


def _outcome(one: Herberekening) -> dict[str, Any] | None:
    """What came of it in words; None when nothing did."""
    told = one.outcome
    if not told:
        return None
    figures = [
        (REPLAY_PER[per], changed, every) for per, (changed, every) in told["figures"].items() if per in REPLAY_PER
    ]
    tables = [(REPLAY_TABLES.get(name, name), *more) for name, *more in told["tables"]]
    return {**told, "figures": figures, "tables": tables}
