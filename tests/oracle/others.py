"""Other definitions than those that are shipped, for the second reading and for what follows from a change of them."""

from __future__ import annotations

from typing import Final

from domain.field.definitions import SHIPPED, Definitions, Klasse, identified
from domain.field.questionnaires import SUBJECTS, Subject, Vragenlijst
from domain.field.spic import Spic, spics

#: Windows on and beside the steps between the dates of a history, from nothing to two years.
NARROW: Final = identified(
    SHIPPED._replace(
        version=7, chain_days=0, meting_before_end=0, meting_after_end=1, opvolging_days=30, respons_days=0
    )
)
WIDE: Final = identified(
    SHIPPED._replace(
        version=8, chain_days=91, meting_before_end=60, meting_after_end=365, opvolging_days=730, respons_days=30
    )
)
#: Other classes, products and questions: an end questionnaire that is one of youth, marks and options exchanged.
RENAMED: Final = identified(
    SHIPPED._replace(
        version=9,
        chain_days=29,
        opvolging_days=366,
        uitval={**SHIPPED.uitval, "05": Klasse("client", "", "P"), "01": Klasse("neutraal", "", "P")},
        uitval_ijw={**SHIPPED.uitval_ijw, "32": Klasse("gepland", "", "P"), "02": Klasse("client", "", "P")},
        spics=spics({"45A01": Spic("B", "8", "intensief", "F")}),
        vragenlijsten={
            **SHIPPED.vragenlijsten,
            "CEM+_2018_OE_v1": Vragenlijst("jeugdige", "duurzaam", "P"),
            "CEM+_2018_JD_v1": Vragenlijst("jeugdige", "einde", "P"),
        },
        subjects={
            **SUBJECTS,
            "CEM+_2018_OE_v1": {"nut": Subject("VR10", "S9", "F"), "zonder_hulp": Subject("VR09A", "S9", "F")},
        },
    )
)
OTHERS: Final[tuple[Definitions, ...]] = (NARROW, WIDE, RENAMED)
