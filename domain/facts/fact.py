"""The facts: what one line of a delivery says about one client. A fact is a value; the set of facts is the state.

They are built by keyword only: a dozen fields of one type in a row would hide a swapped pair.

Every fact has a natural key and a logical time of its sender (decision 0002). References (``bericht``, ``toewijzing``,
``beschikking``, ``referentie``, ``meting``) are bytes: the clear text of the source inside the sealed part, and an
eight-byte keyed hash from ``entry`` onward. Dates are day numbers (``domain.field.dates``), times are milliseconds
since 1970.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Start(Struct, frozen=True, gc=False, kw_only=True):
    """A start of care, one StartProduct of a JW305. Key: IV008 (client, toewijzing, product, begindatum)."""

    gemeente: str  # CBS code as received (header, IV046)
    toewijzing: bytes | None  # None only in taakgericht work (IV096)
    categorie: str  # JZ020; empty if generiek
    code: str  # product code; empty if none
    begindatum: int
    status: int  # COD467: 1 first delivery, 3 remove
    dagtekening: int
    bericht: bytes  # Identificatie of the message, with type and sender the message key (TR056)
    ingangsdatum: int | None  # of the assignment
    leeftijd: int | None  # completed years on begindatum; None = unknown
    leeftijd_benaderd: bool  # from a partial birth date
    geslacht: str  # COD046


class Stop(Struct, frozen=True, gc=False, kw_only=True):
    """An end or pause of care, one StopProduct of a JW307. Key: as Start plus reden_beeindiging (iJw 3.2)."""

    gemeente: str
    toewijzing: bytes | None
    categorie: str
    code: str
    begindatum: int  # copied from the start
    reden_beeindiging: str  # JZ588
    einddatum: int  # last day of delivery
    status: int
    dagtekening: int
    bericht: bytes
    ingangsdatum: int | None
    leeftijd: int | None  # completed years on einddatum
    leeftijd_benaderd: bool
    geslacht: str


class Prestatie(Struct, frozen=True, gc=False, kw_only=True):
    """One declared line of a JW323: a sign of activity, never a date of care (OP364).

    Key: provider and referentie (TR314).
    """

    gemeente: str
    toewijzing: bytes
    categorie: str
    code: str
    referentie: bytes
    vorige_referentie: bytes | None  # of the debit line that a credit takes back (CD060)
    debet_credit: str  # COD043
    begindatum: int  # ProductPeriode, within one month (CS337)
    einddatum: int
    volume: int
    eenheid: str  # WJ756
    bedrag: int  # eurocent, without sign
    dagtekening: int
    bericht: bytes
    declaratienummer: bytes | None = None  # unique per provider (TR333); None in records of release 0.1.0
    tarief: int | None = None  # eurocent; None with unit 83 (CD087)


class Score(Struct, frozen=True, gc=False, kw_only=True):
    """A GAS or probleemafname score from RAP. Key: provider, number, doel, beoordelaar. Time: upload time [R]."""

    toewijzing: bytes | None
    beschikking: bytes | None  # one of the two numbers is filled (S0)
    doel: int  # 1..10 = GAS goal, 0 = probleemafname
    beoordelaar: str  # O ouder, C client, B behandelaar
    waarde: int | None  # GAS -1..2, probleemafname 1..3; None = x, no score given [R]
    tijd: int  # upload time, ms


class Meting(Struct, frozen=True, gc=False, kw_only=True):
    """One filled-in CEM+ questionnaire. Key: provider + meting. Time: datum, then upload time."""

    meting: bytes
    vragenlijst: str
    informant: str
    datum: int
    antwoorden: dict[str, int]  # question code -> answer
    tijd: int  # upload time, ms


class Toewijzing(Struct, frozen=True, gc=False, kw_only=True):
    """One ToegewezenProduct of a JW301. Key: gemeente + toewijzing (TR332); the highest toewijzingsdatum and
    toewijzingstijd is the current version (IV013).
    """

    gemeente: str  # sender of the message
    toewijzing: bytes
    categorie: str  # empty if generiek
    code: str  # empty if not specifiek
    toewijzingsdatum: int
    toewijzingstijd: int  # seconds since midnight
    ingangsdatum: int
    einddatum: int | None  # None = open
    reden_wijziging: str  # JZ002; empty = first or unchanged, 13 = removed (CS335)
    volume: int | None  # Omvang; None when there is none
    eenheid: str  # WJ756; empty as above
    frequentie: str  # 1 per day, 2 per week, 4 per month, 6 in all; empty as above
    budget: int | None  # eurocent; excludes Omvang
    dagtekening: int
    bericht: bytes
    postcodegebied: str = ""  # area of the client's address, by a table of the source; empty if unknown


class PrestatieRetour(Struct, frozen=True, gc=False, kw_only=True):
    """A declared line that a JW325 rejects. Key: provider + referentie + the message that declared it."""

    gemeente: str
    referentie: bytes
    bericht: bytes  # Identificatie of the JW323
    code: str  # first return code that rejects (WJ001)
    dagtekening: int  # of the answer
    bericht_dagtekening: int | None = None  # of that JW323; None in records of release 0.2.0


class CbsRecord(Struct, frozen=True, gc=False, kw_only=True):
    """One record of a CBS-structured file (Almere). Key: provider, hulpvorm, begindatum (domain 10). Time: upload."""

    gemeente: str  # CBS code; of the address that decides the woonplaats
    hulpvorm: str  # CBS 3.3
    verwijzer: str  # CBS 3.2; empty if none
    crisis: str  # CBS 3.4; empty if none
    begindatum: int
    einddatum: int | None  # None while running
    reden: str  # CBS 3.7; empty while running
    geslacht: str  # COD046
    leeftijd: int | None  # completed years on begindatum
    leeftijd_benaderd: bool
    nut_jeugdige: int | None  # CBS 4.3
    nut_ouder: int | None
    zonder_hulp_jeugdige: int | None  # CBS 4.4, 1..4
    zonder_hulp_ouder: int | None
    periode: str  # half year that the file reports: 2026-1 or 2026-2
    tijd: int  # upload time, ms
    postcodegebied: str = ""  # area of the postcode, by a table of the source; empty if unknown


class BerichtRetour(Struct, frozen=True, gc=False, kw_only=True):
    """An answer on a whole message: JW306, JW308, or the header of a JW325. It names no client and is no event: the
    register finds whom the message concerned.
    """

    soort: str  # start, stop or declaration: kind of the message that is answered
    gemeente: str
    bericht: bytes  # Identificatie of that message
    afgekeurd: bool  # it counts as never sent (OP286, IV087)
    code: str  # first return code that rejects (WJ001); empty when approved
    dagtekening: int  # of the answer
    bericht_dagtekening: int | None = None  # of that message; None in records of release 0.2.0


class Intrekking(Struct, frozen=True, gc=False, kw_only=True):
    """A message of this client counts as never sent: it was rejected as a whole. From the register.

    The delivery of the event is the one that the answer came with: taken back, it withdraws nothing.
    """

    soort: str  # start, stop, declaration
    bericht: bytes
    code: str
    bericht_dagtekening: int | None = None  # of that message; None: whatever its dagtekening


class Dubbel(Struct, frozen=True, gc=False, kw_only=True):
    """A number that must be unique was used twice with other content. From the register; a quality flag.

    Two deliveries make it so: that of this client's own use (``aanlevering``) and the other one, which is the delivery
    of the event. It stands while neither of them is taken back.
    """

    regel: str  # TR056, TR314 or TR333
    soort: str  # TR056: kind of the message; else empty
    sleutel: bytes  # the message, reference or declaration number
    aanlevering: str = ""  # handle of the delivery in which this client used it; empty in events of release 0.1.0


class Vervanging(Struct, frozen=True, gc=False, kw_only=True):
    """A CBS delivery was replaced by a later, complete one of its provider and period. From the register.

    The delivery of the event is the one that replaced it: taken back, it replaces nothing.
    """

    periode: str
    aanlevering: str  # handle of the replaced delivery


class Terugname(Struct, frozen=True, gc=False, kw_only=True):
    """A source takes back a whole delivery of its own: it counts as never sent. It names no client and is no event:
    stage ``takeback`` finds whom the delivery concerned.
    """

    aanlevering: str  # id of the delivery, 32 hexadecimal digits
    lines: int  # its number of records: with the sender and the id it says which delivery (T2)
    reden: str  # one of ``TAKEBACK_REASONS``


class Wisverzoek(Struct, frozen=True, gc=False, kw_only=True):
    """A source asks that a client is forgotten (decision 0029). It says of whom as any line does, and is no event: it
    waits until the third party carries it out.
    """

    reden: str  # one of ``ERASURE_REASONS``


class Teruggenomen(Struct, frozen=True, gc=False, kw_only=True):
    """A delivery that told of this client was taken back at ``terug``; it counts again when a record of it was sent
    anew after that (``opnieuw``). From stage ``takeback``.
    """

    aanlevering: str  # keyed hash that stands for the delivery, as on its events
    terug: int  # ms, when the taking back arrived
    opnieuw: int  # ms, when the latest record after that was published; 0 = none


Fact = (
    Start
    | Stop
    | Prestatie
    | Score
    | Meting
    | Toewijzing
    | PrestatieRetour
    | CbsRecord
    | Intrekking
    | Dubbel
    | Vervanging
    | Teruggenomen
)
#: What a line of a delivery can hold.
Content = Fact | BerichtRetour | Terugname | Wisverzoek

#: Kind of delivery -> the facts that may come through its topic.
KINDS: Final[dict[str, tuple[type[Content], ...]]] = {
    "start": (Start,),
    "stop": (Stop,),
    "declaration": (Prestatie,),
    "score": (Score,),
    "cem": (Meting,),
    "assignment": (Toewijzing,),
    "return": (BerichtRetour, PrestatieRetour),
    "cbs": (CbsRecord,),
    "takeback": (Terugname,),
    "erasure": (Wisverzoek,),
}


class Event(Struct, frozen=True, gc=False, kw_only=True):
    """A fact with its provenance, as it stands in ``sor.events`` under the client's pseudonym."""

    delivery: str  # 32 hexadecimal digits
    line: int  # 1..lines of the delivery
    aanbieder: str  # AGB code of the sender
    published_at: int  # ms, when the connector published the line
    fact: Fact
