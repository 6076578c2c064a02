"""A limit on records that cannot be opened, for each source: a source that goes wrong is set aside, the others flow.

*Poison* is a record whose signature is good and which cannot be opened or decoded inside. So it is known who made it,
and it counts against that source alone. A source over the limit is set aside: what it sends from then on is not opened
but becomes a dead letter (K06), which can be put back after ``sor rejected release``. What nobody signed (K05), and
what is no envelope at all, belongs to no source and is never counted here: else anybody could have another set aside.

Poison of many sources at once is no fault of theirs but of ours, such as a key that is not here: the process stops with
the batch uncommitted, before it drains a topic into the dead letters.

Counts live in the process. After a restart they begin anew, and nobody is set aside until poison comes again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from faults import OperatorFault, SenderFault
from monitoring import metrics

log = structlog.get_logger()

#: Records of a source looked back on, the share of poison among them that sets it aside, and how many there must be.
WINDOW: Final = 2000
SHARE: Final = 0.5
LEAST: Final = 200
#: So many sources set aside within so many seconds, and more than this share of all that were seen, are a bug of ours.
BUG_SOURCES: Final = 3
BUG_SHARE: Final = 0.5
BUG_SECONDS: Final = 3600.0


class TooMuchPoison(OperatorFault):
    """Unreadable records of more sources than faults of theirs explain. The stage stops with the batch uncommitted."""


class SetAside(SenderFault):
    """A record of a source that is set aside: nobody opens it until the source is released."""


class _Tally:
    """The last records of one source: 1 for poison, 0 for the others."""

    __slots__ = ("_at", "_ring", "bad")

    def __init__(self) -> None:
        self._ring, self._at, self.bad = bytearray(), 0, 0

    def add(self, bad: bool, window: int) -> None:
        """Count one record; the oldest beyond ``window`` is forgotten."""
        ring = self._ring
        if len(ring) < window:
            ring.append(bad)
        else:
            self.bad -= ring[self._at]
            ring[self._at] = bad
            self._at = (self._at + 1) % window
        self.bad += bad

    @property
    def read(self) -> int:
        """Records counted."""
        return len(self._ring)


class PoisonGuard:
    """Counts per source of the certificate; ``clock`` in seconds."""

    def __init__(
        self,
        stage: str,
        *,
        window: int = WINDOW,
        share: float = SHARE,
        least: int = LEAST,
        bug_sources: int = BUG_SOURCES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage, self._window, self._share, self._least = stage, window, share, least
        self._bug_sources, self._clock = bug_sources, clock
        self._tallies: dict[str, _Tally] = {}
        self._aside: dict[str, float] = {}  # source -> since when
        self._recent: deque[tuple[int, int]] = deque()  # records and poison of each batch, of all sources together
        self._read = self._bad = self._batch_read = self._batch_bad = 0

    def aside(self, source: str) -> bool:
        """Whether the source is set aside: its records are not to be opened."""
        return source in self._aside

    def check(self, source: str) -> None:
        """``SetAside`` for a source whose records are not to be opened."""
        if source in self._aside:
            raise SetAside("most records of this source cannot be opened: it is set aside until it is released")

    def seen(self, source: str, bad: bool) -> None:
        """One record of a source was opened, or was poison."""
        tally = self._tallies.get(source)
        if tally is None:
            tally = self._tallies[source] = _Tally()
        tally.add(bad, self._window)
        self._batch_read += 1
        if not bad:
            return
        self._batch_bad += 1
        if tally.bad >= self._least and tally.bad > self._share * tally.read and source not in self._aside:
            self._aside[source] = self._clock()
            log.error("source set aside", stage=self._stage, source=source, bad=tally.bad, read=tally.read)

    def release(self, source: str) -> None:
        """Take a source in again, with counts that begin anew; nothing for one that is not set aside."""
        if self._aside.pop(source, None) is not None:
            self._tallies.pop(source, None)
            log.warning("source released", stage=self._stage, source=source)

    def end_batch(self) -> None:
        """After every batch: shows the figures. ``TooMuchPoison`` when many sources went wrong at once."""
        self._share_of(self._batch_read, self._batch_bad)
        self._batch_read = self._batch_bad = 0
        metrics.QUARANTINED.labels(stage=self._stage).set(len(self._aside))
        now = self._clock()
        together = sum(now - since <= BUG_SECONDS for since in self._aside.values())
        if together >= self._bug_sources and together > BUG_SHARE * len(self._tallies):
            raise TooMuchPoison(
                f"{self._stage}: most records of {together} of the {len(self._tallies)} sources cannot be read. "
                "Nothing of this batch is committed. Look at the codes in sor.rejected: the cause is most likely ours, "
                "such as a key that is not here. After it is gone, start the stage again."
            )

    def _share_of(self, read: int, bad: int) -> None:
        """The share of poison over the last ``window`` records of all sources."""
        if read:
            self._recent.append((read, bad))
        self._read, self._bad = self._read + read, self._bad + bad
        while self._recent and self._read - self._recent[0][0] >= self._window:
            old_read, old_bad = self._recent.popleft()
            self._read, self._bad = self._read - old_read, self._bad - old_bad
        metrics.POISON_SHARE.labels(stage=self._stage).set(self._bad / self._read if self._read else 0)
