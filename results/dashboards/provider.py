"""The dashboard *Resultaten aanbieder*: one provider in one cluster, as the rows are now, beside the released average.

For talks with that provider and for the provider itself. No other provider is named, nothing is ranked, and no colour
says good or bad (S1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from domain.field.codes import REDENEN
from domain.field.geography import CLUSTERS, GEMEENTEN
from domain.indicators.answers import ANSWERS, CARE_SUBJECTS
from domain.indicators.comparable import released_as
from domain.indicators.terms import Indicator
from results.dashboards.own_queries import MONTHS, SHOWN, Line, choices, lines, trend
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
from results.dashboards.released_queries import AVERAGE_SHOWN, cluster_averages
from results.filters import AGE_BANDS, PLACES
from results.own import OWN_INDICATORS
from results.released import NO_RELEASE

_LAST_MONTHS: Final = "now-12M/M"
_WHO: Final = ("", "_jeugdige", "_ouder")
_MARKS: Final = tuple(f"nut_{mark}" for mark in range(1, 11))
_BANDS: Final = {"nut_laag": "4 of lager", "nut_midden": "5 tot en met 7", "nut_hoog": "8 of hoger"}
_OPTIONS: Final = {
    "zonder_hulp_1": "zelfde of zwaardere hulp",
    "zonder_hulp_2": "lichtere hulp",
    "zonder_hulp_3": "nu geen, komt terug",
    "zonder_hulp_4": "geen hulp meer",
}
_SCORES: Final = {
    "gas_score_-1": "-1 slechter",
    "gas_score_0": "0 als bij de start",
    "gas_score_1": "1 deels bereikt",
    "gas_score_2": "2 bereikt",
}
_REASONS: Final = {
    "einde_gepland": "volgens plan",
    "einde_neutraal": "neutraal",
    "einde_administratief": "administratief",
}
_PROBLEMS: Final = {
    f"probleem_{who}_{score}": f"{label}: score {score}"
    for who, label in (("behandelaar", "behandelaar"), ("ouder", "ouder"), ("client", "cliënt"))
    for score in (1, 2, 3)
}
#: Every bar -> what it is called.
_LABELS: Final[Mapping[str, str]] = {
    **{key: key.removeprefix("nut_") for key in _MARKS},
    **_BANDS,
    **_OPTIONS,
    **_SCORES,
    **_REASONS,
    **_PROBLEMS,
    **{
        one.key: f"{code}: antwoord {answer}"
        for questions in ANSWERS.values()
        for code, answers in questions.items()
        for answer, one in enumerate(answers, 1)
    },
}


class _Part(NamedTuple):
    """A section: figures in a table beside the averages, bars by their title, and figures over time."""

    title: str
    table: Sequence[str]
    bars: Mapping[str, Sequence[str]]
    trend: Sequence[str] = ()
    averages: bool = True


def _questions(subject: str) -> list[str]:
    return [one.key for answers in ANSWERS[subject].values() for one in answers]


_PARTS: Final = (
    _Part(
        "Cliënttevredenheid",
        [f"nut_gemiddelde{who}" for who in _WHO] + [*_BANDS],
        {"Nut van hulp, cijfers": _MARKS, "Nut van hulp, banden": tuple(_BANDS)}
        | {label: _questions(subject) for subject, label in CARE_SUBJECTS.items()},
        ("nut_gemiddelde",),
    ),
    _Part(
        "Doelrealisatie",
        ["gas_bereikt", "gas_deels", "gas_helft_bereikt", "gas_helft_deels", "geen_nieuwe_start",
         "geen_nieuwe_start_voorlopig"],
        {"Doelscores": tuple(_SCORES), "Probleemafname": tuple(_PROBLEMS)},
        ("gas_bereikt", "geen_nieuwe_start"),
    ),
    _Part(
        "Zonder hulp verder",
        [f"zonder_hulp{who}" for who in _WHO],
        {"Zonder hulp verder, antwoorden": tuple(_OPTIONS)},
        ("zonder_hulp",),
    ),
    _Part(
        "Uitval",
        ["uitval", "uitval_client", "uitval_aanbieder", "uitval_wederzijds"],
        {"Einde van trajecten, aantallen": tuple(_REASONS)},
        ("uitval",),
    ),
    _Part("Respons", ["respons_cem", "respons_scores"], {}, ("respons_cem",)),
    _Part(
        "Aantallen en duurzame hulp (nu)",
        ["trajecten_lopend", "trajecten_gepauzeerd", "trajecten_beeindigd", "trajecten_wacht_op_start",
         "respons_duurzaam"],
        {},
        averages=False,
    ),
    _Part(
        "CBS-bestand (Almere)",
        ["cbs_uitval", "cbs_uitval_wederzijds", "cbs_uitval_client", "cbs_uitval_aanbieder", "cbs_uitval_neutraal"],
        {},
        averages=False,
    ),
    _Part(
        "CBS-bestand (Almere): tevredenheid en zonder hulp verder",
        ["cbs_nut_gemiddelde", "cbs_nut_laag", "cbs_nut_midden", "cbs_nut_hoog", "cbs_zonder_hulp"],
        {},
        averages=False,
    ),
)  # fmt: skip


#: What stands in a table, with its margin.
_IN_TABLES: Final = frozenset(key for part in _PARTS for key in part.table)


def _introduction() -> str:
    return (
        "**Geen verantwoordingsinstrument: om samen over te praten.** Verschillen zeggen niet wie beter is; zij vragen "
        "waar zij vandaan komen (andere jeugdigen, andere methoden). *Eigen*: de rijen van deze aanbieder zoals zij nu "
        "zijn; de periode telt op einddatum van het traject of datum van de meting, grenzen inbegrepen. *Marge*: waar "
        "het cijfer 19 van de 20 keer ligt als alleen het toeval verschilt; zij telt kinderen, niet scores. "
        f"*Gemiddelde cluster*: uit de laatste vrijgave (afgerond, gesloten perioden, één meting per traject), anders "
        f"„{NO_RELEASE}”; het volgt de filters niet. Filters gelden samen. *Niet bevestigd*: de bron laat de definitie "
        "open. *Voorlopig*: de termijn is nog niet voorbij. Zorgvraagzwaarte en complexiteit staan in geen "
        "aanlevering. "
        "Een meting of score die nog op haar traject wacht, valt buiten een filter op het traject. Deze pagina toont "
        "ook uitkomsten van enkele kinderen: alleen voor deze aanbieder en de regio."
    )


def _rows_of(one: Indicator) -> tuple[str, str, str]:
    return one.table, one.provenance, one.datum


class _Questions:
    """Who asks first for figures over the same rows; all others on the page take its answer."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._figures: dict[tuple[str, ...], list[Line]] = {}
        for key in dict.fromkeys(keys):
            one = OWN_INDICATORS[key]
            self._figures.setdefault(_rows_of(one), []).append(Line(one, _LABELS.get(key, ""), key not in _IN_TABLES))
        self._asked: dict[object, str] = {}

    def _once(self, of: object, title: str, query: str, *, timed: bool = False) -> Json:
        if (asked_by := self._asked.setdefault(of, title)) == title:
            return ask(query, timed=timed)
        return share(asked_by)

    def figures(self, title: str, key: str) -> Json:
        """The answer with a line for every figure over the rows of this one."""
        of = _rows_of(OWN_INDICATORS[key])
        return self._once(of, title, lines(self._figures[of]))

    def over_time(self, title: str, key: str) -> Json:
        """The answer with figures per period over the rows of this one."""
        of = _rows_of(OWN_INDICATORS[key])
        keys = [OWN_INDICATORS[one] for part in _PARTS for one in part.trend]
        return self._once(("trend", *of), title, trend([one for one in keys if _rows_of(one) == of]), timed=True)

    def averages(self, title: str) -> Json:
        """The answer with every average."""
        wanted = {one.indicator.key: one.indicator.title for lines_ in self._figures.values() for one in lines_}
        released = {released_as(key): title for key, title in wanted.items() if released_as(key)}
        return self._once("averages", title, cluster_averages(released))


