"""The declared topics (``schemas/topics.toml``) as values."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from domain.facts.fact import KINDS

#: Topics of the connectors, by kind of delivery.
IN_TOPIC: Final[dict[str, str]] = {kind: f"sor.in.{kind}" for kind in KINDS}
#: And back.
KIND_OF: Final[dict[str, str]] = {topic: kind for kind, topic in IN_TOPIC.items()}
EVALUATED, EVENTS, LINES, REGISTER = "sor.evaluated", "sor.events", "sor.lines", "sor.register"
REJECTED, RECEIPTS, ORDERS = "sor.rejected", "sor.receipts", "sor.orders"
TERUGNAMES, DEFINITIONS = "sor.terugnames", "sor.definitions"
ERASURES, WISVERZOEKEN = "sor.erasures", "sor.wisverzoeken"
#: Read from the beginning by every process that reads them, at its start, and followed without a group.
READ_WHOLE: Final = frozenset({ORDERS, DEFINITIONS, ERASURES})
TRAJECTEN, METINGEN, SCORES = "sor.trajecten", "sor.metingen", "sor.scores"
#: The log and the state made from it: ``sor topics repartition`` gives them more partitions than the others have.
WIDENED: Final = (EVENTS, "sor-trajectories-personen-changelog")
_DAY_MS = 86_400_000


class Topic(NamedTuple):
    """One declared topic. ``config`` holds the broker's own setting names and values."""

    name: str
    schema: str  # contract in schemas/avro; empty for packed state
    key: str
    config: dict[str, str]
    write: tuple[str, ...]  # principals
    read: tuple[str, ...]
    partitions: int | None = None  # None: as many as the installation has (``SOR_PARTITIONS``)
    backup: bool = False  # it cannot be recomputed: ``sor backup`` copies it


class Kept(NamedTuple):
    """How long the rows of a table stay: ``days`` after the moment in ``column``; None: for ever."""

    table: str
    column: str
    days: int | None


def _config(table: dict[str, object]) -> dict[str, str]:
    if table.get("compact"):
        return {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.2", "max.message.bytes": "4194304"}
    days = table.get("retention_days")
    retention = -1 if days is None else int(str(days)) * _DAY_MS
    # When a record came is said by the broker, not by whoever sends: certificates are judged at that moment.
    arrival = {"message.timestamp.type": "LogAppendTime"} if table.get("schema") == "sor.in" else {}
    return {"cleanup.policy": "delete", "retention.ms": str(retention), "max.message.bytes": "4194304", **arrival}


@cache
def _document() -> dict[str, dict[str, dict[str, object]]]:
    return tomllib.loads((files("schemas") / "topics.toml").read_text("utf-8"))


@cache
def topics() -> dict[str, Topic]:
    """Every declared topic by name."""
    return {
        name: Topic(
            name,
            str(table.get("schema", "")),
            str(table["key"]),
            _config(table),
            tuple(table["write"]),  # type: ignore[arg-type]
            (*table["read"], *(["backup"] if table.get("backup") else [])),  # type: ignore[misc]
            int(str(table["partitions"])) if "partitions" in table else None,
            bool(table.get("backup")),
        )
        for name, table in _document()["topics"].items()
    }


@cache
def kept() -> dict[str, Kept]:
    """How long rows stay in ClickHouse, by table."""
    return {
        name: Kept(
            name, str(table.get("column", "")), int(str(days)) if (days := table.get("retention_days")) else None
        )
        for name, table in _document()["tables"].items()
    }


def groups() -> dict[str, str]:
    """Consumer group of each process."""
    return {process: str(group) for process, group in _document()["groups"].items()}


def watches() -> dict[str, tuple[str, ...]]:
    """Process -> the processes of which it sees where their groups stand."""
    return {process: tuple(map(str, others)) for process, others in _document()["watches"].items()}
