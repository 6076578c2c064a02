"""Definitions of a region as a TOML file: what differs from the shipped ones, under a version of its own.

``docs/examples/definities.toml`` has every table and key, each with what is shipped. A table of SPICs replaces the one
that is in force as a whole, as a file of ``SOR_SPIC`` does; of all else only what is named is replaced. How small a
group may be shown is not here: it changes no row, and protects people.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from domain.field import spic
from domain.field.definitions import SHIPPED, VERSION, Definitions, Klasse, identified
from domain.field.questionnaires import DUURZAAM, END, QUESTIONS, Subject, Vragenlijst
from domain.field.spic import MARKS, MOST_BYTES, Spics
from faults import OperatorFault

#: ``definitie_versie`` of a row is a number of two bytes.
HIGHEST: Final = 65_535
_CLASSES: Final = ("gepland", "client", "aanbieder", "wederzijds", "neutraal")


class Window(NamedTuple):
    """A number of days: its field of ``Definitions``, and the least and the most that makes sense."""

    field: str
    least: int
    most: int


#: Key of ``[termijnen]`` -> what it sets; the keys of ``DEFINITIONS``.
WINDOWS: Final[dict[str, Window]] = {
    "keten_dagen": Window("chain_days", 0, 366),
    "meting_voor_einde": Window("meting_before_end", 0, 366),
    "meting_na_einde": Window("meting_after_end", 0, 730),
    "opvolging_dagen": Window("opvolging_days", 1, 1_826),
    "respons_dagen": Window("respons_days", 0, 1_826),
}
#: Table of the file -> field of ``Definitions``, and the classes that the indicators of those rows know.
_UITVAL: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "uitval_cbs": ("uitval", _CLASSES),
    "uitval_ijw": ("uitval_ijw", (*_CLASSES, "administratief")),
}
#: Topic -> the highest answer of a question that can stand for it; the lowest is 1.
_TOPICS: Final = {"nut": 10, "zonder_hulp": 4}
_GROUPS, _KINDS = ("ouder", "jeugdige"), (END, DUURZAAM)
_TABLES: Final = ("versie", "termijnen", *_UITVAL, "spic", "vragenlijsten")


class DefinitionsError(OperatorFault):
    """A file of definitions that cannot be used; the sentence names file, line and key, and what must stand there."""


def definitions_of(
    content: bytes, name: str, spics: Spics = SHIPPED.spics, *, lowest: int = VERSION + 1
) -> Definitions:
    """The definitions of the bytes of a TOML file. ``spics``: the table in force, when the file has none. ``lowest``:
    the least version; of a file that was taken by an earlier release it may be lower than what is shipped now.

    Raises:
        DefinitionsError: it is no TOML, has no version above the shipped one, or something that is no definition.
        SpicError: so of its table of SPICs.
    """
    if len(content) > MOST_BYTES:
        raise DefinitionsError(f"{name} has more than {MOST_BYTES} bytes: definitions are a few short tables.")
    try:
        text = content.decode()
        document = tomllib.loads(text)
    except UnicodeDecodeError:
        raise DefinitionsError(f"{name} is not UTF-8: save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise DefinitionsError(f"{name} is no TOML: {error}. A window looks like keten_dagen = 30.") from None
    return _File(name, text, document).definitions(spics, lowest)


class _File:
    """One file: its document, and where in its text a key stands."""

    def __init__(self, name: str, text: str, document: dict[str, Any]) -> None:
        self._name, self._document = name, document
        self._places = list(_places(text))

    def definitions(self, spics: Spics, lowest: int) -> Definitions:
        self._only(self._document, _TABLES, ())
        found: dict[str, Any] = {"version": self._version(lowest)}
        for key, days in self._table("termijnen").items():
            window = WINDOWS.get(key)
            if window is None:
                raise self._fault(("termijnen", key), f"this is none of {', '.join(WINDOWS)}")
            found[window.field] = self._number(days, ("termijnen", key), window.least, window.most)
        for table, (field, classes) in _UITVAL.items():
            found[field] = self._uitval(table, getattr(SHIPPED, field), classes)
        found["vragenlijsten"], found["subjects"] = dict(SHIPPED.vragenlijsten), dict(SHIPPED.subjects)
        for code in self._table("vragenlijsten"):
            found["vragenlijsten"][code], found["subjects"][code] = self._vragenlijst(code)
        products = self._table("spic")
        if products:
            spics = spic.products(products, lambda code: f"{self._where(('spic', code))}, {code}")
        return identified(SHIPPED._replace(**found, spics=spics))

    def _version(self, lowest: int) -> int:
        if "versie" not in self._document:
            raise self._fault((), f"versie is missing: write versie = {lowest} on the first line, or a higher number")
        return self._number(self._document["versie"], ("versie",), lowest, HIGHEST)

    def _uitval(self, table: str, shipped: Mapping[str, Klasse], classes: tuple[str, ...]) -> dict[str, Klasse]:
        found = dict(shipped)
        for code in self._table(table):
            path = (table, code)
            if code not in shipped:
                raise self._fault(path, f"{code} is no reason that has a class; those are {', '.join(sorted(shipped))}")
            given = self._table(*path)
            self._only(given, ("klasse", "bron", "merk"), path)
            klasse = self._word(given, "klasse", path, one_of=classes)
            found[code] = Klasse(klasse, *self._basis(given, path))
        return found

    def _vragenlijst(self, code: str) -> tuple[Vragenlijst, dict[str, Subject]]:
        path = ("vragenlijsten", code)
        if code not in SHIPPED.vragenlijsten:
            known = ", ".join(SHIPPED.vragenlijsten)
            raise self._fault(path, f"this questionnaire is not let in; those that are: {known}")
        given, shipped = self._table(*path), SHIPPED.vragenlijsten[code]
        self._only(given, ("groep", "soort", "merk", *_TOPICS), path)
        group = self._word(given, "groep", path, one_of=_GROUPS) if "groep" in given else shipped.groep
        kind = self._word(given, "soort", path, one_of=_KINDS) if "soort" in given else shipped.soort
        mark = self._word(given, "merk", path, one_of=MARKS) if "merk" in given else shipped.mark
        subjects = dict(SHIPPED.subjects[code])
        for topic, highest in _TOPICS.items():
            if topic in given:
                subjects[topic] = self._subject((*path, topic), highest)
        return Vragenlijst(group, kind, mark), subjects

    def _subject(self, path: tuple[str, ...], highest: int) -> Subject:
        given = self._table(*path)
        self._only(given, ("vraag", "bron", "merk"), path)
        fitting = tuple(code for code, question in QUESTIONS.items() if question.highest == highest)
        return Subject(self._word(given, "vraag", path, one_of=fitting), *self._basis(given, path))

    def _basis(self, given: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, str]:
        """Source and mark; what is said to be fixed by a source names it."""
        mark = self._word(given, "merk", path, one_of=MARKS) if "merk" in given else "P"
        basis = self._word(given, "bron", path) if "bron" in given else ""
        if mark == "F" and not basis:
            raise self._fault(path, 'merk = "F" says that a source fixes it: name that source as bron')
        return basis, mark

    def _table(self, *path: str) -> dict[str, Any]:
        """The table at a path; empty when it is not there."""
        found: Any = self._document
        for part in path:
            found = found.get(part, {})
        if not isinstance(found, dict):
            raise self._fault(path, f"this is no table; write [{_header(path)}] on a line of its own")
        return found

    def _only(self, given: Mapping[str, Any], known: tuple[str, ...], path: tuple[str, ...]) -> None:
        for key in given:
            if key not in known:
                raise self._fault((*path, key), f"this is none of {', '.join(known)}")

    def _number(self, value: Any, path: tuple[str, ...], least: int, most: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self._fault(path, f"this must be a whole number from {least} to {most}, without quotes")
        return value

    def _word(self, given: Mapping[str, Any], key: str, path: tuple[str, ...], one_of: tuple[str, ...] = ()) -> str:
        value = given.get(key)
        if key not in given or not isinstance(value, str) or (one_of and value not in one_of) or len(value) > 200:
            wanted = f"one of {', '.join(one_of)}" if one_of else "at most 200 letters"
            missing = "is missing; it must be" if key not in given else "must be"
            raise self._fault((*path, key), f"{key} {missing} {wanted}, between quotes")
        return value

    def _where(self, path: tuple[str, ...]) -> str:
        """File and line of the key that is at this path, or of the nearest table around it."""
        for length in range(len(path), 0, -1):
            for number, place in self._places:
                if place[:length] == path[:length]:
                    return f"{self._name}, line {number}"
        return f"{self._name}, line 1"

    def _fault(self, path: tuple[str, ...], sentence: str) -> DefinitionsError:
        key = f", {_header(path)}" if path else ""
        return DefinitionsError(f"{self._where(path)}{key}: {sentence}.")


def _places(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Number and path of every line that opens a table or sets a key, as far as it can be read by itself."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = line.strip().startswith("[")
        try:
            path = _path(tomllib.loads(line if header else f"{line.partition('=')[0]} = 0"))
        except tomllib.TOMLDecodeError:
            continue
        if header:
            table = path
        yield number, path if header else (*table, *path)


def _path(document: Any) -> tuple[str, ...]:
    path = []
    while isinstance(document, dict) and document:
        ((key, document),) = document.items()
        path.append(key)
    return tuple(path)


def _header(path: tuple[str, ...]) -> str:
    return ".".join(part if part.isidentifier() or part.isalnum() else f'"{part}"' for part in path)


def document_of(definitions: Definitions) -> bytes:
    """A file that says all of these definitions, whatever is shipped: ``definitions_of`` gives the same again."""
    say: Callable[[str], str] = lambda text: json.dumps(text, ensure_ascii=False)  # noqa: E731
    lines = [f"versie = {definitions.version}", "", "[termijnen]"]
    lines += [f"{key} = {getattr(definitions, window.field)}" for key, window in WINDOWS.items()]
    for table, (field, _) in _UITVAL.items():
        for code, klasse in getattr(definitions, field).items():
            lines += ["", f"[{table}.{code}]", f"klasse = {say(klasse.klasse)}"]
            lines += [f"bron = {say(klasse.basis)}", f"merk = {say(klasse.mark)}"]
    for code, one in definitions.vragenlijsten.items():
        lines += ["", f"[vragenlijsten.{say(code)}]", f"groep = {say(one.groep)}", f"soort = {say(one.soort)}"]
        lines += [f"merk = {say(one.mark)}"]
        for topic, subject in definitions.subjects[code].items():
            lines += ["", f"[vragenlijsten.{say(code)}.{topic}]", f"vraag = {say(subject.question)}"]
            lines += [f"bron = {say(subject.basis)}", f"merk = {say(subject.mark)}"]
    for code, product in definitions.spics.per_code.items():
        lines += ["", f"[spic.{code}]"]
        lines += [f"{key} = {say(value)}" for key, value in zip(spic.FIELDS, product, strict=True) if value]
    return "\n".join(lines).encode() + b"\n"
