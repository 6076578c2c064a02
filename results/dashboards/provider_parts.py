"""The sections of *Resultaten aanbieder*: which figures stand in which, and what a bar is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from domain.indicators.answers import ANSWERS, CARE_SUBJECTS

_WHO: Final = ("", "_jeugdige", "_ouder")
_MARKS: Final = tuple(f"nut_{mark}" for mark in range(1, 11))
_BANDS: Final = {"nut_laag": "4 of lager", "nut_midden": "5 tot en met 7", "nut_hoog": "8 of hoger"}
_OPTIONS: Final = {
    "zonder_hulp_1": "zelfde of zwaardere hulp",
    "zonder_hulp_2": "lichtere hulp",
    "zonder_hulp_3": "nu geen, komt terug",
    "zonder_hulp_4": "geen hulp meer",
}
_SCORES: Final = {
    "gas_score_-1": "-1 slechter",
    "gas_score_0": "0 als bij de start",
    "gas_score_1": "1 deels bereikt",
    "gas_score_2": "2 bereikt",
}
_REASONS: Final = {
    "einde_gepland": "volgens plan",
    "einde_neutraal": "neutraal",
    "einde_administratief": "administratief",
}
_PROBLEMS: Final = {
    f"probleem_{who}_{score}": f"{label}: score {score}"
    for who, label in (("behandelaar", "behandelaar"), ("ouder", "ouder"), ("client", "cliënt"))
    for score in (1, 2, 3)
}
#: Every bar -> what it is called.
LABELS: Final[Mapping[str, str]] = {
    **{key: key.removeprefix("nut_") for key in _MARKS},
    **_BANDS,
    **_OPTIONS,
    **_SCORES,
    **_REASONS,
    **_PROBLEMS,
    **{
        one.key: f"{code}: antwoord {answer}"
        for questions in ANSWERS.values()
        for code, answers in questions.items()
        for answer, one in enumerate(answers, 1)
    },
}


class Part(NamedTuple):
    """A section: figures in a table beside the averages, bars by their title, and figures over time."""

    title: str
    table: Sequence[str]
    bars: Mapping[str, Sequence[str]]
    trend: Sequence[str] = ()
    averages: bool = True


def _questions(subject: str) -> list[str]:
    return [one.key for answers in ANSWERS[subject].values() for one in answers]


PARTS: Final = (
    Part(
        "Cliënttevredenheid",
        [f"nut_gemiddelde{who}" for who in _WHO] + [*_BANDS],
        {"Nut van hulp, cijfers": _MARKS, "Nut van hulp, banden": tuple(_BANDS)}
        | {label: _questions(subject) for subject, label in CARE_SUBJECTS.items()},
        ("nut_gemiddelde",),
    ),
    Part(
        "Doelrealisatie",
        ["gas_bereikt", "gas_deels", "gas_helft_bereikt", "gas_helft_deels", "geen_nieuwe_start",
         "geen_nieuwe_start_voorlopig"],
        {"Doelscores": tuple(_SCORES), "Probleemafname": tuple(_PROBLEMS)},
        ("gas_bereikt", "geen_nieuwe_start"),
    ),
    Part(
        "Zonder hulp verder",
        [f"zonder_hulp{who}" for who in _WHO],
        {"Zonder hulp verder, antwoorden": tuple(_OPTIONS)},
        ("zonder_hulp",),
    ),
    Part(
        "Uitval",
        ["uitval", "uitval_client", "uitval_aanbieder", "uitval_wederzijds"],
        {"Einde van trajecten, aantallen": tuple(_REASONS)},
        ("uitval",),
    ),
    Part("Respons", ["respons_cem", "respons_scores"], {}, ("respons_cem",)),
    Part(
        "Aantallen en duurzame hulp (nu)",
        ["trajecten_lopend", "trajecten_gepauzeerd", "trajecten_beeindigd", "trajecten_wacht_op_start",
         "respons_duurzaam"],
        {},
        averages=False,
    ),
    Part(
        "CBS-bestand (Almere)",
        ["cbs_uitval", "cbs_uitval_wederzijds", "cbs_uitval_client", "cbs_uitval_aanbieder", "cbs_uitval_neutraal"],
        {},
        averages=False,
    ),
    Part(
        "CBS-bestand (Almere): tevredenheid en zonder hulp verder",
        ["cbs_nut_gemiddelde", "cbs_nut_laag", "cbs_nut_midden", "cbs_nut_hoog", "cbs_zonder_hulp"],
        {},
        averages=False,
    ),
)  # fmt: skip
