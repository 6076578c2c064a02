"""Readers of Avro records, compiled from their schema: the text of a function that reads one field after the other.

fastavro looks at the schema for every record, and reads it byte by byte from a file object: of the 29 microseconds that
a replay worked on an event, 11 went there, and a compiled reader takes half of them or less (docs/benchmarks.md). It
knows records as writers make them. For anything else it raises one of ``ODD``, and who called it asks fastavro: what
odd bytes mean, and whether they mean anything, is said in one place (``tests/schemas/test_compiled.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

#: What a compiled reader raises for what it does not know.
ODD: Final = (IndexError, ValueError, OverflowError, MemoryError)
#: Reads the record that stands in the bytes from a place up to their end.
Reader = Callable[[bytes, int], Any]

_INDENT: Final = "    "
_NO_VALUE: Final = "raise ValueError('no such value')"
#: Bytes of a number that are read in line, as many as a day or a moment in milliseconds has; more are read by ``rest``.
_IN_LINE: Final = {"int": 3, "long": 6}


def reader(schema: Any, structs: Mapping[str, type] | None = None) -> Reader:
    """A reader of a record schema that fastavro has parsed, without logical types. A record becomes the struct that
    ``structs`` has for its full name, else a dict; in a union, ``(full name, dict)``.

    ``NotImplementedError`` for a type that no contract has.
    """
    return _Text(structs or {}).compiled(schema)


#: Fields that stay as they were, and the one behind them that may differ; at the end of a record there is none.
Group = tuple[list[Any], Any]
#: Reads a record that follows another one of its run, of which it is given the parts that stay and the record.
RunReader = Callable[[bytes, Sequence[bytes], dict[str, Any]], dict[str, Any]]


def groups(schema: Any, changing: Collection[str]) -> list[Group]:
    """The fields of a record schema, taken together as they stay or may differ from one record to the next."""
    found, same = list[Group](), list[Any]()
    for field in schema["fields"]:
        if field["name"] in changing:
            found.append((same, field))
            same = []
        else:
            same.append(field)
    return [*found, (same, None)]


def run_reader(parts: Sequence[Group]) -> RunReader:
    """A reader that compares the bytes of what stays, and reads what may differ. It gives a dict; ``ODD`` when the
    record is none of the run.
    """
    return _Text({}).of_run(parts)


def rest(data: bytes, at: int, number: int, shift: int) -> tuple[int, int]:
    """A number and the place behind it; ``number`` holds its bytes up to ``at``, and at least one follows."""
    while True:
        byte = data[at]
        at += 1
        number += (byte & 0x7F) << shift
        if shift > 63 or number >> 64:
            raise ValueError("a number of more than 64 bits")
        if byte < 0x80:
            return number, at
        shift += 7


def size(data: bytes, at: int, number: int) -> tuple[int, int]:
    """Twice a length, of which one byte is read, and the place behind it. A length below zero is odd."""
    if number & 0x80:
        number, at = rest(data, at, number & 0x7F, 7)
    if number & 1:
        raise ValueError("a length below zero")
    return number, at


class _Text:
    """The functions of one schema: one for the record itself, and one for each record of a union."""

    def __init__(self, structs: Mapping[str, type]) -> None:
        self._structs = structs
        self._names: dict[str, Any] = {"size": size, "rest": rest}  # what the text calls by name
        self._records: dict[str, Any] = {}  # a schema names a record that it has had before
        self._locals = 0

    def compiled(self, schema: Any) -> Reader:
        """The function that reads a whole record."""
        whole = ["if at != len(data):", _INDENT + "raise ValueError('more or fewer bytes')", "return value"]
        return self._function([*self._value(schema, "value"), *whole])

    def of_run(self, parts: Sequence[Group]) -> RunReader:
        """The function that reads a record of a run."""
        names, made = [self._local() for _ in parts], list[str]()
        lines = [f"{', '.join(names)}, = parts", "at = 0"]
        for part, (_, field) in zip(names, parts, strict=True):
            lines += [f"if not data.startswith({part}, at):", _INDENT + "raise ValueError('another run')"]
            lines.append(f"at += len({part})")
            if field is not None:
                value = self._local()
                lines += self._value(field["type"], value)
                made.append(f"{field['name']!r}: {value}")
        whole = ["if at != len(data):", _INDENT + "raise ValueError('more or fewer bytes')"]
        lines += [*whole, f"return {{**record, {', '.join(made)}}}"]
        exec("\n".join(["def read(data, parts, record):", *_within(lines)]), self._names)  # noqa: S102 - our own text
        found: RunReader = self._names.pop("read")
        return found

    def _function(self, body: Iterable[str]) -> Reader:
        exec("\n".join(["def read(data, at):", *_within(body)]), self._names)  # noqa: S102 - text of our own making
        found: Reader = self._names.pop("read")
        return found

    def _value(self, schema: Any, into: str) -> list[str]:
        """The lines that read a value from ``data`` at ``at`` into a local, and leave ``at`` behind it."""
        kind = schema["type"] if isinstance(schema, dict) else schema
        match kind:
            case list():
                return self._union(kind, into)
            case "int" | "long":
                return [*_number(_IN_LINE[kind]), f"{into} = -(n + 1 >> 1) if n & 1 else n >> 1"]
            case "string":
                return [*_SIZE, f"{into} = data[at:(at := at + (n >> 1))].decode()"]
            case "bytes":
                return [*_SIZE, f"{into} = data[at:(at := at + (n >> 1))]"]
            case "boolean":
                return ["n = data[at]", "at += 1", "if n > 1:", _INDENT + _NO_VALUE, f"{into} = n == 1"]
            case "enum":
                return [*_SIZE, f"{into} = {self._named(tuple(schema['symbols']))}[n >> 1]"]
            case "array":
                item = self._local()
                return [f"{into} = []", *_blocks([*self._value(schema["items"], item), f"{into}.append({item})"])]
            case "map":
                key, value = self._local(), self._local()
                pair = [*self._value("string", key), *self._value(schema["values"], value)]
                return [f"{into} = {{}}", *_blocks([*pair, f"{into}[{key}] = {value}"])]
            case "record":
                return self._record(schema, into)
            case _ if kind in self._records:
                return self._record(self._records[kind], into)
        raise NotImplementedError(f"no compiled reader of {kind}")

    def _record(self, schema: Any, into: str) -> list[str]:
        name, lines = schema["name"], list[str]()
        self._records[name] = schema
        values = {field["name"]: self._local() for field in schema["fields"]}
        for field in schema["fields"]:
            lines += self._value(field["type"], values[field["name"]])
        if name in self._structs:
            made = ", ".join(f"{field}={value}" for field, value in values.items())
            return [*lines, f"{into} = {self._named(self._structs[name])}({made})"]
        made = ", ".join(f"{field!r}: {value}" for field, value in values.items())
        return [*lines, f"{into} = {{{made}}}"]

    def _union(self, branches: list[Any], into: str) -> list[str]:
        """Of null and another type, which stands in line, or of records, each of which has a function."""
        match branches:
            case ["null", other]:
                present = self._value(other, into)
                if _is_record(other):
                    present.append(f"{into} = {self._in_union(other, into)}")
                return ["n = data[at]", "at += 1", "if n == 2:", *_within(present), "elif n == 0:",
                        f"{_INDENT}{into} = None", "else:", _INDENT + _NO_VALUE]  # fmt: skip
            case [*records] if all(map(_is_record, records)):
                table = self._named([self._branch(one) for one in records])
                return [*_SIZE, f"{into}, at = {table}[n >> 1](data, at)"]
        raise NotImplementedError("no compiled reader of this union")

    def _branch(self, schema: Any) -> Reader:
        """Reads one record of a union; gives it, and the place behind it."""
        return self._function([*self._record(schema, "value"), f"return {self._in_union(schema, 'value')}, at"])

    def _in_union(self, schema: Any, value: str) -> str:
        """A record of a union says which of them it is."""
        return value if schema["name"] in self._structs else f"({schema['name']!r}, {value})"

    def _local(self) -> str:
        self._locals += 1
        return f"v{self._locals}"

    def _named(self, value: Any) -> str:
        name = f"k{len(self._names)}"
        self._names[name] = value
        return name


#: Reads twice a length, or twice the place of a branch or symbol, into ``n``.
_SIZE: Final = ("n = data[at]", "at += 1", "if n & 129:", _INDENT + "n, at = size(data, at, n)")


def _is_record(schema: Any) -> bool:
    return isinstance(schema, dict) and schema["type"] == "record"


def _number(in_line: int) -> list[str]:
    """Reads a number as it stands, zigzag, into ``n``: seven bits of each byte, the lowest first. The eighth says that
    another byte follows; it is added too, so that ``n`` shows it by its size, and taken off with the next byte.
    """
    lines, indent = ["n = data[at]", "at += 1"], ""
    for bits in range(7, 7 * in_line + 1, 7):
        lines.append(f"{indent}if n > {(1 << bits) - 1}:")
        indent += _INDENT
        if bits < 7 * in_line:
            lines += [f"{indent}n += (data[at] << {bits}) - {1 << bits}", f"{indent}at += 1"]
        else:
            lines.append(f"{indent}n, at = rest(data, at, n - {1 << bits}, {bits})")
    return lines


def _blocks(item: list[str]) -> list[str]:
    """Reads the items of an array or map: blocks, each behind its count, up to an empty one."""
    return ["while True:", *_within([*_SIZE, "if n == 0:", _INDENT + "break", "for _ in range(n >> 1):"]),
            *_within(_within(item))]  # fmt: skip


def _within(lines: Iterable[str]) -> list[str]:
    return [_INDENT + line for line in lines]
