"""Writes a world to a directory: messages and answers, declarations, scores, questionnaires, CBS files, and then what
must come out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tools.simulator.almere import LAYOUT, cbs_bestanden, halfjaar
from tools.simulator.config import Progress, SimulationConfig
from tools.simulator.csvfiles import (
    BERGOP_KOP,
    CEM_KOP,
    bergop_bestanden,
    bergop_pad,
    cem_bestanden,
    cem_pad,
    rap_bestanden,
    rap_kop,
    rap_pad,
    stijl,
)
from tools.simulator.declarations import Declaraties
from tools.simulator.expected import Los, verwacht, verwacht_cbs
from tools.simulator.expected_figures import Indicatoren
from tools.simulator.expected_more import Meer
from tools.simulator.faults import Faults
from tools.simulator.faults_csv import CsvFaults
from tools.simulator.manifest import Manifest
from tools.simulator.messages import Bericht, Identificaties, beantwoord, berichten
from tools.simulator.model import World
from tools.simulator.output import Output
from tools.simulator.population import Nummers
from tools.simulator.readme import README
from tools.simulator.tables import DEFINITIES


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written; `bestanden` without expected.json, faults.json and README.txt, `bytes` with the last."""

    clients: int
    aanbieders: int
    trajecten: int
    leveringen: int
    metingen: int
    scores: int
    declaraties: int
    bestanden: int
    bytes: int
    ingrepen: int
    cbs_records: int = 0


