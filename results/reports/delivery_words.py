"""Dutch words of the reports about what a provider delivered: the Terugkoppelrapportage and the spiegelrapport."""

from __future__ import annotations

from typing import Final

from domain.field.codes import CBS_REDENEN
from results.reports.content import number_text
from results.reports.words import month_text

# The Terugkoppelrapportage CEM+

CEM_TOTALS: Final = "Ontvangen metingen"
CEM_ALL: Final = "Metingen, over de hele periode"
CEM_REGIONS: Final = "Waarvan van cliënten uit de twee regio's"
CEM_LINKED: Final = "Waarvan gekoppeld aan een traject"
CEM_LISTS: Final = "Verschillende vragenlijsten"
CEM_PER_MONTH: Final = "Metingen per maand van de meting"
CEM_PER_LIST: Final = "Metingen per vragenlijst"
CEM_LIST: Final = "Vragenlijst"
CEM_WHOM: Final = "Ingevuld door"
CEM_WHEN: Final = "Wanneer"
CEM_NONE: Final = "Van uw organisatie is nog geen meting ontvangen."
CEM_OWN: Final = (
    "Dit zijn aantallen van wat uw organisatie zelf heeft aangeleverd, zoals het nu telt; teruggenomen en verwijderde "
    "metingen staan er niet in. Antwoorden staan er niet in."
)

# The spiegelrapport of a half year

MIRROR_RECEIVED: Final = "Wat is ontvangen"
MIRROR_MISSING: Final = "Wat ontbreekt ten opzichte van wat loopt"
MIRROR_KIND: Final = "Hulpvorm"
MIRROR_STARTED: Final = "Gestart"
MIRROR_ENDED: Final = "Beëindigd"
MIRROR_RUNNING: Final = "Loopt op de laatste dag"
MIRROR_TOTAL: Final = "Hulp in de periode"
MIRROR_OUTCOMES: Final = "Waarvan met een cijfer voor het nut"
MIRROR_TOGETHER: Final = "Samen"
MIRROR_ENDS: Final = "Beëindigd, per reden"
MIRROR_REASON: Final = "Reden"
MIRROR_NO_OUTCOME: Final = "Beëindigde hulp zonder cijfer voor het nut"
MIRROR_MESSAGES: Final = "Hulp in de periode volgens start- en stopberichten"
MIRROR_CLIENTS: Final = "Cliënten in het CBS-bestand"
MIRROR_CLIENTS_MESSAGES: Final = "Cliënten volgens start- en stopberichten"
MIRROR_ABSENT: Final = "Cliënten met lopende hulp volgens berichten, zonder record in het CBS-bestand"
MIRROR_EXTRA: Final = "Cliënten in het CBS-bestand zonder bericht"
#: Class of the reason in a CBS file -> label (CBS 3.7).
MIRROR_REASONS: Final[dict[str, str]] = {
    "gepland": CBS_REDENEN["01"],
    "wederzijds": CBS_REDENEN["02"],
    "client": CBS_REDENEN["03"],
    "aanbieder": CBS_REDENEN["04"],
    "neutraal": CBS_REDENEN["05"],
}
MIRROR_NONE: Final = "Van uw organisatie staat geen hulp van deze periode in een CBS-bestand."
MIRROR_NO_FILE: Final = "Sinds het begin van de periode is geen CBS-bestand van uw organisatie ontvangen."
MIRROR_NO_MESSAGES: Final = (
    "Van uw organisatie zijn over deze periode geen start- en stopberichten ontvangen. Of er in het CBS-bestand hulp "
    "ontbreekt, is hier dus niet te zien."
)
MIRROR_COMPLETE: Final = "Alle cliënten met lopende hulp volgens berichten staan in het CBS-bestand."
MIRROR_OWN: Final = (
    "Een spiegel van wat uw organisatie zelf heeft aangeleverd, zoals het nu telt: records van dezelfde hulpvorm die "
    "elkaar overlappen zijn een traject, en een nieuwe volledige aanlevering vervangt de vorige. Een sprong in een "
    "reeks kan een eerste aanlevering zijn."
)
MIRROR_APART: Final = (
    "CBS-bestanden en berichten worden nooit opgeteld. Een verschil hoeft geen fout te zijn: een bericht kan later "
    "komen, en niet alle hulp staat in beide."
)


def unknown(code: str) -> str:
    """A code without a name."""
    return f"onbekend ({code})" if code else "niet ingevuld"


def until(month: str) -> str:
    """The period of what counts up to the end of a month."""
    return f"tot en met {month_text(month)}"


def latest(day: str) -> str:
    """The newest meting."""
    return f"De laatste meting is van {day}."


def since(day: str) -> str:
    """Since when somebody delivers: a jump in a series may be a first delivery."""
    return f"De oudste hulp in het bestand begon op {day}."


def _many(count: int, one: str, more: str) -> str:
    """A number with its noun."""
    return f"{number_text(count, 0)} {one if count == 1 else more}"


def files(count: int, accepted: int, refused: int, day: str) -> str:
    """What was delivered since the first day of the half year, and when the last of it was."""
    came, are = _many(count, "CBS-bestand", "CBS-bestanden"), "is" if count == 1 else "zijn"
    good = _many(accepted, "goedgekeurd record", "goedgekeurde records")
    bad = _many(refused, "afgekeurd record", "afgekeurde records")
    together = "met" if count == 1 else "samen met"
    return f"Sinds het begin van de periode {are} {came} ontvangen, {together} {good} en {bad}; het laatste op {day}."


def received(clients: int, running: int) -> str:
    """Whose care stands in the file."""
    return (
        f"In het CBS-bestand staat hulp in de periode van {_many(clients, 'cliënt', 'cliënten')}. Op de laatste dag "
        f"{'loopt' if running == 1 else 'lopen'} er {_many(running, 'traject', 'trajecten')}."
    )


def absent(clients: int) -> str:
    """Whose care runs by messages alone."""
    stand = "die niet in het CBS-bestand staat" if clients == 1 else "die niet in het CBS-bestand staan"
    return (
        f"Volgens start- en stopberichten loopt op de laatste dag hulp van {_many(clients, 'cliënt', 'cliënten')} "
        f"{stand}. Kijk na of dat klopt, en lever ontbrekende hulp met het volgende bestand alsnog aan."
    )


def unrated(count: int, ended: int) -> str:
    """Care that ended without a mark."""
    of, has = _many(ended, "beëindigd traject", "beëindigde trajecten"), "heeft" if count == 1 else "hebben"
    return f"Van {of} {has} er {number_text(count, 0)} geen cijfer voor het nut."
