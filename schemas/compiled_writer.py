"""Writers of Avro records, compiled from their schema, as ``schemas.compiled`` has readers.

They write the bytes that fastavro writes, for values of exactly the types of the schema. For anything else they raise
one of ``UNFIT`` before a byte is given out, and who called asks fastavro, which has the rule: it takes a default, takes
the value after all, or says what is wrong with it (``tests/schemas/test_compiled_writer.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from schemas.compiled import Group

#: What a compiled writer raises for what it does not know.
UNFIT: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError)
#: Bytes that go in front, and a record -> both.
Writer = Callable[[bytes, Any], bytes]

#: Bytes that go in front, and a record -> the parts of it that stay in a run, the first behind those bytes.
RunParts = Callable[[bytes, Any], list[bytes]]
#: Those parts, and a record -> all its bytes.
RunWriter = Callable[[list[bytes], Any], bytes]

_INDENT: Final = "    "
_BITS: Final = {"int": 31, "long": 63}


def writer(schema: Any) -> Writer:
    """A writer of a record schema that fastavro has parsed, without logical types; records are dicts, and
    ``(full name, dict)`` in a union. ``NotImplementedError`` for a type that no contract has.
    """
    return _Text().compiled(schema)


def run_writers(parts: Sequence[Group]) -> tuple[RunParts, RunWriter]:
    """What writes the parts of a record that stay in a run, and what writes a record of the run with them."""
    still = [writer({"type": "record", "name": "", "fields": fields}) for fields, _ in parts]

    def stays(front: bytes, record: Any) -> list[bytes]:
        return [write(b"" if place else front, record) for place, write in enumerate(still)]

    return stays, _Text().of_run(parts)


def number(value: int) -> bytes:
    """Any number as Avro writes it: zigzag, seven bits to the byte, the lowest first."""
    left, out = value << 1 if value >= 0 else (-value << 1) - 1, bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


_PRESENT: Final = b"\x02"  # a value that may be null is there
#: Numbers and lengths that are met most, as they are written, and behind the mark of a value that is there.
_SMALL: Final = {value: number(value) for value in range(-64, 1024)}
_SMALL_PRESENT: Final = {value: _PRESENT + written for value, written in _SMALL.items()}


@lru_cache(maxsize=8192)  # days, moments and numbers of lines come several times, in one record and in the next
def larger(value: int, bits: int) -> bytes:
    """Any number of so many bits; as long as a day or as a moment in milliseconds in line: three or six bytes."""
    if value >> bits not in (0, -1):
        raise ValueError("a number of more bits")
    left = value << 1 if value >= 0 else (-value << 1) - 1
    if 1 << 14 <= left < 1 << 21:
        return bytes((left & 0x7F | 0x80, left >> 7 & 0x7F | 0x80, left >> 14))
    if 1 << 35 <= left < 1 << 42:
        lower = (left & 0x7F | 0x80, left >> 7 & 0x7F | 0x80, left >> 14 & 0x7F | 0x80, left >> 21 & 0x7F | 0x80)
        return bytes((*lower, left >> 28 & 0x7F | 0x80, left >> 35))
    return number(value)


#: Lines that make the parts of a value, and the names of those parts.
_Made = tuple[list[str], list[str]]


class _Text:
    """The functions of one schema: one for the record itself, and one for each record of a union."""

    def __init__(self) -> None:
        # what the text calls by name
        self._names: dict[str, Any] = {"small": _SMALL.get, "small_present": _SMALL_PRESENT.get, "larger": larger}
        self._records: dict[str, Any] = {}  # a schema names a record that it has had before
        self._locals = 0

    def compiled(self, schema: Any) -> Writer:
        """The function that writes a record behind what goes in front."""
        lines, parts = self._record(schema, "record")
        text = ["def write(front, record):", *_within(lines), f"{_INDENT}return {_joined('front', *parts)}"]
        exec("\n".join(text), self._names)  # noqa: S102 - text of our own making
        found: Writer = self._names.pop("write")
        return found

    def of_run(self, parts: Sequence[Group]) -> RunWriter:
        """The function that writes what may differ between the parts that stay."""
        names = [self._local() for _ in parts]
        lines, all_parts = [f"{', '.join(names)}, = parts"], list[str]()
        for name, (_, field) in zip(names, parts, strict=True):
            all_parts.append(name)
            if field is not None:
                local = self._local()
                more, made = self._value(field["type"], local)
                lines += [f"{local} = record[{field['name']!r}]", *more]
                all_parts += made
        text = ["def write(parts, record):", *_within(lines), f"{_INDENT}return {_joined(*all_parts)}"]
        exec("\n".join(text), self._names)  # noqa: S102 - text of our own making
        found: RunWriter = self._names.pop("write")
        return found

    def _value(self, schema: Any, value: str, *, present: bool = False) -> _Made:
        """``present``: the mark that the value is there goes in front, in its first part, for a part takes time."""
        kind, part, mark = schema["type"] if isinstance(schema, dict) else schema, self._local(), _PRESENT * present
        match kind:
            case list():
                return self._union(kind, value)
            case "int" | "long":
                return [*_only("int", value), *_number(part, value, _BITS[kind], present=present)], [part]
            case "string":
                raw = self._local()
                return [f"{raw} = {value}.encode()", *_number(part, f"len({raw})", present=present)], [part, raw]
            case "bytes":
                return [*_only("bytes", value), *_number(part, f"len({value})", present=present)], [part, value]
            case "boolean":
                table = self._named({False: mark + b"\x00", True: mark + b"\x01"})
                return [*_only("bool", value), f"{part} = {table}[{value}]"], [part]
            case "enum":
                table = self._named({symbol: mark + number(at) for at, symbol in enumerate(schema["symbols"])})
                return [f"{part} = {table}[{value}]"], [part]
            case "array":
                item = self._local()
                made = self._value(schema["items"], item)
                return [*_only("list", value), *self._blocks(part, value, f"{item} in {value}", made, mark)], [part]
            case "map":
                key, item = self._local(), self._local()
                (of_key, keys), (of_item, items) = self._value("string", key), self._value(schema["values"], item)
                pairs = f"{key}, {item} in {value}.items()"
                made = [*of_key, *of_item], [*keys, *items]
                return [*_only("dict", value), *self._blocks(part, value, pairs, made, mark)], [part]
            case "record":
                return self._record(schema, value)
            case _ if kind in self._records:
                return self._record(self._records[kind], value)
        raise NotImplementedError(f"no compiled writer of {kind}")

    def _record(self, schema: Any, value: str) -> _Made:
        self._records[schema["name"]] = schema
        lines, parts = list[str](), list[str]()
        for field in schema["fields"]:
            local = self._local()
            more, made = self._value(field["type"], local)
            lines += [f"{local} = {value}[{field['name']!r}]", *more]
            parts += made
        return lines, parts

    def _union(self, branches: list[Any], value: str) -> _Made:
        """Of null and another type, which stands in line, or of records (and null), each of which has a function."""
        match branches:
            case ["null", other] if not _is_record(other):
                lines, parts = self._value(other, value, present=True)
                absent = [f"{part} = b''" for part in parts[1:]]
                return [f"if {value} is None:", *_within([f"{parts[0]} = b'\\x00'", *absent]), "else:",
                        *_within(lines)], parts  # fmt: skip
            case ["null", *records] if all(map(_is_record, records)):
                lines, [part] = self._one_of(branches, value)
                return [f"if {value} is None:", f"{_INDENT}{part} = b'\\x00'", "else:", *_within(lines)], [part]
            case [*records] if all(map(_is_record, records)):
                return self._one_of(branches, value)
        raise NotImplementedError("no compiled writer of this union")

    def _one_of(self, branches: list[Any], value: str) -> _Made:
        """``(full name, dict)`` of one of several records."""
        part, name, record = self._local(), self._local(), self._local()
        fronts = {one["name"]: number(at) for at, one in enumerate(branches) if _is_record(one)}
        writers = {one["name"]: self.compiled(one) for one in branches if _is_record(one)}
        made = f"{self._named(writers)}[{name}]({self._named(fronts)}[{name}], {record})"
        return [*_only("tuple", value), f"{name}, {record} = {value}", f"{part} = {made}"], [part]

    def _blocks(self, part: str, value: str, each: str, item: _Made, mark: bytes) -> list[str]:
        """An array or map: nothing but its end when it is empty, else one block of all items."""
        out, count = self._local(), self._local()
        lines, parts = item
        items = [f"{out} = []", f"for {each}:", *_within([*lines, f"{out} += {_listed(*parts)}"])]
        whole = _joined(repr(mark), count, f"*{out}", repr(_END))
        block = [*items, *_number(count, f"len({value})"), f"{part} = {whole}"]
        return [f"if {value}:", *_within(block), "else:", f"{_INDENT}{part} = {mark + _END!r}"]

    def _local(self) -> str:
        self._locals += 1
        return f"v{self._locals}"

    def _named(self, value: Any) -> str:
        name = f"k{len(self._names)}"
        self._names[name] = value
        return name


_END: Final = b"\x00"  # of an array or map


def _is_record(schema: Any) -> bool:
    return isinstance(schema, dict) and schema["type"] == "record"


def _only(kind: str, value: str) -> list[str]:
    """Leaves every other type to fastavro."""
    return [f"if {value}.__class__ is not {kind}:", _INDENT + f"raise TypeError('no {kind}')"]


def _number(part: str, value: str, bits: int = 63, *, present: bool = False) -> list[str]:
    known, mark = ("small_present", f"{_PRESENT!r} + ") if present else ("small", "")
    return [f"{part} = {known}({value})", f"if {part} is None:", f"{_INDENT}{part} = {mark}larger({value}, {bits})"]


def _listed(*parts: str) -> str:
    return f"({', '.join(parts)},)"


def _joined(*parts: str) -> str:
    return f"b''.join({_listed(*parts)})"


def _within(lines: Iterable[str]) -> list[str]:
    return [_INDENT + line for line in lines]
