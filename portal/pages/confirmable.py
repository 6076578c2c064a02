"""Which definitions can be confirmed, with which values, and a file of what was (``domain.field.definitions_file``).

Such a file holds the class of an end reason with its source and its mark, and a number of days without either. How
small a group may be shown it does not hold. Questionnaires and SPICs are not here: who fixes those is their maker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from domain.field.codes import CBS_REDENEN, REDENEN
from domain.field.definitions import DEFINITIONS, UITVAL_CBS, UITVAL_IJW, VERSION, Klasse
from domain.field.definitions_file import WINDOWS

_FIXED: Final = "F"


class Confirmable(NamedTuple):
    """A definition as it is shipped. ``choices``: the values that it can have; empty: a number, ``least`` to ``most``.

    ``table``: of the file, empty when that has no place for it; ``code``: the key in that table.
    """

    meaning: str
    value: str
    basis: str
    mark: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    table: str = ""
    code: str = ""

    @property
    def open(self) -> bool:
        """True when no source fixes it."""
        return self.mark != _FIXED


class Confirmed(NamedTuple):
    """A value that was confirmed. ``agreed``: by whom, in words."""

    value: str
    day: date
    agreed: str


def _numbers() -> Iterator[tuple[str, Confirmable]]:
    for key, one in DEFINITIONS.items():
        value, window = str(one.value), WINDOWS.get(key)
        found = Confirmable(one.meaning, value, one.basis, one.mark)
        if window is None:
            yield key, found._replace(choices=(value,))
        else:
            yield key, found._replace(least=window.least, most=window.most, table="termijnen", code=key)


def _classes(table: str, shipped: Mapping[str, Klasse], words: Mapping[str, str]) -> Iterator[tuple[str, Confirmable]]:
    choices = tuple(dict.fromkeys(one.klasse for one in shipped.values()))
    for code, one in shipped.items():
        meaning = f"Soort uitval bij {words[code][0].lower()}{words[code][1:]}"
        yield (
            f"{table}.{code}",
            Confirmable(meaning, one.klasse, one.basis, one.mark, choices, table=table, code=code),
        )


#: Key -> definition, in the order of the page.
CONFIRMABLE: Final[Mapping[str, Confirmable]] = {
    **dict(_numbers()),
    **dict(_classes("uitval_cbs", UITVAL_CBS, CBS_REDENEN)),
    **dict(_classes("uitval_ijw", UITVAL_IJW, {code: one.label for code, one in REDENEN.items()})),
}


def fits(key: str, value: str) -> bool:
    """Whether a definition can have a value. A later release may have fewer."""
    one = CONFIRMABLE.get(key)
    if one is None:
        return False
    return value in one.choices if one.choices else value.isdecimal() and one.least <= int(value) <= one.most


def document(confirmed: Mapping[str, Confirmed], *, every: bool = False) -> str:
    """A file for ``sor replay --definitions``; empty when nothing that was confirmed has a place in one.

    ``every``: with numbers of days that are as shipped, for what is in use may have another.
    """
    usable = [(CONFIRMABLE[key], one) for key, one in confirmed.items() if fits(key, one.value)]
    days = [
        f"{shipped.code} = {one.value}  # bevestigd op {one.day} door {one.agreed}; was {shipped.value}"
        for shipped, one in usable
        if shipped.table == "termijnen" and (every or one.value != shipped.value)
    ]
    classes = [line for shipped, one in usable if shipped.choices and shipped.table for line in _class(shipped, one)]
    if not days and not classes:
        return ""
    head = (f"versie = {VERSION + 1}",) if every else _head()
    return "\n".join([*head, *(["", "[termijnen]", *days] if days else []), *classes]) + "\n"


def _head() -> Iterable[str]:
    return (
        "# Wat in het portaal is bevestigd. Een aantal dagen dat gelijk blijft staat hier niet: het heeft geen merk.",
        "# Is er al een eigen bestand in gebruik, neem deze regels dan daarin over en kies een hogere versie.",
        f"versie = {VERSION + 1}",
    )


def _class(shipped: Confirmable, one: Confirmed) -> Iterable[str]:
    basis = f"{shipped.basis}; bevestigd door {one.agreed} op {one.day}"
    header = ("", f"[{shipped.table}.{shipped.code}]")
    return (*header, f'klasse = "{one.value}"', f'bron = "{basis}"', f'merk = "{_FIXED}"')
