"""One language: what the project defines is named in English, around the Dutch nouns of docs/glossary.md.

Judged are the names that are defined in the tree: modules, classes, functions, arguments, fields, variables, and the
keyword arguments of what is defined in the tree. Names of other packages are not. A name is split into words; each is
English, a noun or an abbreviation of the glossary, or a word of the trade (technical_words.txt). A field of a released
contract keeps its name, verbs and all, where it is a field or an argument; a variable does not borrow it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from spellchecker import SpellChecker

from tests.house.rooms import ROOMS, ROOT, files

GLOSSARY = ROOT / "docs/glossary.md"
TECHNICAL = Path(__file__).with_name("technical_words.txt")
#: A word that both languages have is Dutch when Dutch uses it so many times as much: ``dag``, ``wat``, ``los``.
MORE_DUTCH = 10

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ROW = re.compile(r"^\| `([a-z_]+)` \|(?: `([a-z]+)`)?", re.MULTILINE)
_COLUMN = re.compile(r"^\s+(?:ADD COLUMN IF NOT EXISTS )?([a-z_]+) (?:[A-Z][a-zA-Z0-9]+\b)", re.MULTILINE)


class Name(NamedTuple):
    """A name where it is defined; ``field``: as a field, an argument or a function, not as a variable."""

    file: str
    line: int
    name: str
    field: bool


class _Names(ast.NodeVisitor):
    """The names that one file defines."""

    def __init__(self, file: str, ours: set[str]) -> None:
        self.file, self.ours = file, ours
        self.found: list[Name] = []
        self._in_class = False

    def _add(self, node: ast.AST, name: str | None, *, field: bool) -> None:
        if name:
            self.found.append(Name(self.file, getattr(node, "lineno", 1), name, field))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._add(node, node.name, field=True)
        self._inside(node, in_class=True)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._add(node, node.name, field=True)
        self._inside(node, in_class=False)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def _inside(self, node: ast.AST, *, in_class: bool) -> None:
        before, self._in_class = self._in_class, in_class
        self.generic_visit(node)
        self._in_class = before

    def visit_arg(self, node: ast.arg) -> None:
        self._add(node, node.arg, field=True)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._add(node, node.id, field=self._in_class)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store):
            self._add(node, node.attr, field=True)
        self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> None:
        self._add(node, node.asname, field=False)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._add(node, node.name, field=False)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._add(node, node.name, field=False)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func
        while isinstance(called, ast.Attribute):
            called = called.value
        if isinstance(called, ast.Name) and called.id in self.ours:
            for keyword in node.keywords:
                self._add(keyword.value, keyword.arg, field=True)
        self.generic_visit(node)


@cache
def trees() -> dict[str, ast.Module]:
    """Every Python file and its syntax tree."""
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in files() if path.suffix == ".py"}


def names_in(file: str, tree: ast.Module) -> list[Name]:
    """The names that a file defines, its own included, and the keywords of calls of what is ours."""
    visitor = _Names(file, set(_ours(tree)))
    visitor.visit(tree)
    parts = Path(file).with_suffix("").parts
    return [*(Name(file, 1, part, field=False) for part in parts if part != "__init__"), *visitor.found]


def _ours(tree: ast.Module) -> Iterator[str]:
    """What stands in a file and is defined in the project: there, or in a module that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in {*ROOMS, "tests"}:
            yield from (alias.asname or alias.name for alias in node.names)


@cache
def names() -> tuple[Name, ...]:
    """Every name that is defined in the tree."""
    return tuple(name for file, tree in trees().items() for name in names_in(file, tree))


def words(name: str) -> list[str]:
    """The words of a name, in small letters; single letters and digits are none."""
    if name.startswith("__") and name.endswith("__"):  # named by Python
        return []
    return [word.lower() for word in _WORD.findall(name) if len(word) > 1]


@cache
def glossary() -> dict[str, list[tuple[str, str]]]:
    """The rows of each table of the glossary: noun and plural (empty = none), or field."""
    parts = GLOSSARY.read_text("utf-8").split("\n## ")[1:]
    return {part.partition("\n")[0]: [(row[1], row[2] or "") for row in _ROW.finditer(part)] for part in parts}


@cache
def nouns() -> frozenset[str]:
    """Nouns, plurals and abbreviations of the glossary."""
    return frozenset(word for part in ("Nouns", "Abbreviations") for row in glossary()[part] for word in row if word)


@cache
def technical() -> tuple[str, ...]:
    """The words of the trade, in the order of their file."""
    return tuple(TECHNICAL.read_text("utf-8").split())


