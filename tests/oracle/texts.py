"""The definitions as the second reading has them: what the texts leave to a number, a class or a table.

Part of the oracle: shares no code with the fold. ``AS_SHIPPED`` is written down here once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.field.codes import REDENEN
from domain.field.definitions import Definitions
from domain.field.spic import SHIPPED as SPICS
from domain.field.spic import Spic

#: Questionnaire -> informant group and kind: O = ouders, J = jongeren, E = einde, D = duurzaam [R].
LISTS = {
    "CEM+_2018_OE_v1": ("ouder", "einde"),
    "CEM+_2018_JE_v1": ("jeugdige", "einde"),
    "CEM+_2018_OD_v1": ("ouder", "duurzaam"),
    "CEM+_2018_JD_v1": ("jeugdige", "duurzaam"),
}


@dataclass(frozen=True)
class Texts:
    """Windows in days, classes of end reasons, questionnaires, what they ask, and the products."""

    chain: int = 30  # [P]
    before_end: int = 30  # [P]
    after_end: int = 90  # [P]
    follow_up: int = 365  # [P]
    response: int = 90  # [P]
    #: CBS 3.7 -> class for uitval [R]; 03 by the client [F].
    cbs: Mapping[str, str] = field(
        default_factory=lambda: {
            "01": "gepland",
            "02": "wederzijds",
            "03": "client",
            "04": "aanbieder",
            "05": "neutraal",
        }
    )
    ijw: Mapping[str, str] = field(default_factory=lambda: {code: reden.klasse for code, reden in REDENEN.items()})
    lists: Mapping[str, tuple[str, str]] = field(default_factory=lambda: LISTS)
    #: Questionnaire -> the questions for the mark and for going on without help, and whether both are confirmed.
    asks: Mapping[str, tuple[str, str, bool]] = field(
        default_factory=lambda: dict.fromkeys(LISTS, ("VR09A", "VR10", False))
    )
    products: Mapping[str, Spic] = field(default_factory=lambda: SPICS.per_code)
    table: str = SPICS.id

    def group(self, vragenlijst: str) -> tuple[str, str]:
        """Informant group and kind of a questionnaire; both empty if the version is unknown."""
        return self.lists.get(vragenlijst, ("", ""))


AS_SHIPPED = Texts()


def texts_of(definitions: Definitions) -> Texts:
    """What a set of definitions says, read once more."""
    asks = {
        code: (topics["nut"].question, topics["zonder_hulp"].question, {one.mark for one in topics.values()} == {"F"})
        for code, topics in definitions.subjects.items()
    }
    return Texts(
        chain=definitions.chain_days,
        before_end=definitions.meting_before_end,
        after_end=definitions.meting_after_end,
        follow_up=definitions.opvolging_days,
        response=definitions.respons_days,
        cbs={code: one.klasse for code, one in definitions.uitval.items()},
        ijw={code: one.klasse for code, one in definitions.uitval_ijw.items()},
        lists={code: (one.groep, one.soort) for code, one in definitions.vragenlijsten.items()},
        asks=asks,
        products=definitions.spics.per_code,
        table=definitions.spics.id,
    )
