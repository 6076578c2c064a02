"""Which fault comes when: drawn from a seed alone, so that a run can be done again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from local.services import STAGES

How = Literal["KILL", "TERM", "STOP"]
HOWS: Final[tuple[How, ...]] = ("KILL", "TERM", "STOP")
SUPERVISOR: Final = "supervisor"
VICTIMS: Final = (*STAGES, "exporter", "intake", "kafka", "clickhouse", SUPERVISOR)
#: Seconds that a stopped process stands still.
SHORTEST, LONGEST = 3.0, 20.0
#: Seconds of rest before a fault, and between the two of a pair.
_REST: Final = (0.5, 4.0)
_GAP: Final = (0.0, 30.0)
#: Of how many faults one is a pair.
_PAIR: Final = 5


@dataclass(frozen=True)
class Fault:
    """What happens to whom; ``seconds``: how long it stands still (STOP); ``rest``: seconds that go before it.

    ``then``: a second fault, ``rest`` of which is counted from the moment of this one.
    """

    how: How
    whom: str
    seconds: float = 0.0
    rest: float = 0.0
    then: Fault | None = None

    def words(self) -> str:
        """In a few words."""
        return f"{self.how} {self.whom}" + (f" for {self.seconds:.0f} s" if self.how == "STOP" else "")


def plan(seed: int) -> Iterator[Fault]:
    """Without an end. In each round everybody is struck once, in another order; over three rounds in every way."""
    draw = Random(seed)
    ways = {whom: draw.sample(HOWS, len(HOWS)) for whom in VICTIMS}
    turn = 0
    while True:
        for whom in draw.sample(VICTIMS, len(VICTIMS)):
            how = ways[whom][turn % len(HOWS)]
            second = _second(draw, whom) if draw.randrange(_PAIR) == 0 else None
            yield Fault(how, whom, _stands(draw, how), draw.uniform(*_REST), second)
        turn += 1


def _second(draw: Random, first: str) -> Fault | None:
    """Never on or after the supervisor: that one is everybody's fault already."""
    others = [whom for whom in VICTIMS if whom not in (first, SUPERVISOR)]
    if first == SUPERVISOR:
        return None
    how = draw.choice(HOWS)
    return Fault(how, draw.choice(others), _stands(draw, how), draw.uniform(*_GAP))


def _stands(draw: Random, how: How) -> float:
    return draw.uniform(SHORTEST, LONGEST) if how == "STOP" else 0.0
