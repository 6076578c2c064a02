"""Definitions and tables of the region that a setting names, read once at the start of a process."""

from __future__ import annotations

from pathlib import Path

from domain.field import spic
from domain.field.definitions import SHIPPED, Definitions
from domain.field.definitions_file import DefinitionsError, definitions_of
from domain.field.spic import MOST_BYTES, SpicError, Spics, spics_of
from faults import OperatorFault
from settings.settings import Settings


def definitions_in_force(settings: Settings) -> Definitions:
    """The definitions that rows are made by: those of the file of ``SOR_DEFINITIES``, else the shipped ones; with the
    table of SPICs of ``SOR_SPIC``, unless that file has one.

    Raises:
        DefinitionsError, SpicError: one sentence about what is wrong with a file.
    """
    spics = spic_table(settings)
    if settings.definities is None:
        return SHIPPED.with_spics(spics)
    return definitions_of(read_definitions(settings.definities), settings.definities.name, spics)


def read_definitions(path: Path) -> bytes:
    """The bytes of a file of definitions.

    Raises:
        DefinitionsError: it cannot be read.
    """
    return _read(path, "SOR_DEFINITIES", DefinitionsError)


def spic_table(settings: Settings) -> Spics:
    """What each product is, by the file of ``SOR_SPIC``; without one the shipped placeholders.

    Raises:
        SpicError: one sentence about what is wrong with the file.
    """
    if settings.spic is None:
        return spic.SHIPPED
    return spics_of(_read(settings.spic, "SOR_SPIC", SpicError), settings.spic.name)


def _read(path: Path, variable: str, fault: type[OperatorFault]) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise fault(f"{variable} is {path}, which cannot be read ({reason}): name a readable file.") from None
