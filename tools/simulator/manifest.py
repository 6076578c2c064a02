"""The manifest of planted faults: what was done, in which files, in Dutch. It never names a BSN."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypedDict

from tools.simulator.fault_messages import KINDS

EXPLANATION = {
    **{kind: plan.explanation for kind, plan in KINDS.items()},
    "te_laat": "Bestanden die pas na alle andere komen.",
    "jw323_kopie": "Een declaratie die onder een andere naam nog eens komt.",
    "jw323_half": "Een declaratie waarvan de overdracht halverwege stopte; het hele bestand is er ook.",
    "jw323_credit": "Declaraties met creditregels en nieuwe debetregels.",
    "jw325_regel": "Declaraties waarvan regels zijn afgekeurd.",
    "jw325_technisch": "Declaratie die technisch is afgekeurd (0001) en onder andere nummers opnieuw komt.",
    "jw325_geheel": "Declaratie die als geheel is afgekeurd (9333) en onder andere nummers opnieuw komt.",
    "tr314": "Twee declaratieregels van één aanbieder met hetzelfde referentienummer.",
    "tr333": "Twee declaraties van één aanbieder met hetzelfde declaratienummer.",
    "antwoord_vooraf": "Antwoorden die eerder komen dan het bericht waar zij op antwoorden.",
    "rap_onbekend": "RAP-scores op een toewijzing die niemand kent.",
    "cbs_opnieuw": "CBS-bestand dat het eerdere vervangt: records weggelaten en gewijzigd.",
    "cbs_half": "CBS-bestand waarvan de overdracht halverwege stopte: het vervangt niets.",
    "rap_fout": "RAP-bestanden met onjuiste regels tussen de goede.",
    "rap_kopie": "Een RAP-bestand dat onder een andere naam nog eens komt.",
    "rap_half": "Een RAP-bestand waarvan de overdracht halverwege stopte; het hele bestand is er ook.",
    "rap_leeg": "Een leeg RAP-bestand.",
    "cem_fout": "CEM+-bestanden met onjuiste metingen tussen de goede.",
    "cem_kopie": "Een CEM+-bestand dat onder een andere naam nog eens komt.",
    "cem_leeg": "Een leeg CEM+-bestand.",
}


class Intervention(TypedDict):
    """One thing done: its kind and the files it concerns."""

    soort: str
    bestanden: list[str]


@dataclass(slots=True)
class Manifest:
    """What was done, for ``faults.json``."""

    interventions: list[Intervention] = field(default_factory=list)

    def add(self, kind: str, files: Iterable[str]) -> None:
        """Note one thing done; nothing when no file is concerned."""
        paths = sorted(files)
        if paths:
            self.interventions.append({"soort": kind, "bestanden": paths})

    def result(self) -> dict[str, Any]:
        """Kinds with their number and meaning, then every single one."""
        counts = Counter(i["soort"] for i in self.interventions)
        kinds = {s: {"aantal": n, "toelichting": EXPLANATION[s]} for s, n in sorted(counts.items())}
        return {"soorten": kinds, "ingrepen": self.interventions}
