"""Every question of two dashboards over millions of trajecten while rows arrive, as the user that Grafana has.

Of *Uitkomsten* three readers: one who chose nothing, one who chose a cluster, one who chose a provider; and one of
*Resultaten aanbieder*. A page is all its questions one after the other, which is more than a reader waits.
"""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client

from results.dashboards import outcomes, provider
from results.dashboards.panels import TIMEZONE, Json
from sinks import clickhouse
from tools.bench.figures import Figure, Tell
from tools.bench.services import Services, services

_TARGET: Final = 0.1
#: Seconds of a whole page where nothing was chosen.
_PAGE_TARGET: Final = 2.0
_EVERYTHING: Final = "everything"
#: What each reader looks at and chose at the top of the page, by name of the variable.
_VIEWS: Final[dict[str, tuple[Callable[[], Json], dict[str, str]]]] = {
    _EVERYTHING: (outcomes.build, {}),
    "one cluster": (outcomes.build, {"cluster": "Zaanstreek-Waterland"}),
    "one provider": (outcomes.build, {"aanbieder": "90000123"}),
    "own page of a provider": (provider.build, {"aanbieder": "90000123", "cluster": "Amsterdam"}),
}
_PERIOD: Final = (date(2025, 1, 1), date(2025, 12, 31))
_CHUNK: Final = 500_000
#: Rows that arrive are of trajecten that began in this year or later, about a quarter of all; older years have settled.
_RECENT: Final = 2024
_SETTLE: Final = 120.0
#: Rows as a region's: eight years, 400 providers, 13 municipalities, three in four ended.
_FILL: Final = """
INSERT INTO sor.trajecten (aanbieder, gemeente, jaar, traject, version, verwijderd, client, emmer, cluster,
  categorie, code, begindatum, einddatum, reden_beeindiging, uitval_klasse, status, leveringen, leeftijd, geslacht,
  nut_jeugdige, nut_ouder, zonder_hulp_jeugdige, zonder_hulp_ouder, gas, gas_gescoord, gas_bereikt, gas_deels,
  probleem_behandelaar, probleem_ouder, probleem_client, metingen, scores, declaraties, vlaggen, definitie_versie,
  gebeurd_op)
WITH cityHash64(number) AS h,
  ['0363', '0358', '0362', '0384', '0437', '0451', '0385', '0415', '0431', '0439', '0479', '0852', '0880'] AS towns,
  ['Amsterdam', 'Amstelveen-Aalsmeer', 'Amstelveen-Aalsmeer', 'DUO', 'DUO', 'DUO', 'Zaanstreek-Waterland',
   'Zaanstreek-Waterland', 'Zaanstreek-Waterland', 'Zaanstreek-Waterland', 'Zaanstreek-Waterland',
   'Zaanstreek-Waterland', 'Zaanstreek-Waterland'] AS clusters,
  1 + h % 13 AS town, toDate('2018-01-01') + h % 2900 AS begin, h % 4 > 0 AS ended, 1 + h % 5 AS class
SELECT toString(90000000 + intDiv(h, 7) % 400), towns[town], toYear(begin), hex(cityHash64(number, 'traject')),
  {version:UInt64}, 0, leftPad(toString(intDiv(number, 2)), 22, '0'), intDiv(number, 2) % 1024, clusters[town],
  ['45', '54', '41', '50'][1 + h % 4],
  concat('45A', toString(10 + h % 80)), begin, if(ended, begin + 30 + h % 700, NULL),
  if(ended, ['31', '31', '31', '32', '34'][class], ''),
  if(ended, ['gepland', 'gepland', 'gepland', 'client', 'wederzijds'][class], ''),
  if(ended, 'beeindigd', 'lopend'), 1 + h % 3, h % 18, toString(1 + h % 2),
  if(h % 4 = 0, 1 + h % 10, NULL), if(h % 3 = 0, 1 + h % 10, NULL), NULL, if(h % 3 = 0, 1 + h % 4, NULL),
  if(h % 2 = 0, map('1O', toInt8(h % 4) - 1), map()), h % 2 = 0, h % 8 = 6, h % 4 = 2, if(h % 3 = 0, 1 + h % 3, NULL),
  NULL, NULL, h % 3, h % 5, h % 24, [], 1, now64(3)
FROM numbers({first:UInt64}, {rows:UInt64}) WHERE toYear(begin) >= {since:UInt16}
SETTINGS max_partitions_per_insert_block = 100
"""


class PanelSizes(NamedTuple):
    """Trajecten, how often every panel is asked, and rows per second that arrive meanwhile."""

    rows: int
    times: int
    arriving: int


