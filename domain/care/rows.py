"""The rows the monitor publishes: pure functions of one client's facts, without version or time of computing."""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct


class RowKey(NamedTuple):
    """Key of a row: every column of the table's sorting key and its partition (decision 0003)."""

    table: int  # index in TABLES
    aanbieder: str
    gemeente: str  # current code; empty when not known yet
    jaar: int
    number: bytes  # eight bytes, unique within the client

    @property
    def text(self) -> str:
        """The Kafka key: ``aanbieder|gemeente|jaar|number``."""
        return f"{self.aanbieder}|{self.gemeente}|{self.jaar}|{self.number.hex()}"


TABLES: Final = ("trajecten", "metingen", "scores")
T_TRAJECT, T_METING, T_SCORE = range(3)


class TrajectRow(Struct, gc=False):
    """One trajectory with its indicators. Field meanings: ``schemas/avro/sor.trajecten.avsc``."""

    cluster: str = ""
    categorie: str = ""
    code: str = ""
    begindatum: int = 0
    einddatum: int | None = None
    reden_beeindiging: str = ""
    uitval_klasse: str = ""
    status: str = ""
    leveringen: int = 0
    leeftijd: int | None = None
    geslacht: str = ""
    nut_jeugdige: int | None = None
    nut_ouder: int | None = None
    zonder_hulp_jeugdige: int | None = None
    zonder_hulp_ouder: int | None = None
    gas: dict[str, int] = {}
    gas_gescoord: int = 0
    gas_bereikt: int = 0
    gas_deels: int = 0
    probleem_behandelaar: int | None = None
    probleem_ouder: int | None = None
    probleem_client: int | None = None
    metingen: int = 0
    scores: int = 0
    declaraties: int = 0
    vlaggen: list[str] = []
    bron: str = "ijw"
    hulpvorm: str = ""
    verwijzer: str = ""
    crisis: str = ""
    intensiteit: str = ""
    nieuwe_start: int | None = None
    metingen_einde: int = 0
    metingen_jaren: list[int] = []
    wacht: dict[str, int] = {}
    segment: str = ""
    profiel: str = ""
    spic: str = ""
    postcodegebied: str = ""
    opvolging_dagen: int = 365  # of a row that does not say it, as the contract has it
    respons_dagen: int = 90


class MetingRow(Struct, gc=False):
    """One CEM+ meting with its link. Field meanings: ``schemas/avro/sor.metingen.avsc``."""

    vragenlijst: str = ""
    groep: str = ""
    soort: str = ""
    informant: str = ""
    datum: int = 0
    nut: int | None = None
    zonder_hulp: int | None = None
    antwoorden: dict[str, int] = {}
    traject: str = ""
    telt: bool = False
    bevestigd: bool = False
    wacht: str = ""
    sinds: int | None = None
    aanlevering: str = ""
    record: int = 0


class ScoreRow(Struct, gc=False):
    """One score with its link. Field meanings: ``schemas/avro/sor.scores.avsc``."""

    doel: int = 0
    beoordelaar: str = ""
    waarde: int | None = None
    tijd: int = 0
    traject: str = ""
    wacht: str = ""
    sinds: int | None = None
    aanlevering: str = ""
    record: int = 0


CareRow = TrajectRow | MetingRow | ScoreRow
EMPTY: Final[tuple[CareRow, ...]] = (TrajectRow(), MetingRow(), ScoreRow())
