"""What a set of facts says of one key: whether it stands, and which of its acts counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from domain.facts.act import MetingAct, ScoreAct, StartAct, StopAct
from domain.facts.fact_set import higher
from domain.facts.identity import UploadKey, message_of
from domain.field.codes import STATUS_FIRST

_A = TypeVar("_A")
_T = TypeVar("_T", bound=StartAct | StopAct)


def by_message(acts: dict[bytes, _A]) -> dict[bytes, _A]:
    """The acts of one key with every message once, whatever the number of its deliveries: the higher content, under the
    higher name. Names stay as they are packed.
    """
    if len(acts) == 1:
        return acts
    found: dict[bytes, tuple[bytes, _A]] = {}
    for name, act in acts.items():
        message = message_of(name)
        known = found.get(message)
        found[message] = (name, act) if known is None else (max(name, known[0]), higher(act, known[1]))
    return dict(found.values())


def tells(acts: Iterable[bytes], bericht: bytes) -> bool:
    """Whether a message is among those that name the acts of a key."""
    return any(message_of(name) == bericht for name in acts)


# What follows of starts and stops is asked of acts that were joined ``by_message``.


def standing_count(acts: dict[bytes, Any]) -> int:
    """Whether a start or stop stands: 0 = the key is not present, 1 = it is, more = it came twice (TR074).

    Logical time is coarse: dagtekening is a date. Day by day: a day with removals leaves the key present only if what
    was there (0 or 1) and what was delivered that day outnumber them; a day with deliveries alone makes it present.
    """
    days: dict[int, list[int]] = {}
    for act in acts.values():
        days.setdefault(act.dagtekening, [0, 0])[act.status != STATUS_FIRST] += 1
    count = 0
    for _, (delivered, removed) in sorted(days.items()):
        count = max(0, min(count, 1) + delivered - removed)
    return count


def standing(acts: dict[bytes, Any]) -> Any | None:
    """The act that holds for a start or stop, or None when the key is not present.

    The content is that of the latest delivery (dagtekening, then message: arbitrary but stable).
    """
    if len(acts) == 1:
        (act,) = acts.values()
        return act if act.status == STATUS_FIRST else None
    if not standing_count(acts):
        return None
    return max((d.dagtekening, message_of(name), d) for name, d in acts.items() if d.status == STATUS_FIRST)[2]


def still_told(acts: dict[bytes, _T]) -> tuple[list[tuple[int, bytes, _T]], int]:
    """The deliveries of a key that no removal took away (OP033), with dagtekening and message, in that order; and how
    many of them stand: fewer when a removal was signed on the day of some of them.
    """
    removed = max((act.dagtekening for act in acts.values() if act.status != STATUS_FIRST), default=None)
    told = sorted((act.dagtekening, message_of(name), act) for name, act in acts.items() if act.status == STATUS_FIRST)
    if removed is None:
        return told, len(told)
    left = standing_count({name: act for name, act in acts.items() if act.dagtekening <= removed})
    later = [one for one in told if one[0] > removed]
    return [one for one in told if one[0] == removed and left] + later, left + len(later)


def first_day(acts: dict[bytes, Any]) -> int | None:
    """The earliest dagtekening of the deliveries of a start or stop; None when there are only removals."""
    return min((act.dagtekening for act in acts.values() if act.status == STATUS_FIRST), default=None)


def last_score(acts: dict[bytes, ScoreAct]) -> tuple[UploadKey, ScoreAct]:
    """The upload of a score that counts, behind what names it: the latest, and of one upload the last line."""
    if len(acts) == 1:
        ((packed, act),) = acts.items()
        return UploadKey.unpack(packed), act
    uploads = ((UploadKey.unpack(packed), act) for packed, act in acts.items())
    return max(uploads, key=lambda pair: (pair[1].tijd, pair[0]))


def last_meting(acts: dict[bytes, MetingAct]) -> tuple[UploadKey, MetingAct]:
    """The upload of a meting that counts, behind what names it: the latest by datum, then as for a score."""
    if len(acts) == 1:
        ((packed, act),) = acts.items()
        return UploadKey.unpack(packed), act
    uploads = ((UploadKey.unpack(packed), act) for packed, act in acts.items())
    return max(uploads, key=lambda pair: (pair[1].datum, pair[1].tijd, pair[0]))