def panel(sizes: PanelSizes, tell: Tell) -> list[Figure]:
    """Every query of the dashboard, the panels taking turns."""
    with services(clickhouse=True) as running:
        writer = clickhouse.connect(running.access("admin"))
        for first in range(0, sizes.rows, _CHUNK):
            tell(f"{first:,} of {sizes.rows:,} trajecten")
            _fill(writer, first, min(_CHUNK, sizes.rows - first), 1)
        tell("merging as settled years do")
        for (year,) in writer.query("SELECT DISTINCT jaar FROM sor.trajecten ORDER BY jaar").result_rows:
            writer.command(f"OPTIMIZE TABLE sor.trajecten PARTITION {int(year)} FINAL")
        tell("asking every panel")
        return _figures(sizes, _ask(running, sizes, writer))


def _fill(client: Client, first: int, rows: int, version: int, since: int = 0) -> None:
    client.command(_FILL, parameters={"first": first, "rows": rows, "version": version, "since": since})


def _ask(running: Services, sizes: PanelSizes, writer: Client) -> dict[str, dict[str, list[float]]]:
    """Seconds of every query by reader and title, while a second connection inserts new versions of rows."""
    stop = threading.Event()

    def arrive() -> None:
        version = 1
        while not stop.wait(1.0):
            version += 1
            _fill(writer, (version * 7919) % sizes.rows, 4 * sizes.arriving, version, _RECENT)

    thread = threading.Thread(target=arrive, daemon=True)
    thread.start()
    found: dict[str, dict[str, list[float]]] = {view: {} for view in _VIEWS}
    with clickhouse.connect(running.access("grafana")) as reader:
        try:
            for _ in range(sizes.times):
                for view, (build, chosen) in _VIEWS.items():
                    for title, query in queries(chosen, build):
                        began = time.perf_counter()
                        reader.query(query)
                        found[view].setdefault(title, []).append(time.perf_counter() - began)
        finally:
            stop.set()
            thread.join(_SETTLE)
    return found


def queries(
    chosen: Mapping[str, str] = MappingProxyType({}), build: Callable[[], Json] = outcomes.build
) -> list[tuple[str, str]]:
    """Title and query of every panel over the trajecten, as Grafana sends it for a year and what was chosen."""
    every: list[dict[str, Any]] = build()["panels"]
    panels = [one for one in every if "rawSql" in one.get("targets", [{}])[0]]
    made = [(str(one["title"]), expanded(one["targets"][0]["rawSql"], chosen)) for one in panels]
    return [(title, query) for title, query in made if "sor.trajecten" in query]


def expanded(query: str, chosen: Mapping[str, str] = MappingProxyType({})) -> str:
    """A query without Grafana's macros: what was not chosen stands on All, the period is a year by months."""
    while (start := query.find("$__conditionalAll(")) >= 0:
        opening = query.index("(", start)
        end = _closing(query, opening)
        condition, _, variable = query[opening + 1 : end].rpartition(", $")
        value = chosen.get(variable)
        kept = "1=1" if value is None else condition.replace(f"${{{variable}:singlequote}}", f"'{value}'")
        query = query[:start] + kept + query[end + 1 :]
    for name, value in chosen.items():
        query = query.replace(f"${{{name}:singlequote}}", f"'{value}'")
    first, last = _PERIOD
    query = query.replace("${periode:singlequote}", "'month'")
    for bound, at in (("from", f"{first} 00:00:00"), ("to", f"{last} 23:59:59")):
        query = query.replace(f"$__{bound}Time", f"toDateTime('{at}', '{TIMEZONE}')")
    return re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime('{first} 00:00:00')", query)


def _closing(query: str, opening: int) -> int:
    """Place of the parenthesis that closes the one at ``opening``."""
    depth = 0
    for place in range(opening, len(query)):
        depth += {"(": 1, ")": -1}.get(query[place], 0)
        if depth == 0:
            return place
    raise ValueError("a parenthesis of a panel's query is never closed")


def _figures(sizes: PanelSizes, found: dict[str, dict[str, list[float]]]) -> list[Figure]:
    figures = []
    for view, panels in found.items():
        every = sorted(seconds for times in panels.values() for seconds in times)
        slowest = max(panels, key=lambda title: statistics.median(panels[title]))
        where = f"{len(panels)} panels, {sizes.rows:,} trajecten, {sizes.arriving:,} rows/s arriving"
        note = f"slowest: {slowest}, median {1000 * statistics.median(panels[slowest]):.0f} ms"
        page = statistics.median(sum(times) for times in zip(*panels.values(), strict=True))
        limit = _PAGE_TARGET if view == _EVERYTHING else None
        p50, p95 = (1000 * every[int(share * len(every))] for share in (0.5, 0.95))
        figures += [
            Figure("panel", f"a panel, {view}, p50", p50, "ms", note=where),
            Figure("panel", f"a panel, {view}, p95", p95, "ms", 1000 * _TARGET, most=True, note=note),
            Figure("panel", f"the page, {view}", 1000 * page, "ms", limit and 1000 * limit, most=True),
        ]
    return figures
