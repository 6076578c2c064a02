"""The demonstration: a region's worth of files through the real stream, checked against what the simulator decided."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import clickhouse_connect

from connectors.delivery.connector import Connector
from connectors.delivery.signers import hub
from connectors.formats import files as input_files
from connectors.formats.cbs.layout import read
from connectors.formats.model import Choices, FileFault
from domain.field.definitions import SHIPPED, identified
from domain.field.geography import GEMEENTEN
from local.errors import StackError
from operations.replay.engine import Told
from operations.replay.report import Report
from operations.replay.run import Setup, begun, dropped
from operations.replay.scope import Scope
from operations.replay.shadow import ROWS
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings
from sinks.schema import providers
from sinks.schema.providers import Provider
from tools.simulator import SimulationConfig, compare, simulate
from tools.simulator.almere import half_year

MARK: Final = "demo"
#: Delivered at once; the rest (scores, late messages) comes in file by file, as providers upload.
AT_ONCE: Final = ("berichten", "cem", "bergop")
CBS: Final = "cbs"
#: Who signs what the demo delivers.
_HUB: Final = "demo"
#: Pause between two live uploads, in seconds.
_PACE: Final = 0.02
_SETTLE: Final = 120.0
#: Of the recalculation.
_PROCESSES: Final = 2

Tell = Callable[[str], None]


class Latency(NamedTuple):
    """From publication at the source until the row can be queried, in seconds, over the live uploads."""

    rows: int
    p50: float
    p99: float


def claim(settings: Settings) -> Path:
    """The home of the demonstration, emptied of an earlier one. ``StackError`` for a home with other data."""
    home = settings.home
    if (home / "kafka").exists() and not (home / MARK).exists():
        raise StackError(
            f"{home.absolute()} holds data that are not the demo's. Run it elsewhere: SOR_HOME=.sor-demo sor demo"
        )
    for name in ("kafka", "clickhouse", "state", "keys", "files", "portal"):
        shutil.rmtree(home / name, ignore_errors=True)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / MARK).touch()
    return home


def files(home: Path, clients: int, months: int, seed: int, *, faults: bool) -> Path:
    """Write the files of a region."""
    folder = home / "files"
    simulate(SimulationConfig(clients, months, seed, last_half_year(datetime.now(UTC).date()), faults), folder)
    return folder


def last_half_year(today: date) -> date:
    """Last day of the half year before this one: CBS files over an older one are not accepted any more."""
    return date(today.year, 1 if today.month <= 6 else 7, 1) - timedelta(days=1)


def admit(home: Path, folder: Path, many: int) -> list[Provider]:
    """Put the providers with the most trajecten, each with the cluster of most of them, on the list of those who see
    their own results; ClickHouse reads it at its start. At most ``many``.
    """
    document = json.loads((folder / "expected.json").read_text("utf-8"))
    places = Counter(
        (str(row["aanbieder"]), found.cluster)
        for row in document["trajecten"]
        if (found := GEMEENTEN.get(row["gemeente"])) and found.cluster
    )
    clusters: dict[str, str] = {}
    for (agb, cluster), _ in sorted(places.items(), key=lambda one: (-one[1], one[0])):
        clusters.setdefault(agb, cluster)
    admitted = [providers.checked(agb, [cluster]) for agb, cluster in list(clusters.items())[:many]]
    providers.save(home / providers.LIST, admitted)
    return admitted


class Delivered(NamedTuple):
    """What was published: deliveries, records, and files refused at the source without one."""

    deliveries: int
    records: int
    refused: int
    seconds: float

    def plus(self, other: Delivered) -> Delivered:
        """Both together."""
        return Delivered(
            self.deliveries + other.deliveries,
            self.records + other.records,
            self.refused + other.refused,
            self.seconds + other.seconds,
        )


def deliver_at_once(settings: Settings, folder: Path, tell: Tell) -> Delivered:
    """The messages and questionnaires, as one run over many files."""
    return _deliver(settings, [folder / name for name in AT_ONCE if (folder / name).is_dir()], tell)


def deliver_live(settings: Settings, folder: Path, tell: Tell) -> Delivered:
    """Everything else, one upload after the other."""
    rest = sorted(p for p in folder.iterdir() if p.is_dir() and p.name not in (*AT_ONCE, CBS))
    uploads = [[path] for part in rest for path in sorted(part.rglob("*")) if path.is_file()]
    total = Delivered(0, 0, 0, 0.0)
    with _connector(settings) as connector:
        for number, paths in enumerate(uploads, 1):
            one = _run(connector, paths)
            total = total.plus(one)
            if number % 50 == 0:
                tell(f"  {number} of {len(uploads)} uploads")
            time.sleep(_PACE)
    return total


def layout_of(folder: Path) -> Path:
    """The columns of the simulated files of CBS."""
    return folder / CBS / "layout.toml"


def deliver_cbs(settings: Settings, folder: Path, tell: Tell) -> Delivered:
    """The files of providers in Almere, one delivery after the other: each replaces the one before unless it is cut."""
    document = json.loads((folder / "expected.json").read_text("utf-8"))
    periode, _ = half_year(date.fromisoformat(document["configuratie"]["until"]))
    choices = Choices(layout=read(layout_of(folder)), periode=periode)
    total = Delivered(0, 0, 0, 0.0)
    with _connector(settings, choices) as connector:
        for part in sorted(p for p in (folder / CBS).iterdir() if p.is_dir()):
            total = total.plus(_run(connector, [part], tell))
    return total


def _connector(settings: Settings, choices: Choices = Choices()) -> Connector:  # noqa: B008 - immutable
    """The message systems of all providers at once: one hub, which signs everything."""
    signer = hub(settings.keys, settings.authority, _HUB)
    return Connector(settings.keys, kafka_cluster(settings), choices=choices, signers=lambda _sender: signer)


def _deliver(settings: Settings, paths: list[Path], tell: Tell) -> Delivered:
    with _connector(settings) as connector:
        return _run(connector, paths, tell)


def _run(connector: Connector, paths: list[Path], tell: Tell | None = None) -> Delivered:
    began, refused, deliveries, records = time.monotonic(), list[FileFault](), 0, 0
    found = input_files.find(paths, input_files.Limits(), refused.append)
    for delivery in connector.deliveries(found, connector.run(), refused.append):
        connector.publish(delivery)
        deliveries, records = deliveries + 1, records + delivery.lines
        if tell is not None and deliveries % 10 == 0:
            tell(f"  {deliveries} deliveries, {records} records")
    return Delivered(deliveries, records, len(refused), time.monotonic() - began)


def wait_for(settings: Settings, folder: Path) -> tuple[bool, int, float]:
    """Wait until the trajecten are what the simulator decided: (equal, trajecten, seconds waited)."""
    expected = compare.expected(json.loads((folder / "expected.json").read_text("utf-8")), cbs=True)
    began = time.monotonic()
    for rows in _poll(settings):
        waited = time.monotonic() - began
        if rows == expected or waited > _SETTLE:
            return rows == expected, sum(rows.values()), waited
    raise AssertionError("polling has no end")


def _poll(settings: Settings) -> Iterator[Counter[str]]:
    access = clickhouse_access(settings, "audit")
    with clickhouse_connect.get_client(dsn=access.url, username=access.user, password=access.password) as client:
        while True:
            yield compare.found(client.query(compare.QUERY).result_rows)
            time.sleep(0.2)


class Recalculated(NamedTuple):
    """What a recalculation under another window showed, and whether the rows in use stayed as they were."""

    report: Report
    untouched: bool
    seconds: float


def recalculate(settings: Settings, chain_days: int, tell: Tell) -> Recalculated:
    """Every row anew under another window between the leveringen of a traject, beside those in use; nothing is left of
    it.
    """
    began, before = time.monotonic(), _checksums(settings)
    admin, access = (replace(clickhouse_access(settings, user), database="sor") for user in ("admin", "replay"))
    other = identified(SHIPPED._replace(version=SHIPPED.version + 1, chain_days=chain_days))
    setup = Setup(
        kafka_cluster(settings), admin, access, settings.keys, settings.home, other, SHIPPED, Scope(), _PROCESSES
    )
    with begun(setup, Told(lambda _far: None, tell)) as one:
        one.make()
        report = one.compare(datetime.now(UTC).date(), (None, "cluster"))
    untouched = _checksums(settings) == before
    dropped(admin, settings.home)
    return Recalculated(report, untouched, time.monotonic() - began)


def _checksums(settings: Settings) -> list[tuple[int, ...]]:
    """Rows of each table in use, and a sum over all that they say."""
    access = clickhouse_access(settings, "audit")
    with clickhouse_connect.get_client(dsn=access.url, username=access.user, password=access.password) as client:
        query = "SELECT count(), sum(cityHash64(*)) FROM sor.{} FINAL"
        return [tuple(client.query(query.format(table.name)).result_rows[0]) for table in ROWS]


def latency(settings: Settings, since: float) -> Latency:
    """Over the rows whose newest event was published after ``since`` (seconds since 1970)."""
    access = clickhouse_access(settings, "audit")
    sql = (
        "SELECT count(), quantile(0.5)(s), quantile(0.99)(s) FROM ("
        "SELECT dateDiff('millisecond', gebeurd_op, ingevoegd_op) / 1000 AS s FROM sor.scores"
        " WHERE gebeurd_op >= {t:DateTime64(3)}"
        " UNION ALL SELECT dateDiff('millisecond', gebeurd_op, ingevoegd_op) / 1000 FROM sor.trajecten"
        " WHERE gebeurd_op >= {t:DateTime64(3)})"
    )
    with clickhouse_connect.get_client(dsn=access.url, username=access.user, password=access.password) as client:
        rows, p50, p99 = client.query(sql, parameters={"t": f"{since:.3f}"}).result_rows[0]
    return Latency(int(rows), float(p50), float(p99))
