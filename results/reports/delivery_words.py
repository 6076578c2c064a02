"""Dutch words of the reports about what a provider delivered: the Terugkoppelrapportage and the spiegelrapport."""

from __future__ import annotations

from typing import Final

from domain.field.codes import CBS_REDENEN
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
MIRROR_NONE: Final = "Er is voor deze periode geen CBS-bestand van uw organisatie ontvangen."
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
