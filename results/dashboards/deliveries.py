"""The dashboard *Aanlevering*: what each provider delivered, what of it was refused and why, and what still waits.

For the third party's functional managers. Providers stand in order of number: it is a list to work from, no ranking.
"""

# ruff: noqa: S608 - every part is our own text; Grafana fills in the variables, quoted

from __future__ import annotations

from typing import Final

from domain.field.messages import MESSAGES
from domain.field.words import KIND_LABELS
from domain.indicators.terms import lookup_sql
from results.dashboards.panels import TIMEZONE, Json, ask, asked, frame, option, page, section, text_panel, variable
from results.dashboards.queries import REFERENCE_DAY, kind_sql
from results.waiting import waiting_sql

_SENDER: Final = "$__conditionalAll(sender IN (${aanbieder:singlequote}), $aanbieder)"
_PROVIDER: Final = "$__conditionalAll(aanbieder IN (${aanbieder:singlequote}), $aanbieder)"
_KIND: Final = "$__conditionalAll(toString(kind) IN (${soort:singlequote}), $soort)"
_CHOSEN: Final = f"FROM sor.receipts FINAL WHERE NOT test AND $__timeFilter(laatste) AND {_SENDER} AND {_KIND}"
#: A delivery counts when all its records have an outcome; right the first time: none of them was refused [P].
_RIGHT: Final = "100 * countIf(klaar AND afgekeurd = 0) / nullIf(countIf(klaar), 0)"
_INTRODUCTION: Final = (
    "**Wat is aangeleverd, wat is afgekeurd en waarom, en wat wacht.** Een aanlevering is één soort bericht van één "
    "aanbieder. *In één keer goed* (niet bevestigd): het aandeel aanleveringen zonder één afgekeurde regel. "
    "Proefaanleveringen tellen niet mee. De volgorde is die van AGB-code: geen rangorde."
)


def _sentence() -> str:
    return lookup_sql("code", {code: message.text for code, message in MESSAGES.items()}, "''")


def _counts(by: str, heading: str) -> str:
    return (
        f'SELECT {by} AS "{heading}", count() AS "Aanleveringen", sum(gezien) AS "Records", '
        'sum(geaccepteerd) AS "Geaccepteerd", sum(afgekeurd) AS "Afgekeurd", '
        f'{_RIGHT} AS "In één keer goed (%)", countIf(NOT klaar) AS "Niet af", toDateTime(max(laatste)) AS "Laatste" '
        f"{_CHOSEN} GROUP BY {by} ORDER BY {by}"
    )


def _errors() -> str:
    return (
        f'SELECT code AS "Code", {_sentence()} AS "Melding", sum(aantal) AS "Records", '
        'uniqExact(sender) AS "Aanbieders", toDateTime(max(laatste)) AS "Laatste" '
        "FROM (SELECT sender, laatste, regels.1 AS code, regels.2 AS aantal FROM ("
        f"SELECT sender, laatste, arrayJoin(arrayZip(mapKeys(codes), mapValues(codes))) AS regels {_CHOSEN})) "
        'GROUP BY code ORDER BY "Records" DESC, code'
    )


def _errors_per_provider() -> str:
    return (
        'SELECT sender AS "Aanbieder (AGB)", regels.1 AS "Code", sum(regels.2) AS "Records" FROM ('
        f"SELECT sender, arrayJoin(arrayZip(mapKeys(codes), mapValues(codes))) AS regels {_CHOSEN}) "
        'GROUP BY sender, regels.1 ORDER BY sender, "Records" DESC, "Code"'
    )


def _pending() -> str:
    """Rows that wait now, whatever the period."""
    return (
        'SELECT aanbieder AS "Aanbieder (AGB)", tabel AS "Tabel", reden AS "Wacht op", count() AS "Rijen", '
        f'toString(min(sinds)) AS "Sinds", dateDiff(\'day\', min(sinds), {REFERENCE_DAY}) AS "Dagen" '
        f"FROM ({waiting_sql(where=_PROVIDER)}) GROUP BY aanbieder, tabel, reden "
        'ORDER BY aanbieder, tabel, "Wacht op"'
    )


