"""Can records written under one schema be read under another? Avro's rules of resolution, told before a record is lost.

Backward compatibility is what the log needs: the new reader reads every released writer. Stricter than Avro where
Avro would misread: a logical type (the unit of a number) must stay, and enum symbols may not go, default or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from schemas.codec import JsonSchema, load, names, released

#: Writer's type -> reader's types that its values are promoted to.
_PROMOTIONS: Final[dict[str, frozenset[str]]] = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}
_NAMED: Final = frozenset({"record", "enum", "fixed"})


def problems(reader: JsonSchema, writer: JsonSchema) -> list[str]:
    """Why records of ``writer`` cannot all be read as ``reader``: a sentence with its path each; empty if they can."""
    return list(_Resolution(reader, writer).run(reader, writer, str(reader.get("name", ""))))


def release_problems() -> list[str]:
    """What the present contracts can no longer read of any release kept in the repository."""
    present = names()
    found = []
    for release, name, schema in released():
        if name in present:
            found += [f"{name} against release {release}: {problem}" for problem in problems(load(name), schema)]
        else:
            found.append(f"{name} of release {release} is gone; its topics may still hold records of it")
    return found


class _Resolution:
    """One comparison; knows the named types that each side has defined."""

    def __init__(self, reader: JsonSchema, writer: JsonSchema) -> None:
        self._read, self._written = _definitions(reader), _definitions(writer)
        self._compared: set[tuple[str, str]] = set()

    def run(self, reader: Any, writer: Any, path: str) -> Iterator[str]:
        """Problems of one place."""
        reader, writer = self._read.get(_key(reader), reader), self._written.get(_key(writer), writer)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.run(reader, branch, f"{path}[{_label(branch)}]")
        elif isinstance(reader, list):
            if all(list(self.run(branch, writer, path)) for branch in reader):
                yield f"{path}: no branch of the union reads {_label(writer)}"
        else:
            yield from self._one(reader, writer, path)

    def _one(self, reader: Any, writer: Any, path: str) -> Iterator[str]:
        wanted, given = _type(reader), _type(writer)
        if wanted != given and wanted not in _PROMOTIONS.get(given, ()):
            yield f"{path}: was {given}, is {wanted}"
        elif _logical(reader) != _logical(writer):
            yield f"{path}: was {_logical(writer) or 'a bare number'}, is {_logical(reader) or 'a bare number'}"
        elif given in _NAMED and _key(reader["name"], reader) != _key(writer["name"], writer):
            yield f"{path}: was named {_key(writer['name'], writer)}, is named {_key(reader['name'], reader)}"
        elif given == "record":
            yield from self._record(reader, writer, path)
        elif given == "enum":
            for symbol in sorted(set(writer["symbols"]) - set(reader["symbols"])):
                yield f"{path}: the symbol {symbol} is gone"
        elif given == "fixed" and reader["size"] != writer["size"]:
            yield f"{path}: was {writer['size']} bytes, is {reader['size']}"
        elif given in ("array", "map"):
            part = "items" if given == "array" else "values"
            yield from self.run(reader[part], writer[part], f"{path}.{part}")

    def _record(self, reader: JsonSchema, writer: JsonSchema, path: str) -> Iterator[str]:
        pair = _key(reader["name"], reader), _key(writer["name"], writer)
        if pair in self._compared:
            return
        self._compared.add(pair)
        given = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            place = f"{path}.{field['name']}"
            if field["name"] in given:
                yield from self.run(field["type"], given[field["name"]]["type"], place)
            elif "default" not in field:
                yield f"{place}: new, and has no default for records written before it"


def _type(schema: Any) -> str:
    """Name of the type of a schema; nothing for a field, whose type is a schema of its own."""
    name = schema.get("type") if isinstance(schema, dict) else schema
    return name if isinstance(name, str) else ""


def _logical(schema: Any) -> str:
    return str(schema.get("logicalType", "")) if isinstance(schema, dict) else ""


def _label(schema: Any) -> str:
    return str(schema.get("name", schema["type"])) if isinstance(schema, dict) else str(schema)


def _key(schema: Any, of: JsonSchema | None = None) -> str:
    """Full name of a named type or of a reference to one; nothing for what has no name."""
    if not isinstance(schema, str):
        return ""
    namespace = of.get("namespace", "") if of else ""
    return schema if "." in schema or not namespace else f"{namespace}.{schema}"


def _definitions(node: Any) -> dict[str, JsonSchema]:
    """Every named type in a schema by full name; the contracts name their namespace at each."""
    if isinstance(node, list):
        return {name: schema for item in node for name, schema in _definitions(item).items()}
    if not isinstance(node, dict):
        return {}
    found = {_key(node["name"], node): node} if _type(node) in _NAMED else {}
    for part in ("type", "items", "values", "fields"):
        if isinstance(node.get(part), (dict, list)):
            found |= _definitions(node[part])
    return found
