"""Names in docstrings and comments stand between ``double backticks``, as Python's own documentation has them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.house.rooms import ROOT, files

#: One backtick on either side of a name.
SINGLE = re.compile(r"(?<!`)`(?!`)[^`\n]+(?<!`)`(?!`)")


def prose(source: str) -> Iterator[tuple[int, str]]:
    """First line and text of every docstring and comment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def with_one_backtick(source: str) -> list[str]:
    """Line and name of each that stands between single backticks."""
    return [
        f"{line + text.count(chr(10), 0, hit.start())}: {hit.group()}"
        for line, text in prose(source)
        for hit in SINGLE.finditer(text)
    ]


def test_names_stand_between_two_backticks() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{hit}"
        for path in files()
        if path.suffix == ".py"
        for hit in with_one_backtick(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""Takes `this`."""', ["1: `this`"]),
        ('"""Takes\n\n``that`` and `this`."""', ["3: `this`"]),
        ("x = 1  # of `this`", ["1: `this`"]),
        ('"""Takes ``this``."""  # and ``that``\nx = "`sor list`"', []),
    ],
)
def test_the_check_sees_one_backtick(source: str, found: list[str]) -> None:
    assert with_one_backtick(source) == found
