"""What the functional manager of the region looks after: organizations, and who has not delivered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from domain.field.words import KIND_LABELS
from faults import OperatorFault
from portal.pages.seeing import as_task, note_seen
from portal.people.forms import OrganizationForm
from portal.people.models import Organisatie
from results.reports import periods, words
from sinks import clickhouse

_MONTHS: Final = 6
_DELIVERED: Final = (
    "SELECT sender, kind, formatDateTime(eerste, '%Y-%m', 'Europe/Amsterdam') AS maand, toDate(max(laatste)) "
    "FROM receipts FINAL WHERE NOT test AND toUnixTimestamp64Milli(teruggenomen) = 0 AND eerste >= {since:Date} "
    "GROUP BY sender, kind, maand"
)


@reauthentication_required  # type: ignore[untyped-decorator]
def organizations(request: HttpRequest) -> HttpResponse:
    """All of them, and a form for one more."""
    form = OrganizationForm(request.POST or None, initial={"active": True})
    if request.method == "POST" and form.is_valid():
        made = form.save()
        messages.success(request, f"{made.naam} staat erbij. Nodig nu de eerste gebruiker uit.")
        return redirect("organisaties")
    return render(request, "organisaties.html", {"organizations": Organisatie.objects.all(), "form": form})


@reauthentication_required  # type: ignore[untyped-decorator]
def organization(request: HttpRequest, number: int) -> HttpResponse:
    """One of them: its name, its agreement, whether it is active."""
    found = get_object_or_404(Organisatie, pk=number)
    form = OrganizationForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "De gegevens zijn bewaard.")
        return redirect("organisaties")
    shown = {"form": form, "title": found.naam, "button": "Bewaar", "back": "organisaties"}
    return render(request, "formulier.html", shown)


def calendar(request: HttpRequest) -> HttpResponse:
    """Per provider and month what came in, by the receipts; the months before this one."""
    newest = periods.newest_month(timezone.localdate())
    months = [periods.later(newest, -back) for back in range(_MONTHS)]
    try:
        found = _delivered(periods.first_day(months[-1]))
    except OperatorFault:
        return render(request, "later.html", {"title": "Kalender"}, status=503)
    note_seen(request, "kalender")
    providers = Organisatie.objects.filter(soort="aanbieder", active=True).order_by("naam")
    rows: list[dict[str, Any]] = [
        {"organisatie": one, "months": [found.get((one.code, month), []) for month in months]} for one in providers
    ]
    silent = [row["organisatie"] for row in rows if not row["months"][0]]
    shown = {"months": [words.month_text(month) for month in months], "rows": rows, "silent": silent}
    return render(request, "kalender.html", shown)


def _delivered(since: date) -> Mapping[tuple[str, str], list[str]]:
    """Provider and month -> kinds that were delivered in it."""
    client = clickhouse.connect(as_task("receipts"))
    try:
        rows: list[tuple[Any, ...]] = clickhouse.select(client, _DELIVERED, {"since": since})
    finally:
        client.close()
    found: dict[tuple[str, str], list[str]] = {}
    for sender, kind, month, _ in sorted(rows):
        found.setdefault((sender, month), []).append(KIND_LABELS.get(kind, kind))
    return found
