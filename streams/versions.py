"""Row versions: the epoch of the log in front of the offset (decisions 0003 and 0023)."""

from __future__ import annotations

from typing import Final

#: Of the 63 bits that a signed number has, 40 are the offset within a partition: a million million records.
OFFSET_BITS: Final = 40


def version(epoch: int, offset: int) -> int:
    """One number that grows with the log; ``epoch`` is higher when the log is another (``streams.epochs``)."""
    return (epoch << OFFSET_BITS) | offset


def epoch_in(version: int) -> int:
    """The epoch that a version was made under; of a state that holds nothing yet, -1."""
    return version >> OFFSET_BITS
