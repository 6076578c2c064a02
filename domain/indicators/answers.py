"""Every answer to the questions of the CEM+ about reaching help, how people were met, and working together.

Which question asks what is not public: all of it is a placeholder and says so [P]. These figures stand apart from
``INDICATORS``, the national set: a provider sees its own, beside its mark for the use of help.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from domain.field.questionnaires import QUESTIONS, Question
from domain.indicators.build import is_one, over_trajecten
from domain.indicators.terms import Entry, Indicator, Term

#: Subject of a question -> what a screen calls it, in the order of the dashboard of providers (S0).
CARE_SUBJECTS: Final = {
    "toegankelijkheid": "Toegankelijkheid",
    "bejegening": "Bejegening",
    "samenwerking": "Samenwerking",
}
_COUNTS: Final = is_one("telt", 1)


def _of_question(code: str, question: Question) -> Iterable[Indicator]:
    make, options = over_trajecten("nut", "CEM+", "P"), range(question.lowest, question.highest + 1)
    denominator = Term((_COUNTS, Entry("antwoorden", code, tuple(options))))
    for option in options:
        yield make(
            key=f"antwoord_{code.lower()}_{option}",
            name=f"{CARE_SUBJECTS[question.subject]}, vraag {code}: antwoord {option}",
            subject=question.subject, number="", unit="%", table="metingen", datum="datum",
            window="datum van de meting in de periode", denominator=denominator,
            numerator=Term((_COUNTS, Entry("antwoorden", code, (option,)))),
        )  # fmt: skip


def _subjects() -> Mapping[str, Mapping[str, tuple[Indicator, ...]]]:
    found: dict[str, dict[str, tuple[Indicator, ...]]] = {subject: {} for subject in CARE_SUBJECTS}
    for code, question in QUESTIONS.items():
        if question.subject in found:
            found[question.subject][code] = tuple(_of_question(code, question))
    return found


#: Subject -> code of a question -> the share of each of its answers, lowest first.
ANSWERS: Final = _subjects()
#: The same by key.
BY_KEY: Final[Mapping[str, Indicator]] = {
    one.key: one for questions in ANSWERS.values() for answers in questions.values() for one in answers
}
