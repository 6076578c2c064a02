"""How long the supervisor waits, for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds. Tests use smaller ones."""

    first_backoff: float = 1.0
    longest_backoff: float = 8.0  # what hangs is seen within 13 s and works again within 30 s of that: so much is left
    healthy: float = 10.0  # after so long in good health the next backoff is the first again
    tick: float = 0.1  # how soon a death is noticed
    starting_poll: float = 0.25
    ready_poll: float = 1.0
    gap: float = 2.0  # our own loop stood still for longer: whoever was silent in that time is counted anew
    grace: float = 2.0  # from SIGTERM to SIGKILL for what hangs
    beat: float = 0.5  # between two signs of life of our own
    external: float = 20.0  # how long something that is not ours may keep silent before we give up
    early_deaths: int = 5  # deaths without ever having been ready, after which starting again is pointless


class Backoff:
    """How long to wait before the next start: 1 s, 2 s, 4 s, 8 s, 8 s …; 1 s again after ten seconds in good health."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._next = timing.first_backoff

    def after(self, healthy_seconds: float) -> float:
        """Seconds to wait, given how long the process was ready before it died."""
        if healthy_seconds >= self._timing.healthy:
            self._next = self._timing.first_backoff
        delay = self._next
        self._next = min(delay * 2, self._timing.longest_backoff)
        return delay
