"""The dashboard *Uitkomsten*, from the indicators of the domain.

The formulas stand in ``domain/indicators/catalogue.py`` and nowhere else. Panels show figures of groups, never a list
of named providers, and no colour says good or bad (S1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.field.geography import CLUSTERS
from domain.indicators.catalogue import INDICATORS, Indicator
from results.dashboards.panels import (
    Json,
    ask,
    asked,
    bars,
    frame,
    kept,
    only_rows,
    option,
    page,
    section,
    share,
    text_panel,
    variable,
)
from results.dashboards.queries import (
    CLUSTER,
    DEFINITIONS,
    DELIVERIES,
    FRESHNESS,
    INSIDE,
    LINE,
    NEWEST,
    PERIOD,
    UNCONFIRMED,
    WHOLE,
    counted,
    name,
    over_time,
    per_cluster,
    several,
    unit_name,
)
from results.disclosure import Disclosure, live

_LAST_MONTHS: Final = "now-12M/M"

# Panels


def _panel(
    kind: str, title: str, query: str | Json, width: int, height: int, unit: str = "none", decimals: int = 1
) -> Json:
    target = ask(query, timed=kind == "timeseries") if isinstance(query, str) else query
    panel = frame(kind, title, [target], width, height, unit, decimals)
    panel["fieldConfig"]["defaults"] |= {"noValue": "te klein", "color": {"mode": "fixed", "fixedColor": "blue"}}
    panel["options"] |= {"legend": {**panel["options"]["legend"], "showLegend": False}} if kind == "timeseries" else {}
    if kind == "stat":
        panel["options"] |= {"graphMode": "none", "textMode": "value_and_name"}
        whole = [{"id": "unit", "value": "none"}, {"id": "decimals", "value": 0}]
        panel["fieldConfig"]["overrides"] = [{"matcher": {"id": "byName", "options": "n"}, "properties": whole}]
    return panel


def _unit(one: Indicator) -> str:
    return "percent" if one.unit == "%" else "none"


class _Bars(NamedTuple):
    """A panel with a bar for each of some figures: their keys, and the label of each under the heading ``column``."""

    title: str
    keys: Sequence[str]
    labels: Sequence[str]
    column: str
    width: int = 12

    def drawn(self, query: Json) -> Json:
        """The panel over an answer that has the figures."""
        chosen = [INDICATORS[key] for key in self.keys]
        title = f"{self.title} {UNCONFIRMED}" if any(one.mark == "P" for one in chosen) else self.title
        panel = _panel("barchart", title, query, self.width, 8, _unit(chosen[0]))
        shown = dict(zip(self.keys, self.labels, strict=True))
        return kept(bars(panel, shown, self.column, unit_name(chosen[0])), LINE, [WHOLE])


def _rows(key: str) -> tuple[str, ...]:
    """What says over which rows a figure is."""
    one = INDICATORS[key]
    return one.table, one.provenance, one.datum


#: Above all sections, where no folded row hides them: each asks for all figures over its rows, also per cluster or per
#: period, and the sections share.
_HEADLINES: Final = ("trajecten_lopend", "uitval", "nut_gemiddelde")


class _Asked:
    """Who asks for figures over the same rows. Of the headlines it is known, and what they must ask for is gathered."""

    def __init__(self, rule: Disclosure) -> None:
        self.rule = rule
        self._keys: dict[tuple[str, ...], list[str]] = {_rows(key): [key] for key in _HEADLINES}
        self._bars: dict[tuple[str, ...], list[str]] = {_rows(key): [] for key in _HEADLINES}
        self._titles = {_rows(key): name(INDICATORS[key]) for key in _HEADLINES}

    def together(self, keys: Sequence[str], drawn: Sequence[_Bars] = (), width: int = 8) -> list[Json]:
        """Figures, each with its n, and bars below them. Where nobody asks yet, the first over the same rows does."""
        barred = [key for panel in drawn for key in panel.keys]
        titles, first = dict(self._titles), {}
        for key in keys:
            of = _rows(key)
            if of not in titles:
                titles[of], first[key] = name(INDICATORS[key]), of
        for of in self._keys:
            self._keys[of] += [key for key in keys if _rows(key) == of and key not in self._keys[of]]
            self._bars[of] += [key for key in barred if _rows(key) == of]
        found = []
        for key in keys:
            mine = ([other for other in chosen if _rows(other) == _rows(key)] for chosen in (keys, barred))
            query = self._alone(*mine) if key in first else share(titles[_rows(key)])
            if key not in _HEADLINES:
                found.append(_stat(key, query, width))
        return [*found, *(panel.drawn(share(titles[_rows(panel.keys[0])])) for panel in drawn)]

    def line(self, key: str, width: int = 12) -> Json:
        """A figure per period, of the rows of a headline."""
        one = INDICATORS[key]
        title = f"{name(one)}, per periode"
        panel = _panel("timeseries", title, share(self._titles[_rows(key)]), width, 8, _unit(one))
        return only_rows(panel, LINE, [PERIOD], {"time": "time", key: name(one)})

    def clusters(self, title: str, keys: Sequence[str]) -> Json:
        """A table of figures with a line per cluster, of the rows of a headline."""
        of = _rows(keys[0])
        self._bars[of] += [key for key in keys if key not in self._keys[of]]
        panel = _panel("table", f"{title} {UNCONFIRMED}", share(self._titles[of]), 24, 7, decimals=0)
        names = {key: name(INDICATORS[key]) for key in keys}
        return only_rows(panel, LINE, [CLUSTER], {"cluster": "Cluster", **names})

    def headlines(self) -> list[Json]:
        """The headlines, once every section has said what it shows."""
        return [_stat(key, self._whole(_rows(key)), 8) for key in _HEADLINES]

    def _whole(self, of: tuple[str, ...]) -> Json:
        """What a headline asks: figures of a period per part of it, those of now per cluster."""
        figures, barred = ([INDICATORS[key] for key in keys[of]] for keys in (self._keys, self._bars))
        made = over_time if figures[0].datum else per_cluster
        return ask(made(figures, barred, self.rule))

    def _alone(self, keys: Sequence[str], barred: Sequence[str]) -> Json:
        return ask(several([INDICATORS[key] for key in keys], [INDICATORS[key] for key in barred], self.rule))


def _stat(key: str, query: Json, width: int) -> Json:
    one = INDICATORS[key]
    panel = _panel("stat", name(one), query, width, 5, _unit(one))
    return only_rows(panel, LINE, [WHOLE], {key: name(one), counted(one): "n"})


def _introduction(rule: Disclosure) -> str:
    return (
        "**Om samen over te praten, niet om op af te rekenen.** Verschillen tussen aanbieders zeggen niet wie beter "
        "is: zij helpen andere jeugdigen, op een andere manier. De gekozen periode telt op einddatum van het traject "
        f"of datum van de meting. {rule.sentence} "
        f"*{UNCONFIRMED[1:-1].capitalize()}*: de bron laat de definitie open; dit is een voorstel. *Voorlopig*: de "
        "termijn is nog niet voorbij, het cijfer kan dalen. Wat elk cijfer zegt, staat in docs/indicatoren.md."
    )


_BANDS: Final = ("4 of lager", "5 tot en met 7", "8 of hoger")
_ANSWERS: Final = ("zelfde of zwaardere hulp", "lichtere hulp", "nu geen, komt terug", "geen hulp meer")


def _panels(rule: Disclosure) -> list[Json]:
    asking = _Asked(rule)
    sections = [*_care(asking), *_satisfaction(asking), *_follow_up(asking), *_cbs(asking)]
    return [
        text_panel(_introduction(rule)),
        *asking.headlines(),
        *sections,
        section("Actualiteit"),
        _panel("stat", "Van publicatie tot opvraagbaar, laatste 24 uur", FRESHNESS, 5, 6, "s", 2),
        _panel("stat", "Stand van de gegevens", NEWEST, 5, 6, "dateTimeAsIso"),
        _panel("table", "Aanleveringen in de periode", DELIVERIES, 8, 6, decimals=0),
        _panel("table", "Definities waarmee de trajecten zijn gemaakt", DEFINITIONS, 6, 6, decimals=0),
    ]


def _care(asking: _Asked) -> list[Json]:
    status = [f"trajecten_{name}" for name in ("lopend", "gepauzeerd", "beeindigd", "wacht_op_start")]
    keys = ("uitval", "uitval_client", "uitval_aanbieder", "uitval_wederzijds")
    ends = ("einde_gepland", "einde_neutraal", "einde_administratief")
    words = ("volgens plan", "neutraal", "administratief")
    return [
        section("Trajecten"),
        asking.clusters("Trajecten per cluster en status", status),
        section("Uitval"),
        *asking.together(keys, [_Bars("Einde van trajecten, aantallen", ends, words, "Einde")]),
        asking.line("uitval"),
    ]


def _satisfaction(asking: _Asked) -> list[Json]:
    marks = tuple(str(mark) for mark in range(1, 11))
    usefulness = [
        _Bars("Nut van hulp, cijfers", [f"nut_{mark}" for mark in marks], marks, "Cijfer"),
        _Bars("Nut van hulp, banden", ("nut_laag", "nut_midden", "nut_hoog"), _BANDS, "Band"),
    ]
    options = [f"zonder_hulp_{option}" for option in range(1, 5)]
    answers = _Bars("Zonder hulp verder, antwoorden", options, _ANSWERS, "Antwoord")
    whose = ("", "_jeugdige", "_ouder")
    return [
        section("Cliënttevredenheid"),
        *asking.together([f"nut_gemiddelde{who}" for who in whose], usefulness),
        asking.line("nut_gemiddelde", 24),
        section("Zonder hulp verder"),
        *asking.together([f"zonder_hulp{who}" for who in whose], [answers]),
        asking.line("zonder_hulp"),
    ]


def _follow_up(asking: _Asked) -> list[Json]:
    goals = [f"gas_score_{score}" for score in range(-1, 3)]
    words = ("-1 slechter", "0 als bij de start", "1 deels bereikt", "2 bereikt")
    problem = [f"probleem_behandelaar_{score}" for score in (1, 2, 3)]
    drawn = [
        _Bars("Doelscores", goals, words, "Score"),
        _Bars("Probleemafname volgens behandelaar", problem, ("score 1", "score 2", "score 3"), "Score"),
    ]
    return [
        section("Geen nieuwe start na het einde"),
        *asking.together([f"geen_nieuwe_start{part}" for part in ("", "_voorlopig", "_wordt18")]),
        section("Doelrealisatie (GAS)"),
        *asking.together([f"gas_{part}" for part in ("bereikt", "deels", "bereikt_per_traject")], drawn),
        section("Respons"),
        *asking.together(["respons_cem", "respons_duurzaam", "respons_scores"]),
    ]


def _cbs(asking: _Asked) -> list[Json]:
    """The same subjects from CBS files, apart: they count other help in another way."""
    reasons = [f"cbs_uitval_{reason}" for reason in ("wederzijds", "client", "aanbieder", "neutraal")]
    words = ("in overeenstemming", "door cliënt", "door aanbieder", "externe omstandigheden")
    bands = [f"cbs_nut_{band}" for band in ("laag", "midden", "hoog")]
    answers = [f"cbs_zonder_hulp_{option}" for option in range(1, 5)]
    drawn = [
        _Bars("Uitval per reden, CBS-bestand", reasons, words, "Reden", 8),
        _Bars("Nut van hulp, banden, CBS-bestand", bands, _BANDS, "Band", 8),
        _Bars("Zonder hulp verder, antwoorden, CBS-bestand", answers, _ANSWERS, "Antwoord", 8),
    ]
    return [
        section("CBS-bestanden (Almere)"),
        *asking.together([f"cbs_{part}" for part in ("uitval", "nut_gemiddelde", "zonder_hulp")], drawn),
    ]


def _variables() -> list[Json]:
    towns = ",".join(option(gemeente.name, gemeente.code) for gemeente in sorted(INSIDE, key=lambda one: one.name))
    return [
        variable("cluster", "Cluster", ",".join(CLUSTERS)),
        variable("gemeente", "Gemeente", towns),
        asked("aanbieder", "Aanbieder (AGB)", "SELECT DISTINCT aanbieder FROM sor.trajecten ORDER BY aanbieder"),
        variable("periode", "Periode", "maand : month,kwartaal : quarter,jaar : year", multi=False),
    ]  # fmt: skip


def build(rule: Disclosure | None = None) -> Json:
    """The dashboard of the outcomes; without a rule under the one that is in force."""
    words = "Uitkomsten van jeugdhulp, uit start- en stopberichten, CEM+ en scores."
    return page("uitkomsten", "Uitkomsten", words, _panels(rule or live()), _variables(), _LAST_MONTHS)
