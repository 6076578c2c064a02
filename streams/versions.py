"""Row versions: the topic epoch in front of the offset (decision 0003)."""

from __future__ import annotations

_OFFSET_BITS = 48


def version(epoch: int, offset: int) -> int:
    """One number that grows with the log; ``epoch`` is raised when the partitions of the log are laid anew."""
    return (epoch << _OFFSET_BITS) | offset
