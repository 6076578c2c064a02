"""Small helpers that the indicators are written with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from domain.indicators.terms import Conditie, Herkomst, Indicator, Term, Voorwaarde
from domain.indicators.topics import ONDERWERPEN


def is_een(kolom: str, *waarden: str | int) -> Voorwaarde:
    """The column holds one of these values."""
    return Voorwaarde(kolom, waarden)


def is_geen(kolom: str, *waarden: str | int) -> Voorwaarde:
    """The column is filled and holds none of these values."""
    return Voorwaarde(kolom, waarden, niet=True)


def over_trajecten(
    onderwerp: str, bron: str, merk: str, *, nu: str = "", herkomst: Herkomst = "ijw"
) -> Callable[..., Indicator]:
    """Makes indicators over trajecten of one subject: with ``nu`` over all rows, else by einddatum."""
    venster = nu or "einddatum in de periode"
    return partial(
        Indicator, onderwerp=onderwerp, nummer=ONDERWERPEN[onderwerp].nummer, bron=bron, merk=merk, tabel="trajecten",
        datum="" if nu else "einddatum", venster=venster, herkomst=herkomst,
    )  # fmt: skip


def aantal(maak: Callable[..., Indicator], sleutel: str, naam: str, *waar: Conditie) -> Indicator:
    """A count: of nothing, so its denominator is itself."""
    term = Term(waar)
    return maak(sleutel=sleutel, naam=naam, eenheid="aantal", teller=term, noemer=term)


BEEINDIGD: Final = is_een("status", "beeindigd")
