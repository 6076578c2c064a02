"""A set of 64-bit hashes in one flat array: eight bytes a slot, so that a million rows cost 16 MB and not 100."""

from __future__ import annotations

from array import array
from typing import Final

_WORD: Final = 2**64 - 1


class Seen:
    """Which hashes have been added. Sized once for ``expected`` entries; it grows when that was too few.

    Two different values share a hash with a chance of 1 in 10 million for a file of a million rows.
    """

    def __init__(self, expected: int) -> None:
        self._make(1 << max(10, (expected * 3 // 2).bit_length()))

    def _make(self, slots: int) -> None:
        self._slots, self._mask, self._used = array("Q", bytes(8 * slots)), slots - 1, 0

    def add(self, value: int) -> bool:
        """Add a hash (any integer, taken modulo 2⁶⁴); False when it was there."""
        value = (value & _WORD) or 1
        slots, mask = self._slots, self._mask
        place = value & mask
        while found := slots[place]:
            if found == value:
                return False
            place = (place + 1) & mask
        slots[place] = value
        self._used += 1
        if self._used * 4 > mask * 3:
            self._grow()
        return True

    def _grow(self) -> None:
        old = self._slots
        self._make(2 * len(old))
        for value in old:
            if value:
                self.add(value)

    def __contains__(self, value: int) -> bool:
        value = (value & _WORD) or 1
        place = value & self._mask
        while found := self._slots[place]:
            if found == value:
                return True
            place = (place + 1) & self._mask
        return False
