"""The rest of the national set over the expected rows: 3.2, respons in three kinds, probleemafname, the CBS variants.

Reference day (``peildatum``) is the last simulated day; each figure is over all rows, not one period.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from domain.field.spic import LONG_LASTING
from tools.simulator.config import SimulationConfig
from tools.simulator.expected import Row
from tools.simulator.expected_figures import percentage
from tools.simulator.tables import DEFINITIONS, OUTSIDE_OUTCOMES

COMPLETED = ("gepland", "client", "aanbieder", "wederzijds")  # 31 to 34
RATERS = {"B": "behandelaar", "O": "ouder", "C": "client"}


@dataclass(slots=True)
class Quotient:
    """A share: numerator and denominator."""

    numerator: int = 0
    denominator: int = 0

    def count(self, hit: object) -> None:
        """One more in the denominator, and in the numerator when ``hit``."""
        self.denominator += 1
        self.numerator += bool(hit)

    def result(self) -> dict[str, Any]:
        """Counts and percentage."""
        return {
            "teller": self.numerator,
            "n": self.denominator,
            "percentage": percentage(self.numerator, self.denominator),
        }


@dataclass(slots=True)
class _Group:
    quotients: dict[str, Quotient] = field(default_factory=lambda: defaultdict(Quotient))
    duurzaam: dict[int, Quotient] = field(default_factory=lambda: defaultdict(Quotient))
    probleem: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def result(self) -> dict[str, Any]:
        names = ("geen_nieuwe_start", "geen_nieuwe_start_voorlopig", "respons_cem", "respons_scores")
        return {
            **{name: self.quotients[name].result() for name in names},
            "respons_duurzaam": {str(year): q.result() for year, q in sorted(self.duurzaam.items())},
            "probleem": {name: {str(n): self.probleem[rater][n] for n in (1, 2, 3)} for rater, name in RATERS.items()},
        }


@dataclass(slots=True)
class More:
    """Counters of all clusters and in total, and of the CBS files."""

    config: SimulationConfig
    total: _Group = field(default_factory=_Group)
    clusters: dict[str, _Group] = field(default_factory=lambda: defaultdict(_Group))
    cbs: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Count one traject of the region, unless it is no jeugdhulp or waits for its start."""
        if row["categorie"] in OUTSIDE_OUTCOMES or row["status"].startswith("wacht"):
            return
        for group in (self.total, self.clusters[row["cluster"]]):
            self._count(group, row)

    def _count(self, group: _Group, row: Row) -> None:
        reference, q = self.config.until, group.quotients
        end = date.fromisoformat(row["einddatum"]) if row["einddatum"] else None
        if end and row["uitval_klasse"] in COMPLETED:
            definite = end <= reference - timedelta(days=DEFINITIONS.new_start_days)
            q["geen_nieuwe_start" if definite else "geen_nieuwe_start_voorlopig"].count(row["nieuwe_start"] is None)
        if end and row["reden"] != "02":
            scored = [w for w in (*row["gas"].values(), *row["probleem"].values()) if w is not None]
            q["respons_scores"].count(scored)
            if row["intensiteit"] not in LONG_LASTING and end <= reference - timedelta(days=DEFINITIONS.respons_after):
                q["respons_cem"].count(row["metingen_einde"])
        if row["intensiteit"] in LONG_LASTING:
            self._years(group, row, end)
        for rater, value in row["probleem"].items():
            group.probleem[rater].update([value] if value is not None else [])

    def _years(self, group: _Group, row: Row, end: date | None) -> None:
        """Long care that ran from the first to the last day of a calendar year that is over."""
        begin = date.fromisoformat(row["begindatum"])
        for year in range(self.config.first.year, self.config.until.year + 1):
            last_day = date(year, 12, 31)
            if begin <= date(year, 1, 1) and last_day <= self.config.until and (end is None or end >= last_day):
                group.duurzaam[year].count(year in row["metingen_jaren"])

    def add_cbs(self, row: Row) -> None:
        """Count one traject of a CBS file."""
        self.cbs.append(row)

    def result(self) -> dict[str, Any]:
        """Per cluster, in total, and for the CBS files."""
        return {
            "peildatum": self.config.until.isoformat(),
            "totaal": self.total.result(),
            "clusters": {name: group.result() for name, group in sorted(self.clusters.items())},
            "cbs": self._cbs(),
        }

    def _cbs(self) -> dict[str, Any]:
        classes = Counter(row["uitval_klasse"] for row in self.cbs if row["einddatum"])
        n = classes.total()
        uitval = {k: classes[k] for k in ("wederzijds", "client", "aanbieder", "neutraal")}  # reden 02 to 05
        nut = self._values(lambda row: (row["nut_jeugdige"], row["nut_ouder"]))
        zonder_hulp = self._values(lambda row: (row["zonder_hulp_jeugdige"], row["zonder_hulp_ouder"]))
        good = sum(zonder_hulp[option] for option in DEFINITIONS.zonder_hulp_good)
        summed = sum(mark * count for mark, count in nut.items())
        return {
            "uitval": {
                "n": n,
                "uitval": sum(uitval.values()),
                **uitval,
                "percentage": percentage(n - classes["gepland"], n),
            },
            "nut": {
                "n": nut.total(),
                "gemiddelde": round(summed / nut.total(), 6) if nut else None,
                "verdeling": {str(mark): nut[mark] for mark in range(1, 11)},
            },
            "zonder_hulp": {
                "n": zonder_hulp.total(),
                "zonder_hulp": good,
                "percentage": percentage(good, zonder_hulp.total()),
                "verdeling": {str(option): zonder_hulp[option] for option in range(1, 5)},
            },
        }

    def _values(self, of: Callable[[Row], tuple[int | None, int | None]]) -> Counter[int]:
        return Counter(value for row in self.cbs for value in of(row) if value is not None)
