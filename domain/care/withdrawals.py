"""The facts that count: those that no taking back (decision 0017), no answer and no redelivery took away (OP286, IV087,
decision 0010). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import TypeVar

from domain.facts.act import (
    CbsAct,
    CbsKey,
    PrestatieAct,
    PrestatieKey,
    StartAct,
    StopAct,
    ToewijzingAct,
)
from domain.facts.fact_set import FactSet
from domain.facts.identity import (
    UploadKey,
    deliveries_of_cause,
    delivery_id,
    delivery_of_message,
    delivery_of_upload,
    message_of,
)
from domain.facts.uses import message_of_day

_A = TypeVar("_A")
_K = TypeVar("_K")
_D = TypeVar("_D", StartAct, StopAct, PrestatieAct)
#: Provider, kind and identification of messages that were rejected -> their dagtekeningen; None among them: any.
Messages = Mapping[tuple[str, str, bytes], Container[int | None]]


def valid(facts: FactSet) -> FactSet:
    """The same facts without what counts as never sent; the very same object when nothing was taken back."""
    gone = taken_back(facts) if facts.terug else None
    if gone:
        facts = _without(facts, gone)
    if not (facts.ingetrokken or facts.retouren or facts.replaced):
        return facts
    withdrawn: dict[tuple[str, str, bytes], set[int | None]] = {}
    for b in facts.ingetrokken:
        withdrawn.setdefault((b.aanbieder, b.soort, b.bericht), set()).add(b.dagtekening)
    starts = {s: _of(withdrawn, s.aanbieder, "start", acts) for s, acts in facts.starts.items()}
    stops = {s: _of(withdrawn, s.start_key.aanbieder, "stop", acts) for s, acts in facts.stops.items()}
    prestaties = {s: _lines(facts, withdrawn, s, acts) for s, acts in facts.prestaties.items()}
    replaced = {(v.aanbieder, v.periode, v.aanlevering) for v in facts.replaced}
    cbs = {s: _records(replaced, s, acts) for s, acts in facts.cbs.items()}
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


# --- what an answer or a redelivery took away -----------------------------------------------------------------------


def _of(withdrawn: Messages, aanbieder: str, kind: str, acts: dict[bytes, _D]) -> dict[bytes, _D]:
    """The acts of messages that were not rejected as a whole. An answer with another dagtekening is on another message
    of the same identification (3.8).
    """
    if not withdrawn:
        return acts
    found = {}
    for name, act in acts.items():
        days = withdrawn.get((aanbieder, kind, message_of(name)), ())
        if None not in days and act.dagtekening not in days:
            found[name] = act
    return found


def _lines(
    facts: FactSet, withdrawn: Messages, key: PrestatieKey, acts: dict[bytes, PrestatieAct]
) -> dict[bytes, PrestatieAct]:
    """The lines of a reference that neither their message nor an answer on the line itself takes back."""
    rejected = {message_of(name) for name in facts.retouren.get(key, ())}
    left = _of(withdrawn, key.aanbieder, "declaration", acts)
    if not rejected:
        return left
    return {name: act for name, act in left.items() if rejected.isdisjoint(_named(name, act))}


def _named(name: bytes, act: PrestatieAct) -> tuple[bytes, bytes]:
    """How an answer names the message of a line: with its dagtekening, or without."""
    message = message_of(name)
    return message, message_of_day(message, act.dagtekening)


def _records(
    replaced: Container[tuple[str, str, bytes]], key: CbsKey, acts: dict[bytes, CbsAct]
) -> dict[bytes, CbsAct]:
    """The records of CBS deliveries that no later one replaced for their period."""
    if not replaced:
        return acts
    return {
        name: act
        for name, act in acts.items()
        if (key.aanbieder, act.periode, delivery_id(UploadKey.unpack(name).delivery)) not in replaced
    }


# --- whole deliveries that were taken back ---------------------------------------------------------------------------


def taken_back(facts: FactSet) -> frozenset[bytes]:
    """The deliveries that were taken back and not sent again since, as ``identity.delivery_part`` has them."""
    return frozenset(delivery for delivery, when in facts.terug.items() if when.terug > when.opnieuw)


def _without(facts: FactSet, gone: frozenset[bytes]) -> FactSet:
    """The facts as if these deliveries had never been sent, answers and what the register found in them included."""
    versions = ((key, _version(act, gone)) for key, act in facts.toewijzingen.items())
    return FactSet(
        starts=_left(facts.starts, gone, delivery_of_message),
        stops=_left(facts.stops, gone, delivery_of_message),
        prestaties=_left(facts.prestaties, gone, delivery_of_message),
        scores=_left(facts.scores, gone, delivery_of_upload),
        metingen=_left(facts.metingen, gone, delivery_of_upload),
        toewijzingen={key: act for key, act in versions if act is not None},
        cbs=_left(facts.cbs, gone, delivery_of_upload),
        retouren=_left(facts.retouren, gone, delivery_of_message),
        ingetrokken={key: code for key, code in facts.ingetrokken.items() if key.cause not in gone},
        dubbel={key: None for key in facts.dubbel if gone.isdisjoint(deliveries_of_cause(key.cause))},
        replaced={key: None for key in facts.replaced if key.cause not in gone},
    )


def _left(
    keys: dict[_K, dict[bytes, _A]], gone: frozenset[bytes], delivery_of: Callable[[bytes], bytes]
) -> dict[_K, dict[bytes, _A]]:
    """The acts of other deliveries; a key without any is not there."""
    found = {}
    for key, acts in keys.items():
        left = {name: act for name, act in acts.items() if delivery_of(name) not in gone}
        if left:
            found[key] = left
    return found


def _version(newest: ToewijzingAct, gone: frozenset[bytes]) -> ToewijzingAct | None:
    """The newest version of an assignment that another delivery gave."""
    versions = (newest, *newest.earlier)
    return next((act for act in versions if act.aanlevering not in gone), None)
