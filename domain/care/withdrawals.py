"""The facts that count: those that no answer and no redelivery took back (OP286, IV087, decision 0010). Pure."""

from __future__ import annotations

from typing import Any, TypeVar

from domain.facts.act import BerichtKey, CbsAct, CbsKey, PrestatieAct, PrestatieKey, VervangingKey
from domain.facts.fact_set import FactSet
from domain.facts.identity import UploadKey, delivery_id

_D = TypeVar("_D", bound=tuple[Any, ...])


def valid(facts: FactSet) -> FactSet:
    """The same facts without what counts as never sent; the very same object when nothing was taken back."""
    if not (facts.ingetrokken or facts.retouren or facts.replaced):
        return facts
    starts = {s: _of(facts, s.aanbieder, "start", acts) for s, acts in facts.starts.items()}
    stops = {s: _of(facts, s.start_key.aanbieder, "stop", acts) for s, acts in facts.stops.items()}
    prestaties = {s: _lines(facts, s, acts) for s, acts in facts.prestaties.items()}
    cbs = {s: _records(facts, s, acts) for s, acts in facts.cbs.items()}
    return FactSet(
        starts={s: acts for s, acts in starts.items() if acts},
        stops={s: acts for s, acts in stops.items() if acts},
        prestaties={s: acts for s, acts in prestaties.items() if acts},
        scores=facts.scores,
        metingen=facts.metingen,
        toewijzingen=facts.toewijzingen,
        cbs={s: acts for s, acts in cbs.items() if acts},
        dubbel=facts.dubbel,
    )


def _of(facts: FactSet, aanbieder: str, kind: str, acts: dict[bytes, _D]) -> dict[bytes, _D]:
    """The acts of messages that were not rejected as a whole."""
    withdrawn = facts.ingetrokken
    if not withdrawn:
        return acts
    return {n: d for n, d in acts.items() if BerichtKey(aanbieder=aanbieder, soort=kind, bericht=n) not in withdrawn}


def _lines(facts: FactSet, key: PrestatieKey, acts: dict[bytes, PrestatieAct]) -> dict[bytes, PrestatieAct]:
    """The lines of a reference that neither their message nor an answer on the line itself takes back."""
    rejected = facts.retouren.get(key, {})
    left = _of(facts, key.aanbieder, "declaration", acts)
    return {n: d for n, d in left.items() if n not in rejected} if rejected else left


def _records(facts: FactSet, key: CbsKey, acts: dict[bytes, CbsAct]) -> dict[bytes, CbsAct]:
    """The records of CBS deliveries that no later one replaced for their period."""
    replaced = facts.replaced
    if not replaced:
        return acts
    return {n: d for n, d in acts.items() if _delivery_of(key, n, d) not in replaced}


def _delivery_of(key: CbsKey, packed: bytes, act: CbsAct) -> VervangingKey:
    delivery = delivery_id(UploadKey.unpack(packed).delivery)
    return VervangingKey(aanbieder=key.aanbieder, periode=act.periode, aanlevering=delivery)
