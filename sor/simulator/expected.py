"""What must come out: one row per traject, indicators per cluster and in total.

Computed from the decisions, not from the files.

A row has the fields of `Row`. Dates are ISO text. `gas` maps goal and rater ("1O") to -1..2, `probleem` maps the
rater ("B") to 1..3;
None in a map is the value x (no score given). `metingen` and `scores` count what is linked, earlier metingen and x
included; a repeated
score counts once. `code` is that of the last levering of the chain ('' = none given).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict

from sor.simulator.model import Client, Meting, Traject
from sor.simulator.tables import CLUSTER_VAN, DEFINITIES, UITVAL_KLASSE

UITVAL = ("client", "aanbieder", "wederzijds")


class Verloop(TypedDict):
    """The course of one expected traject."""

    index: int
    aanbieder: str
    gemeente: str
    cluster: str
    categorie: str
    code: str
    begindatum: str
    einddatum: str | None
    reden: str | None
    uitval_klasse: str
    status: str
    leveringen: int


class Row(Verloop):
    """One expected traject with its outcomes."""

    nut_jeugdige: int | None
    nut_ouder: int | None
    zonder_hulp_jeugdige: int | None
    zonder_hulp_ouder: int | None
    gas: dict[str, int | None]
    probleem: dict[str, int | None]
    metingen: int
    scores: int
    declaraties: int


@dataclass(slots=True)
class NietGekoppeld:
    """Accepted facts that belong to no traject."""

    metingen: int = 0
    scores: int = 0


class Verwacht(NamedTuple):
    """A row, and how many of its counting metingen (latest per group) lack the mark and the question of 3.1."""

    row: Row
    nut_leeg: int
    hulp_leeg: int


def verwacht(clients: Iterable[Client], los: NietGekoppeld) -> Iterator[Verwacht]:
    """Expected rows in the simulator's order; what links to nothing is counted in `los`."""
    index = 0
    for client in clients:
        linked: dict[Traject, list[Meting]] = {t: [] for t in client.trajecten}
        for meting in client.metingen:
            traject = _traject_van(client, meting)
            if traject is None:
                los.metingen += 1
            else:
                linked[traject].append(meting)
        for traject in client.trajecten:
            index += 1
            yield _row(index, traject, linked[traject], los)


def _traject_van(client: Client, meting: Meting) -> Traject | None:
    """Einde: nearest Einddatum with the meting in its window, then the earliest begin.

    Duurzaam: the traject running on the day.
    """
    voor, na = DEFINITIES.meting_voor, DEFINITIES.meting_na
    found = []
    for t in client.trajecten:
        if t.aanbieder != meting.aanbieder:
            continue
        if meting.einde and t.einde:
            afstand = (meting.datum - t.einde.einddatum).days
            if -voor <= afstand <= na:
                found.append((abs(afstand), t.begindatum, t))
        elif (
            not meting.einde and t.begindatum <= meting.datum and (t.einde is None or meting.datum <= t.einde.einddatum)
        ):
            found.append((0, t.begindatum, t))
    return min(found, key=lambda item: item[:2])[2] if found else None


def _row(index: int, traject: Traject, metingen: list[Meting], los: NietGekoppeld) -> Verwacht:
    laatste = {m.groep: m.antwoorden for m in sorted(metingen, key=lambda m: m.datum)}
    scores = {s.type: s.waarde for s in sorted(traject.scores, key=lambda s: s.maand)}
    if traject.score_wijze == "beschikking":
        los.scores += len(scores)
        scores = {}
    row: Row = {
        **_verloop(index, traject),
        "nut_jeugdige": _antwoord(laatste, "J", DEFINITIES.vraag_nut),
        "nut_ouder": _antwoord(laatste, "O", DEFINITIES.vraag_nut),
        "zonder_hulp_jeugdige": _antwoord(laatste, "J", DEFINITIES.vraag_zonder_hulp),
        "zonder_hulp_ouder": _antwoord(laatste, "O", DEFINITIES.vraag_zonder_hulp),
        "gas": {t[1:]: _waarde(w) for t, w in scores.items() if t[0] == "D"},
        "probleem": {t[1:]: _waarde(w) for t, w in scores.items() if t[0] == "P"},
        "metingen": len(metingen),
        "scores": len(scores),
        "declaraties": traject.declaraties,
    }
    nut_leeg = sum(DEFINITIES.vraag_nut not in a for a in laatste.values())
    hulp_leeg = sum(DEFINITIES.vraag_zonder_hulp not in a for a in laatste.values())
    return Verwacht(row, nut_leeg, hulp_leeg)


def _verloop(index: int, traject: Traject) -> Verloop:
    einde = traject.einde
    return {
        "index": index,
        "aanbieder": traject.aanbieder,
        "gemeente": traject.gemeente,
        "cluster": CLUSTER_VAN[traject.gemeente],
        "categorie": traject.categorie,
        "code": traject.leveringen[-1].code,
        "begindatum": traject.begindatum.isoformat(),
        "einddatum": einde.einddatum.isoformat() if einde else None,
        "reden": einde.reden if einde else None,
        "uitval_klasse": UITVAL_KLASSE[einde.reden] if einde else "",
        "status": traject.status,
        "leveringen": len(traject.leveringen),
    }


def _antwoord(laatste: dict[str, dict[str, str]], groep: str, vraag: str) -> int | None:
    waarde = laatste.get(groep, {}).get(vraag)
    return None if waarde is None else int(waarde)


def _waarde(tekst: str) -> int | None:
    return None if tekst == "x" else int(tekst)


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
        """Count one traject."""
        row = verwacht.row
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
            "percentage": _percentage(aantal, n),
            **{k: {"aantal": self.klasse[k], "percentage": _percentage(self.klasse[k], n)} for k in UITVAL},
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
            "percentage": _percentage(goed, n),
            "uitgesloten": self.hulp_leeg,
        }

    def _gas(self) -> dict[str, Any]:
        n, bereikt = self.gas.total(), self.gas[2]
        return {
            "n": n,
            "verdeling": {str(waarde): self.gas[waarde] for waarde in (-1, 0, 1, 2)},
            "bereikt": bereikt,
            "bereikt_percentage": _percentage(bereikt, n),
            "minstens_deels": bereikt + self.gas[1],
            "minstens_deels_percentage": _percentage(bereikt + self.gas[1], n),
            "uitgesloten": self.gas_x,
        }


def _percentage(deel: int, n: int) -> float | None:
    return round(100 * deel / n, 6) if n else None
