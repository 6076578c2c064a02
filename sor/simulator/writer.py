"""Writes a world to a directory: messages, declarations, scores, questionnaires, and then what must come out."""

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from sor.simulator.config import Progress, SimulationConfig
from sor.simulator.csvfiles import CEM_KOP, cem_bestanden, cem_pad, rap_bestanden, rap_kop, rap_pad, stijl
from sor.simulator.declarations import Declaraties
from sor.simulator.expected import Indicatoren, NietGekoppeld, verwacht
from sor.simulator.faults import Faults
from sor.simulator.faults_csv import CsvFaults
from sor.simulator.manifest import Manifest
from sor.simulator.messages import Identificaties, berichten
from sor.simulator.model import World
from sor.simulator.output import Output
from sor.simulator.population import Nummers
from sor.simulator.readme import README
from sor.simulator.tables import DEFINITIES


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
            for bericht in made:
                bericht.write(self.output, self.world.aanbieders[bericht.kop.aanbieder].stijl)
            self.progress("JW305 en JW307", index + 1, len(clients))
        if faults:
            self.manifest.add("te_laat", faults.laat)

    def _declaraties(self) -> None:
        declaraties = Declaraties(self.config.seed, self.config.until, self.config.faults, self.ids, self.output)
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

    def _expected(self) -> None:
        """`expected.json`: one traject a line, so that it can be streamed on both sides."""
        totaal, los, eerste = Indicatoren(), NietGekoppeld(), True
        clusters: dict[str, Indicatoren] = defaultdict(Indicatoren)
        with (self.out / "expected.json").open("w", encoding="utf-8", newline="\n") as file:
            file.write('{"configuratie":' + _json(self._configuratie()) + ',\n"trajecten":[')
            for item in verwacht(self.world.clients, los):
                totaal.add(item)
                clusters[item.row["cluster"]].add(item)
                file.write(("\n" if eerste else ",\n") + _json(item.row))
                eerste = False
            indicatoren = {
                "totaal": totaal.result(),
                "clusters": {naam: cluster.result() for naam, cluster in sorted(clusters.items())},
            }
            file.write('\n],\n"indicatoren":' + _json(indicatoren) + ',\n"niet_gekoppeld":' + _json(asdict(los)))
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
        text = README.format(clients=c.clients, months=c.months, seed=c.seed, until=c.until, faults=faults)
        self.output.write("README.txt", text.encode())

    def _summary(self) -> Summary:
        trajecten = [t for c in self.world.clients for t in c.trajecten]
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
        )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
