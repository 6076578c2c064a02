"""``sor dashboards``: write the Grafana dashboard from the indicators of the domain.

The formulas stand in ``domain/indicators.py`` and nowhere else: the dashboard is generated, committed, and checked to
be current. Panels show figures of groups, never a list of named providers, and no colour says good or bad (S1).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from domain.geography import CLUSTERS
from domain.indicators import INDICATOREN
from sor.commands.dashboard_queries import (
    DELIVERIES,
    FRESHNESS,
    INSIDE,
    LEAST_CLIENTS,
    LEAST_COUNTED,
    NEWEST,
    RESPONS,
    UNCONFIRMED,
    distribution,
    naam,
    over_time,
    per_cluster,
    single,
)

Json = dict[str, Any]
NAME: Final = "uitkomsten.json"
_SOURCE: Final = {"type": "grafana-clickhouse-datasource", "uid": "clickhouse"}
_LAST_MONTHS: Final = {"from": "now-12M/M", "to": "now"}


def register(app: typer.Typer) -> None:
    """Add ``sor dashboards``."""
    app.command("dashboards")(dashboards)


def dashboards(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; ends with 1 when the file is not current.")
    ] = False,
) -> None:
    """Write the Grafana dashboard of the outcomes from the definitions of the indicators."""
    path = location()
    current = path.read_text("utf-8") if path.exists() else ""
    if current == text():
        typer.echo(f"{path.name} is current.")
        return
    if check:
        typer.echo(f"{path.name} is not current: run sor dashboards.", err=True)
        raise typer.Exit(1)
    path.write_text(text(), "utf-8")
    typer.echo(f"Wrote {path.name}.")


def location() -> Path:
    """The file that Grafana provisions."""
    return Path(str(files("monitoring"))) / "grafana" / "dashboards" / NAME


def text() -> str:
    """The dashboard as it is committed."""
    return json.dumps(build(), indent=1, ensure_ascii=False) + "\n"


# Panels


def _panel(kind: str, title: str, query: str, width: int, height: int, unit: str = "none", decimals: int = 1) -> Json:
    timed = kind == "timeseries"
    target = {
        "refId": "A", "datasource": _SOURCE, "editorType": "sql", "pluginVersion": "4.20.0", "rawSql": query,
        "queryType": "timeseries" if timed else "table", "format": 0 if timed else 1,
    }  # fmt: skip
    defaults: Json = {
        "unit": unit,
        "decimals": decimals,
        "noValue": "te klein",
        "color": {"mode": "fixed", "fixedColor": "blue"},
        "thresholds": {"mode": "absolute", "steps": [{"color": "blue", "value": None}]},
    }
    counted = {"matcher": {"id": "byName", "options": "n"}, "properties": [
        {"id": "unit", "value": "none"}, {"id": "decimals", "value": 0},
    ]}  # fmt: skip
    return {
        "type": kind, "title": title, "datasource": _SOURCE, "targets": [target],
        "gridPos": {"w": width, "h": height, "x": 0, "y": 0},
        "fieldConfig": {"defaults": defaults, "overrides": [counted] if kind == "stat" else []},
        "options": _options(kind),
    }  # fmt: skip


def _options(kind: str) -> Json:
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False}, "colorMode": "none",
                "graphMode": "none", "textMode": "value_and_name", "orientation": "auto"}  # fmt: skip
    if kind == "barchart":
        return {"orientation": "auto", "showValue": "always", "legend": {"showLegend": False}, "xTickLabelRotation": 0}
    if kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    return {
        "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "single"},
    }


def _figure(key: str, width: int = 6) -> Json:
    one = INDICATOREN.get(key) or RESPONS[key]
    return _panel("stat", naam(one), single(one), width, 5, "percent" if one.eenheid == "%" else "none")


def _bars(title: str, keys: Sequence[str], labels: Sequence[str], column: str, width: int = 12) -> Json:
    chosen = [INDICATOREN[key] for key in keys]
    marked = any(one.merk == "P" for one in chosen)
    unit = "percent" if chosen[0].eenheid == "%" else "none"
    return _panel(
        "barchart", f"{title} {UNCONFIRMED}" if marked else title, distribution(chosen, labels, column), width, 8, unit
    )


def _line(key: str, width: int = 12) -> Json:
    one = INDICATOREN[key]
    unit = "percent" if one.eenheid == "%" else "none"
    return _panel("timeseries", f"{naam(one)}, per periode", over_time(one), width, 8, unit)


def _section(title: str) -> Json:
    return {
        "type": "row",
        "title": title,
        "collapsed": False,
        "panels": [],
        "gridPos": {"w": 24, "h": 1, "x": 0, "y": 0},
    }


_INTRODUCTION: Final = (
    "**Om samen over te praten, niet om op af te rekenen.** Verschillen tussen aanbieders zeggen niet wie beter is: "
    "zij helpen andere jeugdigen, op een andere manier. De gekozen periode telt op einddatum van het traject of datum "
    f"van de meting. Groepen van minder dan {LEAST_CLIENTS} cliënten en percentages over minder dan {LEAST_COUNTED} "
    "tellingen blijven leeg. "
    f"*{UNCONFIRMED[1:-1].capitalize()}*: de bron laat de definitie open; dit is een voorstel."
)


def _panels() -> list[Json]:
    reasons = ("einde_gepland", "uitval_client", "uitval_aanbieder", "uitval_wederzijds")
    neutral = ("einde_gepland", "einde_neutraal", "einde_administratief")
    marks = tuple(str(mark) for mark in range(1, 11))
    status = [INDICATOREN[f"trajecten_{name}"] for name in ("lopend", "gepauzeerd", "beeindigd", "wacht_op_start")]
    return [
        {"type": "text", "title": "", "gridPos": {"w": 24, "h": 4, "x": 0, "y": 0},
         "options": {"mode": "markdown", "content": _INTRODUCTION}},
        _section("Trajecten"),
        _panel("table", f"Trajecten per cluster en status {UNCONFIRMED}", per_cluster(status), 24, 7, decimals=0),
        _section("Uitval"),
        _figure("uitval"),
        *(_figure(key) for key in reasons[1:]),
        _line("uitval"),
        _bars("Einde van trajecten, aantallen", neutral, ("volgens plan", "neutraal", "administratief"), "Einde"),
        _section("Cliënttevredenheid"),
        _figure("nut_gemiddelde", 8), _figure("nut_gemiddelde_jeugdige", 8), _figure("nut_gemiddelde_ouder", 8),
        _bars("Nut van hulp, cijfers", [f"nut_{mark}" for mark in marks], marks, "Cijfer"),
        _bars("Nut van hulp, banden", ("nut_laag", "nut_midden", "nut_hoog"),
              ("4 of lager", "5 tot en met 7", "8 of hoger"), "Band"),
        _line("nut_gemiddelde", 24),
        _section("Zonder hulp verder"),
        _figure("zonder_hulp", 8), _figure("zonder_hulp_jeugdige", 8), _figure("zonder_hulp_ouder", 8),
        _bars("Zonder hulp verder, antwoorden", [f"zonder_hulp_{option}" for option in range(1, 5)],
              ("zelfde of zwaardere hulp", "lichtere hulp", "nu geen, komt terug", "geen hulp meer"), "Antwoord"),
        _line("zonder_hulp"),
        _section("Doelrealisatie (GAS)"),
        _figure("gas_bereikt", 8), _figure("gas_deels", 8), _figure("gas_bereikt_per_traject", 8),
        _bars("Doelscores", [f"gas_score_{score}" for score in range(-1, 3)],
              ("-1 slechter", "0 als bij de start", "1 deels bereikt", "2 bereikt"), "Score"),
        _bars("Probleemafname volgens behandelaar", [f"probleem_behandelaar_{score}" for score in (1, 2, 3)],
              ("score 1", "score 2", "score 3"), "Score"),
        _section("Respons"),
        _figure("respons_cem", 12), _figure("respons_doelen", 12),
        _section("Actualiteit"),
        _panel("stat", "Van publicatie tot opvraagbaar, laatste 24 uur", FRESHNESS, 8, 6, "s", 2),
        _panel("stat", "Stand van de gegevens", NEWEST, 8, 6, "dateTimeAsIso"),
        _panel("table", "Aanleveringen in de periode", DELIVERIES, 8, 6, decimals=0),
    ]  # fmt: skip


def _placed(panels: list[Json]) -> list[Json]:
    """Left to right, a new line where the width of 24 is full."""
    x = y = line = 0
    for number, panel in enumerate(panels, start=1):
        place = panel["gridPos"]
        if x + place["w"] > 24:
            x, y, line = 0, y + line, 0
        place["x"], place["y"], panel["id"] = x, y, number
        x, line = x + place["w"], max(line, place["h"])
    return panels


def _variable(name: str, label: str, options: str, *, multi: bool = True) -> Json:
    everything = {"text": ["Alle"], "value": ["$__all"]}
    first = options.split(",")[0].split(" : ")
    return {
        "type": "custom", "name": name, "label": label, "query": options, "multi": multi, "includeAll": multi,
        "current": everything if multi else {"text": first[0], "value": first[-1]}, "options": [], "hide": 0,
    }  # fmt: skip


def _variables() -> list[Json]:
    towns = ",".join(f"{gemeente.naam} : {gemeente.code}" for gemeente in sorted(INSIDE, key=lambda one: one.naam))
    providers = "SELECT DISTINCT aanbieder FROM sor.trajecten ORDER BY aanbieder"
    return [
        _variable("cluster", "Cluster", ",".join(CLUSTERS)),
        _variable("gemeente", "Gemeente", towns),
        {
            **_variable("aanbieder", "Aanbieder (AGB)", ""),
            "type": "query", "datasource": _SOURCE, "definition": providers,
            "query": {"editorType": "sql", "rawSql": providers}, "refresh": 1, "sort": 1, "regex": "",
        },
        _variable("periode", "Periode", "maand : month,kwartaal : quarter,jaar : year", multi=False),
    ]  # fmt: skip


def build() -> Json:
    """The dashboard in the classic form, schema 42."""
    return {
        "uid": "sor-uitkomsten",
        "title": "Uitkomsten",
        "description": "Uitkomsten van jeugdhulp, uit start- en stopberichten, CEM+ en scores.",
        "tags": ["sor"],
        "schemaVersion": 42,
        "version": 1,
        "editable": False,
        "graphTooltip": 0,
        "timezone": "Europe/Amsterdam",
        "time": _LAST_MONTHS,
        "refresh": "1m",
        "templating": {"list": _variables()},
        "annotations": {"list": []},
        "panels": _placed(_panels()),
    }
