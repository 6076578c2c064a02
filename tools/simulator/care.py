"""The course of one traject: when care starts, pauses, changes hands and ends. Pure, from a random generator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tools.simulator.model import Stop
from tools.simulator.tables import DEFINITIES, REDENEN, Product

MEDIAN_DAYS = 274  # about nine months
MAX_SPELLS = 4
# How a spell ends: as planned; pause with resumption; pause and then a final stop; 36/37 and onward; restart soon after
# any reason.
BREUKEN = {"geen": 74, "pauze": 8, "pauze_einde": 2, "wijziging": 10, "herstart": 6}


@dataclass(slots=True)
class Spell:
    """One planned levering: first day, stops, and whether a new assignment (number) begins with it."""

    begin: date
    stops: list[Stop]
    nieuw_nummer: bool


def plan_spells(rng: Random, begin: date, product: Product, until: date) -> list[Spell]:
    """Chain of spells from `begin`, cut at `until`: what lies after it has not happened.

    Consecutive spells start at most 30 days after the former end, or any time after a pause; ends ascend, none is
    nested in another.
    """
    einde = begin + timedelta(days=_length(rng, product))
    spells: list[Spell] = []
    at, nieuw = begin, True
    while True:
        breuk = _breuk(rng) if (einde - at).days > 28 and len(spells) < MAX_SPELLS - 1 else "geen"
        if breuk == "geen":
            spells.append(Spell(at, [Stop(einde, eind_reden(rng))], nieuw))
            return _cut(spells, until)
        knip = at + timedelta(days=rng.randint(14, (einde - at).days - 7))
        if breuk == "pauze_einde":
            # Far enough apart for the pause to be told first, whatever the delays of sending (TR415).
            slot = Stop(knip + timedelta(days=rng.randint(15, 45)), eind_reden(rng))
            spells.append(Spell(at, [Stop(knip, "20"), slot], nieuw))
            return _cut(spells, until)
        reden, gap, nieuw_volgend = _overgang(rng, breuk)
        spells.append(Spell(at, [Stop(knip, reden)], nieuw))
        at, nieuw = knip + timedelta(days=gap), nieuw_volgend
        einde = max(einde, at + timedelta(days=14))


def eind_reden(rng: Random) -> str:
    """A JZ588 end reason other than 20 and death (which ends a whole history, see `overlijden`)."""
    redenen = [r for r in REDENEN if r != "02"]
    return rng.choices(redenen, [REDENEN[r] for r in redenen])[0]


def overlijden(rng: Random) -> bool:
    """True for the rare ended client whose reason becomes 02."""
    return rng.random() < REDENEN["02"] / sum(REDENEN.values())


def _breuk(rng: Random) -> str:
    return rng.choices(list(BREUKEN), list(BREUKEN.values()))[0]


def _length(rng: Random, product: Product) -> int:
    """Days, exponential around the product's median, with at least four days."""
    return 4 + round(rng.expovariate(math.log(2) / (MEDIAN_DAYS * product.duur)))


def _overgang(rng: Random, breuk: str) -> tuple[str, int, bool]:
    """(reason, days to the next start, new assignment number) of a spell that another one continues.

    An overlap (negative days) always has a new number: no second start while one runs on the assignment (TR326).
    """
    if breuk == "pauze":
        return "20", rng.choice((rng.randint(3, 28), rng.randint(31, 120))), rng.random() < 0.15
    grens = DEFINITIES.keten_dagen
    gap = rng.choices((rng.randint(1, grens - 1), grens, 1, 0, rng.randint(-5, -1)), (60, 12, 16, 6, 6))[0]
    reden = rng.choice(("36", "37")) if breuk == "wijziging" else rng.choice(("31", "34", "38"))
    return reden, gap, gap < 1 or rng.random() < 0.7


def _cut(spells: list[Spell], until: date) -> list[Spell]:
    kept = [s for s in spells if s.begin <= until]
    for spell in kept:
        spell.stops = [s for s in spell.stops if s.einddatum <= until]
    return kept
