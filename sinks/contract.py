"""How the records of one table are read: decoded one by one, or handed on to ClickHouse as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from faults import OperatorFault
from schemas.codec import Codec, IdSource, JsonSchema, Record, Undecodable, bundled, load
from sinks.batch import Held
from sinks.container import CONFLUENT, container
from sinks.tables import Table

#: Values by which a column of ClickHouse is filled when a record has no such field.
_EMPTY: Final[tuple[object, ...]] = (None, "", 0, False, [], {})
#: Bytes of records in one container: a server takes a body of some size, and holds it in memory.
CONTAINER_BYTES: Final = 32 << 20
#: Records of an older release have fewer fields; what they lack is empty, whatever default the column has.
_FEWER_FIELDS: Final = {"input_format_avro_allow_missing_fields": 1, "input_format_defaults_for_omitted_fields": 0}


class MustStopError(OperatorFault):
    """Going on would lose or falsify something. The message says what to do."""


class Container(NamedTuple):
    """Records to insert as they are."""

    data: bytes
    rows: int
    settings: dict[str, Any]


class _Schema(NamedTuple):
    """What the records were written with, as JSON, and what ClickHouse must be told about it."""

    text: str
    settings: dict[str, Any]


class Contract:
    """Reads the records of one table. ``ids`` None: the schema ids that the project brings along."""

    def __init__(self, table: Table, ids: IdSource | None = None) -> None:
        self._table = table
        self._ids = ids or bundled()
        self._codec = Codec(table.schema, ids)
        self._key = itemgetter(*table.key)
        self._schemas: dict[bytes, _Schema | None] = {}

    def rows(self, held: Sequence[Held]) -> list[Record]:
        """The newest row of every key: the highest version, of equal versions the later one.

        Raises:
            MustStopError: a value is no record of the contract; the message has its coordinates.
        """
        newest: dict[Any, Record] = {}
        version = self._table.version
        for partition in held:
            for offset, value in zip(partition.offsets, partition.values, strict=True):
                row = self._decoded(partition, offset, value)
                key = self._key(row)
                known = newest.get(key)
                if known is None or known[version] <= row[version]:
                    newest[key] = row
        return list(newest.values())

    def sample(self, held: Sequence[Held], most: int) -> list[Record]:
        """About ``most`` of the records (0: none), evenly spread, decoded; MustStopError as for ``rows``."""
        if not most:
            return []
        step = max(1, sum(len(partition.values) for partition in held) // most)
        return [
            self._decoded(partition, offset, value)
            for partition in held
            for offset, value in zip(partition.offsets[::step], partition.values[::step], strict=True)
        ]

    def containers(self, held: Sequence[Held]) -> Iterator[Container] | None:
        """The records as they are, in the order of the log; None when ClickHouse would read them otherwise than we do.

        That is so when two releases wrote them (one container has one schema), and when their schema differs from ours
        in more than fields that are empty by default.
        """
        header = next(partition.values[0][:CONFLUENT] for partition in held)
        if not all(value.startswith(header) for partition in held for value in partition.values):
            return None
        schema = self._schema(header)
        return None if schema is None else self._filled(schema, held)

    def _filled(self, schema: _Schema, held: Sequence[Held]) -> Iterator[Container]:
        taken: list[bytes] = []
        size = 0
        for partition in held:
            for value in partition.values:
                if size > CONTAINER_BYTES:
                    yield Container(container(schema.text, taken), len(taken), schema.settings)
                    taken, size = [], 0
                taken.append(value)
                size += len(value)
        yield Container(container(schema.text, taken), len(taken), schema.settings)

    def _schema(self, header: bytes) -> _Schema | None:
        if header not in self._schemas:
            self._schemas[header] = self._known(header)
        return self._schemas[header]

    def _known(self, header: bytes) -> _Schema | None:
        ours = load(self._table.schema)
        written = int.from_bytes(header[1:], "big")
        if len(header) < CONFLUENT or header[0] != 0:
            return None
        if written == self._codec.id:
            return _Schema(json.dumps(ours), {})
        try:
            theirs = self._ids.lookup(written)
        except KeyError:
            return None
        same = _reads_alike(json.loads(theirs), ours, self._table.columns)
        return _Schema(theirs, _FEWER_FIELDS) if same else None

    def _decoded(self, partition: Held, offset: int, value: bytes) -> Record:
        try:
            return self._codec.decode(value)
        except Undecodable as error:
            raise MustStopError(
                f"{partition.place.topic}/{partition.place.partition}/{offset}: {error}. Only our own stages write "
                "here: find the one that is newer than this sink, and bring this sink up to its release."
            ) from error


def _reads_alike(theirs: JsonSchema, ours: JsonSchema, columns: Sequence[str]) -> bool:
    """Whether every column is in both with one type, or only in ours and empty by default."""
    there = {field["name"]: _bare(field["type"]) for field in theirs.get("fields", ())}
    for field in ours["fields"]:
        name = field["name"]
        if name not in columns:
            continue
        if name not in there:
            if "default" not in field or field["default"] not in _EMPTY:
                return False
        elif there[name] != _bare(field["type"]):
            return False
    return True


def _bare(node: Any) -> Any:
    """A type without its documentation."""
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key != "doc"}
    return [_bare(item) for item in node] if isinstance(node, list) else node
