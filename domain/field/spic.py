"""Segment, profiel and intensiteit of a product: the SPIC (Segment-Profiel-Intensiteit-Combinatie) per ProductCode.

No source has this table, so it is data: ``SHIPPED`` holds placeholders [P], and a region gives its own as a TOML file,
one table per product code::

    [45A04]
    segment = "B"
    profiel = "8"
    intensiteit = "perspectief"
    merk = "F"

It decides figures. So every row says by which table it was made (``Spics.id``), and the live stage, a replay and the
audit are given one and the same.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from domain.field.questionnaires import DUURZAAM
from faults import OperatorFault

#: The four intensities [F S1]; the sources do not name the two weights of the third, these names are ours [P].
INTENSITEITEN: Final = ("perspectief", "intensief", "duurzaam_licht", "duurzaam_zwaar")
#: What a row may say of long-lasting care: a questionnaire tells that it is, and not its weight.
LONG_LASTING: Final = (DUURZAAM, "duurzaam_licht", "duurzaam_zwaar")
SEGMENTS: Final = ("A", "B", "C")
MARKS: Final = ("F", "R", "P")
_CODE: Final = re.compile("[0-9A-Za-z]{1,5}")
_PROFIEL: Final = re.compile(r"[^\W_][\w .-]{0,39}")
#: Name in the file -> what its value must be, in words.
FIELDS: Final = {
    "segment": f"one of {', '.join(SEGMENTS)}",
    "profiel": "at most 40 letters, digits, spaces, full stops and hyphens, a letter or digit first",
    "intensiteit": f"one of {', '.join(INTENSITEITEN)}",
    "merk": "F (fixed by a source), R (a reading of it) or P (a proposal)",
}
#: The largest file: a region has some hundred products.
MOST_BYTES: Final = 1_000_000


class SpicError(OperatorFault):
    """A table of SPICs that cannot be used; the sentence names file, line and code, and what must stand there."""


class Spic(NamedTuple):
    """What a product is; empty where unknown. The mark says who fixed it: F, R or P."""

    segment: str
    profiel: str
    intensiteit: str
    mark: str


NONE: Final = Spic("", "", "", "P")


class Spics(NamedTuple):
    """The table: ProductCode -> SPIC, and the id that rows carry: 16 hexadecimal digits of what it says."""

    per_code: Mapping[str, Spic]
    id: str

    def of(self, code: str) -> Spic:
        """The SPIC of a product code; ``NONE`` when the table does not have it."""
        return self.per_code.get(code, NONE)


def spics(per_code: Mapping[str, Spic]) -> Spics:
    """The table with its id. Order and marks are no part of the id: they change no figure."""
    said = "\n".join("\t".join((code, *per_code[code][:3])) for code in sorted(per_code))
    return Spics(per_code, hashlib.sha256(said.encode()).hexdigest()[:16])


#: What is shipped: which products are intensive or long-lasting is a placeholder [P], segment and profiel are unknown.
SHIPPED: Final = spics(
    {
        "43A10": Spic("", "", "duurzaam_licht", "P"),
        "44A08": Spic("", "", "duurzaam_licht", "P"),
        "44A14": Spic("", "", "duurzaam_zwaar", "P"),
        "54003": Spic("", "", "intensief", "P"),
    }
)


def spics_of(content: bytes, name: str) -> Spics:
    """The table of the bytes of a TOML file; it replaces the shipped one as a whole.

    Raises:
        SpicError: it is no TOML, holds no product, or something that no product has.
    """
    if len(content) > MOST_BYTES:
        raise SpicError(f"{name} has more than {MOST_BYTES} bytes: a table of SPICs has one short table per product.")
    try:
        text = content.decode()
        tables = tomllib.loads(text)
    except UnicodeDecodeError:
        raise SpicError(f"{name} is not UTF-8: save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise SpicError(f'{name} is no TOML: {error}. A product looks like [45A04] and then segment = "B".') from None
    if not tables:
        raise SpicError(f"{name} holds no product: give each a table of its code, such as [45A04].")
    return products(tables, lambda code: f"{name}, line {_line(code, text)}, {code}")


def products(tables: Mapping[str, Any], place: Callable[[str], str]) -> Spics:
    """The table of what a TOML file says of each product; ``place``: file, line and code, for what is wrong with one.

    Raises:
        SpicError: something that no product has.
    """
    return spics({code: _spic(code, table, place(code)) for code, table in tables.items()})


def _spic(code: str, table: Any, where: str) -> Spic:
    if not _CODE.fullmatch(code):
        raise SpicError(f"{where}: a product code has at most five letters and digits.")
    if not isinstance(table, dict):
        raise SpicError(f"{where}: this is no table; write [{code}] on a line of its own.")
    for field in table:
        if field not in FIELDS:
            raise SpicError(f"{where}: {field} is none of {', '.join(FIELDS)}.")
    if "intensiteit" not in table:
        raise SpicError(f"{where}: intensiteit is missing; it is {FIELDS['intensiteit']}.")
    for field, value in table.items():
        if not (isinstance(value, str) and _is_good(field, value)):
            raise SpicError(f"{where}: {field} must be {FIELDS[field]}, between quotes.")
    return Spic(table.get("segment", ""), table.get("profiel", ""), table["intensiteit"], table.get("merk", "P"))


def _is_good(field: str, value: str) -> bool:
    if field == "profiel":
        return _PROFIEL.fullmatch(value) is not None
    return value in {"segment": SEGMENTS, "intensiteit": INTENSITEITEN, "merk": MARKS}[field]


def _line(code: str, text: str) -> int:
    """The line on which a code stands first; 1 when it is written in some other way."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if code in line.partition("#")[0]), 1)
