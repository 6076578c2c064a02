"""Sets of line numbers, as the state of a delivery holds them: intervals while these are few, else a bitmap.

Records mostly arrive in order, so that a set is one interval. Who scatters them on purpose, every second line of
millions, gets a bitmap: an eighth of a byte for each line, however they lie.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

#: Closed intervals, ascending; or one bit for each line, line 1 in the lowest bit of the first byte.
LineNumbers = list[list[int]] | bytearray
#: Intervals of one set; with more it becomes a bitmap at the end of a batch (``compact``).
MOST_INTERVALS: Final = 4_000


def mark(numbers: LineNumbers, line: int) -> bool:
    """Add a line number, in place; False when it was there."""
    if isinstance(numbers, bytearray):
        return _set_bit(numbers, line)
    place = bisect_right(numbers, line, key=lambda pair: pair[0])
    before = numbers[place - 1] if place else None
    if before is not None and line <= before[1]:
        return False
    after = numbers[place] if place < len(numbers) else None
    joins_before, joins_after = before is not None and before[1] == line - 1, after is not None and after[0] == line + 1
    if joins_before and joins_after and before is not None and after is not None:
        before[1] = after[1]
        del numbers[place]
    elif joins_before and before is not None:
        before[1] = line
    elif joins_after and after is not None:
        after[0] = line
    else:
        numbers.insert(place, [line, line])
    return True


def unmark(numbers: LineNumbers, line: int) -> bool:
    """Take a line number out, in place; False when it was not there."""
    if isinstance(numbers, bytearray):
        byte, bit = _place(line)
        found = byte < len(numbers) and bool(numbers[byte] & bit)
        if found:
            numbers[byte] ^= bit
        return found
    place = bisect_right(numbers, line, key=lambda pair: pair[0]) - 1
    if place < 0 or line > numbers[place][1]:
        return False
    first, last = numbers[place]
    numbers[place : place + 1] = [[begin, end] for begin, end in ((first, line - 1), (line + 1, last)) if begin <= end]
    return True


def count(numbers: LineNumbers) -> int:
    """How many lines are in the set."""
    if isinstance(numbers, bytearray):
        return int.from_bytes(numbers, "little").bit_count()
    return sum(last - first + 1 for first, last in numbers)


def compact(numbers: LineNumbers) -> LineNumbers:
    """The same set as it is kept: the intervals themselves, or a bitmap instead of too many."""
    if isinstance(numbers, bytearray) or len(numbers) <= MOST_INTERVALS:
        return numbers
    bits = bytearray(_place(numbers[-1][1])[0] + 1)
    for first, last in numbers:
        whole, end = _place(first + 7)[0], _place(last + 1)[0]  # the bytes of which every line is in the interval
        if whole < end:
            bits[whole:end] = b"\xff" * (end - whole)
            around = (*range(first, 8 * whole + 1), *range(8 * end + 1, last + 1))
        else:
            around = (*range(first, last + 1),)
        for line in around:
            _set_bit(bits, line)
    return bits


def _place(line: int) -> tuple[int, int]:
    byte, bit = divmod(line - 1, 8)
    return byte, 1 << bit


def _set_bit(bits: bytearray, line: int) -> bool:
    byte, bit = _place(line)
    if byte >= len(bits):
        bits.extend(bytes(byte + 1 - len(bits)))
    if bits[byte] & bit:
        return False
    bits[byte] |= bit
    return True
