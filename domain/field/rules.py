"""The rules between messages (level 3) and against external sources (level 4) as the monitor judges them: one table.

The monitor is not the legal receiver of a message. A rule that the facts break becomes a flag on the row of the
traject, or a reason why it waits; it rejects nothing and changes no figure [P]. Codes and rules are those of iJw 3.2
[F]; how a rule is read on a set of facts, where order of arrival has no meaning (OP080), is [R].
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: How a rule shows: as a flag, as a reason to wait, or not at all.
VLAG, WACHT, NIET = "vlag", "wacht", "niet"
WORDT_18: Final = "WORDT18"


class Regel(NamedTuple):
    """One rule: its return code (WJ001), the messages it is about, a sentence (Dutch), how it shows, and remarks: for
    WACHT the reason on the row, for NIET why it is not judged.
    """

    retourcode: str
    bericht: str
    zin: str
    vorm: str
    toelichting: str = ""


_GROOTHEID = "De monitor bewaart van een toewijzing geen omvang, frequentie of budget."
_GEEN_RIJ = "Een antwoord staat op geen rij."
_EEN_CLIENT = "De monitor ziet de feiten van één cliënt, en nummers alleen versleuteld per aanbieder."

REGELS: Final[dict[str, Regel]] = {
    "TR056": Regel("9056", "alle", "Een berichtidentificatie is twee keer gebruikt, met verschillende inhoud.", VLAG),
    "TR135": Regel(
        "8848", "alle", "De dagtekening ligt in de toekomst.", NIET, "Wordt bij het aanleveren gecontroleerd."
    ),
    "TR378": Regel(
        "S300", "alle", "De gemeentecode staat op de ingangsdatum niet in de tabel van de monitor.", VLAG,
        "Oude codes tellen tot de dag van de herindeling [R].",
    ),
    "TR381": Regel(
        "S329", "301, 305, 307, 323", "De productcode past niet bij de productcategorie.", NIET,
        "De afgesproken productcodelijst is niet openbaar.",
    ),
    "TR332": Regel("9332", "301", "Een toewijzingnummer is bij meer dan één cliënt gebruikt.", NIET, _EEN_CLIENT),
    "TR385": Regel("9385", "301", "Een toewijzing is verwijderd terwijl er nog declaratieregels op staan.", VLAG),
    "TR019": Regel("9019", "305, 307", "De toewijzing is niet bekend.", WACHT, "toewijzing"),
    "TR063": Regel("9063", "305, 307", "Een verwijdering heeft geen eerdere aanlevering.", WACHT, "levering"),
    "TR071": Regel("9071", "305", "Een start is verwijderd terwijl er nog een stop op staat.", VLAG),
    "TR074": Regel("9074", "305, 307", "Dezelfde start of stop is opnieuw aangeleverd zonder verwijdering.", VLAG),
    "TR326": Regel("9326", "305", "Een start is aangeleverd terwijl op de toewijzing al een levering loopt.", VLAG),
    "TR382": Regel(
        "9069", "307", "De stop past bij geen start; de toewijzing heeft wel een andere start.", VLAG,
        "Een stop zonder start wacht ook (start).",
    ),
    "TR413": Regel("9413", "307", "Een levering is twee keer tijdelijk gestopt.", VLAG),
    "TR414": Regel("9414", "307", "De einddatum van de stop ligt voor die van de tijdelijke stop.", VLAG),
    "TR415": Regel(
        "9415", "307", "Na een definitieve stop is nog een stop aangeleverd.", VLAG,
        "Van stops van één dagtekening is de volgorde onbekend.",
    ),
    "TR304": Regel("8187", "323", "De declaratieregel is van een andere cliënt dan de toewijzing.", NIET, _EEN_CLIENT),
    "TR314": Regel("8021", "323", "Een referentienummer is twee keer gebruikt.", VLAG),
    "TR333": Regel("9333", "323", "Een declaratienummer is twee keer gebruikt.", VLAG),
    "TR338": Regel("9338", "323", "De toewijzing van een declaratieregel is niet bekend.", WACHT, "toewijzing"),
    "TR339": Regel("9339", "323", "De productcategorie is een andere dan die van de toewijzing.", VLAG),
    "TR340": Regel("9340", "323", "De productcode is een andere dan die van de toewijzing.", VLAG),
    "TR341": Regel(
        "9341", "323", "De eenheid is een andere dan die van de toewijzing.", VLAG, "Uren mogen in minuten."
    ),
    "TR307": Regel("9307", "323", "De productperiode begint voor de toewijzing.", VLAG),
    "TR308": Regel("9308", "323", "De productperiode eindigt na de toewijzing.", VLAG),
    "TR318": Regel(
        "8214", "323", "De perioden sluiten niet maand op maand aan.", NIET,
        "Of in een maand zorg is geleverd, staat niet in de feiten.",
    ),
    "TR319": Regel("9319", "323", "De productperiode begint na de dagtekening.", VLAG),
    "TR321": Regel("9321", "323", "Het volume van een regel past niet in de toewijzing.", NIET, _GROOTHEID),
    "TR322": Regel("9322", "323", "De som van de volumes past niet in de toewijzing.", NIET, _GROOTHEID),
    "TR369": Regel("9369", "323", "De som van de bedragen past niet in het budget.", NIET, _GROOTHEID),
    "TR323": Regel("8017", "323", "Een creditregel verwijst naar geen bekende, goedgekeurde debetregel.", VLAG),
    "TR389": Regel("9389", "323", "Er staan twee debetregels van één toewijzing, product en periode.", VLAG),
    "TR390": Regel("9390", "323", "Een debetregel is twee keer gecrediteerd.", VLAG),
    "TR384": Regel("9384", "323", "Er is gedeclareerd op een verwijderde toewijzing.", VLAG),
    "TR387": Regel(
        "9387", "323", "De productperiode begint niet op de eerste van de maand of met de toewijzing.", VLAG
    ),
    "TR388": Regel(
        "9388", "323", "De productperiode eindigt niet op de laatste van de maand of met de toewijzing.", VLAG
    ),
    "TR346": Regel("9346", "323", "Het bedrag is niet het volume maal het tarief.", VLAG, "Niet bij eenheid 83."),
    "TR418": Regel(
        "0611", "323", "Het tarief is niet het afgesproken tarief.", NIET, "De monitor kent de contracten niet."
    ),
    "TR337": Regel("", "325", "Het antwoord hoort bij geen bekende declaratie.", NIET, _GEEN_RIJ),
    "TR366": Regel("9366", "325", "Een regel van het antwoord is niet bekend.", NIET, _GEEN_RIJ),
    "TR367": Regel(
        "9367", "325", "Het declaratienummer van het antwoord is niet bekend.", NIET, _GEEN_RIJ
    ),
    "TR376": Regel("", "325", "Het antwoord past niet bij de declaratie.", NIET, _GEEN_RIJ),
    WORDT_18: Regel(
        "", "307", "De cliënt wordt 18 binnen een jaar na het einde: daarna valt nieuwe hulp buiten de jeugdwet.", VLAG,
        "Voorstel van de monitor [P], geen regel van iJw.",
    ),
}  # fmt: skip
#: The codes that can stand in the column ``vlaggen`` of a row.
VLAGGEN: Final = frozenset(code for code, regel in REGELS.items() if regel.vorm == VLAG)

#: The reasons why a row waits (``wacht``), per table of rows, in Dutch.
WACHT_OP: Final[dict[str, dict[str, str]]] = {
    "trajecten": {
        "toewijzing": "De toewijzing (JW301) is nog niet bekend.",
        "start": "De start (JW305) van deze stop is nog niet bekend.",
        "levering": "De aanlevering die wordt verwijderd, is nog niet bekend.",
    },
    "metingen": {"traject": "Er is nog geen traject van deze aanbieder waar de meting bij past."},
    "scores": {
        "toewijzing": "De toewijzing is nog niet bekend, en er is geen zorg op gestart.",
        "beschikking": "Bij dit beschikkingsnummer is nog geen toewijzingsnummer bekend.",
        "traject": "De toewijzing is bekend, maar er is nog geen zorg op gestart.",
    },
}
