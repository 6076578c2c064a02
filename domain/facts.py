"""The facts: what one line of a delivery says about one client. A fact is a value; the set of facts is the state.

Every fact has a natural key and a logical time of its sender (decision 0002). References (``bericht``, ``toewijzing``,
``beschikking``, ``referentie``, ``meting``) are bytes: the clear text of the source inside the sealed part, and an
eight-byte keyed hash from ``entry`` onward. Dates are day numbers (``domain.dates``), times are milliseconds since
1970.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Start(Struct, frozen=True, gc=False):
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


class Stop(Struct, frozen=True, gc=False):
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


class Prestatie(Struct, frozen=True, gc=False):
    """One declared line of a JW323: a sign of activity, never a date of care (OP364). Key: provider + referentie
    (TR314).
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


class Score(Struct, frozen=True, gc=False):
    """A GAS or probleemafname score from RAP. Key: provider, number, doel, beoordelaar. Time: upload time [R]."""

    toewijzing: bytes | None
    beschikking: bytes | None  # one of the two numbers is filled (S0)
    doel: int  # 1..10 = GAS goal, 0 = probleemafname
    beoordelaar: str  # O ouder, C client, B behandelaar
    waarde: int | None  # GAS -1..2, probleemafname 1..3; None = x, no score given [R]
    tijd: int  # upload time, ms


class Meting(Struct, frozen=True, gc=False):
    """One filled-in CEM+ questionnaire. Key: provider + meting. Time: datum, then upload time."""

    meting: bytes
    vragenlijst: str
    informant: str
    datum: int
    antwoorden: dict[str, int]  # question code -> answer
    tijd: int  # upload time, ms


Fact = Start | Stop | Prestatie | Score | Meting

#: Name of a fact in Avro and in topics -> its class. The order is the order of the union in ``sor.events``.
FACTS: Final[dict[str, type[Fact]]] = {
    "start": Start,
    "stop": Stop,
    "declaration": Prestatie,
    "score": Score,
    "cem": Meting,
}
KIND: Final[dict[type, str]] = {cls: kind for kind, cls in FACTS.items()}


class Event(Struct, frozen=True, gc=False):
    """A fact with its provenance, as it stands in ``sor.events`` under the client's pseudonym."""

    delivery: str  # 32 hexadecimal digits
    line: int  # 1..lines of the delivery
    aanbieder: str  # AGB code of the sender
    published_at: int  # ms, when the connector published the line
    fact: Fact
