"""Mending what an audit found, under the same rule of versions (decision 0024).

A row is written again with the version that the log gives it: whatever is newer still wins. A row that would win and
may not, because its version is too high or the log does not yield it, is removed first: exactly the versions that were
seen, so that a row which comes meanwhile stays. States are mended by ``operations.audit.state_repair``.

In this order, so that no live row is mistaken for one that is too high: the versions in ClickHouse are read before the
log is, and what the log then gives is at least as high as whatever was rightly there.
"""

from __future__ import annotations

import getpass
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

import structlog

from domain.care.rows import TABLES as ROW_TABLES
from operations.audit.check import World
from operations.audit.comparison import TABLES, Difference
from operations.audit.full import Whole, slices
from operations.audit.lives import Lives, Told
from operations.audit.state_repair import NotMended
from operations.audit.tables import key_of, quoted, repeated_rows, versions_of
from operations.log_reader import Reader, log_ends
from schemas.rows import row_to_record
from schemas.topics import groups
from sinks import clickhouse
from sinks.tables import Table
from sinks.writer import Writer
from streams.epochs import note_of
from transport.orders import read_skips

log = structlog.get_logger()

#: Rows of one mutation: each rewrites whole parts, so few of them and none too long to be said.
AT_ONCE: Final = 5_000
_UNKNOWN: Final = (
    b"\0"  # a fingerprint of a row that is out in a form nobody knows: it is given out, or taken back, anew
)


class Seen(NamedTuple):
    """A row as it stands in ClickHouse, every version by itself."""

    key: str
    version: int
    times: int


@dataclass
class Mended:
    """How much was done: rows written again and removed, by table; states written."""

    written: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    states: int = 0

    def told(self) -> dict[str, int]:
        """As numbers for a log and for the answer; nothing that names a row."""
        return {"written": self.written.total(), "removed": self.removed.total(), "states": self.states}


def wrong_versions(seen: Iterable[Seen], wanted: Mapping[str, int]) -> dict[str, set[int]]:
    """Key -> the versions to remove, of rows that an audit named: those above the one that the log gives, the log's own
    where it stands more than once, and all of a row that the log does not yield. Where anything goes the log's own goes
    with it, for it is written anew: it would stand twice. Pure.
    """
    rows = list(seen)
    found: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        top = wanted.get(row.key)
        if top is None or row.version > top or row.times > 1:
            found[row.key].add(row.version)
    for row in rows:
        if row.key in found and row.version == wanted.get(row.key):
            found[row.key].add(row.version)
    return dict(found)


class Rows:
    """Mends rows of ClickHouse. ``writer`` and the connection of ``world`` have the rights of ``repair``."""

    def __init__(self, world: World, writer: Writer) -> None:
        self._world, self._writer = world, writer
        self._yield = world.fold()

    def mend(
        self, differences: Iterable[Difference], repeated: Mapping[str, Mapping[str, int]], mended: Mended
    ) -> None:
        """Mend these rows, and those that stand more than once (table -> key). What a merge has meanwhile left once is
        not written again: it would stand twice.
        """
        named: dict[str, set[str]] = {name: set() for name in TABLES}
        for one in differences:
            named[one.table].add(one.key)
        keys = {name: named[name] | set(repeated.get(name, ())) for name in TABLES}
        seen = {name: list(_seen(TABLES[name], self._world.client, keys[name])) for name in TABLES if keys[name]}
        wanted = self._wanted(keys)
        for name, rows in seen.items():
            tops = {key: int(record["version"]) for key, record in wanted[name].items()}
            wrong = wrong_versions(rows, tops)
            mended.removed[name] += self._remove(TABLES[name], wrong)
            records = [record for key, record in wanted[name].items() if key in named[name] or key in wrong]
            self._writer.insert(TABLES[name], records)
            mended.written[name] += len(records)

    def _wanted(self, keys: Mapping[str, set[str]]) -> dict[str, dict[str, dict[str, Any]]]:
        """Table -> key -> the record that the log yields now, of those keys for which it yields one."""
        found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in TABLES}
        for client, told in self._told():
            for key, row in told.rows.items():
                if key.text in keys[ROW_TABLES[key.table]]:
                    found[ROW_TABLES[key.table]][key.text] = row_to_record(
                        key,
                        row,
                        self._world.names.of(client, key.aanbieder),
                        emmer=self._world.names.bucket(client),
                        version=told.top,
                        newest=told.moments.get(key.aanbieder, 0),
                        definitions=self._world.definitions,
                    )
        return found

    def _told(self) -> Iterator[tuple[bytes, Told]]:
        """What the log yields, client by client."""
        world, reader = self._world, Reader(self._world.cluster)
        skips = read_skips(world.cluster, "trajectories", world.ids)
        try:
            full = log_ends(world.cluster)
            for part in slices(full.events):
                lives = Lives(reader, world.names, part, skips, lambda _number: None)
                lives.read(full)
                for client, life in lives.all.items():
                    yield client, self._yield(client, life)
        finally:
            reader.close()

    def _remove(self, table: Table, versions: Mapping[str, set[int]]) -> int:
        pairs = [(key, version) for key, found in sorted(versions.items()) for version in sorted(found)]
        for some in _parts(pairs, AT_ONCE):
            listed = ", ".join(f"({quoted(key)}, {version})" for key, version in some)
            clickhouse.command(
                self._world.client,
                f"ALTER TABLE {table.name} DELETE WHERE ({key_of(table)}, version) IN ({listed}) "
                "SETTINGS mutations_sync = 1",
                f"Removing rows of {table.name}",
            )
        return len(pairs)


def _seen(table: Table, client: Any, keys: set[str]) -> Iterator[Seen]:
    for some in _parts(sorted(keys), AT_ONCE):
        yield from (Seen(*row) for row in versions_of(table, client, some))


def _parts(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(items)
    while part := list(islice(left, size)):
        yield part


def same_as_stage(world: World) -> None:
    """``NotMended`` when the rows of the stage are made by others: a repair would write them all by ours."""
    noted = note_of(world.cluster, groups()["trajectories"]).get("names", "")
    if noted and noted != f"{world.names.id} {world.definitions.id}":
        raise NotMended(
            "trajectories makes rows by other keys or definitions than are given here: give the same SOR_KEYS and "
            "definitions, or let it give its rows out anew first (start it again)"
        )


def repair(whole: Whole, world: World, writer: Writer, states: Callable[[Whole], int] | None) -> Mended:
    """Mend what an audit found; ``states`` mends those and says how many, None: they stay as they are. Says in the log
    how much was done.

    Raises:
        NotMended: keys or definitions are others here than those of the stage; or as ``States``.
    """
    same_as_stage(world)
    mended = Mended()
    repeated = {name: repeated_rows(table, world.client) for name, table in TABLES.items()}
    Rows(world, writer).mend(whole.rows, repeated, mended)
    if states is not None and whole.states:
        mended.states = states(whole)
    log.warning("an audit was followed by a repair", who=getpass.getuser(), **mended.told())
    return mended
