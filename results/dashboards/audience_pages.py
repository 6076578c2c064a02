"""The dashboards of who may see released figures only: *Cluster en gemeente*, and *Gemeenteportaal* of Almere.

Their questions go to the tables of one audience, which its data source names, so that one page serves all of a kind. No
ranking: places and groups stand in order of name; no colour says good or bad (S1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain.indicators.catalogue import INDICATORS
from results.dashboards.panels import (
    Json,
    ask,
    asked,
    columns,
    count_beside,
    frame,
    only_rows,
    option,
    page,
    section,
    share,
    single,
    text_panel,
    variable,
)
from results.dashboards.released_queries import (
    CELL_SHOWN,
    CUTS,
    PERIODS,
    PLACES,
    TOTAL_SHOWN,
    cells,
    filtered,
    per_quarter,
    places,
    totals,
)
from results.release.rules import RULES

#: Data source of what everybody compares; in each organization beside its own.
COMPARISON: Final = {"type": "grafana-clickhouse-datasource", "uid": "vergelijking"}
_SUBJECTS: Final[Mapping[str, Sequence[str]]] = {
    "Cliënttevredenheid": ("nut_gemiddelde", "nut_laag", "nut_midden", "nut_hoog"),
    "Zonder hulp verder": ("zonder_hulp", *(f"zonder_hulp_{answer}" for answer in range(1, 5))),
    "Doelrealisatie": ("gas_bereikt", "gas_deels", "geen_nieuwe_start"),
    "Uitval": ("uitval", "uitval_client", "uitval_aanbieder", "uitval_wederzijds"),
    "Respons": ("respons_cem", "respons_scores"),
}
_HEADLINES: Final = ("nut_gemiddelde", "zonder_hulp", "gas_bereikt", "geen_nieuwe_start", "uitval", "respons_cem")
#: A release counts a traject once: its names say so.
_RENAMED: Final = {
    "gas_bereikt": "Trajecten met minstens de helft van de doelen bereikt (niet bevestigd)",
    "gas_deels": "Trajecten met minstens de helft van de doelen deels bereikt (niet bevestigd)",
}
_RELEASED: Final = (
    "**Geen verantwoordingsinstrument: om samen over te praten.** Verschillen zeggen niet wie beter is; de volgorde is "
    "die van naam of code en geen rangorde. Dit zijn *vrijgegeven* cijfers over gesloten perioden: groepen onder "
    f"{RULES.smallest_group} cliënten staan er niet in, een cijfer staat er vanaf {RULES.smallest_denominator} "
    f"tellingen, aantallen zijn op {RULES.step} afgerond en tellers licht verschoven, zodat niemand een kind kan "
    "herkennen. *<=* en *>=*: hoogstens en ten minste. *Niet getoond*: te klein of tegengehouden. *Voorlopig*: het "
    "cijfer kan nog veranderen; *definitief*: nooit meer. *Niet bevestigd*: de bron laat de definitie open."
)
_PORTAL: Final = (
    " Elk filter staat alleen, en waar de vrijgave het toelaat naast respondent of aanbieder. Meer filters tegelijk "
    "kan niet: wie ze combineert, houdt groepjes over waarin een kind te herkennen is (docs/release.md). Een periode "
    "van start of einde is een kwartaal, vier kwartalen of een startjaar. Zorgvraagzwaarte en complexiteit staan in "
    "geen aanlevering."
)
_GOALS: Final = (
    "**Doelrealisatie.** Het CBS-bestand van Almere bevat geen doelscores, en geen bron zegt welk cijfer hier bedoeld "
    "is. Zodra dat is bevestigd, staat het hier; tot dan staat er geen cijfer dat iets anders meet."
)
#: Filters of Almere -> their name on the screen.
FILTERS: Final[Mapping[str, str]] = {
    "reden": "Reden einde", "profiel": "Profiel", "verwijzer": "Verwijzer", "categorie": "Productcategorie",
    "perspectief": "Perspectief", "hulpvorm": "Hulpvorm", "leeftijd": "Leeftijd bij start", "geslacht": "Geslacht",
    "startjaar": "Startjaar", "respondent": "Respondent",
}  # fmt: skip
_KINDS: Final = "vier kwartalen : vier_kwartalen,kwartaal : kwartaal,maand : maand"


def _names(keys: Sequence[str]) -> dict[str, str]:
    return {key: _RENAMED.get(key, INDICATORS[key].title) for key in keys}


def _table(
    title: str, query: Json, keys: Sequence[str], shown: Mapping[str, str], width: int = 24, height: int = 8
) -> Json:
    return only_rows(frame("table", title, [query], width, height), "sleutel", keys, shown)


def _trend(key: str, query: Json) -> Json:
    one, name = INDICATORS[key], _names([key])[key]
    panel = count_beside(frame("timeseries", f"{name}, per kwartaal", [query], 12, 8, "locale", 1))
    return columns(panel, {"time": "time", key: f"{name} (%)" if one.unit == "%" else name, f"{key}_n": "n"})


def _first(titles: Sequence[str], query: Json) -> list[Json]:
    """The question for the first of these panels, and for the others its answer."""
    return [query, *(share(titles[0]) for _ in titles[1:])]


def _subjects(suffix: str, query: Json, shown: Mapping[str, str], height: int) -> list[Json]:
    titles = [f"{subject}{suffix}" for subject in _SUBJECTS]
    return [
        _table(title, target, keys, shown, 24 if suffix else 12, height)
        for title, target, keys in zip(titles, _first(titles, query), _SUBJECTS.values(), strict=True)
    ]


def _place_panels() -> list[Json]:
    every = _names([key for keys in _SUBJECTS.values() for key in keys])
    trends = [f"{_names([key])[key]}, per kwartaal" for key in _HEADLINES]
    return [
        text_panel(_RELEASED, height=5),
        section("De gekozen plaats, in de gekozen periode"),
        *_subjects("", ask(totals(every)), TOTAL_SHOWN, 7),
        section("Per kwartaal"),
        *(
            _trend(key, target)
            for key, target in zip(_HEADLINES, _first(trends, ask(per_quarter(_HEADLINES), timed=True)), strict=True)
        ),
        section("Uitgesplitst"),
        *_subjects(", uitgesplitst", ask(cells(every)), CELL_SHOWN, 9),
    ]


def _compared() -> list[Json]:
    titles = [f"Vergelijking: {_names([key])[key]}" for key in _HEADLINES]
    shown = {"groep": "Gemeente of cluster", **{name: word for name, word in TOTAL_SHOWN.items() if name != "naam"}}
    beside = ask(places(_names(_HEADLINES)), source=COMPARISON)
    tables = zip(titles, _first(titles, beside), _HEADLINES, strict=True)
    return [
        section("Gemeenten en clusters naast elkaar"),
        *(_table(title, target, [key], shown, 12, 9) for title, target, key in tables),
    ]


def _periods() -> list[Json]:
    period = {**single(asked("peildatum", "Periode", PERIODS)), "sort": 0}
    return [variable("soort", "Soort periode", _KINDS, multi=False), period]


def place() -> Json:
    """The dashboard of a municipality and of a contract manager."""
    words = "Vrijgegeven resultaten van een gemeente of cluster, en gemeenten naast elkaar."
    panels = [*_place_panels(), *_compared()]
    return page("vrijgave", "Cluster en gemeente", words, panels, _place_variables(tuple(CUTS)), "now-3y", refresh="")


def averages() -> Json:
    """The dashboard of the providers of a cluster: its averages, without any provider."""
    words = "Vrijgegeven gemiddelden van het cluster, zoals elke aanbieder erin ze ziet."
    variables = _place_variables(("categorie", "leeftijd", "geslacht"))
    return page("gemiddelden", "Gemiddelden van het cluster", words, _place_panels(), variables, "now-3y", refresh="")


def _place_variables(cuts: Sequence[str]) -> list[Json]:
    listed = ",".join(option(name, name) for name in cuts)
    place_ = single(asked("plaats", "Gemeente of cluster", PLACES))
    return [place_, *_periods(), variable("uitsplitsing", "Uitgesplitst naar", listed, multi=False)]


_PORTAL_PARTS: Final[Mapping[str, Sequence[str]]] = {
    "Cliënttevredenheid": ("cbs_nut_laag", "cbs_nut_midden", "cbs_nut_hoog", "cbs_nut_gemiddelde"),
    "Zonder hulp verder kunnen": ("cbs_zonder_hulp", *(f"cbs_zonder_hulp_{answer}" for answer in range(1, 5))),
    "Uitval": ("cbs_uitval", *(f"cbs_uitval_{reason}" for reason in ("wederzijds", "client", "aanbieder", "neutraal"))),
}
_BANDS: Final = {"cbs_nut_laag": "≤ 4", "cbs_nut_midden": "> 4 en < 8", "cbs_nut_hoog": "≥ 8"}


def _portal_panels() -> list[Json]:
    names = _names([key for keys in _PORTAL_PARTS.values() for key in keys]) | {
        key: f"Cijfer {band}" for key, band in _BANDS.items()
    }
    whole, cut = ask(totals(names)), ask(filtered(names))
    satisfied, alone = _PORTAL_PARTS["Cliënttevredenheid"], _PORTAL_PARTS["Zonder hulp verder kunnen"]
    response = {"naam": "Gevraagd", "n": "Beantwoord (op vijf)", "buiten": "Niet beantwoord (op vijf)"}
    bars = frame("barchart", "Cliënttevredenheid", [whole], 12, 8, "locale", 0)
    titles = [f"{part}, per waarde van het filter" for part in _PORTAL_PARTS]
    return [
        text_panel(_RELEASED + _PORTAL, height=7),
        section("Almere, in de gekozen periode"),
        only_rows(bars, "sleutel", tuple(_BANDS), {"naam": "Cijfer", "waarde": "Aandeel (%)", "n": "n (op vijf)"}),
        _table("Cliënttevredenheid, cijfers", share("Cliënttevredenheid"), satisfied, TOTAL_SHOWN, 12),
        _table("Zonder hulp verder kunnen", share("Cliënttevredenheid"), alone, TOTAL_SHOWN, 12),
        text_panel(_GOALS, 12, 8),
        _table("Respons", share("Cliënttevredenheid"), ("cbs_nut_gemiddelde", "cbs_zonder_hulp"), response, 12),
        _table("Uitval", share("Cliënttevredenheid"), _PORTAL_PARTS["Uitval"], TOTAL_SHOWN, 12),
        section("Per waarde van het gekozen filter"),
        *(
            _table(title, target, keys, CELL_SHOWN, 24, 9)
            for title, target, keys in zip(titles, _first(titles, cut), _PORTAL_PARTS.values(), strict=True)
        ),
    ]


def portal() -> Json:
    """The dashboard of Almere: four panels, and each filter by itself."""
    seconds = "geen : geen,respondent : respondent,aanbieder : aanbieder"
    variables = [
        *_periods(),
        variable("filter", "Filter", ",".join(option(name, key) for key, name in FILTERS.items()), multi=False),
        variable("tweede", "En", seconds, multi=False),
        single(asked("plaats", "Gemeente", PLACES)),
    ]
    words = "Vrijgegeven resultaten van jeugdhulp in Almere, uit CBS-bestanden."
    return page("portaal", "Gemeenteportaal", words, _portal_panels(), variables, "now-3y", refresh="")
