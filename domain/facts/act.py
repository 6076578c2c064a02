"""Natural keys of the facts, and the acts upon them: what the set of facts of one client is made of.

All are packed as arrays. A field may only be added at the end and with a default, so that older states can be read.
"""

from __future__ import annotations

from typing import NamedTuple


class StartKey(NamedTuple):
    """Key of a start: IV008, with provider and municipality in front; IV096 without toewijzing."""

    aanbieder: str
    gemeente: str
    toewijzing: bytes | None
    categorie: str
    code: str
    begindatum: int


class StopKey(NamedTuple):
    """Key of a stop: that of its start and the reason, added to the key in iJw 3.2."""

    start_key: StartKey
    reden_beeindiging: str


class ScoreKey(NamedTuple):
    """Key of a score: provider, number, goal and rater."""

    aanbieder: str
    toewijzing: bytes | None
    beschikking: bytes | None
    doel: int
    beoordelaar: str


class PrestatieKey(NamedTuple):
    """Key of a declared line: TR314."""

    aanbieder: str
    referentie: bytes


class MetingKey(NamedTuple):
    """Key of a filled-in questionnaire."""

    aanbieder: str
    meting: bytes


class StartAct(NamedTuple):
    """One delivery (status 1) or removal (status 3) of a start."""

    status: int
    dagtekening: int
    ingangsdatum: int | None
    leeftijd: int | None
    leeftijd_benaderd: bool
    geslacht: str
    aanlevering: bytes = b""  # handle of its delivery; empty in states of the release before
    record: int = 0  # line in that delivery


class StopAct(NamedTuple):
    """One delivery or removal of a stop."""

    status: int
    dagtekening: int
    ingangsdatum: int | None
    einddatum: int
    leeftijd: int | None
    leeftijd_benaderd: bool
    geslacht: str
    aanlevering: bytes = b""  # as of ``StartAct``
    record: int = 0


class PrestatieAct(NamedTuple):
    """One declared line as delivered."""

    gemeente: str
    toewijzing: bytes
    categorie: str
    code: str
    vorige_referentie: bytes | None
    debet_credit: str
    begindatum: int
    einddatum: int
    volume: int
    eenheid: str
    bedrag: int
    dagtekening: int
    declaratienummer: bytes | None = None
    tarief: int | None = None
    aanlevering: bytes = b""  # as of ``StartAct``
    record: int = 0


class ScoreAct(NamedTuple):
    """One upload of a score."""

    tijd: int
    waarde: int | None


class MetingAct(NamedTuple):
    """One upload of a meting."""

    tijd: int
    datum: int
    vragenlijst: str
    informant: str
    antwoorden: dict[str, int]


class ToewijzingKey(NamedTuple):
    """Key of an assignment: TR332, with the provider in front."""

    aanbieder: str
    gemeente: str  # as received
    toewijzing: bytes


class ToewijzingAct(NamedTuple):
    """One version of an assignment; the first three fields order them (IV013). Behind the newest stand those that
    count when the deliveries of the newer ones were taken back.
    """

    toewijzingsdatum: int
    toewijzingstijd: int
    bericht: bytes
    categorie: str
    code: str
    ingangsdatum: int
    einddatum: int | None
    reden_wijziging: str
    eenheid: str
    aanlevering: bytes = b""  # start of the handle of its delivery; empty in states of the release before
    earlier: tuple[ToewijzingAct, ...] = ()  # of other deliveries, the newest first; they have none themselves
    postcodegebied: str = ""


class CbsKey(NamedTuple):
    """Key of a CBS record: client, start and form of help as CBS keys it, with the provider in front."""

    aanbieder: str
    hulpvorm: str
    begindatum: int


class CbsAct(NamedTuple):
    """One upload of a CBS record."""

    tijd: int
    periode: str
    gemeente: str
    verwijzer: str
    crisis: str
    einddatum: int | None
    reden: str
    geslacht: str
    leeftijd: int | None
    leeftijd_benaderd: bool
    nut_jeugdige: int | None
    nut_ouder: int | None
    zonder_hulp_jeugdige: int | None
    zonder_hulp_ouder: int | None
    postcodegebied: str = ""


class BerichtKey(NamedTuple):
    """A message that was rejected as a whole: kind, sender and identification (TR056)."""

    aanbieder: str
    soort: str  # start, stop or declaration
    bericht: bytes
    cause: bytes = b""  # as of ``DubbelKey``
    dagtekening: int | None = None  # of that message; None: whatever its dagtekening


class DubbelKey(NamedTuple):
    """A number used twice: TR056, TR314 or TR333."""

    aanbieder: str
    regel: str
    soort: str  # TR056: kind of the message; else empty
    sleutel: bytes
    cause: bytes = b""  # start of the handle of the delivery that makes it so; empty in states of the release before


class VervangingKey(NamedTuple):
    """A CBS delivery that a later one replaced, for one period."""

    aanbieder: str
    periode: str
    aanlevering: bytes  # its id, as in the number of an upload
    cause: bytes = b""  # as of ``DubbelKey``


class TakenBackAct(NamedTuple):
    """When a delivery was taken back, and when it was sent anew after that (0 = not). It is taken back while the first
    is the later of the two.
    """

    terug: int  # ms
    opnieuw: int  # ms
