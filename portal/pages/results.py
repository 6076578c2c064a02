"""A provider's own results beside the released average of the cluster, by its own filters; and the same as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from domain.field.codes import GESLACHT, PRODUCTCATEGORIEEN
from domain.field.geography import GEMEENTEN
from domain.field.words import few_sentence
from faults import OperatorFault
from portal.pages.csv_text import csv_text, download
from portal.pages.drawing import chapters, tables
from portal.pages.seeing import NoResultsYet, as_provider, gebruiker, note_seen
from results.filters import AGE_BANDS, PLACES, Days, Filters
from results.own import OWN_INDICATORS, OwnFigure, OwnRequest
from results.own_asked import asked
from results.own_views import LIVE, RULE
from results.reports import periods, words
from results.reports.content import Figure, Report
from results.reports.outcomes import TRENDS, Outcomes, report
from results.reports.reading import KEYS, own_figure
from sinks.access import Access

#: What gives figures for a request.
Ask = Callable[[OwnRequest], Mapping[str, OwnFigure]]
_FEW: Final = few_sentence(RULE.smallest_group)
_RESPONDENTS: Final[Mapping[str, str]] = {"jeugdige": "Jeugdigen", "ouder": "Ouders"}
_MONTHS: Final = 36
#: In no cluster; its figures come from CBS files.
_ALMERE: Final = GEMEENTEN["0034"].name
_OF_FILES: Final = tuple(key for key, one in OWN_INDICATORS.items() if one.provenance == "cbs")


@dataclass(frozen=True)
class Chosen:
    """What somebody chose on the page; whatever is not offered counts as not chosen."""

    cluster: str
    month: str
    gemeente: str
    categorie: str
    geslacht: str
    leeftijd: str
    respondent: str

    @property
    def filters(self) -> Filters:
        """As the figures take them."""
        return Filters(
            gemeente=_one(self.gemeente),
            categorie=_one(self.categorie),
            geslacht=_one(self.geslacht),
            respondent=_one(self.respondent),
            leeftijd=tuple(band for band in AGE_BANDS if band.name == self.leeftijd),
        )

    @property
    def said(self) -> list[tuple[str, str]]:
        """In words, for a file."""
        every = {
            "Cluster": self.cluster or "alle",
            "Twaalf maanden tot en met": words.month_text(self.month),
            "Gemeente": GEMEENTEN[self.gemeente].name if self.gemeente else "",
            "Productcategorie": PRODUCTCATEGORIEEN.get(self.categorie, ""),
            "Geslacht": GESLACHT.get(self.geslacht, ""),
            "Leeftijd bij start": self.leeftijd,
            "Respondent": _RESPONDENTS.get(self.respondent, ""),
        }
        return [(name, value) for name, value in every.items() if value]


def _one(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def results(request: HttpRequest) -> HttpResponse:
    """The page."""
    try:
        chosen, offered, found = _asked(request)
    except OperatorFault as fault:
        return _nothing(request, fault)
    note_seen(request, "resultaten")
    return render(
        request,
        "resultaten.html",
        {"chosen": chosen, "offered": offered, "report": found, "chapters": chapters(found.sections)},
    )


def results_csv(request: HttpRequest) -> HttpResponse:
    """The same tables as a file."""
    try:
        chosen, _, found = _asked(request)
    except OperatorFault as fault:
        return _nothing(request, fault)
    note_seen(request, "resultaten-csv")
    head = [("Aanbieder", gebruiker(request).organisatie.code), *chosen.said]
    return download(f"resultaten-{chosen.month}", csv_text(tables(found), head))


def _nothing(request: HttpRequest, fault: OperatorFault) -> HttpResponse:
    if isinstance(fault, NoResultsYet):
        return render(request, "geen_resultaten.html")
    return render(request, "later.html", {"title": "Resultaten"}, status=503)


def _asked(request: HttpRequest) -> tuple[Chosen, dict[str, Any], Report]:
    agb = gebruiker(request).organisatie.code
    access, clusters = as_provider(agb)
    offered = _offered(clusters)
    chosen = _chosen(request.GET, offered)
    return chosen, offered, _report(partial(_asked_itself, access), agb, chosen)


def _asked_itself(access: Access, request: OwnRequest) -> dict[str, OwnFigure]:
    """As the provider, through its views."""
    return asked(access, request, ("kwartaal",) if request.course else ())


def _offered(clusters: Sequence[str]) -> dict[str, Any]:
    """Filter -> value and words of each choice. Almere, which is in no cluster, may be chosen by everybody."""
    newest = periods.newest_month(timezone.localdate())
    places = [*clusters, _ALMERE]
    towns = [code for code, place in PLACES.items() if place in places]
    return {
        "cluster": [*((name, name) for name in places), ("", "Alle clusters")],
        "maand": [(one, words.month_text(one)) for one in (periods.later(newest, -back) for back in range(_MONTHS))],
        "gemeente": [("", "Alle"), *((code, GEMEENTEN[code].name) for code in towns)],
        "categorie": [("", "Alle"), *sorted(PRODUCTCATEGORIEEN.items())],
        "geslacht": [("", "Alle"), *GESLACHT.items()],
        "leeftijd": [("", "Alle"), *((band.name, band.name) for band in AGE_BANDS)],
        "respondent": [("", "Alle"), *_RESPONDENTS.items()],
    }


def _chosen(given: QueryDict, offered: Mapping[str, Any]) -> Chosen:
    def pick(name: str) -> str:
        values: list[str] = [value for value, _ in offered[name]]
        asked = str(given.get(name))
        return asked if asked in values else values[0]

    return Chosen(
        pick("cluster"), pick("maand"), pick("gemeente"), pick("categorie"), pick("geslacht"), pick("leeftijd"),
        pick("respondent"),
    )  # fmt: skip


def _report(ask: Ask, agb: str, chosen: Chosen) -> Report:
    first, last = periods.first_day(periods.later(chosen.month, -11)), periods.last_day(chosen.month)
    quarters = periods.quarters(chosen.month)
    keys, trends = (_OF_FILES, ()) if chosen.cluster == _ALMERE else (KEYS, TRENDS)
    wanted = OwnRequest(
        aanbieder=agb,
        cluster=chosen.cluster,
        on=last,
        period=Days(first, last),
        filters=chosen.filters,
        keys=keys,
        course=False,
    )
    whole = ask(wanted)
    over = Days(*periods.days_of_quarters(quarters))
    course = ask(replace(wanted, period=over, keys=trends, course=True))
    figures = {key: _whole(one) for key, one in whole.items()}
    averages = [one.average for one in whole.values() if one.average is not None]
    return report(
        Outcomes(
            kind="aanbieder",
            provider=agb,
            cluster=chosen.cluster,
            month=chosen.month,
            period=words.twelve_months(periods.later(chosen.month, -11), chosen.month),
            made_on=words.day_text(timezone.localdate()),
            figures=figures,
            quarters=tuple(map(words.quarter_short, quarters)),
            trends={key: tuple(_point(one, quarter) for quarter in quarters) for key, one in course.items()},
            release=max((one.vrijgave for one in averages), default=0),
            quarter=max((one.periode for one in averages), default=""),
            notes=(_FEW,),
        )
    )


def _whole(one: OwnFigure) -> Figure:
    """A figure of the whole period. Its view says nothing of no clients and of few alike, so neither does the page."""
    shown = own_figure(one.measured, one.average)
    if one.measured.figure.sums.clients:
        return shown
    few = RULE.few if one.indicator.key in LIVE else ""  # what others decide comes from the release alone
    return replace(shown, value=None, counted=None, excluded="", hidden=few)


def _point(one: OwnFigure, quarter: str) -> Figure:
    """The figure of one quarter, with what was released of that quarter."""
    average = next((a for a in one.averages if a.periode_soort == "kwartaal" and a.periode == quarter), None)
    for measured in one.trend["kwartaal"]:
        if measured.figure.group == quarter:
            return own_figure(measured, average)
    indicator = one.indicator
    return Figure(
        key=indicator.key, title=indicator.title, unit=indicator.unit, value=None, counted=None, mark=indicator.mark
    )
