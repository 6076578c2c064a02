"""Which area of the region a postcode lies in, by a TOML file of the source [P].

The four digits of a client's postcode are looked up here and forgotten: only the name of the area goes on. So an area
is no area when it is one postcode, and its name holds no digit::

    [gebieden]
    "Centrum" = ["1011-1018"]
    "Noord" = ["1020-1039", "1041"]
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from connectors.errors import ConnectorError
from domain.field.geography import is_area

_POSTCODE: Final = re.compile(r"([1-9][0-9]{3}) ?[A-Z]{2}")
_RANGE: Final = re.compile(r"([1-9][0-9]{3})(?:-([1-9][0-9]{3}))?")
#: Fewest postcodes (four digits) of one area [P]: with one its name would be the digits by another name.
LEAST_POSTCODES: Final = 2
MOST_BYTES: Final = 1_000_000


class AreasError(ConnectorError):
    """A table of areas that cannot be used; the sentence says what is wrong with it (Dutch)."""


class _File(Struct, frozen=True, forbid_unknown_fields=True, rename={"areas": "gebieden"}):
    """The TOML file as it is written."""

    areas: dict[str, list[str]]


class Areas(Struct, frozen=True):
    """A table that can be used: four digits -> area; ``mark`` names it."""

    of_digits: dict[str, str]
    mark: bytes

    def of(self, postcode: str) -> str:
        """The area of a whole postcode, as people write it; empty when it is in none, or no postcode."""
        found = _POSTCODE.fullmatch(postcode.strip().upper())
        return self.of_digits.get(found.group(1), "") if found else ""


def read(path: Path) -> Areas:
    """The table of a TOML file. ``AreasError`` says what is wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError:
        raise AreasError(
            f"De tabel van postcodegebieden {path.name} kan niet worden gelezen. Controleer SOR_POSTCODEGEBIEDEN."
        ) from None
    return areas_of(content, path.name)


def areas_of(content: bytes, name: str = "gebieden.toml") -> Areas:
    """The table of the bytes of a TOML file."""
    try:
        if len(content) > MOST_BYTES:
            raise _wrong(name, "het bestand is te groot")
        areas = msgspec.convert(tomllib.loads(content.decode()), _File).areas
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _wrong(name, str(error)) from None
    if not areas:
        raise _wrong(name, "onder [gebieden] staat geen gebied")
    found: dict[str, str] = {}
    for area, texts in areas.items():
        if not is_area(area):
            raise _wrong(
                name,
                f'"{area}" is geen naam van een gebied: hoogstens 40 letters, spaties en streepjes, zonder cijfers',
            )
        digits = [one for text in texts for one in _digits(text, area, name)]
        if len(set(digits)) < LEAST_POSTCODES:
            raise _wrong(name, f'"{area}" heeft minder dan twee postcodes: voeg het bij een ander gebied')
        for one in digits:
            if found.setdefault(one, area) != area:
                raise _wrong(name, f'postcode {one} staat bij "{found[one]}" en bij "{area}"')
    return Areas(found, hashlib.sha256(content).digest()[:16])


def _digits(text: str, area: str, name: str) -> list[str]:
    found = _RANGE.fullmatch(text)
    first, last = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (1, 0)
    if last < first:
        raise _wrong(name, f'"{text}" bij "{area}" is geen reeks postcodes zoals "1300-1379"')
    return [str(one) for one in range(first, last + 1)]


def _wrong(name: str, problem: str) -> AreasError:
    return AreasError(f"De tabel van postcodegebieden {name} is niet goed: {problem}.")
