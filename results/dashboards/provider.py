"""The dashboard *Resultaten aanbieder*: one provider in one cluster, as the rows are now, beside the released average.

For talks with that provider, and by a login of its own for the provider itself: the same page with other questions
(``own_view_queries``). No other provider is named, nothing is ranked, and no colour says good or bad (S1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domain.field.codes import REDENEN
from domain.field.geography import CLUSTERS, GEMEENTEN
from domain.field.words import few_sentence
from domain.indicators.comparable import released_as
from domain.indicators.terms import Indicator
from results.dashboards.own_queries import SHOWN, TABLES, Asking, Line
from results.dashboards.own_view_queries import VIEWS
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
from results.dashboards.provider_parts import LABELS, PARTS, Part
from results.dashboards.released_queries import AVERAGE_SHOWN
from results.filters import AGE_BANDS, PLACES
from results.own import OWN_INDICATORS
from results.own_views import RULE
from results.released import NO_RELEASE

_LAST_MONTHS: Final = "now-12M/M"


#: What stands in a table, with its margin.
_IN_TABLES: Final = frozenset(key for part in PARTS for key in part.table)


#: Who sees the page, as its text says.
_SEEN_BY_REGION: Final = "Deze pagina toont ook uitkomsten van enkele kinderen: alleen voor deze aanbieder en de regio."
_SEEN_BY_PROVIDER: Final = (
    f"{few_sentence(RULE.smallest_group)} *Geen nieuwe start* staat hier alleen als "
    "gemiddelde: daarover beslissen ook berichten van andere aanbieders."
)


def _introduction(seen_by: str) -> str:
    return (
        "**Geen verantwoordingsinstrument: om samen over te praten.** Verschillen zeggen niet wie beter is; zij vragen "
        "waar zij vandaan komen (andere jeugdigen, andere methoden). *Eigen*: de rijen van deze aanbieder zoals zij nu "
        "zijn; de periode telt op einddatum van het traject of datum van de meting, grenzen inbegrepen. *Marge*: waar "
        "het cijfer 19 van de 20 keer ligt als alleen het toeval verschilt; zij telt kinderen, niet scores. "
        f"*Gemiddelde cluster*: uit de laatste vrijgave (afgerond, gesloten perioden, één meting per traject), anders "
        f"„{NO_RELEASE}”; het volgt de filters niet. Filters gelden samen. *Niet bevestigd*: de bron laat de definitie "
        "open. *Voorlopig*: de termijn is nog niet voorbij. Zorgvraagzwaarte en complexiteit staan in geen "
        "aanlevering. "
        "Een meting of score die nog op haar traject wacht, valt buiten een filter op het traject. "
    ) + seen_by


def _rows_of(one: Indicator) -> tuple[str, str, str]:
    return one.table, one.provenance, one.datum


class _Questions:
    """Who asks first for figures over the same rows; all others on the page take its answer."""

    def __init__(self, keys: Sequence[str], asking: Asking) -> None:
        self._asking = asking
        self._figures: dict[tuple[str, ...], list[Line]] = {}
        for key in dict.fromkeys(keys):
            one = OWN_INDICATORS[key]
            self._figures.setdefault(_rows_of(one), []).append(Line(one, LABELS.get(key, ""), key not in _IN_TABLES))
        self._asked: dict[object, str] = {}

    def _once(self, of: object, title: str, query: str, *, timed: bool = False) -> Json:
        if (asked_by := self._asked.setdefault(of, title)) == title:
            return ask(query, timed=timed)
        return share(asked_by)

    def figures(self, title: str, key: str) -> Json:
        """The answer with a line for every figure over the rows of this one."""
        of = _rows_of(OWN_INDICATORS[key])
        mine = [line for line in self._figures[of] if line.indicator.key in self._asking.has]
        return self._once(of, title, self._asking.lines(mine))

    def over_time(self, title: str, key: str) -> Json:
        """The answer with figures per period over the rows of this one."""
        of = _rows_of(OWN_INDICATORS[key])
        keys = [OWN_INDICATORS[one] for part in PARTS for one in self.may(part.trend)]
        asked_for = self._asking.trend([one for one in keys if _rows_of(one) == of])
        return self._once(("trend", *of), title, asked_for, timed=True)

    def may(self, keys: Iterable[str]) -> list[str]:
        """Those of the figures that may be asked of the rows; averages are there of more."""
        return [key for key in keys if key in self._asking.has]

    def averages(self, title: str) -> Json:
        """The answer with every average that the page shows; bars have none beside them."""
        released = {released_as(key): OWN_INDICATORS[key].title for key in _BESIDE if released_as(key)}
        return self._once("averages", title, self._asking.averages(released))


#: Above all sections, where no folded row hides them: the panels that ask what others show (``panels.share``).
_HEADLINES: Final[Mapping[str, Sequence[str]]] = {
    "Kerncijfers trajecten": ("gas_helft_bereikt", "geen_nieuwe_start", "uitval", "respons_cem", "respons_scores"),
    "Kerncijfers vragenlijsten": ("nut_gemiddelde", "zonder_hulp"),
}

#: Figures that have the average beside them.
_BESIDE: Final = tuple(
    dict.fromkeys(
        key for keys in (*_HEADLINES.values(), *(part.table for part in PARTS if part.averages)) for key in keys
    )
)


def _panels(asking: Asking, seen_by: str) -> list[Json]:
    every = [key for part in PARTS for keys in (part.table, *part.bars.values()) for key in keys]
    questions = _Questions(every, asking)
    head = [_own(f"{title} (eigen)", keys, questions, 8) for title, keys in _HEADLINES.items()]
    beside = _beside(
        "Kerncijfers (gemiddelde cluster)", [key for keys in _HEADLINES.values() for key in keys], questions
    )
    sections = [one for part in PARTS for one in _part(part, questions)]
    trends = [_trend(key, questions) for part in PARTS for key in questions.may(part.trend)]
    return [
        text_panel(_introduction(seen_by), height=5),
        *head[:1],
        beside,
        *head[1:],
        *sections,
        section("Verloop"),
        *trends,
    ]


def _own(title: str, keys: Sequence[str], questions: _Questions, height: int) -> Json:
    panel = frame("table", title, [questions.figures(title, keys[0])], 14, height)
    return only_rows(panel, "sleutel", questions.may(keys), SHOWN)


def _beside(title: str, keys: Sequence[str], questions: _Questions, height: int = 8) -> Json:
    released = [released_as(key) for key in keys if released_as(key)]
    panel = frame("table", title, [questions.averages(title)], 10, height)
    return only_rows(panel, "sleutel", released, AVERAGE_SHOWN)


def _part(part: Part, questions: _Questions) -> list[Json]:
    """Own figures beside the averages, and bars below. Figures over different rows have a table each."""
    height = 4 + len(part.table)
    tables: list[Json] = []
    for of in dict.fromkeys(_rows_of(OWN_INDICATORS[key]) for key in part.table):
        keys = [key for key in part.table if _rows_of(OWN_INDICATORS[key]) == of]
        title = part.title if not tables else f"{part.title}: {OWN_INDICATORS[keys[0]].name}"
        tables.append(_own(f"{title} (eigen)", keys, questions, height))
    beside = []
    if part.averages:
        beside.append(_beside(f"{part.title} (gemiddelde cluster)", part.table, questions, height))
    drawn = [_bars(title, keys, questions) for title, keys in part.bars.items()]
    return [section(part.title), *tables, *beside, *drawn]


def _bars(title: str, keys: Sequence[str], questions: _Questions) -> Json:
    first = OWN_INDICATORS[keys[0]]
    unconfirmed = " (niet bevestigd)" if any(OWN_INDICATORS[key].mark == "P" for key in keys) else ""
    panel = frame(
        "barchart", title + unconfirmed, [questions.figures(title + unconfirmed, keys[0])], 12, 8, "locale", 1
    )
    heading = "Aantal" if first.unit == "aantal" else "Aandeel (%)"
    return only_rows(panel, "sleutel", keys, {"label": "Uitkomst", "waarde": heading, "n": "n"})


def _trend(key: str, questions: _Questions) -> Json:
    """Figure and n per period, the n as bars on the other side."""
    one = OWN_INDICATORS[key]
    title = f"{one.title}, per periode (eigen)"
    panel = count_beside(frame("timeseries", title, [questions.over_time(title, key)], 12, 8, "locale", 1))
    name = f"{one.name} (%)" if one.unit == "%" else one.name
    return columns(panel, {"time": "time", f"{key}_cijfer": name, f"{key}_n": "n"})


def _variables(asking: Asking) -> list[Json]:
    towns = ",".join(option(one.name, one.code) for one in sorted(GEMEENTEN.values(), key=lambda one: one.name))
    places = [*CLUSTERS, *(place for place in dict.fromkeys(PLACES.values()) if place not in CLUSTERS)]
    reasons = ",".join(option(f"{code} {reden.label}", code) for code, reden in REDENEN.items())
    provider = asked("aanbieder", "Aanbieder (AGB)", "SELECT DISTINCT aanbieder FROM sor.trajecten ORDER BY aanbieder")
    sexes = "man : 1,vrouw : 2,onbekend : 0,niet gespecificeerd : 9"
    return [
        *([single(provider)] if asking is TABLES else []),
        variable("cluster", "Cluster", ",".join(places), multi=False),
        variable("periode", "Verloop per", asking.steps, multi=False),
        variable("gemeente", "Gemeente", towns),
        single(asked("start_van", "Start van", asking.months), everything=True),
        single(asked("start_tot", "Start tot en met", asking.months), everything=True),
        variable("reden", "Reden einde", reasons),
        *(asked(name, label, asking.choices(name, column)) for name, label, column in _CHOICES),
        variable("geslacht", "Geslacht", sexes),
        variable("leeftijd", "Leeftijd bij start", ",".join(option(band.name, band.name) for band in AGE_BANDS)),
        variable("respondent", "Respondent (vragenlijsten)", "jeugdige : jeugdige,ouder : ouder"),
    ]


#: Filters whose values come from the rows: variable, label and column.
_CHOICES: Final = (
    ("categorie", "Productcategorie", "categorie"),
    ("segment", "Segment", "segment"),
    ("profiel", "Profiel", "profiel"),
    ("intensiteit", "Perspectief of intensiteit", "intensiteit"),
    ("verwijzer", "Verwijzer", "verwijzer"),
    ("hulpvorm", "Hulpvorm", "hulpvorm"),
    ("gebied", "Postcodegebied", "postcodegebied"),
)


def build() -> Json:
    """The dashboard of one provider, whichever the third party chooses."""
    words = "Resultaten van één aanbieder in één cluster, naast het vrijgegeven gemiddelde van het cluster."
    panels = _panels(TABLES, _SEEN_BY_REGION)
    return page("aanbieder", "Resultaten aanbieder", words, panels, _variables(TABLES), _LAST_MONTHS)


def own() -> Json:
    """The same for the provider whose views its data source reads."""
    words = "Eigen resultaten in één cluster, naast het vrijgegeven gemiddelde van het cluster."
    panels = _panels(VIEWS, _SEEN_BY_PROVIDER)
    return page("eigen", "Eigen resultaten", words, panels, _variables(VIEWS), _LAST_MONTHS)
