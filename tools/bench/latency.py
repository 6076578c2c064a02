"""From publication at the source to a row that can be queried, with every stage running and a steady flow.

Measured in two ways over the same run. *Stored*: ``ingevoegd_op - gebeurd_op`` of every row whose newest event fell in
the measured time, as the tables remember it. *Seen*: a reader polls ClickHouse for trajecten with codes of their own,
one start in fifty, and notes when each first shows; that includes the pause between two polls and the query itself.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from connectors.delivery.sealed import SealedDelivery
from connectors.delivery.signers import hub
from connectors.formats.model import FileRecord
from crypto import keys
from domain.facts.fact import Fact, Score, Start
from domain.field.bsn import official_numbers
from schemas.topics import EVENTS, IN_TOPIC, groups
from sinks import clickhouse
from tools.bench import load
from tools.bench.figures import Figure, Tell
from tools.bench.meter import settle
from tools.bench.services import STAGES, Services, services, until
from transport.publisher import Publisher

#: Records of one delivery, and of which one start is watched by a reader.
_DELIVERY: Final = 50
_PAUSE: Final = 0.05
_SETTLE: Final = 60.0
_DAY_MS: Final = 86_400_000
_P50, _P99 = 0.5, 2.0
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class LatencySizes(NamedTuple):
    """Events per second, seconds before the measurement, seconds measured."""

    rate: int
    warm: int
    seconds: int


class Source(threading.Thread):
    """A steady flow of small deliveries: a start of every client, then scores on it, sealed as they are published."""

    def __init__(self, running: Services, sizes: LatencySizes) -> None:
        super().__init__(name="source", daemon=True)
        self._public, self._sizes = keys.load_public(running.keys), sizes
        self._signer = hub(running.keys, running.authority, load.SOURCE)
        self._publisher = Publisher(running.cluster, "bench-source")
        self._numbers = official_numbers()
        self.watched: dict[str, float] = {}
        self.published = 0
        self.late = 0.0  # seconds behind the clock, at most
        self.since = 0.0  # when the measured part began
        self.fault: BaseException | None = None

    def run(self) -> None:
        """Publish at the asked rate; what goes wrong stands in ``fault``."""
        try:
            self._flow()
        except BaseException as fault:  # noqa: BLE001 - the reader raises it
            self.fault = fault

    def _flow(self) -> None:
        began, every = time.monotonic(), _DELIVERY / self._sizes.rate
        total = (self._sizes.warm + self._sizes.seconds) * self._sizes.rate // _DELIVERY
        for number in range(total):
            due = began + number * every
            time.sleep(max(0.0, due - time.monotonic()))
            if not self.since and number * every >= self._sizes.warm:
                self.since = time.time()
            if self.since:
                self.late = max(self.late, time.monotonic() - due)
            self._deliver(number)
        self._publisher.flush()

    def _deliver(self, number: int) -> None:
        turn, place = divmod(number * _DELIVERY, len(self._numbers))
        kind = "start" if turn == 0 else "score"
        name = hashlib.sha256(b"live %d" % number).hexdigest()[:32]
        sealed = SealedDelivery(self._public, self._signer, kind, name, _DELIVERY, load.AGB, test=False)
        for line in range(_DELIVERY):
            client = (place + line) % len(self._numbers)
            now = time.time()
            code = _code(number) if kind == "start" and line == _DELIVERY // 2 else "45A04"
            if code != "45A04" and self.since:
                self.watched[code] = now
            record = FileRecord(line + 1, 1, self._numbers[client], _fact(kind, client, turn, code))
            value = sealed.envelope(line + 1, record, int(now * 1000))
            self._publisher.send(IN_TOPIC[kind], name.encode(), value)
        self._publisher.flush()
        self.published += _DELIVERY


def _code(number: int) -> str:
    """A code that no other start has: five characters, the first an X."""
    return "X" + "".join(itertools.islice(_digits(number), 4))


def _digits(number: int) -> Iterator[str]:
    while True:
        number, digit = divmod(number, len(_LETTERS))
        yield _LETTERS[digit]


def _fact(kind: str, client: int, turn: int, code: str) -> Fact:
    number, today = b"%09d" % client, int(time.time() * 1000) // _DAY_MS
    if kind == "start":
        return Start(
            gemeente="0363", toewijzing=number, categorie="45", code=code, begindatum=today - 10, status=1,
            dagtekening=today, bericht=b"B%09d" % client, ingangsdatum=today - 12, leeftijd=12, leeftijd_benaderd=False,
            geslacht="1",
        )  # fmt: skip
    uploaded = int(time.time() * 1000)
    return Score(
        toewijzing=number, beschikking=None, doel=1 + turn % 10, beoordelaar="O", waarde=client % 3, tijd=uploaded
    )


class Reader:
    """Looks again and again which codes can be queried."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.seen: dict[str, float] = {}

    def look(self) -> None:
        """One poll."""
        answer = self._client.query("SELECT code FROM sor.trajecten FINAL WHERE startsWith(code, 'X')")
        now = time.time()
        for (code,) in answer.result_rows:
            self.seen.setdefault(code, now)


