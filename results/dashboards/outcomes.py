"""The dashboard *Uitkomsten*, from the indicators of the domain.

The formulas stand in ``domain/indicators/catalogue.py`` and nowhere else. Panels show figures of groups, never a list
of named providers, and no colour says good or bad (S1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from domain.field.geography import CLUSTERS
from domain.indicators.catalogue import INDICATORS, Indicator
from results.dashboards.panels import (
    Json,
    ask,
    asked,
    columns,
    frame,
    option,
    page,
    section,
    share,
    text_panel,
    variable,
)
from results.dashboards.queries import (
    DELIVERIES,
    FRESHNESS,
    INSIDE,
    NEWEST,
    UNCONFIRMED,
    counted,
    distribution,
    name,
    over_time,
    per_cluster,
    several,
    single,
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


class _Figures(NamedTuple):
    """Panels of figures, under one disclosure rule."""

    rule: Disclosure

    def one(self, key: str, width: int = 6) -> Json:
        """A figure and its n."""
        one = INDICATORS[key]
        return _panel("stat", name(one), single(one, self.rule), width, 5, _unit(one))

    def several(self, keys: Sequence[str], width: int = 6) -> list[Json]:
        """Figures, each with its n. Those over the same rows share one question, which the first of them asks."""
        groups: dict[tuple[str, ...], list[Indicator]] = {}
        for one in (INDICATORS[key] for key in keys):
            groups.setdefault((one.table, one.provenance, one.datum), []).append(one)
        panels = {one.key: panel for group in groups.values() for one, panel in self._sharing(group, width)}
        return [panels[key] for key in keys]

    def _sharing(self, group: Sequence[Indicator], width: int) -> Iterator[tuple[Indicator, Json]]:
        if len(group) == 1:
            yield group[0], self.one(group[0].key, width)
            return
        every = [column for one in group for column in (one.key, counted(one))]
        for one in group:
            target = ask(several(group, self.rule)) if one is group[0] else share(name(group[0]))
            panel = _panel("stat", name(one), target, width, 5, _unit(one))
            yield one, columns(panel, {one.key: name(one), counted(one): "n"}, every)

    def bars(self, title: str, keys: Sequence[str], labels: Sequence[str], column: str, width: int = 12) -> Json:
        """A figure per label."""
        chosen = [INDICATORS[key] for key in keys]
        marked = any(one.mark == "P" for one in chosen)
        query = distribution(chosen, labels, column, self.rule)
        return _panel("barchart", f"{title} {UNCONFIRMED}" if marked else title, query, width, 8, _unit(chosen[0]))

    def line(self, key: str, width: int = 12) -> Json:
        """A figure per period."""
        one = INDICATORS[key]
        return _panel("timeseries", f"{name(one)}, per periode", over_time(one, self.rule), width, 8, _unit(one))

    def clusters(self, title: str, keys: Sequence[str]) -> Json:
        """A table of figures, a line per cluster."""
        query = per_cluster([INDICATORS[key] for key in keys], self.rule)
        return _panel("table", f"{title} {UNCONFIRMED}", query, 24, 7, decimals=0)


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
    figures = _Figures(rule)
    return [
        text_panel(_introduction(rule)),
        *_care(figures),
        *_satisfaction(figures),
        *_follow_up(figures),
        *_cbs(figures),
        section("Actualiteit"),
        _panel("stat", "Van publicatie tot opvraagbaar, laatste 24 uur", FRESHNESS, 8, 6, "s", 2),
        _panel("stat", "Stand van de gegevens", NEWEST, 8, 6, "dateTimeAsIso"),
        _panel("table", "Aanleveringen in de periode", DELIVERIES, 8, 6, decimals=0),
    ]


def _care(figures: _Figures) -> list[Json]:
    status = [f"trajecten_{name}" for name in ("lopend", "gepauzeerd", "beeindigd", "wacht_op_start")]
    ends = ("einde_gepland", "einde_neutraal", "einde_administratief")
    return [
        section("Trajecten"),
        figures.clusters("Trajecten per cluster en status", status),
        section("Uitval"),
        *figures.several(("uitval", "uitval_client", "uitval_aanbieder", "uitval_wederzijds")),
        figures.line("uitval"),
        figures.bars("Einde van trajecten, aantallen", ends, ("volgens plan", "neutraal", "administratief"), "Einde"),
    ]


def _satisfaction(figures: _Figures) -> list[Json]:
    marks = tuple(str(mark) for mark in range(1, 11))
    return [
        section("Cliënttevredenheid"),
        *figures.several([f"nut_gemiddelde{who}" for who in ("", "_jeugdige", "_ouder")], 8),
        figures.bars("Nut van hulp, cijfers", [f"nut_{mark}" for mark in marks], marks, "Cijfer"),
        figures.bars("Nut van hulp, banden", ("nut_laag", "nut_midden", "nut_hoog"), _BANDS, "Band"),
        figures.line("nut_gemiddelde", 24),
        section("Zonder hulp verder"),
        *figures.several([f"zonder_hulp{who}" for who in ("", "_jeugdige", "_ouder")], 8),
        figures.bars(
            "Zonder hulp verder, antwoorden", [f"zonder_hulp_{option}" for option in range(1, 5)], _ANSWERS, "Antwoord"
        ),
        figures.line("zonder_hulp"),
    ]


def _follow_up(figures: _Figures) -> list[Json]:
    goals = [f"gas_score_{score}" for score in range(-1, 3)]
    words = ("-1 slechter", "0 als bij de start", "1 deels bereikt", "2 bereikt")
    problem = [f"probleem_behandelaar_{score}" for score in (1, 2, 3)]
    return [
        section("Geen nieuwe start na het einde"),
        *figures.several([f"geen_nieuwe_start{part}" for part in ("", "_voorlopig", "_wordt18")], 8),
        section("Doelrealisatie (GAS)"),
        *figures.several([f"gas_{part}" for part in ("bereikt", "deels", "bereikt_per_traject")], 8),
        figures.bars("Doelscores", goals, words, "Score"),
        figures.bars("Probleemafname volgens behandelaar", problem, ("score 1", "score 2", "score 3"), "Score"),
        section("Respons"),
        *figures.several([f"respons_{part}" for part in ("cem", "duurzaam", "scores")], 8),
    ]


def _cbs(figures: _Figures) -> list[Json]:
    """The same subjects from CBS files, apart: they count other help in another way."""
    reasons = [f"cbs_uitval_{reason}" for reason in ("wederzijds", "client", "aanbieder", "neutraal")]
    words = ("in overeenstemming", "door cliënt", "door aanbieder", "externe omstandigheden")
    bands = [f"cbs_nut_{band}" for band in ("laag", "midden", "hoog")]
    answers = [f"cbs_zonder_hulp_{option}" for option in range(1, 5)]
    return [
        section("CBS-bestanden (Almere)"),
        *figures.several([f"cbs_{part}" for part in ("uitval", "nut_gemiddelde", "zonder_hulp")], 8),
        figures.bars("Uitval per reden, CBS-bestand", reasons, words, "Reden", 8),
        figures.bars("Nut van hulp, banden, CBS-bestand", bands, _BANDS, "Band", 8),
        figures.bars("Zonder hulp verder, antwoorden, CBS-bestand", answers, _ANSWERS, "Antwoord", 8),
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
