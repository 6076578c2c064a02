"""A limit on refused records: a bug of ours must not drain a topic into the dead letters."""

from __future__ import annotations

from collections import deque
from typing import Final

from faults import OperatorFault
from monitoring import metrics

#: Records looked back on, the share of unreadable ones among them that stops the stage, and how many there must be.
WINDOW: Final = 2000
SHARE: Final = 0.5
LEAST: Final = 200


class TooMuchPoison(OperatorFault):
    """More unreadable records than a fault of a sender explains. The stage stops with the batch uncommitted."""


class PoisonGuard:
    """Counts read and unreadable records over the last ``window``."""

    def __init__(self, stage: str, window: int = WINDOW, share: float = SHARE, least: int = LEAST) -> None:
        self._stage, self._window, self._share, self._least = stage, window, share, least
        self._recent: deque[tuple[int, int]] = deque()
        self._read = self._bad = 0

    def batch(self, read: int, bad: int) -> None:
        """One batch of ``read`` records, ``bad`` of them unreadable; ``TooMuchPoison`` above the limit."""
        self._recent.append((read, bad))
        self._read, self._bad = self._read + read, self._bad + bad
        while self._recent and self._read - self._recent[0][0] >= self._window:
            old_read, old_bad = self._recent.popleft()
            self._read, self._bad = self._read - old_read, self._bad - old_bad
        metrics.POISON_SHARE.labels(stage=self._stage).set(self._bad / self._read if self._read else 0)
        if self._bad >= self._least and self._bad > self._share * self._read:
            raise TooMuchPoison(
                f"{self._stage}: {self._bad} of the last {self._read} records cannot be read. Nothing of this batch is "
                "committed. Look at the codes in sor.rejected; after the cause is gone, start the stage again."
            )
