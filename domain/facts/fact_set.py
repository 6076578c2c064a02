"""The set of facts of one client: a map from natural key to the acts upon it.

Joining two sets is pointwise and commutative, associative and idempotent (decision 0002): order of arrival,
repetition and restarts leave no trace (OP080). An act is one delivery or removal of one key by one message; it counts
once, by its message key or, for scores, metingen and CBS records, by its record in a delivery. What withdraws acts is
a fact like any other and only grows (decision 0010). Everything is kept by the delivery that told it, so that a
delivery can be taken back (decision 0017). A message of two deliveries stands twice: ``standing.by_message`` joins it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct, field
from msgspec.structs import astuple

from domain.facts.act import (
    BerichtKey,
    CbsAct,
    CbsKey,
    DubbelKey,
    MetingAct,
    MetingKey,
    PrestatieAct,
    PrestatieKey,
    ScoreAct,
    ScoreKey,
    StartAct,
    StartKey,
    StopAct,
    StopKey,
    TakenBackAct,
    ToewijzingAct,
    ToewijzingKey,
    VervangingKey,
)
from domain.facts.fact import (
    CbsRecord,
    Dubbel,
    Event,
    Intrekking,
    Meting,
    Prestatie,
    PrestatieRetour,
    Score,
    Start,
    Stop,
    Teruggenomen,
    Toewijzing,
    Vervanging,
)
from domain.facts.identity import UploadKey, delivery_id, delivery_part
from domain.facts.uses import message_of_day


class FactSet(Struct, array_like=True):
    """Everything known of one client. The inner keys name the act: the hash of its message and the delivery that it
    came in (eight bytes each; in states of the release before the message alone), or a packed ``UploadKey``. New fields
    stand at the end, so that an older state can be read.
    """

    starts: dict[StartKey, dict[bytes, StartAct]] = field(default_factory=dict)
    stops: dict[StopKey, dict[bytes, StopAct]] = field(default_factory=dict)
    prestaties: dict[PrestatieKey, dict[bytes, PrestatieAct]] = field(default_factory=dict)
    scores: dict[ScoreKey, dict[bytes, ScoreAct]] = field(default_factory=dict)
    metingen: dict[MetingKey, dict[bytes, MetingAct]] = field(default_factory=dict)
    toewijzingen: dict[ToewijzingKey, ToewijzingAct] = field(default_factory=dict)
    cbs: dict[CbsKey, dict[bytes, CbsAct]] = field(default_factory=dict)
    retouren: dict[PrestatieKey, dict[bytes, str]] = field(default_factory=dict)  # message -> return code
    ingetrokken: dict[BerichtKey, str] = field(default_factory=dict)  # -> return code
    dubbel: dict[DubbelKey, None] = field(default_factory=dict)
    replaced: dict[VervangingKey, None] = field(default_factory=dict)
    terug: dict[bytes, TakenBackAct] = field(default_factory=dict)  # delivery -> when it was taken back


_new = tuple.__new__  # makes a NamedTuple of a tuple, as its ``_make`` does, for less
_rank: Callable[[Any], bytes] = msgspec.msgpack.Encoder(order="deterministic").encode
"""A total order over acts, for the rare case that one act is delivered with two contents (TR056)."""


# --- two acts under one name: what is kept, whichever came first ----------------------------------------------------


def higher(one: Any, other: Any) -> Any:
    """Of different contents the one of the higher rank."""
    return one if one == other else max(one, other, key=_rank)


def _first_upload(one: Any, other: Any) -> Any:
    """The earliest upload time and, of different contents, the higher rank."""
    earliest = min(one.tijd, other.tijd)
    return higher(one._replace(tijd=earliest), other._replace(tijd=earliest))


_AANLEVERING, _EARLIER = map(ToewijzingAct._fields.index, ("aanlevering", "earlier"))  # by place, for speed
#: Versions of one assignment that are kept, one per delivery.
MOST_VERSIONS: Final = 8


def _version(act: ToewijzingAct) -> tuple[int, int, bytes, bytes]:
    return act.toewijzingsdatum, act.toewijzingstijd, act.bericht, _rank(act)


def _newer(one: ToewijzingAct, other: ToewijzingAct) -> ToewijzingAct:
    """A JW301 repeats every assignment, changed or not: of all versions the newest counts (IV013). Of other deliveries
    the newest are kept behind it. What was left out has ``MOST_VERSIONS`` deliveries above it that only rise, so that
    it never belonged among them, whatever came first.
    """
    if other[:3] > one[:3] and not other[_EARLIER]:  # mostly so: the next version comes after the last
        earlier = _versions(one)
        if other[_AANLEVERING] not in [version[_AANLEVERING] for version in earlier]:
            return _behind(other, earlier[: MOST_VERSIONS - 1])
    newest: dict[bytes, ToewijzingAct] = {}
    for act in (*_versions(one), *_versions(other)):
        known = newest.get(act.aanlevering)
        newest[act.aanlevering] = act if known is None else max(known, act, key=_version)
    first, *rest = sorted(newest.values(), key=_version, reverse=True)[:MOST_VERSIONS]
    return _behind(first, tuple(rest))


def _versions(act: ToewijzingAct) -> tuple[ToewijzingAct, ...]:
    """Every version that is kept, each by itself, the newest first."""
    return (_behind(act, ()), *act.earlier) if act.earlier else (act,)


def _behind(newest: ToewijzingAct, others: tuple[ToewijzingAct, ...]) -> ToewijzingAct:
    versions: ToewijzingAct = _new(ToewijzingAct, newest[:_EARLIER] + (others,) + newest[_EARLIER + 1 :])  # noqa: RUF005
    return versions


def _later(one: TakenBackAct, other: TakenBackAct) -> TakenBackAct:
    """The latest taking back, and the latest record sent after one."""
    return TakenBackAct(terug=max(one.terug, other.terug), opnieuw=max(one.opnieuw, other.opnieuw))


# --- keys, acts and what names them -----------------------------------------------------------------------------------


def _key(fact: Any, kind: Any) -> Callable[[str, tuple[Any, ...]], Any]:
    """Makes a key of a provider and the values of a fact: after the provider every field is the fact's of that name. An
    ``cause`` at the end is left to ``add``: it is the event's.
    """
    fields = fact.__struct_fields__
    provider, *names = kind._fields
    assert provider == "aanbieder"  # noqa: S101
    if names[-1] == "cause":
        return lambda aanbieder, of_fact: kind(aanbieder, *(of_fact[fields.index(name)] for name in names[:-1]))
    values = itemgetter(*map(fields.index, names))
    if len(names) == 1:
        return lambda aanbieder, of_fact: _new(kind, (aanbieder, values(of_fact)))
    return lambda aanbieder, of_fact: _new(kind, (aanbieder,) + values(of_fact))  # noqa: RUF005 - no list in between


def _act(fact: Any, kind: Any) -> Callable[[tuple[Any, ...]], Any]:
    """Makes an act of the values of a fact: every field is the fact's of that name, or at its default when the fact has
    none of that name.
    """
    fields, defaults = fact.__struct_fields__, kind._field_defaults
    values = itemgetter(*(fields.index(name) for name in kind._fields if name not in defaults or name in fields))
    rest = tuple(value for name, value in defaults.items() if name not in fields)
    if rest:
        place = next(place for place, name in enumerate(kind._fields) if name not in fields)  # they stand side by side
        return lambda of_fact: _new(kind, (told := values(of_fact))[:place] + rest + told[place:])
    return lambda of_fact: _new(kind, values(of_fact))


def _field(fact: Any, name: str) -> Callable[[tuple[Any, ...]], Any]:
    return itemgetter(fact.__struct_fields__.index(name))


_start_key, _reden = _key(Stop, StartKey), _field(Stop, "reden_beeindiging")
_periode, _aanlevering = _field(Vervanging, "periode"), _field(Vervanging, "aanlevering")


def _stop_key(aanbieder: str, of_fact: tuple[Any, ...]) -> StopKey:
    stop_key: StopKey = _new(StopKey, (_start_key(aanbieder, of_fact), _reden(of_fact)))
    return stop_key


def _vervanging_key(aanbieder: str, of_fact: tuple[Any, ...]) -> VervangingKey:
    delivery = delivery_id(_aanlevering(of_fact))
    return VervangingKey(aanbieder=aanbieder, periode=_periode(of_fact), aanlevering=delivery)


_of_withdrawn = itemgetter(*map(Intrekking.__struct_fields__.index, ("soort", "bericht", "bericht_dagtekening")))


def _bericht_key(aanbieder: str, of_fact: tuple[Any, ...]) -> BerichtKey:
    kind, bericht, day = _of_withdrawn(of_fact)
    return BerichtKey(aanbieder=aanbieder, soort=kind, bericht=bericht, dagtekening=day)


_of_taken_back = _field(Teruggenomen, "aanlevering")


def _taken_back_key(_aanbieder: str, of_fact: tuple[Any, ...]) -> bytes:
    """A handle is one of one sender: the provider need not stand beside it."""
    return delivery_part(_of_taken_back(of_fact))


def _nothing(_of_fact: tuple[Any, ...]) -> None:
    """The key says it all."""


class Named(Enum):
    """What names an act among those of its key."""

    BY_MESSAGE = 1  # the hash of the message and its delivery
    BY_UPLOAD = 2  # its record in a delivery, packed
    BY_CAUSE = 3  # the delivery that makes it so, in the key itself
    BY_VERSION = 4  # a key has one act, which holds the versions of other deliveries
    NOT = 5  # a key has one act
    BY_BOTH = 6  # as by cause, and behind it the delivery of the client's own use
    BY_ANSWER = 7  # as by message, with the dagtekening of the message that is answered


class Join(NamedTuple):
    """How the facts of one class enter the set."""

    into: str  # field of FactSet
    key: Callable[[str, tuple[Any, ...]], Any]  # of the provider and the values of the fact
    act: Callable[[tuple[Any, ...]], Any]  # of the values of the fact
    named: Named
    merge: Callable[[Any, Any], Any]  # of two acts under one name: commutative, associative and idempotent


_BY_MESSAGE, _BY_UPLOAD, _BY_CAUSE, _BY_VERSION, _NOT, _BY_BOTH, _BY_ANSWER = Named
#: The one table of joins.
JOINS: Final[dict[type, Join]] = {
    Start: Join("starts", key=_key(Start, StartKey), act=_act(Start, StartAct), named=_BY_MESSAGE, merge=higher),
    Stop: Join("stops", key=_stop_key, act=_act(Stop, StopAct), named=_BY_MESSAGE, merge=higher),
    Prestatie: Join(
        "prestaties",
        key=_key(Prestatie, PrestatieKey),
        act=_act(Prestatie, PrestatieAct),
        named=_BY_MESSAGE,
        merge=higher,
    ),
    Score: Join("scores", key=_key(Score, ScoreKey), act=_act(Score, ScoreAct), named=_BY_UPLOAD, merge=_first_upload),
    Meting: Join(
        "metingen", key=_key(Meting, MetingKey), act=_act(Meting, MetingAct), named=_BY_UPLOAD, merge=_first_upload
    ),
    CbsRecord: Join(
        "cbs", key=_key(CbsRecord, CbsKey), act=_act(CbsRecord, CbsAct), named=_BY_UPLOAD, merge=_first_upload
    ),
    Toewijzing: Join(
        "toewijzingen",
        key=_key(Toewijzing, ToewijzingKey),
        act=_act(Toewijzing, ToewijzingAct),
        named=_BY_VERSION,
        merge=_newer,
    ),
    PrestatieRetour: Join(
        "retouren",
        key=_key(PrestatieRetour, PrestatieKey),
        act=_field(PrestatieRetour, "code"),
        named=_BY_ANSWER,
        merge=max,
    ),
    Intrekking: Join("ingetrokken", key=_bericht_key, act=_field(Intrekking, "code"), named=_BY_CAUSE, merge=max),
    Dubbel: Join("dubbel", key=_key(Dubbel, DubbelKey), act=_nothing, named=_BY_BOTH, merge=higher),
    Vervanging: Join("replaced", key=_vervanging_key, act=_nothing, named=_BY_CAUSE, merge=higher),
    Teruggenomen: Join("terug", key=_taken_back_key, act=_act(Teruggenomen, TakenBackAct), named=_NOT, merge=_later),
}
#: The same as plain tuples, which are faster to take apart.
_ROWS: Final[dict[type, tuple[Any, ...]]] = {kind: (*join,) for kind, join in JOINS.items()}


_PLACE: Final = -2  # of the delivery and the line of an act that is named by its message: they stand at its end


def add(facts: FactSet, event: Event) -> None:
    """Join one event into the set, in place."""
    fact: Any = event.fact
    into, key, act_of, named, merge = _ROWS[type(fact)]
    values = astuple(fact)
    acts, name = getattr(facts, into), key(event.aanbieder, values)
    act = act_of(values)
    if named is _BY_MESSAGE:
        acts, name = acts.setdefault(name, {}), fact.bericht + delivery_part(event.delivery)
        act = _new(type(act), (*act[:_PLACE], delivery_id(event.delivery), event.line))
    elif named is _BY_UPLOAD:
        acts, name = acts.setdefault(name, {}), UploadKey.pack(event.delivery, event.line)
    elif named is _BY_ANSWER:
        message = message_of_day(fact.bericht, fact.bericht_dagtekening or 0)
        acts, name = acts.setdefault(name, {}), message + delivery_part(event.delivery)
    elif named is _BY_CAUSE:
        name = name._replace(cause=delivery_part(event.delivery))
    elif named is _BY_BOTH:
        name = name._replace(cause=delivery_part(event.delivery) + delivery_part(fact.aanlevering))
    elif named is _BY_VERSION:
        delivery = delivery_part(event.delivery)
        act = _new(ToewijzingAct, act[:_AANLEVERING] + (delivery, ()) + act[_EARLIER + 1 :])  # noqa: RUF005
    earlier = acts.get(name)
    acts[name] = act if earlier is None else merge(earlier, act)
