"""Avro in Confluent wire format: a zero byte, the schema id (four bytes, big-endian), the record.

Ids come from a registry with the Confluent API where one is named, else they are the first 31 bits of the SHA-256 of
the schema's canonical form: the same on every machine. A record with another id is read with the schema of that id
(from the registry, or from the releases kept in the repository) and resolved to ours.

Inside the process dates are day numbers and times are milliseconds, so logical types are dropped from the schemas that
read and write; the bytes are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Any, Final, Protocol

import fastavro
from fastavro.read import SchemaResolutionError
from fastavro.schema import SchemaParseException, UnknownType, parse_schema, to_parsing_canonical_form

from faults import SenderFault
from schemas.compiled import ODD, Reader, reader
from schemas.compiled_writer import UNFIT, Writer, writer

JsonSchema = dict[str, Any]
Record = dict[str, Any]
#: What fastavro raises on bytes that are damaged, or of a contract that cannot be read as ours.
_DAMAGE: Final = (
    *(EOFError, IndexError, ValueError, TypeError, KeyError, OverflowError, MemoryError),
    SchemaResolutionError,
)
_PARTS: Final = (
    *("start", "stop", "prestatie", "score", "meting", "afwijzing"),
    *(
        "toewijzing",
        "bericht_retour",
        "prestatie_retour",
        "cbs_record",
        "intrekking",
        "dubbel",
        "vervanging",
        "terugname",
        "teruggenomen",
        "wisverzoek",
    ),
)


#: Bytes in front of a record.
HEADER: Final = 5


class Undecodable(SenderFault):
    """Bytes that are no record of the expected schema."""


class IdSource(Protocol):
    """Where schema ids come from."""

    def register(self, subject: str, schema: str) -> int:
        """The id of a schema under a subject."""

    def lookup(self, schema_id: int) -> str:
        """The schema of an id; ``KeyError`` if there is none."""


def _folder() -> Traversable:
    return files("schemas")


def _inlined(node: Any, parts: dict[str, JsonSchema], seen: set[str]) -> Any:
    """The schema with every named part put in at its first use, so that it stands by itself."""
    if isinstance(node, str):
        if node not in parts or node in seen:
            return node
        seen.add(node)
        return parts[node]
    if isinstance(node, list):
        return [_inlined(item, parts, seen) for item in node]
    if isinstance(node, dict):
        return {key: _inlined(value, parts, seen) if key in ("type", "items", "fields") else value
                for key, value in node.items()}  # fmt: skip
    return node


@cache
def load(name: str) -> JsonSchema:
    """The self-contained schema ``schemas/avro/<name>.avsc``."""
    folder = _folder() / "avro"
    parts = {}
    for part in _PARTS:
        schema = json.loads((folder / "parts" / f"{part}.avsc").read_text("utf-8"))
        parts[f"{schema['namespace']}.{schema['name']}"] = schema
    schema = json.loads((folder / f"{name}.avsc").read_text("utf-8"))
    return dict(_inlined(schema, parts, set()))


def full_name(schema: JsonSchema) -> str:
    """The name of a record schema, in its namespace."""
    return f"{schema['namespace']}.{schema['name']}"


def names() -> list[str]:
    """Every contract, in order of name."""
    return sorted(p.name.removesuffix(".avsc") for p in (_folder() / "avro").iterdir() if p.name.endswith(".avsc"))


def released() -> Iterator[tuple[str, str, JsonSchema]]:
    """``(release, name, schema)`` of every schema of every release kept in the repository."""
    folder = _folder() / "released"
    for release in sorted(folder.iterdir(), key=lambda p: p.name) if folder.is_dir() else ():
        for path in sorted(release.iterdir(), key=lambda p: p.name):
            yield release.name, path.name.removesuffix(".avsc"), json.loads(path.read_text("utf-8"))


def bundled_id(schema: JsonSchema) -> int:
    """The deterministic id of a schema: 31 bits of the SHA-256 of its canonical form."""
    canonical = to_parsing_canonical_form(schema)
    return int.from_bytes(hashlib.sha256(canonical.encode()).digest()[:4], "big") & 0x7FFF_FFFF


def plain(node: Any) -> Any:
    """The schema without logical types."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items() if key != "logicalType"}
    if isinstance(node, list):
        return [plain(item) for item in node]
    return node