@dataclass(slots=True)
class Writer:
    """One run of writing.

    The order is that of the sources; declarations come before the expectation, which counts them.
    """

    world: World
    nummers: Nummers
    config: SimulationConfig
    out: Path
    progress: Progress
    ids: Identificaties = field(default_factory=Identificaties)
    manifest: Manifest = field(default_factory=Manifest)
    output: Output = field(init=False)
    csv_faults: CsvFaults | None = field(init=False)

    def __post_init__(self) -> None:
        self.output = Output(self.out)
        self.csv_faults = CsvFaults(self.config.seed, self.output, self.manifest) if self.config.faults else None

    def write(self) -> Summary:
        """Write everything; returns the summary."""
        self._berichten()
        self._declaraties()
        self._rap()
        self._cem()
        self._bergop()
        self._cbs()
        self._expected()
        self._manifest()
        self._readme()
        return self._summary()

    def _berichten(self) -> None:
        clients, seed = self.world.clients, self.config.seed
        faults = Faults(self.config, self.world, self.nummers, self.ids, self.manifest) if self.config.faults else None
        for index, client in enumerate(clients):
            made = berichten(client, Random(f"{seed}|berichten|{index}"), self.ids, self.config.until)
            if faults:
                made = faults.apply(index, client, made)
            self._schrijf(made, Random(f"{seed}|antwoorden|{index}"))
            self.progress("JW301 tot JW308", index + 1, len(clients))
        if faults:
            self.manifest.add("te_laat", faults.laat)

    def _schrijf(self, made: list[Bericht], rng: Random) -> None:
        for bericht in made:
            stijl_ = self.world.aanbieders[bericht.kop.aanbieder].stijl
            bericht.write(self.output, stijl_)
            pad = beantwoord(bericht, self.ids, rng, self.output, stijl_)
            self.manifest.add("antwoord_vooraf", [pad] if pad and bericht.vooraf else [])

    def _declaraties(self) -> None:
        c = self.config
        declaraties = Declaraties(c.seed, c.until, c.faults, self.ids, self.output, self.manifest)
        for done, bestand in enumerate(declaraties.write(self.world)):
            if self.csv_faults:
                self.csv_faults.jw323(*bestand)
            self.progress("JW323", done + 1, 0)
        self.manifest.add("jw323_credit", declaraties.credit_paden)

    def _rap(self) -> None:
        for done, (agb, maand, rows) in enumerate(rap_bestanden(self.world)):
            vorm = stijl(self.config.seed, "rap", agb, maand)
            if self.csv_faults:
                self.csv_faults.rap(agb, maand, vorm, rap_kop(agb), rows)
            else:
                self.output.good("RAP", rap_pad(agb, maand), vorm.render(rap_kop(agb), rows), len(rows))
            self.progress("RAP", done + 1, 0)

    def _cem(self) -> None:
        for done, (agb, maand, rows) in enumerate(cem_bestanden(self.world)):
            vorm = stijl(self.config.seed, "cem", agb, maand)
            if self.csv_faults:
                self.csv_faults.cem(agb, maand, vorm, CEM_KOP, rows)
            else:
                self.output.good("CEM+", cem_pad(agb, maand), vorm.render(CEM_KOP, rows), len(rows))
            self.progress("CEM+", done + 1, 0)

    def _bergop(self) -> None:
        for done, (agb, maand, rows, vreemd) in enumerate(bergop_bestanden(self.world, self.config.seed)):
            vorm = stijl(self.config.seed, "bergop", agb, maand)
            self.output.good("BergOp", bergop_pad(agb, maand), vorm.render(BERGOP_KOP, rows), len(rows) - vreemd)
            self.output.tellingen["BergOp"].buiten += vreemd
            self.progress("BergOp", done + 1, 0)

    def _cbs(self) -> None:
        c = self.config
        for bestand in cbs_bestanden(c.seed, c.until, self.world.almere, faults=c.faults):
            if bestand.half:
                self.output.unreadable("CBS", bestand.pad, bestand.inhoud, "B03")
                self.manifest.add("cbs_half", [bestand.pad])
            else:
                self.output.good("CBS", bestand.pad, bestand.inhoud, bestand.records)
                self.manifest.add("cbs_opnieuw", [bestand.pad] if "opnieuw" in bestand.pad else [])
        if self.world.almere:
            self.output.write("cbs/layout.toml", LAYOUT.encode())

    def _expected(self) -> None:
        """`expected.json`: one traject a line, so that it can be streamed on both sides."""
        totaal, meer, los, eerste = Indicatoren(), Meer(self.config), Los(), True
        clusters: dict[str, Indicatoren] = defaultdict(Indicatoren)
        los.scores["toewijzing"] += self.csv_faults.onbekend if self.csv_faults else 0
        with (self.out / "expected.json").open("w", encoding="utf-8", newline="\n") as file:
            file.write('{"configuratie":' + _json(self._configuratie()) + ',\n"trajecten":[')
            for item in verwacht(self.world.clients, los):
                totaal.add(item)
                clusters[item.row["cluster"]].add(item)
                meer.add(item.row)
                file.write(("\n" if eerste else ",\n") + _json(item.row))
                eerste = False
            indicatoren = {
                "totaal": totaal.result(),
                "clusters": {naam: cluster.result() for naam, cluster in sorted(clusters.items())},
            }
            file.write('\n],\n"cbs":[')
            for nummer, row in enumerate(verwacht_cbs(self.world.almere)):
                meer.add_cbs(row)
                file.write((",\n" if nummer else "\n") + _json(row))
            file.write('\n],\n"indicatoren":' + _json(indicatoren) + ',\n"verder":' + _json(meer.result()))
            file.write(',\n"niet_gekoppeld":' + _json(los.aantallen()) + ',\n"wacht":' + _json(los.wacht()))
            file.write(',\n"bronnen":' + _json(self._bronnen()) + "}\n")

    def _manifest(self) -> None:
        if self.config.faults:
            text = json.dumps(self.manifest.result(), ensure_ascii=False, indent=1)
            self.output.write("faults.json", f"{text}\n".encode())

    def _configuratie(self) -> dict[str, Any]:
        c = self.config
        return {
            "clients": c.clients,
            "months": c.months,
            "seed": c.seed,
            "until": c.until.isoformat(),
            "faults": c.faults,
            "definities": DEFINITIES._asdict(),
        }

    def _bronnen(self) -> dict[str, Any]:
        return {bron: asdict(telling) for bron, telling in sorted(self.output.tellingen.items())}

    def _readme(self) -> None:
        c = self.config
        faults = " --faults" if c.faults else ""
        wat = {"clients": c.clients, "months": c.months, "seed": c.seed, "until": c.until, "faults": faults}
        text = README.format(periode=halfjaar(c.until)[0], **wat)
        self.output.write("README.txt", text.encode())

    def _summary(self) -> Summary:
        trajecten = [t for c in self.world.clients for t in c.trajecten if not t.alleen]
        return Summary(
            clients=len(self.world.clients),
            aanbieders=len(self.world.aanbieders),
            trajecten=len(trajecten),
            leveringen=sum(len(t.leveringen) for t in trajecten),
            metingen=sum(len(c.metingen) for c in self.world.clients),
            scores=sum(len(t.scores) for t in trajecten),
            declaraties=sum(t.declaraties for t in trajecten),
            bestanden=sum(t.bestanden for t in self.output.tellingen.values()),
            bytes=self.output.omvang,
            ingrepen=len(self.manifest.ingrepen),
            cbs_records=sum(len(c.records) for c in self.world.almere),
        )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
