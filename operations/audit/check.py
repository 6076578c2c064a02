"""One check: the rows and states of the clients of some buckets, compared until what differs is proven or has moved on.

1. *Read* the log up to its ends now, and fold every client.
2. *Wait* until the stages have brought all of that to the state and to ClickHouse.
3. *Compare* state and rows.
4. *Read on*: of a client of whom events came meanwhile a difference proves nothing. Its bucket is checked again.

What differs at a client that did not move, while the stages are level, is a difference. So a log that grows all the
time is no hindrance, and a sink that lags raises no alarm: without a level nothing is proven.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog
from clickhouse_connect.driver.client import Client

from crypto.client_names import ClientNames
from domain.care.rows import TABLES as ROW_TABLES
from domain.field.definitions import Definitions
from operations.audit.changelog import Changelog, Latest
from operations.audit.comparison import TABLES, Difference, Found, Wanted, columns, compare
from operations.audit.levels import Levels
from operations.audit.lives import Buckets, Lives, Tell, Told, Yield
from operations.audit.states import StateDifference, beside, differs, void
from operations.audit.tables import found_rows
from operations.log_reader import Reader, log_ends
from schemas.codec import IdSource
from schemas.rows import row_to_record
from streams.engine.stage import StageError
from streams.erased import Ledger
from streams.trajectories import TABLE
from transport.clients import Cluster
from transport.orders import Skips, read_skips

log = structlog.get_logger()

#: So often a bucket is compared again because its clients moved.
TRIES: Final = 5
#: Seconds that a check waits for the stages.
PATIENCE: Final = 10.0


@dataclass(frozen=True)
class World:
    """What is audited, and by which names, definitions and epoch. ``home``: the installation whose stores can be read
    on this machine; None: none. ``ledger``: who was forgotten; None: nobody.
    """

    cluster: Cluster
    client: Client
    names: ClientNames
    definitions: Definitions
    ids: IdSource | None = None
    epoch: int = 0
    home: Path | None = None
    ledger: Ledger | None = None

    @property
    def made_by(self) -> tuple[int, str]:
        """What rows are made by now; where it changes during a check, the check proves nothing."""
        return self.epoch, self.definitions.id

    def fold(self) -> Yield:
        """What the log yields in this world."""
        return Yield(self.names, self.definitions, self.ids, self.epoch, self.ledger)


@dataclass
class Outcome:
    """What a check found. ``behind``: which stage was not level with the log. ``proven``: what is in ``rows`` and
    ``states`` differs; else ClickHouse may only be behind. ``unsettled``: buckets of which a client that differed moved
    each time that it was compared.
    """

    events: int = 0
    expected: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    rows: list[Difference] = field(default_factory=list)
    states: list[StateDifference] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=lambda: {"changelog": 0, "store": 0})
    behind: str = ""
    proven: bool = True
    unsettled: int = 0


class _Differing(NamedTuple):
    """What differs at one moment, proven or not."""

    rows: list[Difference]
    states: list[StateDifference]

    @property
    def all(self) -> list[Difference | StateDifference]:
        """Of either kind."""
        return [*self.rows, *self.states]


class Checker:
    """Checks buckets of clients, one after the other. ``rest`` is called between two clients and between two batches of
    records, never while ClickHouse is giving rows: it may take its time.
    """

    def __init__(
        self,
        world: World,
        tell: Tell = lambda _number: None,
        rest: Callable[[], None] = lambda: None,
        pause: Callable[[float], object] = time.sleep,
        patience: float = PATIENCE,
    ) -> None:
        self.world, self._tell, self._rest, self._pause, self._patience = world, tell, rest, pause, patience
        self._yield = world.fold()
        self._reader, self._levels, self._changelog = (
            Reader(world.cluster),
            Levels(world.cluster),
            Changelog(world.cluster),
        )
        self._columns = {name: columns(table) for name, table in TABLES.items()}

    def close(self) -> None:
        """Leave the broker."""
        for one in (self._reader, self._levels, self._changelog):
            one.close()

    def skips(self) -> Skips:
        """The records that ``trajectories`` leaves out."""
        return read_skips(self.world.cluster, "trajectories", self.world.ids)

    def check(self, buckets: Buckets = None, skips: Skips | None = None) -> Outcome:
        """Check these buckets; errors as ``Reader.batches``, ``KafkaException`` and those of ``sinks.clickhouse``."""
        left_out = self.skips() if skips is None else skips
        lives = Lives(self._reader, self.world.names, buckets, left_out, self._tell)
        log = log_ends(self.world.cluster)
        lives.read(log)
        outcome, scope = Outcome(events=log.events), buckets
        for attempt in range(TRIES):
            level = self._levels.wait(lives.ends, self._patience, self._pause)
            outcome.behind, outcome.proven = level.words, level.proven
            found = self._compare(lives, scope, outcome, first=attempt == 0)
            moved = lives.read(log_ends(self.world.cluster))
            moved |= {
                client for client, life in lives.all.items() if life.split or self._yield.forgetting(client, life)
            }
            if level.proven and level.words:  # who is not through yet is as good as on the move
                moved |= {client for client, life in lives.all.items() if life.last >= level.at.get(life.partition, 0)}
            again = self._moving(lives, moved, found)
            outcome.unsettled = len(again)
            last = bool(level.words) or attempt == TRIES - 1
            self._take(found, outcome, but=set() if last else again, lives=lives, moved=moved if last else set())
            if last or not again:
                return outcome
            scope = frozenset(again)
        return outcome

    def wanted(self, client: bytes, told: Told, into: dict[str, dict[str, Wanted]]) -> None:
        """Add the rows of one client, table -> key."""
        names, bucket = self.world.names, self.world.names.bucket(client)
        for key, row in told.rows.items():
            table = ROW_TABLES[key.table]
            record: dict[str, Any] = row_to_record(
                key, row, names.of(client, key.aanbieder), emmer=bucket, version=told.top, newest=0,
                definitions=self.world.definitions,
            )  # fmt: skip
            content = tuple(record[column] for column in self._columns[table])
            into[table][key.text] = Wanted(content, client, told.top)

    def _compare(self, lives: Lives, scope: Buckets, outcome: Outcome, *, first: bool) -> _Differing:
        wanted: dict[str, dict[str, Wanted]] = {name: {} for name in TABLES}
        found, begun = _Differing([], []), self._levels.begun()
        for partition in lives.ends:
            latest = self._latest(partition, scope, outcome, found, first=first) if partition in begun else None
            for client, life in lives.of(partition, scope):
                told = self._yield(client, life)
                self.wanted(client, told, wanted)
                if latest is not None:
                    _, packed = latest.pop(client, (0, None))
                    sorts = differs(told.person, told.top, packed)
                    found.states.extend(StateDifference("changelog", partition, client, sort) for sort in sorts)
                self._rest()
            for client, (_, packed) in latest.items() if latest else ():
                if packed is not None and not void(packed, self.world.epoch):
                    found.states.append(StateDifference("changelog", partition, client, "extra"))
        for name in TABLES:
            found.rows.extend(self._rows(name, wanted[name], scope, outcome if first else None))
        return found

    def _rows(self, name: str, wanted: dict[str, Wanted], scope: Buckets, outcome: Outcome | None) -> list[Difference]:
        seen, expected = 0, len(wanted)

        def counted() -> Iterator[Found]:
            nonlocal seen
            for row in found_rows(TABLES[name], self.world.client, scope):
                seen += 1
                yield row

        differences = list(compare(TABLES[name], wanted, counted()))
        if outcome is not None:
            outcome.expected[name], outcome.found[name] = expected, seen
        return differences

    def _latest(self, partition: int, scope: Buckets, outcome: Outcome, found: _Differing, *, first: bool) -> Latest:
        """The changelog of a partition, against which its stores are compared first."""
        stores = self._stores(partition, scope)
        latest = self._changelog.latest(partition, self._mine(scope), self._rest)
        for level, store in stores:
            differences = beside(store, level, latest)
            found.states.extend(
                StateDifference("store", partition, client, sort) for client, sort in differences.items()
            )
        if first:
            outcome.compared["changelog"] += len(latest)
            outcome.compared["store"] += sum(len(store) for _, store in stores)
        return latest

    def _mine(self, scope: Buckets) -> Callable[[bytes], bool]:
        return lambda key: scope is None or self.world.names.bucket(key) in scope

    def _stores(self, partition: int, scope: Buckets) -> list[tuple[int, dict[bytes, bytes]]]:
        """The stores of a partition on this machine, each with its level; read before the changelog."""
        if self.world.home is None or find_spec("rocksdict") is None:
            return []
        from streams.engine.store_reader import StoreReader, stores

        found = []
        for path, number in stores(self.world.home, "trajectories", TABLE).items():
            if number != partition:
                continue
            try:
                reader = StoreReader(path)
            except StageError as problem:  # it is being laid out anew, or moved: the changelog is compared all the same
                log.warning("a store was not compared", partition=partition, problem=str(problem))
                continue
            found.append((reader.level(), dict(reader.states(self._mine(scope)))))
            reader.close()
        return found

    def _buckets_of(self, one: Difference | StateDifference) -> set[int]:
        buckets = {self.world.names.bucket(one.client)} if one.client is not None else set()
        return buckets | {one.bucket} if isinstance(one, Difference) else buckets

    def _moving(self, lives: Lives, moved: set[bytes], found: _Differing) -> set[int]:
        """The buckets of what differs at a client that moved."""
        again: set[int] = set()
        for one in found.all:
            if _of(one, moved, lives):
                again |= self._buckets_of(one)
        return again

    def _take(self, found: _Differing, outcome: Outcome, *, but: set[int], lives: Lives, moved: set[bytes]) -> None:
        """Into the outcome, but for those buckets, which are compared again, and for what is of clients that moved."""
        for one in found.all:
            if not but.isdisjoint(self._buckets_of(one)) or _of(one, moved, lives):
                continue
            if isinstance(one, Difference):
                outcome.rows.append(one)
            else:
                outcome.states.append(one)


def _of(one: Difference | StateDifference, moved: set[bytes], lives: Lives) -> bool:
    """Whether it is of a client that moved; a row that nobody expects says by its name whose it is."""
    if one.client is not None or isinstance(one, StateDifference):
        return one.client in moved
    return bool(moved) and one.name in lives.names_at(moved, one.key.split("|")[0])
