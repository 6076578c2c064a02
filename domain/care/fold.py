"""The fold: events of one client into its set of facts, and the set into rows.

``fold`` is what the live stage, replay and audit share. It is a pure function of what it is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct, field

from domain.care.caps import LIMITS, Excess, Limits, trim
from domain.care.remarks import Remark, unpack
from domain.care.row_building import Rows, make, rows_of
from domain.care.rows import CareRow, RowKey, TrajectRow
from domain.facts.fact import Event
from domain.facts.fact_set import FactSet, add
from domain.facts.identity import WaitKey
from domain.field.definitions import SHIPPED, Definitions

_DELETED: Final = b""
_UNKNOWN: Final = b"\0"  # a row that somebody else gave out; no fingerprint is so short
#: Rows given out as deleted, and records that wait no more, of which a state remembers that they once were otherwise.
MOST_GONE: Final = 2_000
#: Records of one client of which it is remembered that they break a rule, and as many that did; a client has a few.
MOST_REMARKS: Final = 500
#: Field of ``FactSet`` -> kind of the delivery, of facts that are named by their record in a delivery.
_UPLOADED: Final = {"scores": "score", "metingen": "cem", "cbs": "cbs"}


class Refused(NamedTuple):
    """A record of a delivery that is not kept, for there are too many of its client; ``upload``: ``UploadKey``."""

    kind: str
    aanbieder: str
    upload: bytes


class Person(Struct, array_like=True):
    """The packed state of one client: its facts, and what was last given out of them.

    ``out`` remembers every row key given out with a hash of its content (empty = given out as deleted), so that a row
    the facts no longer yield is given out once more as deleted. ``wacht`` remembers every record that waited, a packed
    ``WaitKey``, with the reason (empty = no more). Of what is deleted or waits no more the last ``MOST_GONE`` stay.
    ``version`` is that of the last event folded in.

    ``remarks`` does so for records that break a rule between messages (``remarks.pack``; False = no more).

    ``definitions``: the id of those that these three were made by; empty in states of before they were named.

    ``room``: so many facts more are surely not too many (-1 = not counted). ``over``: kinds and providers of which
    there were too many; it only grows, but for providers of which nothing is kept. ``refused``: what the last fold
    refused.
    """

    version: int = -1
    facts: FactSet = field(default_factory=FactSet)
    out: dict[RowKey, bytes] = field(default_factory=dict)
    wacht: dict[bytes, str] = field(default_factory=dict)
    room: int = -1
    over: dict[tuple[str, str], None] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    remarks: dict[bytes, bool] = field(default_factory=dict)
    definitions: str = ""


class Issued(NamedTuple):
    """A row to publish; ``row`` is None when the key is to be deleted."""

    key: RowKey
    row: CareRow | None


class Waits(NamedTuple):
    """Whether a record of a delivery waits: the table of its row, delivery, line, and why (empty = no more)."""

    table: int
    delivery: str
    line: int
    reden: str


class Folded(NamedTuple):
    """What follows from a batch: rows to publish, what changed of which records wait, which records of deliveries are
    not kept, how many acts in all are not, and what changed of which records break a rule between messages.
    """

    issued: list[Issued]
    waits: list[Waits]
    refused: list[Refused]
    dropped: int
    remarks: list[Remark]


_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def all_rows(client: bytes, facts: FactSet, limits: Limits = LIMITS, definitions: Definitions = SHIPPED) -> Rows:
    """The rows of facts that were gathered at once, as the fold gives them batch by batch. Takes out of the facts, in
    place, what is over a cap.
    """
    excess, _ = trim(client, facts, limits)
    return rows_of(client, facts, {over.aanbieder for over in excess if not over.everything}, definitions)


def fold_rows(
    client: bytes,
    person: Person,
    events: Collection[Event],
    version: int,
    first: int,
    definitions: Definitions = SHIPPED,
) -> list[Issued]:
    """As ``fold``: the rows alone."""
    return fold(client, person, events, version, first, definitions=definitions).issued


def fold(
    client: bytes,
    person: Person,
    events: Collection[Event],
    version: int,
    first: int,
    limits: Limits = LIMITS,
    definitions: Definitions = SHIPPED,
) -> Folded:
    """Fold events into ``person`` (in place) and give the rows to publish, and what its deliveries are told.

    ``first`` and ``version`` are the versions of the first and last of these events. Rows whose content did not change
    are left out, unless the events were folded before (a redelivery after a crash): then nothing proves that their rows
    went out, so every row goes out again, deletions included. So it does under other definitions than those that the
    rows were made by. No events, and twice ``person.version``: every row once more under these definitions.
    """
    anew = _under_others(client, person, definitions, told=bool(events)) or first <= person.version
    for event in events:
        add(person.facts, event)
    person.version = max(person.version, version)
    excess = _excess(client, person, len(events), limits)
    refused = _refused(person, excess, everything=anew)
    full = {aanbieder for _, aanbieder in person.over} if person.over else ()
    new, broken = make(client, person.facts, full, definitions)
    return Folded(
        _issued(person, new, everything=anew),
        _waits(person, new, everything=anew),
        refused,
        sum(len(over.names) for over in excess) if excess else 0,
        _remarks(person, broken, everything=anew),
    )


def _under_others(client: bytes, person: Person, definitions: Definitions, *, told: bool) -> bool:
    """Whether the rows that are out were made by other definitions; from here on they are by these.

    A recalculation may have put the rows of these facts under these definitions in their place, so what the events that
    come now (``told``) make of them must take back those rows too. Without events every one of them goes out.
    """
    if person.definitions == definitions.id:
        return False
    person.definitions = definitions.id
    if person.version < 0:
        return False
    if told:
        for key in rows_of(client, person.facts, definitions=definitions):
            person.out.setdefault(key, _UNKNOWN)
    return True


def _excess(client: bytes, person: Person, arrived: int, limits: Limits) -> list[Excess]:
    """Take out of the facts what is over a cap. They are counted only when there may be too many."""
    person.room -= arrived
    if person.room >= 0:
        return []
    excess, person.room = trim(client, person.facts, limits)
    for over in excess:
        if over.everything:
            person.over.pop((over.kind, over.aanbieder), None)
        else:
            person.over[(over.kind, over.aanbieder)] = None
    return excess


def _refused(person: Person, excess: list[Excess], *, everything: bool) -> list[Refused]:
    """The records of deliveries among what is not kept. One that made room for another is in no later batch: the state
    remembers those of the last fold, for when that comes again.
    """
    if not (excess or person.refused):
        return []
    found = {
        Refused(_UPLOADED[over.kind], over.aanbieder, name)
        for over in excess
        if over.kind in _UPLOADED
        for _, name in over.names
    }
    person.refused = sorted(found.union(person.refused) if everything else found)
    return person.refused


def _waits(person: Person, new: Rows, *, everything: bool) -> list[Waits]:
    """A score or meting that is linked to nothing yet waits, and so does the record that it came from. A record that
    another upload replaced waits no more.
    """
    now = {
        WaitKey.pack(key.table, row.aanlevering, row.record): row.wacht
        for key, row in new.items()
        if not isinstance(row, TrajectRow) and row.wacht and row.aanlevering
    }
    earlier, changed = person.wacht, []
    for place in now.keys() | earlier.keys() if earlier else now:
        reden = now.get(place, "")
        if everything or earlier.get(place, "") != reden:
            earlier[place] = reden
            table, upload = WaitKey.unpack(place)
            changed.append(Waits(table=table, delivery=upload.delivery, line=upload.line, reden=reden))
    if len(earlier) - len(now) > MOST_GONE:
        _forget(earlier, "", {WaitKey.pack(told.table, told.delivery, told.line) for told in changed}, MOST_GONE)
    return sorted(changed)


def _remarks(person: Person, broken: set[bytes], *, everything: bool) -> list[Remark]:
    """What changed of which records break a rule. Of too many the lowest are told: any choice does that is not made by
    order of arrival.
    """
    earlier = person.remarks
    if not (broken or earlier):
        return []
    now = set(sorted(broken)[:MOST_REMARKS])
    changed = [key for key in sorted(now.union(earlier)) if everything or earlier.get(key, False) != (key in now)]
    earlier.update((key, key in now) for key in changed)
    if len(earlier) - len(now) > MOST_REMARKS:
        _forget(earlier, gone=False, fresh=set(changed), most=MOST_REMARKS)
    return [unpack(key, gone=not earlier[key]) for key in changed if key in earlier]


def _forget(remembered: dict[Any, Any], gone: str | bytes | bool, fresh: Collection[Any], most: int) -> None:
    """Forget the oldest of what is gone, in place. What went in this fold (``fresh``) is told again when the fold comes
    again; what went before is committed, for a later batch is stored only then (``streams.engine.stage``).
    """
    old = [key for key, state in remembered.items() if state == gone and key not in fresh]
    for key in old[: max(0, len(old) - most)]:
        del remembered[key]


def _issued(person: Person, new: Rows, *, everything: bool) -> list[Issued]:
    out, found = person.out, []
    for key, row in new.items():
        fingerprint = hashlib.blake2b(_encode(row), digest_size=8).digest()
        if everything or out.get(key) != fingerprint:
            out[key] = fingerprint
            found.append(Issued(key, row))
    if len(out) > len(new):
        for key, fingerprint in out.items():
            if key not in new and (everything or fingerprint != _DELETED):
                out[key] = _DELETED
                found.append(Issued(key, None))
        if len(out) - len(new) > MOST_GONE:
            _forget(out, _DELETED, {issued.key for issued in found}, MOST_GONE)
    return found
