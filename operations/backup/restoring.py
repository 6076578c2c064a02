"""Filling an empty broker and an empty database from a backup, into as many partitions as the target has.

1. *Read* the whole backup: nothing is written from one that is damaged.
2. *Look* whether the target is empty and nobody works there; refuse, and say what is there, if not.
3. *Make* topics and tables.
4. *Send* every record again under its key, with its time and headers: what names the same client, number or delivery
   lands in one partition, in the order in which it stood, whatever the number of partitions.
5. *Send* the orders of an operator, which name records by their places: under the places where those lie now.
6. *Fill* the tables that no log yields.

Records of a client that was forgotten are left out (``forgotten``).

Records of receipts get the lowest version, for versions come from offsets of another log: what the stage makes anew
from outcomes that are still there wins. Orders about records that are in no backup are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from operations.backup import checking, forgotten, form, tables, target
from operations.backup.form import BackupError, Kept, Manifest
from operations.backup.reading import Reader
from operations.backup.target import Sender
from schemas.codec import Codec, IdSource, Undecodable, bundled
from schemas.erased import Erased
from schemas.orders import SKIP, Order, Place
from schemas.topics import ERASURES, ORDERS, RECEIPTS, topics
from schemas.typed import StructCodec
from sinks.access import Access
from sinks.schema import migrate, retention
from transport.clients import Cluster
from transport.topics import apply, plan

Tell = Callable[[str, int, int], None]
#: A ledger of who was forgotten may be in the target already: both are obeyed.
MAY_BE_THERE: Final = (ERASURES,)


@dataclass(frozen=True)
class Target:
    """Where to: the broker and the database as their administrators, and how topics are made there.

    ``pseudonyms``: what the keys at hand make names of clients from. ``keys``: their folder, with the key of the ledger
    of who was forgotten; ``newer``: a later backup, whose ledger is obeyed as well.
    """

    cluster: Cluster
    access: Access
    partitions: int
    pseudonyms: str
    replication: int = 1
    ids: IdSource | None = None
    keys: Path = Path()
    newer: Path | None = None
    states: tuple[Path, ...] = ()


@dataclass
class Restored:
    """What was done: records sent and left out, by topic."""

    sent: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def restore(folder: Path, to: Target, tell: Tell) -> Restored:
    """Fill the target from the backup in a folder.

    Raises:
        BackupError: the backup is damaged, the target is not empty, or its keys are not those of the backup.
        NotDelivered: the broker took not all of it; empty it, and begin anew.
    """
    manifest = checking.verify(folder, tell)
    _same_keys(manifest, to)
    target.require_empty(to.cluster, MAY_BE_THERE)
    target.require_no_state(to.states)
    tables.require_empty(to.access)
    changes = plan(to.cluster, to.partitions, replication=to.replication)
    apply(to.cluster, changes, to.partitions, to.replication)
    migrate.apply(to.access, lambda _sentence: None)
    retention.apply(to.access)
    before = target.counts(to.cluster, MAY_BE_THERE)
    done = _send_all(_Backup(folder, manifest, to.ids, tell), to)
    target.require_all_there(to.cluster, done.sent, before)
    tables.restore(to.access, folder, manifest.tables)
    return done


def _same_keys(manifest: Manifest, to: Target) -> None:
    if manifest.pseudonyms != to.pseudonyms:
        raise BackupError(
            "The keys here are not those of the backup, or its names were renewed since: each child would get a second "
            "name. Restore the keys of that time first (sor restore FOLDER --keys), or set SOR_KEYS to them."
        )


def _send_all(backup: _Backup, to: Target) -> Restored:
    """Every record of every topic that is declared here; the orders last, for they name places of others."""
    done, codec = Restored(), StructCodec(Order, to.ids)
    later = _Backup(to.newer, form.load(to.newer), to.ids, backup.tell) if to.newer else None
    keep = forgotten.obeying(to.keys, _known(backup, later, to), to.ids)
    named, moved = frozenset(_named(backup, codec)), dict[Place, Place]()
    sources = [(backup, name) for name in sorted(backup.names, key=lambda name: (name == ORDERS, name))]
    sources += [(later, ERASURES)] if later and ERASURES in later.names else []
    for source, name in sources:
        with Sender(to.cluster, named, moved) as sender:
            for place, record in source.records(name):
                found = keep(name, record)
                if found is not None and name == RECEIPTS:
                    found = _lowest(found, to.ids)
                elif found is not None and name == ORDERS:
                    found = _moved(found, codec, moved)
                if found is None:
                    done.left_out[name] = done.left_out.get(name, 0) + 1
                else:
                    sender.send(name, place, found)
                    done.sent[name] = done.sent.get(name, 0) + 1
    return done


def _known(backup: _Backup, later: _Backup | None, to: Target) -> Iterator[Erased]:
    """Who was forgotten, as all ledgers say."""
    codec = StructCodec(Erased, to.ids)
    for one in filter(None, (backup, later)):
        if ERASURES in one.names:
            yield from (codec.decode(record.value or b"") for _, record in one.records(ERASURES))
    with Reader(to.cluster, "sor-restore") as reader:
        for part, reach in reader.reach(ERASURES).items():
            for record in reader.records(ERASURES, part, reach.low, reach.end):
                yield codec.decode(record.value or b"")


@dataclass(frozen=True)
class _Backup:
    """The records of a backup, under the schema ids of the target."""

    folder: Path
    manifest: Manifest
    ids: IdSource | None
    tell: Tell

    @property
    def names(self) -> set[str]:
        """Topics of the backup that are declared here."""
        return set(self.manifest.topics) & set(topics())

    def records(self, name: str) -> Iterator[tuple[Place, Kept]]:
        """Where each lay, and what it is: partition by partition."""
        topic = self.manifest.topics[name]
        here, done = self._ids(name), 0
        for number, part in topic.parts.items():
            for chunk in part.chunks:
                for record in form.read_chunk(self.folder, chunk):
                    yield Place(name, int(number), record.offset), _under(record, here)
                done += chunk.records
                self.tell(name, done, topic.records)

    def _ids(self, name: str) -> dict[int, bytes]:
        """Schema id -> the first bytes of a record here, of those that are called otherwise."""
        source, found = self.ids or bundled(), {}
        for known, schema in self.manifest.topics[name].schemas.items():
            if not schema:
                continue
            here = source.register(f"{topics()[name].schema}-value", schema)
            try:
                source.lookup(here)
            except KeyError:
                raise BackupError(
                    f"Records of {name} are of a contract that this release does not know (the backup is of release "
                    f"{self.manifest.release or 'unknown'}): restore with that release or a newer one."
                ) from None
            if here != int(known):
                found[int(known)] = b"\x00" + here.to_bytes(form.WIRE - 1, "big")
        return found


def _under(record: Kept, here: dict[int, bytes]) -> Kept:
    head = here.get(form.schema_of(record.value)) if here else None
    return record._replace(value=head + record.value[form.WIRE :]) if head and record.value else record


def _named(backup: _Backup, codec: StructCodec[Order]) -> Iterator[Place]:
    """The records that orders leave out."""
    for _, record in backup.records(ORDERS) if ORDERS in backup.names else ():
        order = _order(record, codec)
        if order is not None and order.action == SKIP:
            yield order.place


def _order(record: Kept, codec: StructCodec[Order]) -> Order | None:
    try:
        return codec.decode(record.value or b"")
    except Undecodable:
        return None


def _moved(record: Kept, codec: StructCodec[Order], moved: dict[Place, Place]) -> Kept | None:
    """An order under the place where its record lies now; None when that record is not here, and when it is done."""
    order = _order(record, codec)
    if order is None or order.action != SKIP or (now := moved.get(order.place)) is None:
        return None
    changed = msgspec.structs.replace(order, topic=now.topic, partition=now.partition, offset=now.offset)
    return record._replace(key=changed.key, value=codec.encode(changed))


def _lowest(record: Kept, ids: IdSource | None) -> Kept:
    """A receipt with the version that loses from every other."""
    codec = Codec(RECEIPTS, ids)
    if record.value is None:
        return record
    return record._replace(value=codec.encode(codec.decode(record.value) | {"version": 0}))
