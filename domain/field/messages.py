"""Every reason why something is refused, in one list: code, sentence for the sender, source.

iJw rules keep their own code. Codes of our own: ``B`` file, ``R`` RAP, ``C`` CEM+, ``K`` envelope (keys and seals),
``V`` checks at entry. Sentences are Dutch, name what to do and never hold content.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.field.codes import is_return_code
from domain.field.rules import ADVICE, RETURN_CODES, RULES
from domain.field.words import DELIVERABLE, KIND_LABELS, REMARKS_NOT_FOLLOWED


class Message(NamedTuple):
    """One reason: sentence for the sender (Dutch), source of the rule, and whether it refuses the whole file."""

    text: str
    basis: str
    file: bool = False

    @property
    def severity(self) -> str:
        """How far a refusal reaches: the whole file or message, or the one row or meting."""
        return "heel bestand" if self.file else "deze regel"


MESSAGES: Final[dict[str, Message]] = {
    # iJw, inside one message (level 1 and 2): the whole message is refused.
    "XSD": Message(
        "Het bericht voldoet niet aan het schema. Herstel het bericht en lever het opnieuw aan.", "iJw IV028", True
    ),
    "CS025": Message("BerichtVersie is niet 3. De monitor leest iJw 3.2.", "iJw CS025", True),
    "CS015": Message("BerichtSubversie is niet 2. De monitor leest iJw 3.2.", "iJw CS015", True),
    "CS002": Message("De BSN voldoet niet aan de elfproef. Controleer de BSN van de cliënt.", "iJw CS002", True),
    "CS058": Message(
        "StatusAanlevering is niet 1 of 3. Gebruik 1 (eerste aanlevering) of 3 (verwijderen).", "iJw CS058", True
    ),
    "CS139": Message("Geboortedatum en DatumGebruik passen niet bij elkaar.", "iJw CS139", True),
    "TR002": Message("De geboortedatum ligt meer dan 120 jaar voor de dagtekening.", "iJw TR002", True),
    "TR018": Message("De einddatum ligt voor de begindatum.", "iJw TR018", True),
    "TR101": Message(
        "Twee regels in dit bericht hebben dezelfde sleutel. Geef in een declaratie iedere prestatie een eigen "
        "ReferentieNummer; lever gelijke starts of stops in aparte berichten aan.",
        "iJw TR101",
        True,
    ),
    "TR134": Message(
        "Een datum bestaat niet, ligt voor 1900 of na 2100, of ligt na de dagtekening.", "iJw TR134 [R]", True
    ),
    "TR135": Message("De dagtekening ligt in de toekomst.", "iJw TR135", True),
    "TR137": Message("De productperiode eindigt voor het begin of na de dagtekening.", "iJw TR137", True),
    "CS340": Message("De declaratieperiode is niet precies één kalendermaand.", "iJw CS340", True),
    "CS100": Message("De declaratieperiode begint voor 1 januari 2021.", "iJw CS100", True),
    "CS337": Message("De productperiode valt niet binnen één maand.", "iJw CS337", True),
    "CD060": Message("VorigReferentieNummer is gevuld als, en alleen als, het een creditregel is.", "iJw CD060", True),
    "CD087": Message("ProductTarief ontbreekt, of is gevuld terwijl de eenheid 83 (euro's) is.", "iJw CD087", True),
    "CS339": Message("Bij eenheid 83 is het bedrag gelijk aan het volume.", "iJw CS339", True),
    "CS325": Message("Bij een totaal van 0 is DebetCredit D.", "iJw CS325", True),
    "TR358": Message("Het totaalbedrag is niet de som van de regels.", "iJw TR358", True),
    "TR315": Message("Een VorigReferentieNummer komt twee keer voor.", "iJw TR315", True),
    "TR316": Message("Een creditregel verwijst naar een regel in hetzelfde bericht.", "iJw TR316", True),
    "TR335": Message(
        "Een productperiode eindigt meer dan vijf jaar voor de dagtekening van de declaratie.", "iJw TR335", True
    ),
    "TR416": Message(
        "Er staan twee debetregels voor dezelfde toewijzing, periode, categorie en code.", "iJw TR416", True
    ),
    "JZ588": Message("De reden van beëindiging staat niet in de codelijst JZ588.", "iJw JZ588", True),
    "JZ020": Message("De productcategorie staat niet in de codelijst JZ020.", "iJw JZ020", True),
    "JZ002": Message("De reden van wijziging staat niet in de codelijst JZ002.", "iJw JZ002", True),
    "CS003": Message("De einddatum van de toewijzing ligt voor de ingangsdatum.", "iJw CS003", True),
    "CS335": Message(
        "Bij een verwijderde toewijzing (reden 13) is de einddatum gelijk aan de ingangsdatum.", "iJw CS335", True
    ),
    "CS336": Message("De reden van wijziging 01 is vervallen.", "iJw CS336", True),
    "CD079": Message("Het product ontbreekt terwijl er geen budget is.", "iJw CD079", True),
    "CD077": Message("Omvang en budget sluiten elkaar uit.", "iJw CD077, CD078", True),
    "TR342": Message(
        "De som van de afgekeurde regels is niet het ingediende min het toegekende bedrag.", "iJw TR342", True
    ),
    # Files.
    "B01": Message("Het bestand is leeg.", "", True),
    "B02": Message(
        f"Het bestand is van geen bekend soort. Lever {DELIVERABLE} aan, of met de layout erbij een "
        f"{KIND_LABELS['cbs']}.",
        "",
        True,
    ),
    "B03": Message(
        "Het bestand houdt halverwege op (de laatste regel is niet af). Lever het volledige bestand opnieuw aan.",
        "",
        True,
    ),
    "B04": Message(
        "De tekens zijn niet te lezen: een XML-bericht is UTF-8, een CSV-bestand UTF-8 of Windows-1252. Bewaar of "
        "verstuur het als UTF-8.",
        "",
        True,
    ),
    "B05": Message("Het bestand is groter dan toegestaan. Splits het bestand.", "", True),
    "B06": Message(
        "De kopregel ontbreekt of mist een kolom. Een CSV-bestand begint ermee, zonder titel erboven; in Excel is "
        "gezocht in de eerste 20 rijen van de eerste 10 bladen.",
        "S0 [P]",
        True,
    ),
    "B07": Message("Het bestand verandert nog. Wacht tot het schrijven klaar is en lever het opnieuw aan.", "", True),
    "B08": Message("Geef de AGB-code van de aanbieder op: dit bestand noemt er zelf geen.", "", True),
    "B09": Message("De AGB-code in het bestand is niet die van de aanleverende aanbieder.", "", True),
    "B10": Message("Het zipbestand is beschadigd of versleuteld. Maak het opnieuw, zonder wachtwoord.", "", True),
    "B11": Message(
        "Het zipbestand heeft te veel bestanden of wordt uitgepakt te groot. Lever de bestanden zelf aan.", "", True
    ),
    "B12": Message("Een zipbestand in een zipbestand wordt niet gelezen. Pak het eerst uit.", "", True),
    "B13": Message("Het bestand kan niet worden gelezen. Controleer of het bestaat en of u het mag lezen.", "", True),
    "B14": Message(
        "Dit is een Excel- of Office-bestand. Bewaar het blad als CSV en lever dat aan; "
        "is het een CBS-bestand, geef dan de layout met de kolommen op.",
        "",
        True,
    ),
    "B16": Message("Geen enkele regel is van een deelnemende gemeente. Er is niets aangeleverd.", "S1", True),
    "B17": Message("Geef het halfjaar (de periode) van het CBS-bestand op, zoals 2026-1.", "CBS", True),
    "B18": Message("Alleen het lopende en het vorige halfjaar worden verwerkt. Controleer de periode.", "CBS", True),
    "B19": Message(
        "Te veel regels van het CBS-bestand hebben dezelfde sleutel (BSN, datum aanvang en hulpvorm). "
        "Controleer de kolommen in de layout.",
        "[P]",
        True,
    ),
    "B20": Message("Het Excel-bestand is beschadigd, versleuteld of heeft het gevraagde blad niet.", "[P]", True),
    "B21": Message("Dit is niet voor de monitor en is overgeslagen. U hoeft niets te doen.", "[P]", True),
    "B22": Message(
        "Dit bericht is van een andere release: de monitor leest iJw 3.2. Lever het in die release opnieuw aan.",
        "iJw [R]",
        True,
    ),
    "B23": Message(
        "Dit is een Excel-bestand van de oude vorm (.xls). Open het in Excel, bewaar als .xlsx (een CBS-bestand) of "
        "als CSV (scores en vragenlijsten), en lever dat aan.",
        "[P]",
        True,
    ),
    "B25": Message(
        "Het bericht is geen goed gevormde XML: op deze regel staat iets wat daar niet mag, zoals een los &-teken of "
        "een lege regel voor <?xml. Maak het bericht opnieuw en lever het aan.",
        "XML 1.0",
        True,
    ),
    "B26": Message(
        "Dit bestand is ingepakt, en niet als zip (maar als gz, 7z of rar). Pak het uit en lever de bestanden aan.",
        "[P]",
        True,
    ),
    "B27": Message(
        "Dit is een webpagina (HTML), ook al heeft het bestand een andere naam. Bewaar de gegevens als CSV, of een "
        "CBS-bestand als .xlsx, en lever dat aan.",
        "[P]",
        True,
    ),
    # RAP rows.
    "R01": Message("De BSN is geen negen cijfers die aan de elfproef voldoen.", "iJw CS002"),
    "R02": Message("Vul het beschikkingsnummer of het toewijzingsnummer.", "S0"),
    "R03": Message("Het toewijzingsnummer is geen getal van hoogstens negen cijfers.", "iJw 3.4"),
    "R04": Message("Het type is onbekend. Gebruik D1O tot en met D10O, D1C tot en met D10C, PB, PO of PC.", "S0 [R]"),
    "R05": Message(
        "De waarde past niet bij het type: -1, 0, 1, 2 of x voor een doel, 1, 2, 3 of x voor de probleemafname.",
        "S0, S1",
    ),
    "R06": Message("Dezelfde score staat al eerder in dit bestand.", "[P]"),
    "R07": Message("De regel heeft te weinig of te veel kolommen.", "[P]"),
    "R08": Message("Het beschikkingsnummer is langer dan 50 tekens.", "[P]"),
    "R09": Message(
        "De BSN is al gepseudonimiseerd. Lever het bronbestand, met de BSN: de monitor verzegelt zelf.", "[P]"
    ),
    # CEM+ metingen.
    "C01": Message("De BSN is geen negen cijfers die aan de elfproef voldoen.", "iJw CS002"),
    "C02": Message(
        "De datum van de meting is geen bestaande datum (zoals 1-6-2026 of 01-06-2026), of ligt in de toekomst.", "S0"
    ),
    "C03": Message("De vragenlijst is onbekend.", "S0 [R]"),
    "C04": Message("De vraag hoort niet bij deze vragenlijst.", "[P]"),
    "C05": Message("Het antwoord valt buiten de schaal van de vraag.", "[P]"),
    "C06": Message("Een vraag staat twee keer in dezelfde meting.", "[P]"),
    "C07": Message("De regels van één meting spreken elkaar tegen (cliënt, datum, informant of vragenlijst).", "[P]"),
    "C08": Message("zorgaanbieder_id is geen AGB-code van acht cijfers.", "S0 [R]"),
    "C09": Message("meting_id ontbreekt of is langer dan 64 tekens.", "S0"),
    "C10": Message("De regel heeft te weinig of te veel kolommen.", "[P]"),
    "C11": Message(
        "De rij is van een andere zorgaanbieder dan de rest van het bestand. Lever per zorgaanbieder aan.", "[P]"
    ),
    "C12": Message(
        "De informant is geen aanduiding in letters van hoogstens 30 tekens. Noem een rol, geen naam of nummer.", "[P]"
    ),
    "C13": Message("Geen enkele vraag van de meting is beantwoord.", "[P]"),
    "C14": Message(
        "De BSN is al gepseudonimiseerd. Lever het bronbestand, met de BSN: de monitor verzegelt zelf.", "[P]"
    ),
    # CBS records.
    "G01": Message(
        "De BSN is geen negen cijfers die aan de elfproef voldoen, en ook niet 999999999 (onbekend) of 000000000 "
        "(ongeboren).",
        "CBS",
    ),
    "G02": Message(
        "De geboortedatum is geen bestaande datum (JJJJMMDD, JJJJMM00 of JJJJ0000), of ligt in de toekomst.", "CBS"
    ),
    "G03": Message("Het geslacht is niet V, M of O.", "CBS"),
    "G04": Message("Vul een postcode (1234AB) of, als die onbekend is, de gemeentecode.", "CBS"),
    "G05": Message("De code staat niet in de codelijst van CBS.", "CBS"),
    "G06": Message(
        "De datum aanvang of einde is geen bestaande datum (JJJJMMDD), ligt in de toekomst, of het einde ligt voor "
        "het begin.",
        "CBS",
    ),
    "G07": Message("Datum einde en reden beëindiging zijn samen gevuld of samen leeg.", "CBS"),
    "G08": Message("Nut is een cijfer van 1 tot en met 10, zonder hulp verder is 01 tot en met 04.", "CBS 4.3, 4.4"),
    "G09": Message("De hulp liep niet in het halfjaar van het bestand. Controleer de periode.", "CBS"),
    "G10": Message("De regel is te kort, te lang of heeft een ander aantal kolommen.", "[P]"),
    "G11": Message("De soort informant is onbekend. Vul de codes van de layout.", "CBS 4.5 [P]"),
    # Envelope and entry.
    "K01": Message("De verzegeling kan niet worden geopend. Controleer of de openbare sleutels actueel zijn.", ""),
    "K02": Message("Het verblinde punt is ongeldig.", ""),
    "K03": Message("Het record is geen geldig bericht van dit soort.", ""),
    "K04": Message("De inhoud hoort niet bij dit soort aanlevering.", ""),
    "K05": Message(
        "Het record is niet ondertekend door een bekende bron die voor deze aanbieder mag aanleveren. Controleer het "
        "certificaat.",
        "",
    ),
    "K06": Message(
        "De aanleveringen van deze bron zijn apart gezet, omdat de meeste niet te openen zijn. Neem contact op met de "
        "beheerder; ze worden verwerkt als de oorzaak weg is.",
        "",
    ),
    "K07": Message(
        "Er zijn te veel gegevens van deze cliënt: de monitor bewaart er per aanbieder en soort een beperkt aantal. "
        "Dit record telt niet mee. Controleer of het niet telkens onder een nieuw nummer of in een nieuwe aanlevering "
        "komt.",
        "[P]",
    ),
    "K08": Message(
        "Dit nummer (of deze periode) is vaker gebruikt dan de monitor kan volgen; deze regel telt niet mee. Gebruik "
        "voor ieder bericht, iedere prestatie en iedere declaratie een eigen nummer.",
        "[P]",
    ),
    "K09": Message("De beheerder heeft dit record overgeslagen. Lever het opnieuw aan als het nodig is.", ""),
    "K10": Message("Een andere reden: er zijn er meer dan het ontvangstbewijs apart telt.", ""),
    "K11": Message(
        "Dit verzoek is meer dan een dag onderweg geweest, of de klok van de bron loopt achter. Geef het opnieuw.",
        "[P]",
    ),
    "V01": Message("Een code staat niet in de codelijst.", "iJw"),
    "V02": Message("Een datum of volgorde van datums is onmogelijk.", "iJw TR018, TR134"),
    "V03": Message("Een waarde valt buiten het toegestane bereik.", ""),
}


#: What ``sor deliver`` is told, for a code: a sentence above is read by those who use another way in as well.
OPTIONS: Final[dict[str, str]] = {
    **dict.fromkeys(("B02", "B14"), "--layout"),
    **dict.fromkeys(("B08",), "--as"),
    **dict.fromkeys(("B17", "B18", "G09"), "--periode"),
}
#: What the intake over HTTP says instead, for a code: it has no options.
_OVER_HTTP: Final[dict[str, str]] = dict.fromkeys(
    ("B02", "B14"), f"Een {KIND_LABELS['cbs']} gaat niet over deze weg, maar met het programma van de bron."
)


def option(code: str) -> str:
    """The option of ``sor deliver`` that helps, in words; empty when there is none."""
    return f" Gebruik {OPTIONS[code]}." if code in OPTIONS else ""


def over_http(code: str) -> str:
    """The sentence of a code, as the intake over HTTP ends it."""
    return f"{text(code)} {_OVER_HTTP.get(code, '')}".rstrip()


def text(code: str) -> str:
    """The sentence of a code; of return codes of the municipality (WJ001) there are too many to list."""
    message = MESSAGES.get(code)
    if message:
        return message.text
    if is_return_code(code):
        meaning = RETURN_CODES.get(code, f"Wat retourcode {code} betekent staat in codelijst WJ001.")
        return (
            f"De gemeente heeft dit in een retourbericht afgekeurd; het telt niet meer mee. {meaning} Herstel de "
            "oorzaak en lever opnieuw aan met een nieuwe identificatie."
        )
    return f"Onbekende code {code}."


def remark(code: str) -> str:
    """What a rule between messages says of a record that counts, and what its sender can do; or that there are too
    many remarks to list.
    """
    if code not in RULES:
        return REMARKS_NOT_FOLLOWED
    return f"{RULES[code].sentence} {ADVICE.get(code, '')}".rstrip()
