"""Released figures for a contract manager and a municipality: only what a release published to that audience (D6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from domain.field.geography import GEMEENTEN
from faults import OperatorFault
from portal.pages.csv_text import csv_text, download
from portal.pages.drawing import chapters
from portal.pages.released_tables import KINDS, PANELS, SUBJECTS, Asked, names, periods, split, whole
from portal.pages.seeing import as_audience, gebruiker, note_seen
from results.dashboards import released_queries
from results.dashboards.audience_pages import FILTERS
from results.release.rules import RULES
from results.reports.content import Section, Table, Text
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.audiences import COMPARISON, of_cluster, of_gemeente

#: The municipality with panels and filters of its own (S2).
_ALMERE: Final = "0034"
#: Figures that places stand beside each other in.
_HEADLINES: Final = ("nut_gemiddelde", "zonder_hulp", "gas_bereikt", "geen_nieuwe_start", "uitval", "respons_cem")
#: Errors of ClickHouse: no such table, no such database.
_ABSENT: Final = frozenset({60, 81})


def cluster(request: HttpRequest) -> HttpResponse:
    """The cluster of a contract manager."""
    code = gebruiker(request).organisatie.code
    return _page(request, "cluster", code, of_cluster(code))


def cluster_csv(request: HttpRequest) -> HttpResponse:
    """The same tables as a file."""
    code = gebruiker(request).organisatie.code
    return _file(request, "cluster", code, of_cluster(code))


def town(request: HttpRequest) -> HttpResponse:
    """The municipality of who is logged in."""
    code = gebruiker(request).organisatie.code
    return _page(request, "gemeente", GEMEENTEN[code].name, of_gemeente(code))


def town_csv(request: HttpRequest) -> HttpResponse:
    """The same tables as a file."""
    code = gebruiker(request).organisatie.code
    return _file(request, "gemeente", GEMEENTEN[code].name, of_gemeente(code))


def _page(request: HttpRequest, kind: str, place: str, database: str) -> HttpResponse:
    try:
        chosen, offered, sections = _asked(request, place, database)
    except OperatorFault:
        return render(request, "later.html", {"title": place}, status=503)
    note_seen(request, kind)
    more = {"rules": RULES, "csv": f"{kind}-csv", "place": place, "query": request.GET.urlencode()}
    return render(
        request,
        "vrijgave.html",
        {"chosen": chosen, "offered": offered, "chapters": chapters(sections), "empty": not sections, **more},
    )


def _file(request: HttpRequest, kind: str, place: str, database: str) -> HttpResponse:
    try:
        chosen, _, sections = _asked(request, place, database)
    except OperatorFault:
        return render(request, "later.html", {"title": place}, status=503)
    note_seen(request, f"{kind}-csv")
    found = [b if isinstance(b, Table) else b.table() for s in sections for b in s.blocks if not isinstance(b, Text)]
    head = [("Plaats", place), ("Soort periode", chosen["soort"]), ("Periode", chosen["peildatum"])]
    return download(f"{kind}-vrijgave", csv_text(found, head))


def _asked(request: HttpRequest, place: str, database: str) -> tuple[dict[str, str], dict[str, Any], list[Section]]:
    own = as_audience(database)
    almere = database == of_gemeente(_ALMERE)
    kind = _picked(request, "soort", KINDS)
    try:
        found = periods(Asked(own, {"soort": kind}))
    except clickhouse.RefusedError as error:
        if error.code not in _ABSENT:
            raise
        found = []
    period = _picked(request, "periode", {one: one for one in found} or {"": ""})
    cuts = FILTERS if almere else {name: name for name in released_queries.CUTS}
    cut = _picked(request, "uitsplitsing", cuts)
    chosen = {"soort": kind, "peildatum": period, "plaats": place, "uitsplitsing": cut, "filter": cut, "tweede": "geen"}
    offered = {
        "soort": list(KINDS.items()),
        "periode": [(one, one) for one in found],
        "uitsplitsing": [(value, said[:1].upper() + said[1:]) for value, said in cuts.items()],
    }
    if not period:
        return chosen, offered, []
    return chosen, offered, list(_sections(own, chosen, PANELS if almere else SUBJECTS, cuts[cut], almere=almere))


def _sections(
    own: Access, chosen: Mapping[str, str], subjects: Mapping[str, Sequence[str]], cut: str, *, almere: bool
) -> Iterator[Section]:
    asked, every = Asked(own, chosen), names(subjects)
    yield from whole(asked.lines(released_queries.totals(every)), subjects)
    query = released_queries.filtered(every) if almere else released_queries.cells(every)
    parts = tuple(split(asked.lines(query), subjects, cut[:1].upper() + cut[1:]))
    if parts:
        yield Section(f"Uitgesplitst naar {cut.lower()}", parts)
    if not almere:
        yield from _compared(chosen)


def _compared(chosen: Mapping[str, str]) -> Iterator[Section]:
    """Every municipality and cluster beside each other, in order of name."""
    asked = Asked(as_audience(COMPARISON), chosen)
    heads = {key: name for key, name in names(SUBJECTS).items() if key in _HEADLINES}
    lines = asked.lines(released_queries.places(heads))
    tables = tuple(split(lines, {heads[key]: (key,) for key in _HEADLINES}, "Gemeente of cluster"))
    if tables:
        yield Section("Gemeenten en clusters naast elkaar", tables)


def _picked(request: HttpRequest, name: str, offered: Mapping[str, str]) -> str:
    """What was chosen, where it is offered; else the first."""
    asked = str(request.GET.get(name))
    return asked if asked in offered else next(iter(offered))
