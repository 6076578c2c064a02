"""What to simulate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from tools.simulator.model import first_day, month_of

Progress = Callable[[str, int, int], None]  # step, done, total


@dataclass(frozen=True, slots=True)
class SimulationConfig:
    """Number of clients, whole months that end in the month of ``until``, and the seed that fixes every byte.

    ``faults`` plants errors and corrections; ``force`` replaces an earlier simulation in the same directory.
    """

    clients: int = 1000
    months: int = 24
    seed: int = 1
    until: date = date(2026, 6, 30)
    faults: bool = False
    force: bool = False

    @property
    def first(self) -> date:
        """First day of the simulated period."""
        return first_day(month_of(self.until) - self.months + 1)
