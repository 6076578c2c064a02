"""What a reader of rows tries: to find the rows of one child at two providers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

from schemas.codec import Record
from schemas.topics import EVENTS
from sinks.schema.users import USERS
from streams.engine.stage import Record as LogRecord
from streams.trajectories import Trajectories
from tests.attack.parties import Seen, decoded
from tests.attack.world import A, B

#: Names of a client at A and at B that may be one child.
Link = tuple[str, str]


def links(rows: Iterable[Record], columns: tuple[str, ...]) -> set[Link]:
    """Clients of A and B of whom alone some value, or combination of values, is the same."""
    found: dict[str, dict[Any, set[str]]] = {A: defaultdict(set), B: defaultdict(set)}
    for row in rows:
        if row["aanbieder"] not in found:
            continue
        value = repr([row[name] for name in columns])
        found[row["aanbieder"]][value].add(row["client"])
    return {
        (*ours, *theirs)
        for value, ours in found[A].items()
        if len(ours) == 1 and len(theirs := found[B].get(value, set())) == 1
    }


def seen_of(topic: str, rows: Iterable[Record]) -> list[Record]:
    """Rows as the dashboards may see them."""
    columns = dict(USERS["grafana"].columns)[topic.removeprefix("sor.")]
    return [{name: row[name] for name in columns if name in row} for row in rows]


def replayed(seen: Seen, stage: Trajectories, topic: str) -> list[Record]:
    """The rows that go out when the log is read again: every row of a client at once."""
    history, rows = defaultdict[bytes, list[LogRecord]](list), list[Record]()
    for offset, (key, value) in enumerate(seen[EVENTS]):
        if decoded(EVENTS, value) is not None:  # else it is of another test
            history[key].append(LogRecord(offset, value, 0))
    for key, records in history.items():
        blob, _ = stage(key, None, records)
        for out in stage(key, blob, records)[1]:
            if out.topic == topic and (row := decoded(topic, out.value or b"")) is not None:
                rows.append(row)
    return rows


def every_way(rows: list[Record], most: int) -> Iterator[tuple[tuple[str, ...], set[Link]]]:
    """By each column, and by each so many of them."""
    names = sorted(set(rows[0]) - {"aanbieder"})
    for size in range(1, most + 1):
        for columns in combinations(names, size):
            yield columns, links(rows, columns)
