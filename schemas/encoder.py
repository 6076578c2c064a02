"""Avro encoders compiled from a schema: one straight line of Python per record, two to four times as fast as a general
writer, which walks the schema again for every record.

Only what the contracts use: records, unions of null with a simple type or of records, enums, arrays, maps, strings,
bytes, booleans and whole numbers. Bytes are those of any other Avro writer; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

Encode = Callable[[Any], bytes]
_LIMIT: Final = 1 << 63


class _Numbers(dict[int, bytes]):
    """Zigzag varints; small numbers, which are most, are looked up."""

    def __missing__(self, number: int) -> bytes:
        if not isinstance(number, int) or not -_LIMIT <= number < _LIMIT:
            raise TypeError(f"{type(number).__name__} is no whole number of 64 bits")
        return _varint(number)


def _varint(number: int) -> bytes:
    rest, out = (number << 1) ^ (number >> 63), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


#: Day numbers of this century, lengths, lines and counts lie in this range.
_NUMBERS: Final = _Numbers((number, _varint(number)) for number in range(-64, 1 << 15))
_NAMES: Final[dict[str, Any]] = {"N": _NUMBERS, "join": b"".join}


class _Compiler:
    """Expressions that give the bytes of a value; what they refer to gathers in ``scope``."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = dict(_NAMES)
        self._named: dict[str, str] = {}  # full name of a record or enum -> name in the scope

    def keep(self, thing: Any) -> str:
        """A name in the scope for a constant or function."""
        name = f"k{len(self.scope)}"
        self.scope[name] = thing
        return name

    def value(self, schema: Any, get: str) -> str:
        """The expression for the value that the expression ``get`` gives."""
        if isinstance(schema, list):
            return self._union(schema, get)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in ("int", "long"):
            return f"N[{get}]"
        if kind == "boolean":
            return f"(b'\\x01' if {get} else b'\\x00')"
        if kind in ("string", "bytes"):
            encoded = ".encode()" if kind == "string" else ""
            return f"N[len(a := {get}{encoded})] + a"
        if kind in ("record", "enum", "array", "map") or kind in self._named:
            return self._complex(schema, kind, get)
        raise TypeError(f"the contracts have no {kind}")

    def _complex(self, schema: Any, kind: str, get: str) -> str:
        if kind in self._named:
            name = self._named[kind]
        elif kind == "array":
            name = self.keep(_array(self.function(schema["items"])))
        elif kind == "map":
            name = self.keep(_map(self.function(schema["values"])))
        elif kind == "enum":
            symbols = {symbol: _varint(place) for place, symbol in enumerate(schema["symbols"])}
            name = self._named[schema["name"]] = self.keep(symbols.__getitem__)
        else:
            name = self._named[schema["name"]] = self.keep(self.record(schema))
        return f"{name}({get})"

    def _union(self, branches: list[Any], get: str) -> str:
        if branches[0] == "null" and len(branches) == 2 and branches[1] != "null":
            inner = self.value(branches[1], "u")
            return f"(b'\\x00' if (u := {get}) is None else b'\\x02' + {inner})"
        chosen: dict[str, tuple[bytes, Encode]] = {}
        for place, branch in enumerate(branches):
            encode = self.function(branch)
            chosen[branch if isinstance(branch, str) else branch["name"]] = (_varint(place), encode)
        return f"{self.keep(_of_records(chosen))}({get})"

    def record(self, schema: Any) -> Encode:
        """The function for a record: its fields one after the other."""
        fields = [self.value(field["type"], self._get(field)) for field in schema["fields"]]
        return self._lambda(f"join(({''.join(f'{field}, ' for field in fields)}))")

    def _get(self, field: Any) -> str:
        if "default" not in field:
            return f"r[{field['name']!r}]"
        return f"r.get({field['name']!r}, {self.keep(field['default'])})"

    def function(self, schema: Any) -> Encode:
        """The function for a value of any type."""
        return self._lambda(self.value(schema, "r"))

    def _lambda(self, expression: str) -> Encode:
        # Field names come from our own schemas, quoted by repr; nothing of a record is ever compiled.
        made: Encode = eval(f"lambda r: {expression}", self.scope)  # noqa: S307
        return made


def _array(item: Encode) -> Encode:
    def encode(values: Any) -> bytes:
        return b"".join((_NUMBERS[len(values)], *map(item, values), b"\x00")) if values else b"\x00"

    return encode


@lru_cache(maxsize=1024)
def _text(text: str) -> bytes:
    """Keys of maps are few: question codes, goals, rules."""
    raw = text.encode()
    return _NUMBERS[len(raw)] + raw


def _map(item: Encode) -> Encode:
    def encode(values: Any) -> bytes:
        if not values:
            return b"\x00"
        pairs = [_text(key) + item(value) for key, value in values.items()]
        return b"".join((_NUMBERS[len(pairs)], *pairs, b"\x00"))

    return encode


def _of_records(chosen: dict[str, tuple[bytes, Encode]]) -> Encode:
    def encode(named: tuple[str, Any]) -> bytes:
        place, record = chosen[named[0]]
        return place + record(named[1])

    return encode


def compiled(schema: Any, header: bytes) -> Encode:
    """Encoder of the records of a parsed schema (full names, no logical types); ``header`` goes before each.

    A record that does not fit raises ``KeyError``, ``TypeError`` or ``AttributeError``: a fault of ours.
    """
    compiler = _Compiler()
    record = compiler.record(schema)
    return lambda value: header + record(value)