@cache
def contract() -> frozenset[str]:
    """Fields of the Avro contracts and columns of ClickHouse."""

    def fields(schema: object) -> Iterator[str]:
        if isinstance(schema, list):
            for part in schema:
                yield from fields(part)
        elif isinstance(schema, dict):
            yield from (field["name"] for field in schema.get("fields", ()))
            for part in schema.values():
                yield from fields(part)

    schemas = (json.loads(path.read_text("utf-8")) for path in files() if path.suffix == ".avsc")
    found = {name for schema in schemas for name in fields(schema)}
    for path in files():
        if path.parent.name == "migrations":
            found |= set(_COLUMN.findall(path.read_text("utf-8")))
    return frozenset(found)


@cache
def _frequencies(language: str) -> tuple[dict[str, int], int]:
    list_ = SpellChecker(language=language).word_frequency
    return dict(list_.items()), list_.total_words


@cache
def english(word: str) -> bool:
    """True for a word of the English list, unless Dutch uses it much more."""
    (here, all_here), (there, all_there) = _frequencies("en"), _frequencies("nl")
    return word in here and there.get(word, 0) / all_there <= MORE_DUTCH * here[word] / all_here


def accepted(word: str) -> bool:
    """True for a word that a name may be made of; English ones and those of the trade in the plural too."""
    if english(word) or word in nouns() or word in technical():
        return True
    return word.endswith("s") and (english(word[:-1]) or word[:-1] in technical())


def foreign(name: Name) -> list[str]:
    """The words of a name that are not to be used. A field of several words is one term, also within a name."""
    plain = name.name.strip("_").lower()
    if name.field and plain in contract():
        return []
    for term in (field for field in contract() if "_" in field):
        if f"_{term}_" in f"_{plain}_":
            return foreign(Name(name.file, name.line, f"_{plain}_".replace(f"_{term}_", "_"), field=False))
    return [word for word in words(name.name) if not accepted(word)]


def _complaint(name: Name) -> str:
    return (
        f"{name.file}:{name.line}: {name.name}: {', '.join(foreign(name))}. Say it in English; a noun of a source or of"
        " a contract belongs in docs/glossary.md, a word of the trade in tests/house/technical_words.txt"
    )


def test_names_are_english_around_the_nouns_of_the_glossary() -> None:
    assert [_complaint(name) for name in names() if foreign(name)] == []


def test_every_noun_of_the_glossary_is_used() -> None:
    used = {word for name in names() for word in words(name.name)}
    rows = (*glossary()["Nouns"], *glossary()["Abbreviations"])
    assert [noun for noun, plural in rows if not {noun, plural} & used] == []


def test_the_glossary_has_each_noun_once_in_order() -> None:
    found = {part: [noun for noun, _ in rows] for part, rows in glossary().items()}
    assert found == {part: sorted(set(rows)) for part, rows in found.items()}
    assert not set(found["Nouns"]) & set(found["Abbreviations"])


def test_the_glossary_has_every_field_with_a_name_of_its_own() -> None:
    own = {field for field in contract() if any(not english(w) and w not in nouns() for w in words(field))}
    assert [field for field, _ in glossary()["Fields"]] == sorted(own)


def test_words_of_the_trade_are_sorted_and_needed() -> None:
    used = {word for name in names() for word in words(name.name)}
    assert list(technical()) == sorted(set(technical()))
    assert [w for w in technical() if not {w, f"{w}s"} & used or english(w) or w in nouns()] == []


@pytest.mark.parametrize(
    "word", ["tot", "dag", "kop", "vast", "lang", "oud", "wat", "een", "uit", "weg", "los", "zonder"]
)
def test_a_dutch_word_is_not_english(word: str) -> None:
    """Also those that the English list has, as the name of a person or a place."""
    assert not english(word)


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("def f(huidige_code: str) -> None: ...", ["huidige"]),
        ("class Bevinding: ...", ["bevinding"]),
        ("for volg_nr in (): ...", ["volg", "nr"]),
        ("def f():\n    klaar = 1", ["klaar"]),  # the name of a field, borrowed by a variable
        ("class A:\n    klaar: bool", []),
        ("def count_regels_afgekeurd_now() -> None: ...", []),
        ("import json as opslag", ["opslag"]),
        ("try: ...\nexcept OSError as fout: ...", ["fout"]),
        ("from domain.care import fold\nfold.rows(zoekterm=1)", ["zoekterm"]),
        ("from rich import fold\nfold.rows(zoekterm=1)", []),
        ("with open() as (opdracht, _): ...", ["opdracht"]),
        ("x = [rij for rij in ()]", ["rij"]),
        ("lambda rij: rij", ["rij"]),
        ("self.werk = 1", ["werk"]),
        ("TrajectRow = link_metingen = count", []),
    ],
)
def test_what_a_file_defines_is_judged(source: str, wrong: list[str]) -> None:
    found = names_in("tests/made.py", ast.parse(source))
    assert [word for name in found for word in foreign(name)] == wrong
