"""A thousand reports of providers, from made-up rows and a made-up release: read, rendered, put into an outbox.

The way is that of ``sor reports run``: one reading for all, two processes that render, a file for each. Mails are taken
at once by nobody. A report has six pages, fourteen charts and as many tables, as one of a provider with many clients.
"""

from __future__ import annotations

import multiprocessing
import resource
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil
from clickhouse_connect.driver.client import Client

from domain.field.geography import CLUSTERS
from domain.indicators.comparable import released_as
from local.ports import free_port
from results.own import OWN_INDICATORS
from results.reports import every, journal, periods
from results.reports.content import Report
from results.reports.outbox import Outbox
from results.reports.reading import KEYS
from results.reports.run import Attachment, run
from sinks import clickhouse
from sinks.access import Access
from sinks.schema import audience_tables, migrate
from sinks.schema.audiences import FIGURES, RELEASES, of_providers
from tools.bench.figures import Figure, Tell

_TARGET: Final = 60.0
_MONTH: Final = "2026-10"
_ROWS: Final = 60  # of a provider in a cluster, over two years
_TOWNS: Final = "['0363', '0362', '0384', '0479']"  # one of each cluster
_PARTITIONS: Final = "SETTINGS max_partitions_per_insert_block = 100"
_TRAJECTEN: Final = f"""
INSERT INTO sor.trajecten (aanbieder, gemeente, jaar, traject, version, client, cluster, categorie, begindatum,
  einddatum, reden_beeindiging, uitval_klasse, status, leeftijd, geslacht, gas, gas_gescoord, gas_bereikt, gas_deels,
  probleem_behandelaar, probleem_ouder, probleem_client, metingen, metingen_einde, scores, opvolging_dagen,
  respons_dagen, definitie_versie)
WITH cityHash64(number) AS h, toDate('2026-10-20') - h % 700 AS einde, einde - 90 - h % 300 AS begin,
  1 + number % 4 AS place
SELECT toString(90000000 + intDiv(number, 4) % {{providers:UInt64}}), {_TOWNS}[place], toYear(begin),
  hex(cityHash64(number, 'traject')), 1, leftPad(toString(number), 22, '0'), {list(CLUSTERS)}[place], '45', begin,
  einde, ['31', '31', '31', '32', '34'][1 + h % 5],
  ['gepland', 'gepland', 'gepland', 'client', 'wederzijds'][1 + h % 5], 'beeindigd', 4 + h % 14, toString(1 + h % 2),
  map('1O', toInt8(h % 4) - 1), 1, h % 8 = 6, h % 4 = 2, 1 + h % 3, 1 + h % 3, 1 + h % 2, 1, h % 3 > 0, 2, 365, 90, 1
FROM numbers({{rows:UInt64}}) {_PARTITIONS}
"""  # noqa: S608 - own words
_METINGEN: Final = f"""
INSERT INTO sor.metingen (aanbieder, gemeente, jaar, meting, version, client, vragenlijst, groep, soort, informant,
  datum, nut, zonder_hulp, antwoorden, traject, telt, definitie_versie)
WITH cityHash64(number) AS h, toDate('2026-10-20') - h % 700 AS dag
SELECT toString(90000000 + intDiv(number, 4) % {{providers:UInt64}}), {_TOWNS}[1 + number % 4], toYear(dag),
  hex(cityHash64(number, 'meting')), 1, leftPad(toString(number), 22, '0'), 'CEM+_2018_OE_v1',
  ['jeugdige', 'ouder'][1 + h % 2], 'einde', 'Moeder', dag, 1 + h % 10, 1 + h % 4,
  map('VR01', toInt8(1 + h % 4), 'VR02', toInt8(1 + h % 3), 'VR03', toInt8(1 + h % 4), 'VR04', toInt8(1 + h % 2),
      'VR05', toInt8(1 + h % 4), 'VR06', toInt8(1 + h % 3)), hex(cityHash64(number, 'traject')), 1, 1
FROM numbers({{rows:UInt64}}) {_PARTITIONS}
"""  # noqa: S608 - own words
_RELEASED: Final = (
    *("vrijgave", "periode_soort", "periode", "status", "snede", "cluster", "indicator", "noemer", "teller_vorm"),
    *("percentage", "gemiddelde", "uitgesloten", "peildatum", "definitie_versie"),
)


class ReportSizes(NamedTuple):
    """How many reports of providers; a provider has one in each cluster."""

    reports: int
    processes: int = 2