#: Above all sections, where no folded row hides them: the panels that ask what others show (``panels.share``).
_HEADLINES: Final[Mapping[str, Sequence[str]]] = {
    "Kerncijfers trajecten": ("gas_helft_bereikt", "geen_nieuwe_start", "uitval", "respons_cem", "respons_scores"),
    "Kerncijfers vragenlijsten": ("nut_gemiddelde", "zonder_hulp"),
}


def _panels() -> list[Json]:
    every = [key for part in _PARTS for keys in (part.table, *part.bars.values()) for key in keys]
    questions = _Questions(every)
    head = [_own(f"{title} (eigen)", keys, questions, 8) for title, keys in _HEADLINES.items()]
    beside = _beside(
        "Kerncijfers (gemiddelde cluster)", [key for keys in _HEADLINES.values() for key in keys], questions
    )
    sections = [one for part in _PARTS for one in _part(part, questions)]
    trends = [_trend(key, questions) for part in _PARTS for key in part.trend]
    return [text_panel(_introduction(), height=5), *head[:1], beside, *head[1:], *sections, section("Verloop"), *trends]


def _own(title: str, keys: Sequence[str], questions: _Questions, height: int) -> Json:
    panel = frame("table", title, [questions.figures(title, keys[0])], 14, height)
    return only_rows(panel, "sleutel", keys, SHOWN)


def _beside(title: str, keys: Sequence[str], questions: _Questions, height: int = 8) -> Json:
    released = [released_as(key) for key in keys if released_as(key)]
    panel = frame("table", title, [questions.averages(title)], 10, height)
    return only_rows(panel, "sleutel", released, AVERAGE_SHOWN)


def _part(part: _Part, questions: _Questions) -> list[Json]:
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


def _variables() -> list[Json]:
    towns = ",".join(option(one.name, one.code) for one in sorted(GEMEENTEN.values(), key=lambda one: one.name))
    places = [*CLUSTERS, *(place for place in dict.fromkeys(PLACES.values()) if place not in CLUSTERS)]
    reasons = ",".join(option(f"{code} {reden.label}", code) for code, reden in REDENEN.items())
    steps = "maand : month,kwartaal : quarter,jaar : year"
    provider = asked("aanbieder", "Aanbieder (AGB)", "SELECT DISTINCT aanbieder FROM sor.trajecten ORDER BY aanbieder")
    sexes = "man : 1,vrouw : 2,onbekend : 0,niet gespecificeerd : 9"
    return [
        single(provider),
        variable("cluster", "Cluster", ",".join(places), multi=False),
        variable("periode", "Verloop per", steps, multi=False),
        variable("gemeente", "Gemeente", towns),
        single(asked("start_van", "Start van", MONTHS), everything=True),
        single(asked("start_tot", "Start tot en met", MONTHS), everything=True),
        variable("reden", "Reden einde", reasons),
        *(asked(name, label, choices(column)) for name, label, column in _CHOICES),
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
    """The dashboard of one provider."""
    words = "Resultaten van één aanbieder in één cluster, naast het vrijgegeven gemiddelde van het cluster."
    return page("aanbieder", "Resultaten aanbieder", words, _panels(), _variables(), _LAST_MONTHS)
