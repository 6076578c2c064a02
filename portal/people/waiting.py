"""How long the oldest request waits that somebody else must take up: as a number of seconds, and of nobody."""

from __future__ import annotations

from django.db.models import Min, QuerySet
from django.utils import timezone

from portal.people.models import Herberekening, Sleutelaanvraag


def oldest() -> dict[str, float]:
    """What waits (``monitoring.metrics.PORTAL_REQUESTS``) -> seconds since it was asked; 0 when none does."""
    return {"certificate": _age(Sleutelaanvraag.objects.all()), "recalculation": _age(Herberekening.objects.all())}


def _age(asked: QuerySet[Sleutelaanvraag] | QuerySet[Herberekening]) -> float:
    since = asked.filter(state="gevraagd").aggregate(since=Min("asked"))["since"]
    return max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0
