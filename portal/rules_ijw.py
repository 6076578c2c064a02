"""The rules of iJw messages as JSON, out of the structure and the tables that the connector itself reads.

The browser reads JW305, JW307 and JW323 by them (``portal/browser/src/ijw.js``); a test of messages that the simulator
writes, and of thousands of damaged ones, compares both.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from connectors.delivery import recognise
from connectors.formats.ijw import message, reader, structure, xml_stream
from connectors.formats.model import MOST_FINDINGS
from domain.field import codes

#: Kind of delivery -> the structure of its message: those that a browser delivers.
SHAPES: Final = {"start": structure.JW305, "stop": structure.JW307, "declaration": structure.JW323}
#: Python's letters, and signs that count as one: a browser names them otherwise.
_LETTERS: Final = r"[^\W\d_]"
_BROWSER_LETTERS: Final = r"[\p{L}\p{Nl}\p{No}]"


def told() -> dict[str, Any]:
    """What ``rules.json`` says of messages."""
    return {
        "shapes": {kind: _element(shape) for kind, shape in SHAPES.items()},
        "kinds": recognise.KINDS,
        "root": recognise.NAMESPACE.pattern,
        "others": recognise.OTHERS.pattern,
        "of_gemeente": sorted(recognise.OF_GEMEENTE),
        "agb": recognise.AGB.pattern,
        "release": xml_stream.RELEASE.pattern,
        "root_attributes": sorted(xml_stream.ROOT_ATTRIBUTES),
        "bounds": _bounds(),
        "codes": {
            "categorie": sorted(codes.PRODUCTCATEGORIEEN),
            "reden": sorted(codes.REDENEN),
            "euro": codes.EENHEID_EURO,
            "status_remove": codes.STATUS_REMOVE,
        },
    }


def _bounds() -> dict[str, int]:
    return {
        "chunk": xml_stream.CHUNK,
        "text": xml_stream.LONGEST_TEXT,
        "piece": xml_stream.LONGEST_PIECE,
        "names": xml_stream.MOST_NAMES,
        "findings": MOST_FINDINGS,
        "years_old": message.YEARS_OLD,
        "years_back": reader.YEARS_BACK,
        "first_period": reader.CS100,
    }


def _element(one: xml_stream.Element) -> dict[str, Any]:
    """One element with what stands in it; what it says by default is left out."""
    found: dict[str, Any] = {"name": one.name, "tag": one.tag}
    if one.read is not None:
        found["read"] = _reader(one.read)
    if one.children:
        found["children"] = [_element(child) for child in one.children]
    if one.least != 1:
        found["least"] = one.least
    if one.most != 1:
        found["most"] = None if one.most == structure.MANY else one.most
    if one.event:
        found["event"] = True
    if not one.keep:
        found["keep"] = False
    return found


def _reader(read: Callable[[str], Any]) -> list[Any]:
    """What reads a leaf, as its name and its bounds; they stand in the function itself, and nowhere else."""
    name = read.__qualname__.removesuffix(".<locals>.read")
    held = inspect.getclosurevars(read)
    if name == "pattern":
        return ["pattern", _pattern(held.nonlocals["match"].__self__.pattern)]
    if name in ("text", "integer"):
        return [name, held.nonlocals["longest" if name == "text" else "highest"]]
    if name == "one_of":
        return ["one_of", sorted(held.nonlocals["known"])]
    if name == "datum":
        return ["day", held.globals["_FIRST"], held.globals["_LAST"]]
    if name == "_any_day":
        return ["day"]
    raise AssertionError(f"a browser cannot read {name}")


def _pattern(text: str) -> str:
    """A regular expression for a browser; ``AssertionError`` for one that would mean something else there."""
    told = text.replace(_LETTERS, _BROWSER_LETTERS)
    if any(sign in told for sign in (r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", r"\b", r"\Z", "(?")):
        raise AssertionError(f"a browser reads {text} otherwise")
    return told