class Bundled:
    """Ids computed from the schemas themselves; knows the present contracts and those of earlier releases."""

    def __init__(self) -> None:
        known = [load(name) for name in names()] + [schema for _, _, schema in released()]
        self._schemas = {bundled_id(schema): schema for schema in known}

    def register(self, subject: str, schema: str) -> int:
        """The deterministic id; the subject plays no part."""
        del subject
        return bundled_id(json.loads(schema))

    def lookup(self, schema_id: int) -> str:
        """A present or released schema."""
        return json.dumps(self._schemas[schema_id])


@cache
def bundled() -> Bundled:
    """The bundled ids, made once per process: a connector makes codecs for every delivery."""
    return Bundled()


@cache
def compiled(name: str, *structs: tuple[str, type]) -> Reader:
    """A compiled reader of a contract, with structs by full name (``schemas.compiled``). Making one takes some ms."""
    return reader(parse_schema(plain(load(name))), dict(structs))


@cache
def _compiled_writer(name: str) -> Writer:
    return writer(parse_schema(plain(load(name))))


class Codec:
    """Encodes and decodes the records of one contract."""

    def __init__(self, name: str, ids: IdSource | None = None, subject: str | None = None) -> None:
        schema = load(name)
        self.name = name
        self._ids = ids or bundled()
        self.id = self._ids.register(subject or f"{name}-value", json.dumps(schema))
        self.header: Final = b"\x00" + self.id.to_bytes(4, "big")  # of a record of ours
        self._schema: Any = parse_schema(plain(schema))
        self._writers: dict[int, Any] = {self.id: self._schema}
        self._read, self._write = compiled(name), _compiled_writer(name)

    def encode(self, record: Record) -> bytes:
        """The record in wire format. A union of records takes ``(full name, record)``."""
        try:
            return self._write(self.header, record)
        except UNFIT:
            return self._by_rule(record)

    def _by_rule(self, record: Record) -> bytes:
        """As fastavro writes it: with a default for what is missing, and an error for what does not fit."""
        out = BytesIO()
        out.write(self.header)
        fastavro.schemaless_writer(out, self._schema, record)
        return out.getvalue()

    def decode(self, data: bytes) -> Record:
        """The record; a union of records gives ``(full name, record)``. ``Undecodable`` for anything else."""
        if data[:HEADER] == self.header:
            try:
                found: Record = self._read(data, HEADER)
            except ODD:
                pass
            else:
                return found
        return self._resolved(data)

    def _resolved(self, data: bytes) -> Record:
        """As fastavro reads it: a record of another schema, or bytes that no writer of ours makes."""
        if len(data) < HEADER or data[0] != 0:
            raise Undecodable(f"{self.name}: no Confluent wire format")
        writer_id = int.from_bytes(data[1:HEADER], "big")
        writer = self._writers.get(writer_id) or self._foreign(writer_id)
        stream = BytesIO(data)
        stream.seek(HEADER)
        try:
            ours = None if writer is self._schema else self._schema
            record = fastavro.schemaless_reader(stream, writer, ours, return_record_name=True)
        except _DAMAGE as error:
            raise Undecodable(f"{self.name}: {type(error).__name__}") from error
        if stream.tell() != len(data) or not isinstance(record, dict):
            raise Undecodable(f"{self.name}: trailing bytes")
        return record

    def _foreign(self, writer_id: int) -> Any:
        try:
            schema = self._ids.lookup(writer_id)
        except KeyError as error:
            raise Undecodable(f"{self.name}: unknown schema id {writer_id}") from error
        try:
            parsed = parse_schema(plain(json.loads(schema)))
        except (ValueError, SchemaParseException, UnknownType) as error:
            raise Undecodable(f"{self.name}: schema id {writer_id} is no Avro schema") from error
        self._writers[writer_id] = parsed
        return parsed
