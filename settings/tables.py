"""Tables of the region that a setting names, read once at the start of a process."""

from __future__ import annotations

from domain.field import spic
from domain.field.definitions import SHIPPED, Definitions
from domain.field.spic import MOST_BYTES, SpicError, Spics, spics_of
from settings.settings import Settings


def definitions_in_force(settings: Settings) -> Definitions:
    """The definitions that rows are made by: those that are shipped, with the table of SPICs of ``SOR_SPIC``.

    Raises:
        SpicError: one sentence about what is wrong with that file.
    """
    return SHIPPED.with_spics(spic_table(settings))


def spic_table(settings: Settings) -> Spics:
    """What each product is, by the file of ``SOR_SPIC``; without one the shipped placeholders.

    Raises:
        SpicError: one sentence about what is wrong with the file.
    """
    if settings.spic is None:
        return spic.SHIPPED
    try:
        with settings.spic.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise SpicError(
            f"SOR_SPIC is {settings.spic}, which cannot be read ({reason}): name a readable file."
        ) from None
    return spics_of(content, settings.spic.name)
