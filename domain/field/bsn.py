"""The citizen service number (BSN): form, elfproef and the numbers that stand for no one."""

from __future__ import annotations

#: CBS: 999999999 = BSN unknown or none, 000000000 = unborn child [F CBS]. The second one passes the arithmetic of
#: the elfproef.
SPECIALS = frozenset({"999999999", "000000000"})

#: The official range of test numbers [F]; fixtures and the simulator's first clients come from here.
TEST_FIRST, TEST_LAST = 999_900_006, 999_999_990

WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def elfproef(number: str) -> bool:
    """True when ``number`` is nine digits whose weighted sum is a multiple of 11 (CS002) and is no special.

    The weights are 9, 8, 7, 6, 5, 4, 3, 2 and -1. ``000000000`` and ``999999999`` are refused explicitly.
    """
    if len(number) != 9 or not number.isascii() or not number.isdigit() or number in SPECIALS:
        return False
    return sum(w * int(d) for w, d in zip(WEIGHTS, number, strict=True)) % 11 == 0


def official_numbers() -> list[str]:
    """All 9,091 official test numbers, ascending, as text of nine digits."""
    return [f"{n:09d}" for n in range(TEST_FIRST, TEST_LAST + 1) if elfproef(f"{n:09d}")]


def masked(number: str) -> str:
    """Stars and the last three digits, for a receipt at the source. [P] three everywhere; the sources show three
    and five.
    """
    return "*" * max(0, len(number) - 3) + number[-3:]
