"""Dutch words of the report of Almere."""

from __future__ import annotations

from typing import Final

from results.reports.words import quarter_text

ON_ONES_OWN: Final = "Zonder hulp verder kunnen"
ALONE_TREND: Final = "Zonder hulp verder kunnen, per kwartaal"
#: The bands that Almere names (S2).
BANDS: Final = ("4 of lager", "hoger dan 4, lager dan 8", "8 of hoger")
RESPONDENTS: Final[dict[str, str]] = {"jeugdige": "Jeugdigen", "ouder": "Ouders"}
GOALS: Final = (
    "Het CBS-bestand van Almere bevat geen doelscores, en geen bron zegt welk cijfer hier bedoeld is. Zodra dat is "
    "bevestigd, staat het hier; tot dan staat er geen cijfer dat iets anders meet."
)
ANSWERS: Final = "Respons: hoeveel antwoorden er zijn"
QUESTION, ANSWERED, NOT_ANSWERED = "Gevraagd", "Beantwoord (op vijf)", "Niet beantwoord (op vijf)"
ASKED: Final[dict[str, str]] = {
    "cbs_nut_gemiddelde": "Nut van de hulp",
    "cbs_zonder_hulp": "Zonder hulp verder kunnen",
}
#: Names of figures in a drawing.
SHORT: Final[dict[str, str]] = {
    "cbs_zonder_hulp": "Zonder hulp verder",
    "cbs_zonder_hulp_1": "dezelfde of zwaardere hulp",
    "cbs_zonder_hulp_2": "lichtere hulp",
    "cbs_zonder_hulp_3": "nu geen hulp",
    "cbs_zonder_hulp_4": "geen hulp meer",
    "cbs_uitval": "Uitval",
    "cbs_uitval_wederzijds": "in overeenstemming",
    "cbs_uitval_client": "eenzijdig door cliënt",
    "cbs_uitval_aanbieder": "eenzijdig door aanbieder",
    "cbs_uitval_neutraal": "externe omstandigheden",
}
#: Heads of the columns of a breakdown.
HEADS: Final[dict[str, str]] = {
    "cbs_nut_gemiddelde": "Nut, gemiddeld cijfer",
    "cbs_zonder_hulp": "Zonder hulp verder",
    "cbs_uitval": "Uitval",
}
#: Filters of the portal, in the order of the report.
FILTERS: Final[dict[str, str]] = {
    "respondent": "Respondent",
    "reden": "Reden einde",
    "profiel": "Profiel",
    "verwijzer": "Verwijzer",
    "categorie": "Productcategorie",
    "perspectief": "Perspectief",
    "hulpvorm": "Hulpvorm",
    "leeftijd": "Leeftijd bij start",
    "geslacht": "Geslacht",
    "startjaar": "Startjaar",
}
PERSPECTIVES: Final[dict[str, str]] = {
    "duurzaam_licht": "duurzaam, licht",
    "duurzaam_zwaar": "duurzaam, zwaar",
}
FILTERS_ALONE: Final = (
    "Elk filter staat alleen. Wie filters combineert, houdt groepjes over waarin een kind te herkennen is. "
    "Zorgvraagzwaarte en complexiteit staan in geen aanlevering."
)


def per(title: str) -> str:
    """The title of a table with a line for each value of a filter."""
    return f"Per {title.lower()}"


def released(release: int, quarter: str) -> str:
    """What the figures are of."""
    return (
        f"Vrijgave {release}, over de vier kwartalen tot en met het {quarter_text(quarter)}, van alle aanbieders in "
        "Almere samen, uit hun CBS-bestanden. Aantallen zijn afgerond; cijfers van kleine groepen ontbreken."
    )
