"""The indicators that the rows of a region must give: domain numbers 1, 2, 3.1 and 3.4, per cluster and in total."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tools.simulator.expected import Row, Verwacht
from tools.simulator.tables import BUITEN_UITKOMSTEN, DEFINITIES, UITVAL_KLASSE

UITVAL = ("client", "aanbieder", "wederzijds")


@dataclass(slots=True)
class Indicatoren:
    """Counters of one group of trajecten (a cluster, or all).

    Counts, and shares in percent of the stated n; None where n = 0.
    """

    status: Counter[str] = field(default_factory=Counter)
    klasse: Counter[str] = field(default_factory=Counter)
    reden: Counter[str] = field(default_factory=Counter)
    nut: Counter[int] = field(default_factory=Counter)
    nut_leeg: int = 0
    hulp: Counter[int] = field(default_factory=Counter)
    hulp_leeg: int = 0
    gas: Counter[int] = field(default_factory=Counter)
    gas_x: int = 0

    def add(self, verwacht: Verwacht) -> None:
        """Count one traject, unless it is no jeugdhulp."""
        row = verwacht.row
        if row["categorie"] in BUITEN_UITKOMSTEN:
            return
        self.nut_leeg += verwacht.nut_leeg
        self.hulp_leeg += verwacht.hulp_leeg
        self.status[row["status"]] += 1
        if row["status"] == "beeindigd":
            self.klasse[row["uitval_klasse"]] += 1
            self.reden[str(row["reden"])] += 1
        self._metingen(row)
        for waarde in row["gas"].values():
            if waarde is None:
                self.gas_x += 1
            else:
                self.gas[waarde] += 1

    def _metingen(self, row: Row) -> None:
        for cijfer in (row["nut_jeugdige"], row["nut_ouder"]):
            if cijfer is not None:
                self.nut[cijfer] += 1
        for optie in (row["zonder_hulp_jeugdige"], row["zonder_hulp_ouder"]):
            if optie is not None:
                self.hulp[optie] += 1

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
        aantal = sum(self.klasse[k] for k in UITVAL)
        n = aantal + self.klasse["gepland"]
        uitgesloten = {
            r: c for r, c in sorted(self.reden.items()) if UITVAL_KLASSE[r] in ("neutraal", "administratief")
        }
        return {
            "n": n,
            "uitval": aantal,
            "percentage": percentage(aantal, n),
            **{k: {"aantal": self.klasse[k], "percentage": percentage(self.klasse[k], n)} for k in UITVAL},
            "gepland": self.klasse["gepland"],
            "uitgesloten": sum(uitgesloten.values()),
            "uitgesloten_redenen": uitgesloten,
        }

    def _nut(self) -> dict[str, Any]:
        n = self.nut.total()
        laag = sum(c for cijfer, c in self.nut.items() if cijfer <= DEFINITIES.laag)
        hoog = sum(c for cijfer, c in self.nut.items() if cijfer >= DEFINITIES.hoog)
        return {
            "n": n,
            "gemiddelde": round(sum(cijfer * c for cijfer, c in self.nut.items()) / n, 6) if n else None,
            "verdeling": {str(cijfer): self.nut[cijfer] for cijfer in range(1, 11)},
            "banden": {"<=4": laag, ">4 en <8": n - laag - hoog, ">=8": hoog},
            "uitgesloten": self.nut_leeg,
        }

    def _zonder_hulp(self) -> dict[str, Any]:
        n = self.hulp.total()
        goed = sum(self.hulp[optie] for optie in DEFINITIES.zonder_hulp_goed)
        return {
            "n": n,
            "verdeling": {str(optie): self.hulp[optie] for optie in range(1, 5)},
            "zonder_hulp": goed,
            "percentage": percentage(goed, n),
            "uitgesloten": self.hulp_leeg,
        }

    def _gas(self) -> dict[str, Any]:
        n, bereikt = self.gas.total(), self.gas[2]
        return {
            "n": n,
            "verdeling": {str(waarde): self.gas[waarde] for waarde in (-1, 0, 1, 2)},
            "bereikt": bereikt,
            "bereikt_percentage": percentage(bereikt, n),
            "minstens_deels": bereikt + self.gas[1],
            "minstens_deels_percentage": percentage(bereikt + self.gas[1], n),
            "uitgesloten": self.gas_x,
        }


def percentage(deel: int, n: int) -> float | None:
    """Share in percent; None of nothing."""
    return round(100 * deel / n, 6) if n else None
