"""Rows as the stream publishes them, for tests of what comes after it. A new column has the row's own default."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import asdict

from domain.care.rows import CareRow, MetingRow, ScoreRow, TrajectRow

BUCKETS: Final = 1024
NOW: Final = 1_782_900_000_000  # ms


def named(number: int) -> str:
    """22 characters, as a client has within its provider."""
    return f"{number:022x}"


def _row(row: CareRow, number: int, version: int, key: str) -> dict[str, Any]:
    """The columns that every row has: provider and year go round, so that keys and partitions differ."""
    return asdict(row) | {
        "aanbieder": f"{90_000_000 + number % 3:08d}",
        "gemeente": "0363",
        "jaar": 2024 + number % 2,
        key: f"{number:016x}",
        "version": version,
        "verwijderd": False,
        "client": named(number),
        "emmer": number % BUCKETS,
        "definitie_versie": 1,
        "gebeurd_op": NOW,
    }


def traject(number: int, version: int, **changed: Any) -> dict[str, Any]:
    """A running traject with figures of every kind."""
    row = TrajectRow(
        cluster="Amsterdam", categorie="45", code="45A04", begindatum=19_800 + number % 2 * 366, status="lopend",
        leveringen=1, leeftijd=12, geslacht="1", nut_ouder=8, zonder_hulp_ouder=3, gas={"1O": 2, "1C": -1},
        gas_gescoord=2, gas_bereikt=1, gas_deels=1, probleem_ouder=2, metingen=1, scores=3, declaraties=-1,
        vlaggen=["TR074"], metingen_einde=1, metingen_jaren=[2024], wacht={"toewijzing": 19_900},
    )  # fmt: skip
    return _row(row, number, version, "traject") | changed


def meting(number: int, version: int, **changed: Any) -> dict[str, Any]:
    """A meting that is linked to the traject of its number."""
    row = MetingRow(
        vragenlijst="CEM+_2018_OE_v1", groep="ouder", soort="einde", informant="Moeder", datum=-3, nut=8,
        antwoorden={"VR01": 2}, traject=f"{number:016x}", telt=True, aanlevering="d" * 32, record=1,
    )  # fmt: skip
    return _row(row, number, version, "meting") | changed


def score(number: int, version: int, **changed: Any) -> dict[str, Any]:
    """A score that waits."""
    row = ScoreRow(
        doel=10, beoordelaar="O", waarde=-1, tijd=NOW, traject=f"{number:016x}", wacht="beschikking", sinds=19_900,
        aanlevering="d" * 32, record=2,
    )  # fmt: skip
    return _row(row, number, version, "score") | changed


def rejected(offset: int, **changed: Any) -> dict[str, Any]:
    """A record that could not be read."""
    row = {"stage": "entry", "topic": "sor.evaluated", "partition": 0, "offset": offset, "code": "K01"}
    row |= {"reason": "sealed to another key", "delivery": "0" * 32, "line": 1, "sender": "90000001"}
    return {**row, "source": "90000001", "rejected_at": NOW, **changed}


def receipt(number: int, version: int, **changed: Any) -> dict[str, Any]:
    """A finished delivery with one refused record."""
    row = {"delivery": f"{number:032x}", "kind": "score", "sender": "90000001", "test": False, "lines": 3, "gezien": 3}
    row |= {"geaccepteerd": 2, "afgekeurd": 1, "regels_geaccepteerd": 2, "regels_afgekeurd": 1, "klaar": True}
    row |= {"fouten": [{"line": 2, "regel": 3, "regels": 1, "code": "R04", "veld": "type"}], "codes": {"R04": 1}}
    return {
        **row,
        "eerste": NOW,
        "laatste": NOW,
        "version": version,
        "ingetrokken": 0,
        "wacht": {},
        "teruggenomen": 0,
        "opmerkingen": [],
        "opmerking_codes": {},
        **changed,
    }
