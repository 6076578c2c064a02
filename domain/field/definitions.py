"""The definitions behind the figures, as data with a version, a source and a mark.

[F] fixed by a source, [R] a reading of it, [P] a proposal of this project: configurable and shown as unconfirmed.

``SHIPPED`` are those of the project. The fold takes the ones that are in force (``Definitions``), so that a
recalculation can use others: a file names them, with a version of its own (``domain.field.definitions_file``). Every
stored row carries that version. A change of any value below needs a new ``VERSION``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from domain.field import spic
from domain.field.codes import REDENEN
from domain.field.questionnaires import SUBJECTS, VRAGENLIJSTEN, Subject, Vragenlijst
from domain.field.spic import Spics

VERSION: Final = 3


class Definition(NamedTuple):
    """One definition: its value, what it means (Dutch, as readers of the figures see it), source and mark."""

    value: int
    meaning: str
    basis: str
    mark: str


DEFINITIONS: Final[dict[str, Definition]] = {
    "keten_dagen": Definition(
        30, "Een nieuwe levering hoort bij hetzelfde traject als zij binnen zoveel dagen na het einde begint", "", "P"
    ),
    "meting_voor_einde": Definition(30, "Een meting bij einde telt vanaf zoveel dagen voor het einde", "", "P"),
    "meting_na_einde": Definition(90, "Een meting bij einde telt tot en met zoveel dagen na het einde", "", "P"),
    "opvolging_dagen": Definition(
        365,
        "Een nieuwe start na het einde telt als zij binnen zoveel dagen begint; daarna staat het cijfer vast",
        "",
        "P",
    ),
    "respons_dagen": Definition(
        90, "Een traject telt mee voor de respons CEM+ vanaf zoveel dagen na het einde", "", "P"
    ),
    "kleinste_groep": Definition(10, "Uitkomsten van minder cliënten worden niet getoond", "", "P"),
    "kleinste_noemer": Definition(20, "Een percentage van minder tellingen wordt niet getoond", "", "P"),
}


class Klasse(NamedTuple):
    """A class given to a code of the field: class, source and mark."""

    klasse: str
    basis: str
    mark: str


#: CBS 3.7 reden beëindiging -> class for uitval; CBS gives an impression of uitval, explicitly for 03.
UITVAL_CBS: Final[dict[str, Klasse]] = {
    "01": Klasse("gepland", "CBS 3.7", "R"),
    "02": Klasse("wederzijds", "CBS 3.7", "R"),
    "03": Klasse("client", "CBS 3.7", "F"),
    "04": Klasse("aanbieder", "CBS 3.7", "R"),
    "05": Klasse("neutraal", "CBS 3.7", "R"),
}
#: JZ588 reden beëindiging -> class for uitval; a pause (20) ends nothing and has none.
UITVAL_IJW: Final[dict[str, Klasse]] = {
    code: Klasse(reden.klasse, "JZ588, S3", "R") for code, reden in REDENEN.items() if reden.klasse
}

_ADULT: Final = 18


class Definitions(NamedTuple):
    """Everything that decides what the facts of a client yield. ``id`` is of all of it, so two that differ in one value
    differ in their id, and rows of one id are made alike; 16 hexadecimal digits (``identified``).
    """

    version: int
    id: str
    chain_days: int
    meting_before_end: int
    meting_after_end: int
    opvolging_days: int
    respons_days: int
    uitval: Mapping[str, Klasse]  # of CBS 3.7
    uitval_ijw: Mapping[str, Klasse]  # of JZ588
    spics: Spics
    vragenlijsten: Mapping[str, Vragenlijst]
    subjects: Mapping[str, Mapping[str, Subject]]  # questionnaire -> topic -> question

    def klasse(self, reden: str) -> str:
        """The class for uitval of an end reason of a message (JZ588); empty for none."""
        found = self.uitval_ijw.get(reden)
        return found.klasse if found else ""

    def question(self, vragenlijst: str, subject: str) -> str:
        """The question of a topic in one version of a questionnaire; empty if the version is unknown."""
        questions = self.subjects.get(vragenlijst)
        return questions[subject].question if questions else ""

    def bevestigd(self, vragenlijst: str) -> bool:
        """Whether the meaning of every topic of the version is confirmed by a source."""
        questions = self.subjects.get(vragenlijst)
        return questions is not None and all(subject.mark == "F" for subject in questions.values())

    def becomes_18(self, leeftijd: int | None) -> bool:
        """Whether who ended care at this age (completed years) may come of age within the follow-up window of 3.2 [P].

        A client of ``a`` completed years is 18 after at least ``365 * (17 - a) + 1`` days.
        """
        return leeftijd is not None and 365 * (_ADULT - 1 - leeftijd) < self.opvolging_days and leeftijd < _ADULT

    def with_spics(self, spics: Spics) -> Definitions:
        """The same with another table of SPICs."""
        return identified(self._replace(spics=spics))


def identified(definitions: Definitions) -> Definitions:
    """The definitions with their id. Sources and marks are no part of it where they change no row."""
    said = [
        *definitions[: Definitions._fields.index("uitval")],
        {code: klasse.klasse for code, klasse in definitions.uitval.items()},
        {code: klasse.klasse for code, klasse in definitions.uitval_ijw.items()},
        definitions.spics.id,
        {code: [one.groep, one.soort] for code, one in definitions.vragenlijsten.items()},
        {
            code: [{topic: subject.question for topic, subject in topics.items()}, definitions.bevestigd(code)]
            for code, topics in definitions.subjects.items()
        },
    ]
    said[1] = ""  # the id itself
    text = json.dumps(said, sort_keys=True)
    return definitions._replace(id=hashlib.sha256(text.encode()).hexdigest()[:16])


SHIPPED: Final = identified(
    Definitions(
        version=VERSION,
        id="",
        chain_days=DEFINITIONS["keten_dagen"].value,
        meting_before_end=DEFINITIONS["meting_voor_einde"].value,
        meting_after_end=DEFINITIONS["meting_na_einde"].value,
        opvolging_days=DEFINITIONS["opvolging_dagen"].value,
        respons_days=DEFINITIONS["respons_dagen"].value,
        uitval=UITVAL_CBS,
        uitval_ijw=UITVAL_IJW,
        spics=spic.SHIPPED,
        vragenlijsten=VRAGENLIJSTEN,
        subjects=SUBJECTS,
    )
)
