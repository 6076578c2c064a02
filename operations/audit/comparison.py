"""The comparison of rows: what the log yields against what ClickHouse shows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from sinks.tables import METINGEN, SCORES, TRAJECTEN, Table

TABLES: Final = {table.name: table for table in (TRAJECTEN, METINGEN, SCORES)}
Sort = Literal["missing", "extra", "different", "version"]
SORTS: Final[tuple[Sort, ...]] = ("missing", "extra", "different", "version")
#: Columns that say when and not what.
NOT_CONTENT: Final = frozenset({"version", "verwijderd", "gebeurd_op"})
#: Columns that say by which definitions a row was made.
MADE_BY: Final = frozenset({"definitie_versie", "spic"})


class Wanted(NamedTuple):
    """A row that the log yields: its content in the order of ``columns``, whose it is, and the highest version that the
    log can give it. ``client`` is a pseudonym: it stays in memory.
    """

    content: tuple[Any, ...]
    client: bytes
    top: int


class Found(NamedTuple):
    """A row that ClickHouse shows."""

    key: str
    version: int
    content: tuple[Any, ...]


class Difference(NamedTuple):
    """One row that is not as the log yields. ``columns``: which differ. ``client``: whose it is by the log, None of a
    row that the log does not yield: a pseudonym, it stays in memory. ``name``: what the row itself calls its client.
    ``version``: as found.
    """

    table: str
    key: str
    sort: Sort
    bucket: int
    columns: tuple[str, ...] = ()
    client: bytes | None = None
    name: str = ""
    version: int = -1


def columns(table: Table) -> list[str]:
    """The columns of a table that are compared."""
    return [column for column in table.columns if column not in NOT_CONTENT]


def compare(table: Table, wanted: dict[str, Wanted], found: Iterable[Found]) -> Iterator[Difference]:
    """Every difference of a table. Takes out of ``wanted``, in place, what was found: memory holds one side."""
    names = columns(table)
    client, bucket = names.index("client"), names.index("emmer")
    for row in found:
        expected = wanted.pop(row.key, None)
        at, name, version = int(row.content[bucket]), str(row.content[client]), row.version
        if expected is None:
            yield Difference(table.name, row.key, "extra", at, name=name, version=version)
            continue
        whose = expected.client
        if expected.content != row.content:
            parts = _parts(names, expected.content, row.content)
            yield Difference(table.name, row.key, "different", at, parts, whose, name, version)
        if row.version > expected.top:
            yield Difference(table.name, row.key, "version", at, (), whose, name, version)
    for key, expected in wanted.items():
        at = int(expected.content[bucket])
        yield Difference(table.name, key, "missing", at, client=expected.client, name=str(expected.content[client]))


def _parts(names: Sequence[str], one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(name for name, left, right in zip(names, one, other, strict=True) if left != right)


@dataclass
class Finding:
    """The comparison of one table: counts, and the keys of the rows that differ.

    ``columns``: how many of the different rows differ in which column; ``former``: so many of them say that they were
    made by other definitions. ``version``: rows with a higher version than the log can give, which would win from
    whatever comes. ``repeated``: rows that stand more than once under one version, until ClickHouse merges them: no
    figure counts them twice. ``named``: rows, also those that a newer one replaced, whose client is a pseudonym, as an
    earlier release wrote it.
    """

    table: str
    expected: int = 0
    found: int = 0
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    named: int = 0
    version: list[str] = field(default_factory=list)
    columns: dict[str, int] = field(default_factory=dict)
    former: int = 0
    repeated: int = 0

    @property
    def equal(self) -> bool:
        """Nothing is missing, nothing too much, nothing different, and nobody named by a pseudonym."""
        return not (self.missing or self.extra or self.different or self.version or self.named)

    @property
    def counts(self) -> dict[Sort, int]:
        """Rows that differ, by sort."""
        return {sort: len(getattr(self, sort)) for sort in SORTS}

    def take(self, differences: Iterable[Difference]) -> None:
        """Add what was found of this table."""
        seen: Counter[str] = Counter(self.columns)
        for one in differences:
            getattr(self, one.sort).append(one.key)
            seen.update(one.columns)
            self.former += not MADE_BY.isdisjoint(one.columns)
        self.columns = dict(seen)
        for sort in SORTS:
            getattr(self, sort).sort()


def strays(differences: list[Difference]) -> list[Difference]:
    """The same, where a row that was looked for in one bucket and found in another counts as different and no more.

    A row that says a wrong bucket is missed among the rows of its own and is too much among those of the other.
    """
    missing = {(one.table, one.key): one for one in differences if one.sort == "missing"}
    both = {(one.table, one.key): one for one in differences if one.sort == "extra"}.keys() & missing.keys()
    kept = [one for one in differences if (one.table, one.key) not in both or one.sort in {"different", "version"}]
    for place in sorted(both):
        extra = next(one for one in differences if (one.table, one.key) == place and one.sort == "extra")
        kept.append(extra._replace(sort="different", columns=("emmer",), client=missing[place].client))
    return kept
