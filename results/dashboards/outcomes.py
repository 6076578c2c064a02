"""The dashboard *Uitkomsten*, from the indicators of the domain.

The formulas stand in ``domain/indicators/catalogue.py`` and nowhere else. Panels show figures of groups, never a list
of named providers, and no colour says good or bad (S1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.field.geography import CLUSTERS
from domain.indicators.catalogue import INDICATORS
from results.dashboards.panels import Json, ask, asked, frame, page, section, text_panel, variable
from results.dashboards.queries import (
    DELIVERIES,
    FRESHNESS,
    INSIDE,
    LEAST_CLIENTS,
    LEAST_COUNTED,
    NEWEST,
    UNCONFIRMED,
    distribution,
    name,
    over_time,
    per_cluster,
    single,
)

_LAST_MONTHS: Final = "now-12M/M"

# Panels


def _panel(kind: str, title: str, query: str, width: int, height: int, unit: str = "none", decimals: int = 1) -> Json:
    panel = frame(kind, title, [ask(query, timed=kind == "timeseries")], width, height, unit, decimals)
    panel["fieldConfig"]["defaults"] |= {"noValue": "te klein", "color": {"mode": "fixed", "fixedColor": "blue"}}
    panel["options"] |= {"legend": {**panel["options"]["legend"], "showLegend": False}} if kind == "timeseries" else {}
    if kind == "stat":
        panel["options"] |= {"graphMode": "none", "textMode": "value_and_name"}
        whole = [{"id": "unit", "value": "none"}, {"id": "decimals", "value": 0}]
        panel["fieldConfig"]["overrides"] = [{"matcher": {"id": "byName", "options": "n"}, "properties": whole}]
    return panel


def _figure(key: str, width: int = 6) -> Json:
    one = INDICATORS[key]
    return _panel("stat", name(one), single(one), width, 5, "percent" if one.eenheid == "%" else "none")


def _bars(title: str, keys: Sequence[str], labels: Sequence[str], column: str, width: int = 12) -> Json:
    chosen = [INDICATORS[key] for key in keys]
    marked = any(one.mark == "P" for one in chosen)
    unit = "percent" if chosen[0].eenheid == "%" else "none"
    return _panel(
        "barchart", f"{title} {UNCONFIRMED}" if marked else title, distribution(chosen, labels, column), width, 8, unit
    )


def _line(key: str, width: int = 12) -> Json:
    one = INDICATORS[key]
    unit = "percent" if one.eenheid == "%" else "none"
    return _panel("timeseries", f"{name(one)}, per periode", over_time(one), width, 8, unit)


_INTRODUCTION: Final = (
    "**Om samen over te praten, niet om op af te rekenen.** Verschillen tussen aanbieders zeggen niet wie beter is: "
    "zij helpen andere jeugdigen, op een andere manier. De gekozen periode telt op einddatum van het traject of datum "
    f"van de meting. Groepen van minder dan {LEAST_CLIENTS} cliënten en percentages over minder dan {LEAST_COUNTED} "
    "tellingen blijven leeg. "
    f"*{UNCONFIRMED[1:-1].capitalize()}*: de bron laat de definitie open; dit is een voorstel. *Voorlopig*: de termijn "
    "is nog niet voorbij, het cijfer kan dalen. Wat elk cijfer zegt, staat in docs/indicatoren.md."
)


def _panels() -> list[Json]:
    reasons = ("einde_gepland", "uitval_client", "uitval_aanbieder", "uitval_wederzijds")
    neutral = ("einde_gepland", "einde_neutraal", "einde_administratief")
    marks = tuple(str(mark) for mark in range(1, 11))
    status = [INDICATORS[f"trajecten_{name}"] for name in ("lopend", "gepauzeerd", "beeindigd", "wacht_op_start")]
    return [
        text_panel(_INTRODUCTION),
        section("Trajecten"),
        _panel("table", f"Trajecten per cluster en status {UNCONFIRMED}", per_cluster(status), 24, 7, decimals=0),
        section("Uitval"),
        _figure("uitval"),
        *(_figure(key) for key in reasons[1:]),
        _line("uitval"),
        _bars("Einde van trajecten, aantallen", neutral, ("volgens plan", "neutraal", "administratief"), "Einde"),
        section("Cliënttevredenheid"),
        _figure("nut_gemiddelde", 8), _figure("nut_gemiddelde_jeugdige", 8), _figure("nut_gemiddelde_ouder", 8),
        _bars("Nut van hulp, cijfers", [f"nut_{mark}" for mark in marks], marks, "Cijfer"),
        _bars("Nut van hulp, banden", ("nut_laag", "nut_midden", "nut_hoog"),
              ("4 of lager", "5 tot en met 7", "8 of hoger"), "Band"),
        _line("nut_gemiddelde", 24),
        section("Zonder hulp verder"),
        _figure("zonder_hulp", 8), _figure("zonder_hulp_jeugdige", 8), _figure("zonder_hulp_ouder", 8),
        _bars("Zonder hulp verder, antwoorden", [f"zonder_hulp_{option}" for option in range(1, 5)],
              ("zelfde of zwaardere hulp", "lichtere hulp", "nu geen, komt terug", "geen hulp meer"), "Antwoord"),
        _line("zonder_hulp"),
        section("Geen nieuwe start na het einde"),
        _figure("geen_nieuwe_start", 8), _figure("geen_nieuwe_start_voorlopig", 8),
        _figure("geen_nieuwe_start_wordt18", 8),
        section("Doelrealisatie (GAS)"),
        _figure("gas_bereikt", 8), _figure("gas_deels", 8), _figure("gas_bereikt_per_traject", 8),
        _bars("Doelscores", [f"gas_score_{score}" for score in range(-1, 3)],
              ("-1 slechter", "0 als bij de start", "1 deels bereikt", "2 bereikt"), "Score"),
        _bars("Probleemafname volgens behandelaar", [f"probleem_behandelaar_{score}" for score in (1, 2, 3)],
              ("score 1", "score 2", "score 3"), "Score"),
        section("Respons"),
        _figure("respons_cem", 8), _figure("respons_duurzaam", 8), _figure("respons_scores", 8),
        *_cbs(),
        section("Actualiteit"),
        _panel("stat", "Van publicatie tot opvraagbaar, laatste 24 uur", FRESHNESS, 8, 6, "s", 2),
        _panel("stat", "Stand van de gegevens", NEWEST, 8, 6, "dateTimeAsIso"),
        _panel("table", "Aanleveringen in de periode", DELIVERIES, 8, 6, decimals=0),
    ]  # fmt: skip


def _cbs() -> list[Json]:
    """The same subjects from CBS files, apart: they count other help in another way."""
    reasons = ("wederzijds", "client", "aanbieder", "neutraal")
    words = ("in overeenstemming", "door cliënt", "door aanbieder", "externe omstandigheden")
    return [
        section("CBS-bestanden (Almere)"),
        _figure("cbs_uitval", 8), _figure("cbs_nut_gemiddelde", 8), _figure("cbs_zonder_hulp", 8),
        _bars("Uitval per reden, CBS-bestand", [f"cbs_uitval_{reason}" for reason in reasons], words, "Reden", 8),
        _bars("Nut van hulp, banden, CBS-bestand", [f"cbs_nut_{band}" for band in ("laag", "midden", "hoog")],
              ("4 of lager", "5 tot en met 7", "8 of hoger"), "Band", 8),
        _bars("Zonder hulp verder, antwoorden, CBS-bestand", [f"cbs_zonder_hulp_{option}" for option in range(1, 5)],
              ("zelfde of zwaardere hulp", "lichtere hulp", "nu geen, komt terug", "geen hulp meer"), "Antwoord", 8),
    ]  # fmt: skip


def _variables() -> list[Json]:
    towns = ",".join(f"{gemeente.name} : {gemeente.code}" for gemeente in sorted(INSIDE, key=lambda one: one.name))
    return [
        variable("cluster", "Cluster", ",".join(CLUSTERS)),
        variable("gemeente", "Gemeente", towns),
        asked("aanbieder", "Aanbieder (AGB)", "SELECT DISTINCT aanbieder FROM sor.trajecten ORDER BY aanbieder"),
        variable("periode", "Periode", "maand : month,kwartaal : quarter,jaar : year", multi=False),
    ]  # fmt: skip


def build() -> Json:
    """The dashboard of the outcomes."""
    words = "Uitkomsten van jeugdhulp, uit start- en stopberichten, CEM+ en scores."
    return page("uitkomsten", "Uitkomsten", words, _panels(), _variables(), _LAST_MONTHS)
