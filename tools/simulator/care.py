"""The course of one traject: when care starts, pauses, changes hands and ends. Pure, from a random generator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tools.simulator.model import Stop
from tools.simulator.tables import DEFINITIONS, REDENEN, Product

MEDIAN_DAYS = 274  # about nine months
MAX_SPELLS = 4
# How a spell ends: as planned; pause with resumption; pause and then a final stop; 36/37 and onward; restart soon after
# any reason.
BREAKS = {"geen": 74, "pauze": 8, "pauze_einde": 2, "wijziging": 10, "herstart": 6}


@dataclass(slots=True)
class Spell:
    """One planned levering: first day, stops, and whether a new assignment (number) begins with it."""

    begin: date
    stops: list[Stop]
    new_number: bool


def plan_spells(rng: Random, begin: date, product: Product, until: date) -> list[Spell]:
    """Chain of spells from ``begin``, cut at ``until``: what lies after it has not happened.

    Consecutive spells start at most 30 days after the former end, or any time after a pause; ends ascend, none is
    nested in another.
    """
    end = begin + timedelta(days=_length(rng, product))
    spells: list[Spell] = []
    at, new = begin, True
    while True:
        break_kind = _break_kind(rng) if (end - at).days > 28 and len(spells) < MAX_SPELLS - 1 else "geen"
        if break_kind == "geen":
            spells.append(Spell(at, [Stop(end, end_reden(rng))], new))
            return _cut(spells, until)
        cut = at + timedelta(days=rng.randint(14, (end - at).days - 7))
        if break_kind == "pauze_einde":
            # Far enough apart for the pause to be told first, whatever the delays of sending (TR415).
            final = Stop(cut + timedelta(days=rng.randint(15, 45)), end_reden(rng))
            spells.append(Spell(at, [Stop(cut, "20"), final], new))
            return _cut(spells, until)
        reden, gap, new_next = _transition(rng, break_kind)
        spells.append(Spell(at, [Stop(cut, reden)], new))
        at, new = cut + timedelta(days=gap), new_next
        end = max(end, at + timedelta(days=14))


def end_reden(rng: Random) -> str:
    """A JZ588 end reason other than 20 and death (which ends a whole history, see ``death``)."""
    redenen = [r for r in REDENEN if r != "02"]
    return rng.choices(redenen, [REDENEN[r] for r in redenen])[0]


def death(rng: Random) -> bool:
    """True for the rare ended client whose reason becomes 02."""
    return rng.random() < REDENEN["02"] / sum(REDENEN.values())


def _break_kind(rng: Random) -> str:
    return rng.choices(list(BREAKS), list(BREAKS.values()))[0]


def _length(rng: Random, product: Product) -> int:
    """Days, exponential around the product's median, with at least four days."""
    return 4 + round(rng.expovariate(math.log(2) / (MEDIAN_DAYS * product.duration)))


def _transition(rng: Random, break_kind: str) -> tuple[str, int, bool]:
    """(reason, days to the next start, new assignment number) of a spell that another one continues.

    An overlap (negative days) always has a new number: no second start while one runs on the assignment (TR326).
    """
    if break_kind == "pauze":
        return "20", rng.choice((rng.randint(3, 28), rng.randint(31, 120))), rng.random() < 0.15
    bound = DEFINITIONS.chain_days
    gap = rng.choices((rng.randint(1, bound - 1), bound, 1, 0, rng.randint(-5, -1)), (60, 12, 16, 6, 6))[0]
    reden = rng.choice(("36", "37")) if break_kind == "wijziging" else rng.choice(("31", "34", "38"))
    return reden, gap, gap < 1 or rng.random() < 0.7


def _cut(spells: list[Spell], until: date) -> list[Spell]:
    kept = [s for s in spells if s.begin <= until]
    for spell in kept:
        spell.stops = [s for s in spell.stops if s.einddatum <= until]
    return kept
