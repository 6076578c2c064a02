"""The rest of the national set over the expected rows: 3.2, respons in three kinds, probleemafname, the CBS variants.

Reference day (`peildatum`) is the last simulated day; each figure is over all rows, not one period.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tools.simulator.config import SimulationConfig
from tools.simulator.expected import Row
from tools.simulator.expected_figures import percentage
from tools.simulator.tables import BUITEN_UITKOMSTEN, DEFINITIES

AFGEROND = ("gepland", "client", "aanbieder", "wederzijds")  # 31 to 34
RATERS = {"B": "behandelaar", "O": "ouder", "C": "client"}


@dataclass(slots=True)
class Quotient:
    """A share: numerator and denominator."""

    teller: int = 0
    noemer: int = 0

    def tel(self, raak: object) -> None:
        """One more in the denominator, and in the numerator when `raak`."""
        self.noemer += 1
        self.teller += bool(raak)

    def result(self) -> dict[str, Any]:
        """Counts and percentage."""
        return {"teller": self.teller, "n": self.noemer, "percentage": percentage(self.teller, self.noemer)}


@dataclass(slots=True)
class _Groep:
    quotienten: dict[str, Quotient] = field(default_factory=lambda: defaultdict(Quotient))
    duurzaam: dict[int, Quotient] = field(default_factory=lambda: defaultdict(Quotient))
    probleem: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def result(self) -> dict[str, Any]:
        namen = ("geen_nieuwe_start", "geen_nieuwe_start_voorlopig", "respons_cem", "respons_scores")
        return {
            **{naam: self.quotienten[naam].result() for naam in namen},
            "respons_duurzaam": {str(jaar): q.result() for jaar, q in sorted(self.duurzaam.items())},
            "probleem": {naam: {str(n): self.probleem[rater][n] for n in (1, 2, 3)} for rater, naam in RATERS.items()},
        }


@dataclass(slots=True)
class Meer:
    """Counters of all clusters and in total, and of the CBS files."""

    config: SimulationConfig
    totaal: _Groep = field(default_factory=_Groep)
    clusters: dict[str, _Groep] = field(default_factory=lambda: defaultdict(_Groep))
    cbs: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Count one traject of the region, unless it is no jeugdhulp or waits for its start."""
        if row["categorie"] in BUITEN_UITKOMSTEN or row["status"].startswith("wacht"):
            return
        for groep in (self.totaal, self.clusters[row["cluster"]]):
            self._tel(groep, row)

    def _tel(self, groep: _Groep, row: Row) -> None:
        peil, q = self.config.until, groep.quotienten
        einde = date.fromisoformat(row["einddatum"]) if row["einddatum"] else None
        if einde and row["uitval_klasse"] in AFGEROND:
            vast = einde <= peil - timedelta(days=DEFINITIES.nieuwe_start)
            q["geen_nieuwe_start" if vast else "geen_nieuwe_start_voorlopig"].tel(row["nieuwe_start"] is None)
        if einde and row["reden"] != "02":
            gescoord = [w for w in (*row["gas"].values(), *row["probleem"].values()) if w is not None]
            q["respons_scores"].tel(gescoord)
            if row["intensiteit"] != "duurzaam" and einde <= peil - timedelta(days=DEFINITIES.respons_na):
                q["respons_cem"].tel(row["metingen_einde"])
        if row["intensiteit"] == "duurzaam":
            self._jaren(groep, row, einde)
        for rater, waarde in row["probleem"].items():
            groep.probleem[rater].update([waarde] if waarde is not None else [])

    def _jaren(self, groep: _Groep, row: Row, einde: date | None) -> None:
        """Long care that ran from the first to the last day of a calendar year that is over."""
        begin = date.fromisoformat(row["begindatum"])
        for jaar in range(self.config.first.year, self.config.until.year + 1):
            oud = date(jaar, 12, 31)
            if begin <= date(jaar, 1, 1) and oud <= self.config.until and (einde is None or einde >= oud):
                groep.duurzaam[jaar].tel(jaar in row["metingen_jaren"])

    def add_cbs(self, row: Row) -> None:
        """Count one traject of a CBS file."""
        self.cbs.append(row)

    def result(self) -> dict[str, Any]:
        """Per cluster, in total, and for the CBS files."""
        return {
            "peildatum": self.config.until.isoformat(),
            "totaal": self.totaal.result(),
            "clusters": {naam: groep.result() for naam, groep in sorted(self.clusters.items())},
            "cbs": self._cbs(),
        }

    def _cbs(self) -> dict[str, Any]:
        klassen = Counter(row["uitval_klasse"] for row in self.cbs if row["einddatum"])
        n = klassen.total()
        uitval = {k: klassen[k] for k in ("wederzijds", "client", "aanbieder", "neutraal")}  # reden 02 to 05
        nut = self._waarden(lambda row: (row["nut_jeugdige"], row["nut_ouder"]))
        hulp = self._waarden(lambda row: (row["zonder_hulp_jeugdige"], row["zonder_hulp_ouder"]))
        goed = sum(hulp[optie] for optie in DEFINITIES.zonder_hulp_goed)
        som = sum(cijfer * aantal for cijfer, aantal in nut.items())
        return {
            "uitval": {
                "n": n,
                "uitval": sum(uitval.values()),
                **uitval,
                "percentage": percentage(n - klassen["gepland"], n),
            },
            "nut": {
                "n": nut.total(),
                "gemiddelde": round(som / nut.total(), 6) if nut else None,
                "verdeling": {str(cijfer): nut[cijfer] for cijfer in range(1, 11)},
            },
            "zonder_hulp": {
                "n": hulp.total(),
                "zonder_hulp": goed,
                "percentage": percentage(goed, hulp.total()),
                "verdeling": {str(optie): hulp[optie] for optie in range(1, 5)},
            },
        }

    def _waarden(self, van: Callable[[Row], tuple[int | None, int | None]]) -> Counter[int]:
        return Counter(waarde for row in self.cbs for waarde in van(row) if waarde is not None)
