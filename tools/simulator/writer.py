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

from tools.simulator.almere import LAYOUT, cbs_files, half_year
from tools.simulator.config import Progress, SimulationConfig
from tools.simulator.csv_files import (
    BERGOP_HEADER,
    CEM_HEADER,
    bergop_files,
    bergop_path,
    cem_files,
    cem_path,
    rap_files,
    rap_header,
    rap_path,
    style_of,
)
from tools.simulator.declarations import Declaraties
from tools.simulator.expected import Unlinked, expected, expected_cbs
from tools.simulator.expected_figures import Indicators
from tools.simulator.expected_more import More
from tools.simulator.faults import Faults
from tools.simulator.faults_csv import CsvFaults
from tools.simulator.manifest import Manifest
from tools.simulator.messages import Bericht, Identificaties, answered, berichten
from tools.simulator.model import World
from tools.simulator.output import Output
from tools.simulator.population import Numbers
from tools.simulator.readme import README
from tools.simulator.tables import DEFINITIONS


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written; ``files`` without expected.json, faults.json and README.txt, ``bytes`` with the last."""

    clients: int
    aanbieders: int
    trajecten: int
    leveringen: int
    metingen: int
    scores: int
    declaraties: int
    files: int
    bytes: int
    interventions: int
    cbs_records: int = 0

    def document(self) -> dict[str, int]:
        """The summary under the names of ``sor simulate --json``."""
        return {"bestanden" if name == "files" else name: number for name, number in asdict(self).items()}


@dataclass(slots=True)
class Writer:
    """One run of writing.

    The order is that of the sources; declarations come before the expectation, which counts them.
    """

    world: World
    numbers: Numbers
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
        faults = Faults(self.config, self.world, self.numbers, self.ids, self.manifest) if self.config.faults else None
        for index, client in enumerate(clients):
            made = berichten(client, Random(f"{seed}|berichten|{index}"), self.ids, self.config.until)
            if faults:
                made = faults.apply(index, client, made)
            self._write(made, Random(f"{seed}|antwoorden|{index}"))
            self.progress("JW301 tot JW308", index + 1, len(clients))
        if faults:
            self.manifest.add("te_laat", faults.late)

    def _write(self, made: list[Bericht], rng: Random) -> None:
        for bericht in made:
            style = self.world.aanbieders[bericht.header.aanbieder].style
            bericht.write(self.output, style)
            path = answered(bericht, self.ids, rng, self.output, style)
            self.manifest.add("antwoord_vooraf", [path] if path and bericht.beforehand else [])

    def _declaraties(self) -> None:
        c = self.config
        declaraties = Declaraties(c.seed, c.until, c.faults, self.ids, self.output, self.manifest)
        for done, file in enumerate(declaraties.write(self.world)):
            if self.csv_faults:
                self.csv_faults.jw323(*file)
            self.progress("JW323", done + 1, 0)
        self.manifest.add("jw323_credit", declaraties.credit_paths)

    def _rap(self) -> None:
        for done, (agb, month, rows) in enumerate(rap_files(self.world)):
            form = style_of(self.config.seed, "rap", agb, month)
            if self.csv_faults:
                self.csv_faults.rap(agb, month, form, rap_header(agb), rows)
            else:
                self.output.good("RAP", rap_path(agb, month), form.render(rap_header(agb), rows), len(rows))
            self.progress("RAP", done + 1, 0)

    def _cem(self) -> None:
        for done, (agb, month, rows) in enumerate(cem_files(self.world)):
            form = style_of(self.config.seed, "cem", agb, month)
            if self.csv_faults:
                self.csv_faults.cem(agb, month, form, CEM_HEADER, rows)
            else:
                self.output.good("CEM+", cem_path(agb, month), form.render(CEM_HEADER, rows), len(rows))
            self.progress("CEM+", done + 1, 0)

    def _bergop(self) -> None:
        for done, (agb, month, rows, foreign) in enumerate(bergop_files(self.world, self.config.seed)):
            form = style_of(self.config.seed, "bergop", agb, month)
            self.output.good("BergOp", bergop_path(agb, month), form.render(BERGOP_HEADER, rows), len(rows) - foreign)
            self.output.tallies["BergOp"].outside += foreign
            self.progress("BergOp", done + 1, 0)

    def _cbs(self) -> None:
        c = self.config
        for file in cbs_files(c.seed, c.until, self.world.almere, faults=c.faults):
            if file.half:
                self.output.unreadable("CBS", file.path, file.content, "B03")
                self.manifest.add("cbs_half", [file.path])
            else:
                self.output.good("CBS", file.path, file.content, file.records)
                self.manifest.add("cbs_opnieuw", [file.path] if "opnieuw" in file.path else [])
        if self.world.almere:
            self.output.write("cbs/layout.toml", LAYOUT.encode())

    def _expected(self) -> None:
        """``expected.json``: one traject a line, so that it can be streamed on both sides."""
        total, more, unlinked, first = Indicators(), More(self.config), Unlinked(), True
        clusters: dict[str, Indicators] = defaultdict(Indicators)
        unlinked.scores["toewijzing"] += self.csv_faults.unknown if self.csv_faults else 0
        with (self.out / "expected.json").open("w", encoding="utf-8", newline="\n") as file:
            file.write('{"configuratie":' + _json(self._configuration()) + ',\n"trajecten":[')
            for item in expected(self.world.clients, unlinked):
                total.add(item)
                clusters[item.row["cluster"]].add(item)
                more.add(item.row)
                file.write(("\n" if first else ",\n") + _json(item.row))
                first = False
            indicators = {
                "totaal": total.result(),
                "clusters": {name: cluster.result() for name, cluster in sorted(clusters.items())},
            }
            file.write('\n],\n"cbs":[')
            for number, row in enumerate(expected_cbs(self.world.almere)):
                more.add_cbs(row)
                file.write((",\n" if number else "\n") + _json(row))
            file.write('\n],\n"indicatoren":' + _json(indicators) + ',\n"verder":' + _json(more.result()))
            file.write(',\n"niet_gekoppeld":' + _json(unlinked.counts()) + ',\n"wacht":' + _json(unlinked.waits()))
            file.write(',\n"bronnen":' + _json(self._origins()) + "}\n")

    def _manifest(self) -> None:
        if self.config.faults:
            text = json.dumps(self.manifest.result(), ensure_ascii=False, indent=1)
            self.output.write("faults.json", f"{text}\n".encode())

    def _configuration(self) -> dict[str, Any]:
        c = self.config
        return {
            "clients": c.clients,
            "months": c.months,
            "seed": c.seed,
            "until": c.until.isoformat(),
            "faults": c.faults,
            "definities": DEFINITIONS.document(),
        }

    def _origins(self) -> dict[str, Any]:
        return {origin: tally.document() for origin, tally in sorted(self.output.tallies.items())}

    def _readme(self) -> None:
        c = self.config
        faults = " --faults" if c.faults else ""
        what = {"clients": c.clients, "months": c.months, "seed": c.seed, "until": c.until, "faults": faults}
        text = README.format(periode=half_year(c.until)[0], **what)
        self.output.write("README.txt", text.encode())

    def _summary(self) -> Summary:
        trajecten = [t for c in self.world.clients for t in c.trajecten if not t.alone]
        return Summary(
            clients=len(self.world.clients),
            aanbieders=len(self.world.aanbieders),
            trajecten=len(trajecten),
            leveringen=sum(len(t.leveringen) for t in trajecten),
            metingen=sum(len(c.metingen) for c in self.world.clients),
            scores=sum(len(t.scores) for t in trajecten),
            declaraties=sum(t.declaraties for t in trajecten),
            files=sum(t.files for t in self.output.tallies.values()),
            bytes=self.output.size,
            interventions=len(self.manifest.interventions),
            cbs_records=sum(len(c.records) for c in self.world.almere),
        )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