class Made(NamedTuple):
    """Seconds of reading and of the rest; of processors, of all processes; MB of the largest that renders."""

    read: float
    rest: float
    cpu: float
    memory: float
    reports: int
    size: float


class _Nobody:
    """Takes every mail."""

    def send(self, _report: Report, _files: Sequence[Attachment]) -> bool:
        return True


def reports(sizes: ReportSizes, tell: Tell) -> list[Figure]:
    """All reports of one month, once."""
    with _tables() as (home, access):
        client = clickhouse.connect(access)
        tell("writing rows and a release")
        fill(client, sizes.reports)
        client.close()
        return _figures(sizes, _measured(home, access, sizes, tell))


@contextmanager
def _tables() -> Iterator[tuple[Path, Access]]:
    """An engine of its own, with empty tables."""
    from local.clickhouse.gateway import Gateway  # brings the whole engine along

    with tempfile.TemporaryDirectory(prefix="sor-bench-") as folder:
        password = secrets.token_hex(16)
        with Gateway(Path(folder), free_port(), {"admin": password}) as gateway:
            access = Access(gateway.url, "admin", password)
            migrate.apply(access, lambda _sentence: None)
            yield Path(folder), access


def fill(client: Client, reports: int) -> None:
    """Rows of so many providers in each cluster, and a release with every average of them."""
    sizes = {"providers": -(-reports // len(CLUSTERS)), "rows": _ROWS * reports}
    for query in (_TRAJECTEN, _METINGEN):
        client.command(query, parameters=sizes)
    audience_tables.lay(client)
    for cluster in CLUSTERS:
        database = of_providers(cluster)
        client.insert(FIGURES, list(_released(cluster)), column_names=_RELEASED, database=database)
        day = date(2026, 11, 15)
        client.insert(RELEASES, [(1, day, "gepubliceerd", "", "{}")], database=database)


def _released(cluster: str) -> Iterator[tuple[Any, ...]]:
    quarters = periods.quarters(_MONTH)
    for key in sorted({released_as(key) for key in KEYS} - {""}):
        mean = OWN_INDICATORS[key].unit == "gemiddelde"
        for kind, period in (("vier_kwartalen", quarters[-1]), *(("kwartaal", quarter) for quarter in quarters)):
            yield (
                1, kind, period, "voorlopig", "cluster", cluster, key, 400, "=", None if mean else 40,
                7.6 if mean else None, 25, date(2026, 11, 15), 1,
            )  # fmt: skip


def _measured(home: Path, access: Access, sizes: ReportSizes, tell: Tell) -> Made:
    memory = 0.0

    def seen(done: int, every_one: int) -> None:
        nonlocal memory
        if done % 100 == 0 or done == every_one:
            memory = max([memory, *map(_resident, multiprocessing.active_children())])
            tell(f"{done:,} of {every_one:,} reports")

    used, began = _used(), time.perf_counter()
    found, averages = every.of_month(access, _MONTH, "15 november 2026")
    chosen = [one for one in found if one.kind == "aanbieder"][: sizes.reports]
    read = time.perf_counter() - began
    outbox = Outbox(home / "reports", 21)
    with journal.opened(home / "verzonden.sqlite") as sent:
        run(chosen, averages, outbox, sent, _Nobody(), processes=sizes.processes, tell=seen)
    rest = time.perf_counter() - began - read
    size = sum(file.stat().st_size for file in outbox.files())
    return Made(read, rest, _used() - used, memory, len(chosen), size / 2**20)


def _resident(process: Any) -> float:
    try:
        return float(psutil.Process(process.pid).memory_info().rss) / 2**20
    except psutil.Error:  # it has ended
        return 0.0


def _used() -> float:
    """Processor seconds of this process and of those that it has seen end; the engine runs on and is none of them."""
    spent = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)


def _figures(sizes: ReportSizes, made: Made) -> list[Figure]:
    count, seconds = made.reports, made.read + made.rest
    note = f"reading {made.read:.1f} s; {made.size:,.0f} MB in the outbox"
    # held against a minute for a thousand, whatever was asked for
    return [
        Figure("reports", f"{count:,} reports of a provider, {sizes.processes} processes", seconds, "s",
               _TARGET * count / 1_000, most=True, memory=made.memory, note=note),
        Figure("reports", "a report: processor", 1_000 * made.cpu / count, "ms", note="reading and sending included"),
    ]  # fmt: skip


__all__ = ["ReportSizes", "fill", "reports"]
