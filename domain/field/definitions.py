"""The definitions behind the figures, as data with a version, a source and a mark.

[F] fixed by a source, [R] a reading of it, [P] a proposal of this project: configurable and shown as unconfirmed. Every
stored row carries ``VERSION``; a change of any value below needs a new version and a replay.
"""

from __future__ import annotations

from typing import Final, NamedTuple

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
CHAIN_DAYS: Final = DEFINITIONS["keten_dagen"].value
METING_BEFORE_END: Final = DEFINITIONS["meting_voor_einde"].value
METING_AFTER_END: Final = DEFINITIONS["meting_na_einde"].value
OPVOLGING_DAYS: Final = DEFINITIONS["opvolging_dagen"].value
RESPONS_DAYS: Final = DEFINITIONS["respons_dagen"].value


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

#: Completed years at the end from which a client comes of age within the follow-up window of 3.2 [P].
LEEFTIJD_BECOMES_18: Final = 17
