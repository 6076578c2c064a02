"""The columns of a CBS file, declared in a TOML file: the record layout of CBS is not public [P].

Each field has a heading (``kolom``, for CSV and Excel), a place (``plaats`` from 1 and ``breedte``, for ASCII), or
both. See docs/cbs-layout.md.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from connectors.errors import ConnectorError

#: Longest line of an ASCII file that a layout can declare.
LONGEST_ROW: Final = 4_000
NEEDED: Final = (
    *("bsn", "geboortedatum", "geslacht", "postcode", "hulpvorm", "begindatum", "einddatum", "reden"),
)  # without these no record can be made
_METING: Final = ("nut", "zonder_hulp", "informant")
FIELDS: Final = (
    *NEEDED,
    *("verwijzer", "crisis", "meerling"),
    *("nut_jeugdige", "nut_ouder", "zonder_hulp_jeugdige", "zonder_hulp_ouder"),
    *(f"{name}_{number}" for number in (1, 2) for name in _METING),
)
_POSTCODES: Final = re.compile(r"([0-9]{4})(?:-([0-9]{4}))?")

Place = Annotated[int, Meta(ge=1, le=LONGEST_ROW)]


class LayoutError(ConnectorError):
    """A layout that cannot be used; the sentence says what is wrong with it (Dutch)."""


class FieldLayout(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"column": "kolom", "place": "plaats", "width": "breedte"},
):
    """Where a field stands: heading, or place (from 1) and width in characters."""

    column: str = ""
    place: Place | None = None
    width: Place | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True, rename={"fields": "velden", "sheet": "blad"}):
    """The TOML file as it is written."""

    fields: dict[str, FieldLayout]
    gemeenten: dict[str, list[str]]
    sheet: str = ""
    informanten: dict[str, str] = {}


class Layout(Struct, frozen=True):
    """A layout that can be used. ``gemeenten``: CBS code -> ranges of postcode digits, ends included."""

    fields: dict[str, FieldLayout]
    gemeenten: dict[str, tuple[tuple[int, int], ...]]
    informanten: dict[str, str]  # code in the file -> jeugdige or ouder
    sheet: str  # empty = the first sheet
    mark: bytes  # names the layout

    @property
    def columns(self) -> dict[str, str]:
        """Field -> heading as it is compared; empty when the layout has no headings for what is needed."""
        found = {field: v.column.strip().lower() for field, v in self.fields.items() if v.column}
        return found if all(field in found for field in NEEDED) else {}

    @property
    def places(self) -> dict[str, slice]:
        """Field -> place in a line; empty when the layout has no places for what is needed."""
        found = {
            field: slice(v.place - 1, v.place - 1 + v.width)
            for field, v in self.fields.items()
            if v.place is not None and v.width is not None
        }
        return found if all(field in found for field in NEEDED) else {}

    def gemeente_of(self, digits: int) -> str:
        """The municipality of the four digits of a postcode; empty when it is none of those declared."""
        for code, ranges in self.gemeenten.items():
            if any(first <= digits <= last for first, last in ranges):
                return code
        return ""


def read(path: Path) -> Layout:
    """The layout of a TOML file. ``LayoutError`` says what is wrong."""
    try:
        content = path.read_bytes()
    except OSError:
        raise LayoutError(f"De layout {path.name} kan niet worden gelezen. Controleer --layout.") from None
    return layout_of(content, path.name)


def layout_of(content: bytes, name: str = "layout") -> Layout:
    """The layout of the bytes of a TOML file."""
    try:
        file = msgspec.convert(tomllib.loads(content.decode()), _File)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise LayoutError(f"De layout {name} is niet goed: {error}.") from None
    problem = _problem(file)
    if problem:
        raise LayoutError(f"De layout {name} is niet goed: {problem}.")
    ranges = {code: tuple(_range(text) for text in texts) for code, texts in file.gemeenten.items()}
    return Layout(file.fields, ranges, file.informanten, file.sheet, hashlib.sha256(content).digest()[:16])


def _problem(file: _File) -> str:
    unknown = [field for field in file.fields if field not in FIELDS]
    if unknown:
        return f"het veld {unknown[0]} bestaat niet; bekend zijn {', '.join(FIELDS)}"
    for field, v in file.fields.items():
        if (v.place is None) != (v.width is None) or not (v.column.strip() or v.place):
            return f"het veld {field} heeft een kolom nodig, of een plaats en een breedte"
    if not any(all(field in file.fields and has(file.fields[field]) for field in NEEDED) for has in (_column, _place)):
        return f"elk van deze velden heeft een kolom nodig, of elk een plaats: {', '.join(NEEDED)}"
    if any(value not in ("jeugdige", "ouder") for value in file.informanten.values()):
        return "een informant is jeugdige of ouder"
    if any(field.startswith("informant") for field in file.fields) and not file.informanten:
        return "de codes van de informant ontbreken onder [informanten]"
    if any(f"{name}_{n}" in file.fields and f"informant_{n}" not in file.fields for n in (1, 2) for name in _METING):
        return "bij nut_1 of zonder_hulp_1 hoort een veld informant_1, bij nut_2 of zonder_hulp_2 informant_2"
    if not file.gemeenten or not all(re.fullmatch("[0-9]{4}", code) for code in file.gemeenten):
        return "onder [gemeenten] staat geen gemeentecode van vier cijfers"
    if not all(_POSTCODES.fullmatch(text) for texts in file.gemeenten.values() for text in texts):
        return 'een reeks postcodes ziet eruit als "1300-1379"'
    return ""


def _column(field: FieldLayout) -> bool:
    return bool(field.column.strip())


def _place(field: FieldLayout) -> bool:
    return field.place is not None


def _range(text: str) -> tuple[int, int]:
    found = _POSTCODES.fullmatch(text)
    assert found is not None  # noqa: S101 - looked at before
    return int(found.group(1)), int(found.group(2) or found.group(1))
