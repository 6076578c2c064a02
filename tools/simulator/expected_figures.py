"""The indicators that the rows of a region must give: domain numbers 1, 2, 3.1 and 3.4, per cluster and in total."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tools.simulator.expected import Expected, Row
from tools.simulator.tables import DEFINITIONS, OUTSIDE_OUTCOMES, UITVAL_KLASSE

UITVAL = ("client", "aanbieder", "wederzijds")


@dataclass(slots=True)
class Indicators:
    """Counters of one group of trajecten (a cluster, or all).

    Counts, and shares in percent of the stated n; None where n = 0.
    """

    status: Counter[str] = field(default_factory=Counter)
    klasse: Counter[str] = field(default_factory=Counter)
    reden: Counter[str] = field(default_factory=Counter)
    nut: Counter[int] = field(default_factory=Counter)
    nut_empty: int = 0
    zonder_hulp: Counter[int] = field(default_factory=Counter)
    zonder_hulp_empty: int = 0
    gas: Counter[int] = field(default_factory=Counter)
    gas_x: int = 0

    def add(self, expected: Expected) -> None:
        """Count one traject, unless it is no jeugdhulp."""
        row = expected.row
        if row["categorie"] in OUTSIDE_OUTCOMES:
            return
        self.nut_empty += expected.nut_empty
        self.zonder_hulp_empty += expected.zonder_hulp_empty
        self.status[row["status"]] += 1
        if row["status"] == "beeindigd":
            self.klasse[row["uitval_klasse"]] += 1
            self.reden[str(row["reden"])] += 1
        self._metingen(row)
        for value in row["gas"].values():
            if value is None:
                self.gas_x += 1
            else:
                self.gas[value] += 1

    def _metingen(self, row: Row) -> None:
        for mark in (row["nut_jeugdige"], row["nut_ouder"]):
            if mark is not None:
                self.nut[mark] += 1
        for option in (row["zonder_hulp_jeugdige"], row["zonder_hulp_ouder"]):
            if option is not None:
                self.zonder_hulp[option] += 1

    def result(self) -> dict[str, Any]:
        """The indicators by name (domain numbers 1, 2, 3.1 and 3.4)."""
        return {
            "trajecten": {s: self.status[s] for s in ("beeindigd", "gepauzeerd", "lopend")},
            "uitval": self._uitval(),
            "nut": self._nut(),
            "zonder_hulp": self._zonder_hulp(),
            "gas": self._gas(),
        }

    def _uitval(self) -> dict[str, Any]:
        count = sum(self.klasse[k] for k in UITVAL)
        n = count + self.klasse["gepland"]
        excluded = {r: c for r, c in sorted(self.reden.items()) if UITVAL_KLASSE[r] in ("neutraal", "administratief")}
        return {
            "n": n,
            "uitval": count,
            "percentage": percentage(count, n),
            **{k: {"aantal": self.klasse[k], "percentage": percentage(self.klasse[k], n)} for k in UITVAL},
            "gepland": self.klasse["gepland"],
            "uitgesloten": sum(excluded.values()),
            "uitgesloten_redenen": excluded,
        }

    def _nut(self) -> dict[str, Any]:
        n = self.nut.total()
        low = sum(c for mark, c in self.nut.items() if mark <= DEFINITIONS.low)
        high = sum(c for mark, c in self.nut.items() if mark >= DEFINITIONS.high)
        return {
            "n": n,
            "gemiddelde": round(sum(mark * c for mark, c in self.nut.items()) / n, 6) if n else None,
            "verdeling": {str(mark): self.nut[mark] for mark in range(1, 11)},
            "banden": {"<=4": low, ">4 en <8": n - low - high, ">=8": high},
            "uitgesloten": self.nut_empty,
        }

    def _zonder_hulp(self) -> dict[str, Any]:
        n = self.zonder_hulp.total()
        good = sum(self.zonder_hulp[option] for option in DEFINITIONS.zonder_hulp_good)
        return {
            "n": n,
            "verdeling": {str(option): self.zonder_hulp[option] for option in range(1, 5)},
            "zonder_hulp": good,
            "percentage": percentage(good, n),
            "uitgesloten": self.zonder_hulp_empty,
        }

    def _gas(self) -> dict[str, Any]:
        n, reached = self.gas.total(), self.gas[2]
        return {
            "n": n,
            "verdeling": {str(value): self.gas[value] for value in (-1, 0, 1, 2)},
            "bereikt": reached,
            "bereikt_percentage": percentage(reached, n),
            "minstens_deels": reached + self.gas[1],
            "minstens_deels_percentage": percentage(reached + self.gas[1], n),
            "uitgesloten": self.gas_x,
        }


def percentage(part: int, n: int) -> float | None:
    """Share in percent; None of nothing."""
    return round(100 * part / n, 6) if n else None