_UNFINISHED: Final = (
    f'SELECT delivery AS "Aanlevering", sender AS "Aanbieder (AGB)", {kind_sql()} AS "Soort", '
    'toInt64(lines) - toInt64(gezien) AS "Ontbreekt", toDateTime(eerste) AS "Begonnen", '
    'toDateTime(laatste) AS "Laatste" '
    f"{_CHOSEN} AND NOT klaar ORDER BY laatste DESC LIMIT 100"
)


def _share(by: str) -> str:
    return f'SELECT {by} AS time, {_RIGHT} AS "In één keer goed" {_CHOSEN} GROUP BY time ORDER BY time'


def _panels() -> list[Json]:
    day = f"toStartOfDay(laatste, '{TIMEZONE}')"
    week = f"toDateTime(toStartOfWeek(laatste, 1, '{TIMEZONE}'), '{TIMEZONE}')"
    sums = 'sum(geaccepteerd) AS "Geaccepteerd", sum(afgekeurd) AS "Afgekeurd"'
    lines = f"SELECT {day} AS time, {sums} {_CHOSEN} GROUP BY time ORDER BY time"
    refused = f'SELECT 100 * sum(afgekeurd) / nullIf(sum(gezien), 0) AS "Afgekeurd" {_CHOSEN}'
    return [
        text_panel(_INTRODUCTION, height=3),
        frame("stat", "Aanleveringen", [ask(f'SELECT count() AS "Aanleveringen" {_CHOSEN}')], 6, 4, decimals=0),
        frame("stat", "Records", [ask(f'SELECT sum(gezien) AS "Records" {_CHOSEN}')], 6, 4, decimals=0),
        frame("stat", "Afgekeurd", [ask(refused)], 6, 4, "percent", 1),
        frame("stat", "In één keer goed (niet bevestigd)", [ask(f'SELECT {_RIGHT} AS "In één keer goed" {_CHOSEN}')],
              6, 4, "percent", 1),
        section("Per soort en per aanbieder"),
        frame("table", "Per soort", [ask(_counts(kind_sql(), "Soort"))], 24, 7, decimals=0),
        frame("table", "Per aanbieder", [ask(_counts("sender", "Aanbieder (AGB)"))], 24, 10, decimals=0),
        section("Wat wordt afgekeurd"),
        frame("table", "Fouten per code", [ask(_errors())], 14, 10, decimals=0),
        frame("table", "Fouten per aanbieder en code", [ask(_errors_per_provider())], 10, 10, decimals=0),
        section("Verloop"),
        frame("timeseries", "Records per dag", [ask(lines, timed=True)], 12, 8, decimals=0),
        frame("timeseries", "In één keer goed, per week (niet bevestigd)", [ask(_share(week), timed=True)], 12, 8,
              "percent", 1),
        section("Wat wacht"),
        frame("table", "Wacht op iets dat nog niet is aangeleverd (nu)", [ask(_pending())], 14, 10, decimals=0),
        frame("table", "Aanleveringen die niet af zijn", [ask(_UNFINISHED)], 10, 10, decimals=0),
    ]  # fmt: skip


def build() -> Json:
    """The dashboard of the deliveries."""
    kinds = ",".join(option(label, kind) for kind, label in KIND_LABELS.items())
    variables = [
        asked("aanbieder", "Aanbieder (AGB)", "SELECT DISTINCT sender FROM sor.receipts ORDER BY sender"),
        variable("soort", "Soort", kinds),
    ]
    words = "Aanleveringen per aanbieder, fouten per code, en wat nog wacht."
    return page("aanlevering", "Aanlevering", words, _panels(), variables, "now-30d")
