"""The reports that the outbox keeps (``results.reports.outbox``): those of one's own organization, and no other file.

A file is looked for among those that the outbox lists, by name; no path is ever made of what somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from domain.field.geography import GEMEENTEN
from portal.pages.seeing import gebruiker, house, note_seen
from portal.people.models import Organisatie
from results.reports import periods, words
from results.reports.content import slug
from results.reports.outbox import Outbox

_TYPES: Final = {".pdf": "application/pdf", ".html": "text/html; charset=utf-8"}
_OF_PROVIDER: Final = ("aanbieder", "cem", "spiegel")
_OF_CLUSTER: Final = ("cluster", "gemiddelde")
_OF_GEMEENTE: Final = "gemeente"


class Kept(NamedTuple):
    """One file of the outbox. ``title`` and ``period`` as people say them."""

    path: Path
    month: str
    title: str
    period: str
    cluster: str

    @property
    def name(self) -> str:
        """Its file name."""
        return self.path.name

    @property
    def kilobytes(self) -> int:
        """Its size, rounded up."""
        return -(-self.path.stat().st_size // 1000)


def of_organization(outbox: Outbox, organisatie: Organisatie) -> Iterator[Kept]:
    """The files of one organization, the newest month first."""
    for path in sorted(outbox.files(), key=lambda one: (one.parent.name, one.name), reverse=True):
        parts = path.stem.split("_")
        if path.suffix not in _TYPES or len(parts) < 3:
            continue
        kind, whose = parts[1], parts[2]
        town = organisatie.soort == "gemeente" and kind == _OF_GEMEENTE and whose == _town(organisatie.code)
        provider = organisatie.soort == "aanbieder" and kind in _OF_PROVIDER and whose == organisatie.code
        cluster = organisatie.soort == "cluster" and kind in _OF_CLUSTER and whose == slug(organisatie.code)
        if provider or cluster or town:
            yield Kept(path, path.parent.name, words.TITLES[kind], words.month_text(path.parent.name), _cluster(parts))


def _town(code: str) -> str:
    """A municipality as the name of a file has it."""
    return slug(GEMEENTEN[code].name) if code in GEMEENTEN else ""


def _cluster(parts: list[str]) -> str:
    """The cluster in a name of four parts and more, as it stands there."""
    return parts[3].capitalize() if len(parts) > 4 else ""


def _outbox() -> Outbox:
    settings = house()
    return Outbox(settings.report_outbox or settings.home / "reports", settings.report_days)


def reports(request: HttpRequest) -> HttpResponse:
    """The list."""
    kept = list(of_organization(_outbox(), gebruiker(request).organisatie))
    return render(request, "rapporten.html", {"kept": kept, "days": house().report_days})


def report(request: HttpRequest, month: str, name: str) -> HttpResponse:
    """One file, to save."""
    if not periods.is_month(month):
        raise Http404
    for one in of_organization(_outbox(), gebruiker(request).organisatie):
        if (one.month, one.name) == (month, name):
            note_seen(request, "rapport")
            response = HttpResponse(one.path.read_bytes(), content_type=_TYPES[one.path.suffix])
            response["Content-Disposition"] = f'attachment; filename="{one.name}"'
            return response
    raise Http404
