"""The facts that count: those that no answer and no redelivery took back (OP286, IV087, decision 0010). Pure."""

from __future__ import annotations

from typing import Any, TypeVar

from domain.facts.act import BerichtSleutel, CbsDaad, CbsSleutel, PrestatieDaad, PrestatieSleutel, VervangingSleutel
from domain.facts.fact_set import Feiten

_D = TypeVar("_D", bound=tuple[Any, ...])


def geldige(feiten: Feiten) -> Feiten:
    """The same facts without what counts as never sent; the very same object when nothing was taken back."""
    if not (feiten.ingetrokken or feiten.retouren or feiten.vervangen):
        return feiten
    starts = {s: _van(feiten, s.aanbieder, "start", daden) for s, daden in feiten.starts.items()}
    stops = {s: _van(feiten, s.spoor.aanbieder, "stop", daden) for s, daden in feiten.stops.items()}
    prestaties = {s: _regels(feiten, s, daden) for s, daden in feiten.prestaties.items()}
    cbs = {s: _records(feiten, s, daden) for s, daden in feiten.cbs.items()}
    return Feiten(
        starts={s: daden for s, daden in starts.items() if daden},
        stops={s: daden for s, daden in stops.items() if daden},
        prestaties={s: daden for s, daden in prestaties.items() if daden},
        scores=feiten.scores,
        metingen=feiten.metingen,
        toewijzingen=feiten.toewijzingen,
        cbs={s: daden for s, daden in cbs.items() if daden},
        dubbel=feiten.dubbel,
    )


def _van(feiten: Feiten, aanbieder: str, soort: str, daden: dict[bytes, _D]) -> dict[bytes, _D]:
    """The acts of messages that were not rejected as a whole."""
    weg = feiten.ingetrokken
    if not weg:
        return daden
    return {n: d for n, d in daden.items() if BerichtSleutel(aanbieder, soort, n) not in weg}


def _regels(feiten: Feiten, sleutel: PrestatieSleutel, daden: dict[bytes, PrestatieDaad]) -> dict[bytes, PrestatieDaad]:
    """The lines of a reference that neither their message nor an answer on the line itself takes back."""
    afgekeurd = feiten.retouren.get(sleutel, {})
    over = _van(feiten, sleutel.aanbieder, "declaration", daden)
    return {n: d for n, d in over.items() if n not in afgekeurd} if afgekeurd else over


def _records(feiten: Feiten, sleutel: CbsSleutel, daden: dict[bytes, CbsDaad]) -> dict[bytes, CbsDaad]:
    """The records of CBS deliveries that no later one replaced for their period."""
    weg = feiten.vervangen
    if not weg:
        return daden
    return {n: d for n, d in daden.items() if VervangingSleutel(sleutel.aanbieder, d.periode, n[:-4]) not in weg}
