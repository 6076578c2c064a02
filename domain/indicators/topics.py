"""What every group of figures says, in words for contract managers and providers (Dutch).

The formulas stand in ``domain/indicators/catalogue.py``; these words are printed beside them (``docs/indicatoren.md``).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.field.definitions import SHIPPED


class Subject(NamedTuple):
    """One subject: number in the national set (empty = none), heading, meaning, data, left out, what is open."""

    number: str
    title: str
    says: str
    data: str
    left_out: str
    open: str


_BERICHTEN: Final = "start- en stopberichten (JW305, JW307)"
_CBS: Final = "CBS-bestand (structuur van het CBS, versie 7), zoals aanbieders in Almere het aanleveren"
_CONFIRMED: Final = "Niets: de bron legt het vast."
_TRAJECT: Final = "Het begrip traject (een keten van leveringen) is een voorstel; geen bron legt het vast."

SUBJECTS: Final[dict[str, Subject]] = {
    "trajecten": Subject(
        "",
        "Aantal trajecten",
        "Hoeveel trajecten lopen, tijdelijk zijn onderbroken of zijn beëindigd. Een stop zonder start wordt apart "
        "geteld tot de start binnenkomt.",
        _BERICHTEN,
        "niets",
        _TRAJECT,
    ),
    "cbs_trajecten": Subject(
        "",
        "Aantal trajecten, CBS-bestand",
        "Hoeveel hulp loopt of is beëindigd. Records van dezelfde hulpvorm die elkaar overlappen, zijn één traject.",
        _CBS,
        "records die in een latere, volledige aanlevering van dezelfde periode niet meer staan",
        _CONFIRMED,
    ),
    "uitval": Subject(
        "1",
        "Uitval van cliënten",
        "Welk deel van de trajecten voortijdig eindigt: eenzijdig door de cliënt (reden 32), eenzijdig door de "
        "aanbieder (33) of in overeenstemming (34), van alle trajecten die volgens plan (31) of voortijdig (32, "
        "33, 34) eindigen.",
        "reden beëindiging in het stopbericht (JW307)",
        "overlijden, externe omstandigheden en beëindiging door de gemeente, een wijzigingsverzoek, een overstap "
        "of een ander domein (02, 35 tot en met 39): deze tellen niet mee en worden als aantallen getoond; een "
        "onderbreking (20) is geen einde; verwijderde en afgekeurde stops tellen nergens; van twee eindstops telt "
        "de eerste, tot zij verwijderd is",
        "Welke redenen uitval zijn, is een lezing van CBS en S3: in overeenstemming (34) telt als uitval.",
    ),
    "cbs_uitval": Subject(
        "1",
        "Uitval van cliënten, CBS-bestand",
        "Welk deel van de beëindigde hulp voortijdig eindigt (reden 02 tot en met 05), van alle beëindigde hulp. "
        "De vier redenen staan ook apart.",
        _CBS,
        "hulp die nog loopt",
        "Niet te vergelijken met de uitval uit stopberichten: daar tellen externe omstandigheden niet mee.",
    ),
    "nut": Subject(
        "2",
        "Tevredenheid over het nut van de hulp",
        "Het cijfer van 1 tot en met 10 dat jeugdige of ouder geeft: het gemiddelde, de verdeling en drie banden.",
        "CEM+ (vragenlijst aan het einde van de hulp; bij duurzame hulp jaarlijks). Per traject telt de laatste "
        "meting van de jeugdige en de laatste van de ouder, ook als zij bij het einde van een van meer gelijktijdige "
        "leveringen hoort.",
        "metingen zonder cijfer (het aantal wordt getoond); metingen die aan geen traject gekoppeld zijn",
        "Welke vraag van de CEM+ dit cijfer is, staat in een protocol dat niet openbaar is: nu vraag VR09A, als "
        "voorstel.",
    ),
    "cbs_nut": Subject(
        "2",
        "Tevredenheid over het nut van de hulp, CBS-bestand",
        "Het cijfer van 1 (nutteloos) tot en met 10 (uitstekend) dat jeugdige of ouder geeft: het gemiddelde, de "
        "verdeling en drie banden.",
        f"{_CBS}; veld 4.3",
        "metingen zonder cijfer; deze metingen tellen niet mee in de cijfers uit de CEM+, en omgekeerd",
        _CONFIRMED,
    ),
    "zonder_hulp": Subject(
        "3.1",
        "Zonder hulp verder kunnen",
        "Welk deel nu zonder hulp verder kan: geen hulp nu maar terugkeer verwacht (3), of geen hulp meer nodig "
        "(4). De vier antwoorden staan er altijd bij.",
        "CEM+; per traject de laatste meting van de jeugdige en de laatste van de ouder",
        "metingen zonder antwoord (het aantal wordt getoond)",
        "Welke vraag van de CEM+ dit is en wat de antwoorden 1 tot en met 4 betekenen, is niet openbaar: nu vraag "
        "VR10 met de antwoorden van CBS 4.4, als voorstel.",
    ),
    "cbs_zonder_hulp": Subject(
        "3.1",
        "Zonder hulp verder kunnen, CBS-bestand",
        "Welk deel nu zonder hulp verder kan (antwoord 03 of 04). De vier antwoorden staan er altijd bij.",
        f"{_CBS}; veld 4.4",
        "metingen zonder antwoord",
        "De antwoorden zijn bevestigd; dat 03 en 04 samen het cijfer zijn, is een lezing.",
    ),
    "nieuwe_start": Subject(
        "3.2",
        "Geen nieuwe start na het einde",
        "Welk deel van de trajecten die met reden 31 tot en met 34 zijn geëindigd, binnen de termijn "
        f"({SHIPPED.opvolging_days} dagen, of wat een bestand met definities anders zegt) geen nieuw traject heeft "
        "gekregen, bij welke aanbieder en in welke van de gemeenten ook. Van trajecten die korter geleden eindigden, "
        "is het cijfer voorlopig en staat het apart. Hulp die op de einddatum al liep, is geen nieuwe start.",
        _BERICHTEN,
        "beëindigd met een andere reden (02, 35 tot en met 39)",
        "De termijn is een voorstel. Van wie binnen de termijn 18 wordt, is een nieuwe start elders (Wmo, Wlz, "
        "Zvw) niet zichtbaar; hun aantal staat erbij.",
    ),
    "probleem": Subject(
        "3.3",
        "Problemen verminderd, zelfredzaamheid verhoogd",
        "De verdeling van de scores 1, 2 en 3 voor probleemafname, per beoordelaar: behandelaar, ouder en cliënt.",
        "scores in RAP",
        "x (geen score gegeven); scores die nog aan geen traject gekoppeld zijn",
        "Geen bron zegt of 1 of 3 het betere is. Daarom is er alleen een verdeling: het cijfer zelf blijft "
        "verborgen tot iemand de richting bevestigt en welke scores verbetering zijn in de definities staat.",
    ),
    "gas": Subject(
        "3.4",
        "Doelen gerealiseerd",
        "Welk deel van de doelscores 2 (bereikt) is, en welk deel 1 of 2 (minstens deels bereikt). Per doel en per "
        "beoordelaar telt de laatste score. Als tweede cijfer: eerst per traject, dan het gemiddelde over "
        "trajecten.",
        "doelscores (GAS) in RAP",
        "x (geen score gegeven, het aantal wordt getoond); scores die nog aan geen traject gekoppeld zijn",
        "Dat x betekent dat er geen score is gegeven, is een lezing. In een periode tellen alleen beëindigde "
        "trajecten.",
    ),
    "respons_cem": Subject(
        "",
        "Respons CEM+",
        "Van welk deel van de beëindigde trajecten ten minste één geldige meting aan het einde van de hulp is "
        f"ontvangen. Een traject telt mee vanaf {SHIPPED.respons_days} dagen na het einde (of wat een bestand met "
        "definities anders zegt), en eenmaal. Leveringen naast elkaar (stapeling) zijn één traject: een meting bij het "
        "einde van een ervan telt daarvoor, ook als een andere doorloopt.",
        f"{_BERICHTEN} en CEM+",
        "overlijden (02) en duurzame hulp",
        "De intensiteit (perspectief, intensief, duurzaam) staat in geen bericht; een traject waarvan zij onbekend "
        "is, telt mee. De termijn is een voorstel; dat een meting bij het einde van één levering voor het traject "
        "telt ook.",
    ),
    "respons_duurzaam": Subject(
        "",
        "Respons CEM+, duurzame hulp",
        "Van welk deel van de duurzame trajecten die het hele kalenderjaar liepen, in dat jaar een meting is "
        "ontvangen. Het jaar is het laatste hele kalenderjaar voor de peildatum.",
        f"{_BERICHTEN} en CEM+",
        "trajecten die niet het hele jaar liepen",
        "Welke trajecten duurzaam zijn, staat in geen bericht: het volgt uit een tabel per product of uit de "
        "vragenlijst.",
    ),
    "respons_scores": Subject(
        "",
        "Respons scores",
        "Van welk deel van de beëindigde trajecten ten minste één doelscore of score voor probleemafname is ontvangen.",
        f"{_BERICHTEN} en scores in RAP",
        "overlijden (02); x telt niet als score",
        "Geen bron legt deze respons vast.",
    ),
}
