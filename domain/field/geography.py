"""Municipalities, regions and clusters (CBS division of 1 January 2026 [F]; clusters [F S1])."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from domain.field.dates import day


class Gemeente(NamedTuple):
    """One municipality: CBS code (four digits as text), name, jeugdzorgregio and cluster (empty = none)."""

    code: str
    name: str
    region: str
    cluster: str


_AMSTELLAND, _WATERLAND = "Amsterdam-Amstelland", "Zaanstreek-Waterland"

GEMEENTEN: Final[dict[str, Gemeente]] = {
    g.code: g
    for g in (
        Gemeente("0363", "Amsterdam", _AMSTELLAND, "Amsterdam"),
        Gemeente("0358", "Aalsmeer", _AMSTELLAND, "Amstelveen-Aalsmeer"),
        Gemeente("0362", "Amstelveen", _AMSTELLAND, "Amstelveen-Aalsmeer"),
        Gemeente("0384", "Diemen", _AMSTELLAND, "DUO"),
        Gemeente("0437", "Ouder-Amstel", _AMSTELLAND, "DUO"),
        Gemeente("0451", "Uithoorn", _AMSTELLAND, "DUO"),
        Gemeente("0385", "Edam-Volendam", _WATERLAND, _WATERLAND),
        Gemeente("0415", "Landsmeer", _WATERLAND, _WATERLAND),
        Gemeente("0431", "Oostzaan", _WATERLAND, _WATERLAND),
        Gemeente("0439", "Purmerend", _WATERLAND, _WATERLAND),
        Gemeente("0852", "Waterland", _WATERLAND, _WATERLAND),
        Gemeente("0880", "Wormerland", _WATERLAND, _WATERLAND),
        Gemeente("0479", "Zaanstad", _WATERLAND, _WATERLAND),
        Gemeente("0034", "Almere", "Flevoland", ""),
    )
}

#: Merged municipalities: old code -> current code. [R] the codes come from public lists outside the sources; S1
#: names the mergers only.
OLD_CODES: Final[dict[str, str]] = {"0457": "0363", "0370": "0439"}
#: First day (day number) on which an old code exists no more [R]: Weesp, Beemster. From public lists, as above.
LAPSED: Final[dict[str, int]] = {"0457": day(date(2022, 3, 24)), "0370": day(date(2022, 1, 1))}

CLUSTERS: Final[tuple[str, ...]] = ("Amsterdam", "Amstelveen-Aalsmeer", "DUO", "Zaanstreek-Waterland")

_LONGEST_AREA: Final = 40
_BETWEEN: Final = frozenset(" -'’./()")
_LAST_LATIN: Final = "\u024f"


def is_area(text: str) -> bool:
    """Whether a text may name a postcode area: at most 40 Latin letters, single spaces and a few signs.

    No digit of any kind: what tells the area may not be the postcode itself, whole or in pieces.
    """
    letters = [sign for sign in text if sign not in _BETWEEN]
    return (
        0 < len(letters) <= len(text) <= _LONGEST_AREA
        and all(sign.isalpha() and sign <= _LAST_LATIN for sign in letters)
        and (text[0].isalpha() or text[0] in "'’")
        and text == " ".join(text.split())
    )


def current_code(code: str) -> str:
    """The current code of a municipality; a code that never merged is returned as it is."""
    return OLD_CODES.get(code, code)


def valid_on(code: str, day: int) -> bool:
    """Whether the code stands in the table on a day (TR378): a current one, or an old one before its merger."""
    return code in GEMEENTEN or day < LAPSED.get(code, day)


def cluster(code: str) -> str:
    """Cluster of a municipality by its current or old code; empty when it belongs to none."""
    gemeente = GEMEENTEN.get(current_code(code))
    return gemeente.cluster if gemeente else ""
