"""The little that has to be known about a statement before the engine sees it: is it an INSERT and where do its data
begin, does it give a result, in which format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"(?P<space>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)"
    rb"|(?P<quoted>'(?:\\.|''|[^'\\])*'|`(?:\\.|``|[^`\\])*`|\"(?:\\.|\"\"|[^\"\\])*\")"
    rb"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    rb"|(?P<other>.)",
    re.DOTALL,
)
_AFTER_FORMAT = re.compile(rb"[ \t\f]*\r?\n?")
_RESULT = frozenset({b"SELECT", b"FROM", b"SHOW", b"DESCRIBE", b"DESC", b"EXISTS", b"EXPLAIN", b"CHECK", b"KILL"})


@dataclass(frozen=True)
class Token:
    """A token that is neither space nor comment. ``upper`` is empty for quoted text, so it never equals a keyword."""

    text: bytes
    upper: bytes
    start: int
    end: int
    depth: int


@dataclass(frozen=True)
class InsertHead:
    """An INSERT up to its data.

    Attributes:
        statement: the INSERT without FORMAT or VALUES, as the engine's insert stream wants it.
        input_format: format of the data; None where rows come from a SELECT or a file: then the statement runs whole.
        data_start: offset of the first byte of data.
        table: the target as written, such as ``sor.meting``.
        reaches_out: the target is a table function or the rows come from a file.
    """

    statement: bytes
    input_format: str | None
    data_start: int
    table: bytes
    reaches_out: bool


def tokens(statement: bytes) -> Iterator[Token]:
    """Tokens of ``statement`` in order, with the depth of parentheses they stand at."""
    depth = 0
    for match in _TOKEN.finditer(statement):
        if match.lastgroup == "space":
            continue
        text = match[0]
        depth -= text in (b")", b"]")
        yield Token(text, b"" if match.lastgroup == "quoted" else text.upper(), match.start(), match.end(), depth)
        depth += text in (b"(", b"[")


def keyword(statement: bytes) -> bytes:
    """The word that says what the statement does: ``SELECT``, ``INSERT``, … For ``WITH`` the word behind its parts."""
    stream = iter(tokens(statement))
    first = next((token for token in stream if token.text != b"("), None)
    if first is None or first.upper != b"WITH":
        return first.upper if first else b""
    behind = (token.upper for token in stream if token.depth == 0 and token.upper in (b"SELECT", b"INSERT"))
    return next(behind, b"WITH")


def gives_result(word: bytes) -> bool:
    """Whether statements that start with this keyword answer with a result set, even an empty one."""
    return word in _RESULT or word == b"WITH"


def output_format(statement: bytes) -> str | None:
    """The format in the statement's own FORMAT clause, if it has one."""
    flat = [token for token in tokens(statement) if token.depth == 0]
    for here in reversed(range(len(flat) - 1)):
        name, after = flat[here + 1], flat[here + 2 : here + 3]
        if flat[here].upper == b"FORMAT" and (not after or after[0].upper in (b";", b"SETTINGS")):
            return name.text.decode(errors="replace")
    return None


def has_one_statement(statement: bytes) -> bool:
    """Whether there is surely no second statement: no semicolon but at the end, quoted ones counted as well."""
    return b";" not in statement.rstrip(b"; \t\r\n\f")


def insert_head(start: bytes, complete: bool, default_format: str) -> InsertHead | None:
    """The INSERT at the start of a body, or None where more of the body is needed to see where its data begin.

    ``complete`` says that nothing follows ``start``; then an INSERT that names no format gets ``default_format``.
    """
    head = _scan_insert(start)
    if complete:
        return head or InsertHead(start, default_format, len(start), b"", True)
    return head if head and head.data_start + 1 < len(start) else None


def _scan_insert(start: bytes) -> InsertHead | None:
    stream = iter(tokens(start))
    table, reaches_out, previous = b"", False, next(stream, None)
    for token in stream:
        word, opens = token.upper, previous is not None and previous.text == b"("
        if not table and word in (b"INTO", b"TABLE", b"FUNCTION"):
            reaches_out |= word == b"FUNCTION"
        elif not table or (previous and token.start == previous.end and b"." in (token.text, previous.text)):
            table += token.text
        elif (word in (b"SELECT", b"WITH") and (token.depth == 0 or opens)) or (word == b"FROM" and token.depth == 0):
            return InsertHead(start, None, len(start), table, reaches_out or word == b"FROM")
        elif word == b"VALUES" and token.depth == 0:
            return InsertHead(start[: token.start], "Values", token.end, table, reaches_out)
        elif word == b"FORMAT" and token.depth == 0:
            return _with_format(start, token, next(stream, None), table, reaches_out)
        previous = token
    return None


def _with_format(start: bytes, word: Token, name: Token | None, table: bytes, reaches_out: bool) -> InsertHead | None:
    """Data begin after the name, the blanks behind it and one line end, as ClickHouse's own parser has it."""
    if name is None:
        return None
    end = name.end + 1 if start[name.end : name.end + 1] == b";" else name.end
    blank = _AFTER_FORMAT.match(start, end)
    data_start = blank.end() if blank else end
    return InsertHead(start[: word.start], name.text.decode(errors="replace"), data_start, table, reaches_out)
