"""Test BSNs only: the official test range, and above its 9,091 numbers synthetic ones from 900000000 upward."""

from __future__ import annotations

from collections.abc import Iterator

from domain.field.bsn import TEST_FIRST, elfproef, official_numbers

SYNTHETIC_FIRST = 900_000_000


def client_bsns() -> Iterator[str]:
    """Every official test number in order [F], then synthetic valid numbers below that range."""
    yield from official_numbers()
    yield from (bsn for bsn in map(str, range(SYNTHETIC_FIRST, TEST_FIRST)) if elfproef(bsn))


def broken(bsn: str) -> str:
    """The number with its last digit changed: always fails the elfproef, since the weighted sum moves by 1 or 9."""
    return f"{bsn[:8]}{(int(bsn[8]) + 1) % 10}"
