"""CEM+ questionnaires: versions, question codes and their topics.

Only the code ``CEM+_2018_OE_v1`` and the question codes of one example are in the sources [F S0]. Which question asks
what stands in a protocol that is not public: every topic below is a placeholder, marked unconfirmed, and stays marked
on every screen until someone who holds the protocol confirms it.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Vragenlijst(NamedTuple):
    """One version: informant group (``ouder`` or ``jeugdige``), kind (``einde`` or ``duurzaam``), mark of its code."""

    groep: str
    soort: str
    mark: str


END, DUURZAAM = "einde", "duurzaam"
VRAGENLIJSTEN: Final[dict[str, Vragenlijst]] = {
    "CEM+_2018_OE_v1": Vragenlijst("ouder", "einde", "F"),
    "CEM+_2018_JE_v1": Vragenlijst("jeugdige", "einde", "R"),
    "CEM+_2018_OD_v1": Vragenlijst("ouder", "duurzaam", "R"),
    "CEM+_2018_JD_v1": Vragenlijst("jeugdige", "duurzaam", "R"),
}


class Question(NamedTuple):
    """One question: topic and the range of its answers, both ends included. [P] all of it."""

    subject: str
    lowest: int
    highest: int


_FOUR = {f"VR{n:02d}": subject for n, subject in enumerate(
    ("toegankelijkheid", "toegankelijkheid", "bejegening", "bejegening", "samenwerking", "samenwerking", "onderwijs"), 1
)}  # fmt: skip

QUESTIONS: Final[dict[str, Question]] = {
    **{code: Question(subject, 1, 4) for code, subject in _FOUR.items()},
    "VR07A": Question("onderwijs", 1, 4),
    "VR07B": Question("onderwijs", 1, 4),
    **{f"VR08{letter}": Question("effecten", 1, 4) for letter in "ABCDEFG"},
    "VR09A": Question("nut", 1, 10),
    "VR09B": Question("tweede_cijfer", 1, 10),
    "VR10": Question("zonder_hulp", 1, 4),
}
NUT, ZONDER_HULP = "VR09A", "VR10"


class Subject(NamedTuple):
    """Which question of a questionnaire asks what an indicator needs, with source and mark (P = not confirmed)."""

    question: str
    basis: str
    mark: str


#: Versioned by questionnaire: questionnaire -> topic -> question. Placeholders until the protocol is at hand.
SUBJECTS: Final[dict[str, dict[str, Subject]]] = {
    code: {"nut": Subject(NUT, "", "P"), "zonder_hulp": Subject(ZONDER_HULP, "", "P")} for code in VRAGENLIJSTEN
}
#: The outcome fields of a CBS file as a questionnaire [F CBS 4.3, 4.4]: their meaning is confirmed.
CBS_VRAGENLIJST, CBS_KIND = "CBS_v7", "cbs"


#: Every question that the figures use is confirmed.
CONFIRMED: Final = all(subject.mark == "F" for topics in SUBJECTS.values() for subject in topics.values())

#: How people write that a question has no answer, in small letters: it is missing, and the other answers count.
UNANSWERED: Final = frozenset({"", "n.v.t.", "n.v.t", "nvt"})


def is_unanswered(answer: str) -> bool:
    """Whether a cell says that a question has no answer."""
    return answer.strip().casefold() in UNANSWERED


#: Informants kept by name [P]: the value list is not public ("Moeder" is the one example, S0), and the field is free
#: text.
INFORMANTEN: Final = ("Jeugdige", "Moeder", "Vader", "Ouder", "Verzorger", "Pleegouder", "Voogd", "Ouders")
OTHERWISE: Final = "Anders"
#: The same roles as people write them [P].
_SPELLINGS: Final = {
    **dict.fromkeys(("jongere", "jongeren", "kind", "cliënt", "client", "jeugdigen"), "Jeugdige"),
    **dict.fromkeys(("ouder/verzorger", "ouder of verzorger", "ouder/opvoeder"), "Ouder"),
    **dict.fromkeys(("ouders/verzorgers", "vader en moeder", "moeder en vader", "beide ouders"), "Ouders"),
    **dict.fromkeys(("verzorgers", "opvoeder"), "Verzorger"),
    **dict.fromkeys(("pleegouders", "pleegmoeder", "pleegvader"), "Pleegouder"),
}


def informant(text: str) -> str:
    """The informant as one of a closed list: free text could hold a name."""
    words = " ".join(text.casefold().replace("(s)", "").split()).replace(" /", "/").replace("/ ", "/")
    word = _SPELLINGS.get(words, words.capitalize())
    return word if word in INFORMANTEN else OTHERWISE
