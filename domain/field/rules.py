"""The rules between messages (level 3) and against external sources (level 4) as the monitor judges them: one table.

The monitor is not the legal receiver of a message. A rule that the facts break becomes a flag on the row of the
traject, or a reason why it waits; it rejects nothing and changes no figure [P]. Codes and rules are those of iJw 3.2
[F]; how a rule is read on a set of facts, where order of arrival has no meaning (OP080), is [R].
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: How a rule shows: as a flag, as a reason to wait, or not at all.
FLAG, WAITS, NOT_JUDGED = "vlag", "wacht", "niet"
BECOMES_18: Final = "WORDT18"
FULL: Final = "TEVEEL"


class Rule(NamedTuple):
    """One rule: its return code (WJ001), the messages it is about, a sentence (Dutch), how it shows, and remarks: for
    WAITS the reason on the row, for NOT_JUDGED why it is not judged.
    """

    retourcode: str
    bericht: str
    sentence: str
    form: str
    explanation: str = ""


_QUANTITY = "De monitor bewaart van een toewijzing geen omvang, frequentie of budget."
_NO_ROW = "Een antwoord staat op geen rij."
_ONE_CLIENT = "De monitor ziet de feiten van één cliënt, en nummers alleen versleuteld per aanbieder."

RULES: Final[dict[str, Rule]] = {
    "TR056": Rule("9056", "alle", "Een berichtidentificatie is twee keer gebruikt, met verschillende inhoud.", FLAG),
    "TR135": Rule(
        "8848", "alle", "De dagtekening ligt in de toekomst.", NOT_JUDGED, "Wordt bij het aanleveren gecontroleerd."
    ),
    "TR378": Rule(
        "S300", "alle", "De gemeentecode staat op de ingangsdatum niet in de tabel van de monitor.", FLAG,
        "Oude codes tellen tot de dag van de herindeling [R].",
    ),
    "TR381": Rule(
        "S329", "301, 305, 307, 323", "De productcode past niet bij de productcategorie.", NOT_JUDGED,
        "De afgesproken productcodelijst is niet openbaar.",
    ),
    "TR332": Rule("9332", "301", "Een toewijzingnummer is bij meer dan één cliënt gebruikt.", NOT_JUDGED, _ONE_CLIENT),
    "TR385": Rule("9385", "301", "Een toewijzing is verwijderd terwijl er nog declaratieregels op staan.", FLAG),
    "TR019": Rule("9019", "305, 307", "De toewijzing is niet bekend.", WAITS, "toewijzing"),
    "TR063": Rule("9063", "305, 307", "Een verwijdering heeft geen eerdere aanlevering.", WAITS, "levering"),
    "TR071": Rule("9071", "305", "Een start is verwijderd terwijl er nog een stop op staat.", FLAG),
    "TR074": Rule("9074", "305, 307", "Dezelfde start of stop is opnieuw aangeleverd zonder verwijdering.", FLAG),
    "TR326": Rule("9326", "305", "Een start is aangeleverd terwijl op de toewijzing al een levering loopt.", FLAG),
    "TR382": Rule(
        "9069", "307", "De stop past bij geen start; de toewijzing heeft wel een andere start.", FLAG,
        "Een stop zonder start wacht ook (start).",
    ),
    "TR413": Rule("9413", "307", "Een levering is twee keer tijdelijk gestopt.", FLAG),
    "TR414": Rule("9414", "307", "De einddatum van de stop ligt voor die van de tijdelijke stop.", FLAG),
    "TR415": Rule(
        "9415", "307", "Na een definitieve stop is nog een stop aangeleverd.", FLAG,
        "Van stops van één dagtekening is de volgorde onbekend.",
    ),
    "TR304": Rule(
        "8187", "323", "De declaratieregel is van een andere cliënt dan de toewijzing.", NOT_JUDGED, _ONE_CLIENT,
    ),
    "TR314": Rule("8021", "323", "Een referentienummer is twee keer gebruikt.", FLAG),
    "TR333": Rule("9333", "323", "Een declaratienummer is twee keer gebruikt.", FLAG),
    "TR338": Rule("9338", "323", "De toewijzing van een declaratieregel is niet bekend.", WAITS, "toewijzing"),
    "TR339": Rule("9339", "323", "De productcategorie is een andere dan die van de toewijzing.", FLAG),
    "TR340": Rule("9340", "323", "De productcode is een andere dan die van de toewijzing.", FLAG),
    "TR341": Rule(
        "9341", "323", "De eenheid is een andere dan die van de toewijzing.", FLAG, "Uren mogen in minuten."
    ),
    "TR307": Rule("9307", "323", "De productperiode begint voor de toewijzing.", FLAG),
    "TR308": Rule("9308", "323", "De productperiode eindigt na de toewijzing.", FLAG),
    "TR318": Rule(
        "8214", "323", "De perioden sluiten niet maand op maand aan.", NOT_JUDGED,
        "Of in een maand zorg is geleverd, staat niet in de feiten.",
    ),
    "TR319": Rule("9319", "323", "De productperiode begint na de dagtekening.", FLAG),
    "TR321": Rule("9321", "323", "Het volume van een regel past niet in de toewijzing.", NOT_JUDGED, _QUANTITY),
    "TR322": Rule("9322", "323", "De som van de volumes past niet in de toewijzing.", NOT_JUDGED, _QUANTITY),
    "TR369": Rule("9369", "323", "De som van de bedragen past niet in het budget.", NOT_JUDGED, _QUANTITY),
    "TR323": Rule("8017", "323", "Een creditregel verwijst naar geen bekende, goedgekeurde debetregel.", FLAG),
    "TR389": Rule("9389", "323", "Er staan twee debetregels van één toewijzing, product en periode.", FLAG),
    "TR390": Rule("9390", "323", "Een debetregel is twee keer gecrediteerd.", FLAG),
    "TR384": Rule("9384", "323", "Er is gedeclareerd op een verwijderde toewijzing.", FLAG),
    "TR387": Rule(
        "9387", "323", "De productperiode begint niet op de eerste van de maand of met de toewijzing.", FLAG
    ),
    "TR388": Rule(
        "9388", "323", "De productperiode eindigt niet op de laatste van de maand of met de toewijzing.", FLAG
    ),
    "TR346": Rule("9346", "323", "Het bedrag is niet het volume maal het tarief.", FLAG, "Niet bij eenheid 83."),
    "TR418": Rule(
        "0611", "323", "Het tarief is niet het afgesproken tarief.", NOT_JUDGED, "De monitor kent de contracten niet."
    ),
    "TR337": Rule("", "325", "Het antwoord hoort bij geen bekende declaratie.", NOT_JUDGED, _NO_ROW),
    "TR366": Rule("9366", "325", "Een regel van het antwoord is niet bekend.", NOT_JUDGED, _NO_ROW),
    "TR367": Rule(
        "9367", "325", "Het declaratienummer van het antwoord is niet bekend.", NOT_JUDGED, _NO_ROW
    ),
    "TR376": Rule("", "325", "Het antwoord past niet bij de declaratie.", NOT_JUDGED, _NO_ROW),
    BECOMES_18: Rule(
        "", "307", "De cliënt wordt 18 binnen een jaar na het einde: daarna valt nieuwe hulp buiten de jeugdwet.", FLAG,
        "Voorstel van de monitor [P], geen regel van iJw.",
    ),
    FULL: Rule(
        "", "alle", "Deze aanbieder leverde meer gegevens van de cliënt dan de monitor bewaart.", FLAG,
        "Grens van de monitor [P], geen regel van iJw; wat te veel is telt nergens mee.",
    ),
}  # fmt: skip

#: What a return code says (WJ001): those of the rules between messages, and two of none.
RETURN_CODES: Final[dict[str, str]] = {rule.retourcode: rule.sentence for rule in RULES.values() if rule.retourcode} | {
    "0001": "Het bericht is om een fout in het bericht zelf afgekeurd.",
    "0233": "Dit deel is niet beoordeeld, want een deel erboven is afgekeurd.",
}

_LINE: Final = "Controleer de regel; crediteer haar en declareer opnieuw als zij niet klopt."
#: What the sender of a record can do about the flag that it raised (Dutch): the end of a remark on its receipt.
ADVICE: Final[dict[str, str]] = {
    "TR056": "Geef ieder bericht een eigen identificatie.",
    "TR378": "Controleer de gemeentecode.",
    "TR385": "Vraag de gemeente of de verwijdering klopt; crediteer anders die regels.",
    "TR071": "Verwijder ook de stop, of lever de start opnieuw aan.",
    "TR074": "Verwijder eerst de eerdere (StatusAanlevering 3) als de latere haar moet vervangen.",
    "TR326": "Lever de stop van de lopende levering aan, of verwijder de start die niet klopt.",
    "TR382": "Neem toewijzing, product en begindatum over van de start.",
    "TR413": "Verwijder de stop die niet klopt (StatusAanlevering 3).",
    "TR414": "Controleer beide einddatums en verwijder de stop die niet klopt (StatusAanlevering 3).",
    "TR415": "De eerste blijft gelden; verwijder die (StatusAanlevering 3) als de latere klopt.",
    "TR314": "Geef iedere prestatie een eigen referentienummer.",
    "TR333": "Geef iedere declaratie een eigen declaratienummer.",
    "TR323": "Controleer het vorige referentienummer.",
    "TR384": "Vraag de gemeente of de verwijdering klopt; crediteer anders de regel.",
    "TR389": "Crediteer de regel die te veel is.",
    "TR390": "Controleer de vorige referentienummers van de creditregels.",
    **dict.fromkeys(("TR307", "TR308", "TR319", "TR339", "TR340", "TR341", "TR346", "TR387", "TR388"), _LINE),
}

#: The reasons why a row waits (``wacht``), per table of rows; ``words.waits_sentence`` has their words.
WAITS_FOR: Final[dict[str, tuple[str, ...]]] = {
    "trajecten": ("toewijzing", "start", "levering"),
    "metingen": ("traject", "einde"),
    "scores": ("toewijzing", "beschikking", "traject"),
}