def latency(sizes: LatencySizes, tell: Tell) -> list[Figure]:
    """Every stage as a process of its own, one source, one reader."""
    with services(clickhouse=True) as running:
        tell("starting the five stages")
        for stage in ("trajectories", "deliveries"):
            settle(running.cluster, groups()[stage], EVENTS)
        running.start(*STAGES)
        source = Source(running, sizes)
        with clickhouse.connect(running.access("admin")) as client:
            reader = Reader(client)
            tell(f"{sizes.rate:,} events/s for {sizes.warm + sizes.seconds} s")
            cpu = {stage: -process.cpu() for stage, process in running.running.items()}
            source.start()
            _watch(source, reader, tell)
            cpu = {stage: cpu[stage] + process.cpu() for stage, process in running.running.items()}
            memory = {stage: process.memory() for stage, process in running.running.items()}
            stored = _stored(client, source.since)
    return _figures(sizes, source, reader, stored, cpu, memory)


def _watch(source: Source, reader: Reader, tell: Tell) -> None:
    while source.is_alive():
        reader.look()
        time.sleep(_PAUSE)
    if source.fault is not None:
        raise source.fault
    tell("waiting for the last rows")

    def everything() -> bool:
        reader.look()
        return set(source.watched) <= set(reader.seen)

    until(everything, "every watched start is a row", _SETTLE, _PAUSE)


def _stored(client: Client, since: float) -> tuple[int, float, float]:
    """Rows, median and 99th percentile (seconds) of what the tables remember."""
    sql = " UNION ALL ".join(
        f"SELECT dateDiff('millisecond', gebeurd_op, ingevoegd_op) / 1000 AS s FROM sor.{table}"  # noqa: S608
        " WHERE gebeurd_op >= {t:DateTime64(3)}"
        for table in ("trajecten", "scores")
    )
    answer = client.query(
        f"SELECT count(), quantileExact(0.5)(s), quantileExact(0.99)(s) FROM ({sql})",  # noqa: S608
        parameters={"t": f"{since:.3f}"},
    )
    rows, p50, p99 = answer.result_rows[0]
    return int(rows), float(p50), float(p99)


def _figures(
    sizes: LatencySizes,
    source: Source,
    reader: Reader,
    stored: tuple[int, float, float],
    cpu: dict[str, float],
    memory: dict[str, float],
) -> list[Figure]:
    waits = sorted(reader.seen[code] - at for code, at in source.watched.items())
    name, flow = "latency", f"{sizes.rate:,} events/s for {sizes.seconds} s"
    used = sum(cpu.values()) / source.published * 1e6
    figures = [
        Figure(name, "publish → row, stored, p50", stored[1], "s", _P50, most=True, note=f"{stored[0]:,} rows, {flow}"),
        Figure(name, "publish → row, stored, p99", stored[2], "s", _P99, most=True,
               note=f"source at most {source.late:.2f} s behind"),
    ]  # fmt: skip
    if waits:
        figures += [
            Figure(name, "publish → row, seen by a reader, p50", _at(waits, 0.5), "s", _P50, most=True,
                   note=f"{len(waits)} trajecten watched"),
            Figure(name, "publish → row, seen by a reader, p99", _at(waits, 0.99), "s", _P99, most=True),
        ]  # fmt: skip
    each = ", ".join(f"{stage} {cpu[stage] / source.published * 1e6:.0f}" for stage in cpu)
    return [
        *figures,
        Figure(name, "five stages together", used, "CPU µs/event", memory=max(memory.values()), note=each),
    ]


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
