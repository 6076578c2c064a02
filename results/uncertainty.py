"""How far a figure of a group can be off by chance: an interval that holds the true figure 19 times out of 20.

The group is read as a sample of the children that could have come: their interval says how much of a difference may
be luck. It says nothing of records that are missing or wrong.

Children are what chance draws: not their scores, marks or trajecten, of which one child has several that go together.
So the number of clients stands behind an interval where it is smaller than what was counted. Two kinds:

- a share has Wilson's interval. It stays within 0 and 100, is never without width at 0 % and 100 % as the textbook's
  ``p ± 1.96 s`` is, and holds what it promises for small groups. Of a share that adds up parts (goals reached per
  traject, each between 0 and 1) it is on the wide side: nothing between 0 and 1 spreads more than noughts and ones;
- a mean has Student's interval from the sum of squares. Bounds from the scale alone (1 to 10) would need no squares,
  but are some two and a half times as wide for marks around 8 with a usual spread of 1,5: they allow for children who
  give a 1 or a 10 and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

#: Of the normal distribution: so many standard errors on both sides hold 95 %.
Z: Final = 1.959963984540054
#: The same of Student's distribution, from one degree of freedom on.
_STUDENT: Final = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
#: The same for more degrees of freedom: parts of 1, 1/f, 1/f² and 1/f³ (Abramowitz and Stegun 26.7.5).
_EXPANSION: Final = (
    Z,
    (Z**3 + Z) / 4,
    (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
    (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
)
#: Marks are whole numbers: what is rounded to 8 lies anywhere from 7,5 to 8,5. Equal marks do not make a mean certain.
_ROUNDING: Final = 1 / 12


class Interval(NamedTuple):
    """Both ends, in the unit of the figure (0..100 for a percentage)."""

    low: float
    high: float


#: Marks go from 1 to 10.
MARKS: Final = Interval(1.0, 10.0)


def wilson(numerator: float, denominator: float, clients: float) -> Interval | None:
    """The interval of a percentage; None where nothing was counted.

    ``numerator`` of ``denominator`` things, of so many clients; a numerator may be a sum of parts.
    """
    n = _independent(denominator, clients)
    if n <= 0:
        return None
    share = min(max(numerator / denominator, 0.0), 1.0)
    center = share + Z * Z / (2 * n)
    reach = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    low, high = (center - reach) / scale, (center + reach) / scale
    # at the two ends the formula is exact and its floating point is not
    low, high = 0.0 if share == 0 else low, 1.0 if share == 1 else high
    return Interval(100 * max(low, 0.0), 100 * min(high, 1.0))


def student(total: float, squares: float, denominator: float, clients: float, scale: Interval) -> Interval | None:
    """The interval of a mean of whole numbers on a scale, such as marks 1 to 10; None where nothing was counted.

    ``total`` and ``squares``: sums of the numbers and of their squares. Of one client anything on the scale can be.
    """
    n = _independent(denominator, clients)
    if n <= 0:
        return None
    if n < 2:
        return scale
    mean = total / denominator
    spread = max((squares - total * mean) / max(denominator - 1, 1), _ROUNDING)
    reach = student_quantile(math.floor(n) - 1) * math.sqrt(spread / n)
    return Interval(max(mean - reach, scale.low), min(mean + reach, scale.high))


def student_quantile(freedom: int) -> float:
    """So many standard errors hold 95 % with these degrees of freedom, at least one; to 0.001."""
    if freedom <= len(_STUDENT):
        return _STUDENT[freedom - 1]
    return sum(part / float(freedom) ** at for at, part in enumerate(_EXPANSION))


def _independent(denominator: float, clients: float) -> float:
    """How many draws stand behind a figure."""
    return min(denominator, clients)


# The same over the columns ``clienten``, ``teller`` and ``noemer`` (and ``kwadraten``). A test runs both over the same
# sums. Both ends are one formula with a sign, and what stands in it twice is an argument: the engine reads it once.

_N: Final = "least(noemer, clienten)"


def wilson_sql() -> str:
    """``wilson`` as a list of both ends, each NULL where nothing was counted."""
    reach = f"{Z} * sqrt(aandeel * (1 - aandeel) / n + {Z * Z / 4} / (n * n))"
    end = f"(aandeel + {Z * Z / 2} / n + kant * {reach}) / (1 + {Z * Z} / n)"
    arguments = {"n": _N, "aandeel": "least(greatest(teller / noemer, 0.), 1.)"}
    return _ends(f"100 * least(greatest({end}, 0.), 1.)", arguments)


def student_sql(scale: Interval) -> str:
    """``student`` in the same way."""
    near = f"arrayElementOrNull([{', '.join(map(str, _STUDENT))}], toUInt32(vrijheid))"
    far = " + ".join(f"{part} / pow(vrijheid, {at})" for at, part in enumerate(_EXPANSION))
    end = f"gemiddelde + kant * ifNull({near}, {far}) * sqrt(spreiding / n)"
    within = f"least(greatest({end}, {scale.low}), {scale.high})"
    arguments = {
        "n": _N,
        "vrijheid": f"floor({_N}) - 1",
        "gemiddelde": "teller / noemer",
        "spreiding": f"greatest((kwadraten - teller * (teller / noemer)) / greatest(noemer - 1, 1), {_ROUNDING})",
    }
    return _ends(f"if(n < 2, if(kant < 0, {scale.low}, {scale.high}), {within})", arguments)


def _ends(end: str, arguments: Mapping[str, str]) -> str:
    """The expression with ``kant`` at -1 and at 1; NULL where nothing was counted."""
    twice = ", ".join(f"[{value}, {value}]" for value in arguments.values())
    return f"arrayMap((kant, {', '.join(arguments)}) -> if(n = 0, NULL, {end}), [-1., 1.], {twice})"
