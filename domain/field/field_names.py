"""Names of fields as a refusal may say them: the one list of those that hold a digit.

A refusal is written by its sender. A name with digits of one's own choice could carry a number of a person, so only
names of the questionnaires, of the type codes of RAP, of the releases of iJw and of its messages count.
"""

from __future__ import annotations

import re
from typing import Final

from domain.field.questionnaires import QUESTIONS

_GOALS: Final = 10
_PLAIN: Final = re.compile(r"[A-Za-z_ -]{0,40}")
WITH_DIGITS: Final = frozenset(
    {
        *QUESTIONS,
        *(f"D{goal}{rater}" for goal in range(1, _GOALS + 1) for rater in "OC"),
        *(f"iJw {major}.{minor}" for major in range(1, 5) for minor in range(10)),
        *(f"JW{number}" for number in range(301, 326)),
    }
)


def is_field_name(text: str) -> bool:
    """Whether a text is a name of a field as far as can be told: known, or of at most forty letters and no digit."""
    return text in WITH_DIGITS or _PLAIN.fullmatch(text) is not None
