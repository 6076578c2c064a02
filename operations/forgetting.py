"""``sor forget``: what the log, the register, the states and the tables hold of some clients is removed, for good.

Every step may be done again: who breaks off does the same once more. The order is what makes it hold:

1. *Ledger.* From here on ``entry``, ``register`` and ``trajectories`` refuse what was published before (``HEARD``).
2. *Register.* Each number that such a client used gets a record that has the stage look at the ledger.
3. *State.* So does each client in the log: its rows go out as deleted, its state leaves store and changelog.
4. *Logs.* The partitions that hold something are rewritten, until nothing is found any more.
5. *Rows.* Keys of such a client get a tombstone in the compacted topics, and so does what asked that it is forgotten;
   the cleaner goes over them, and over the changelogs.
6. *Tables.* Rows under its names are removed with a mutation, replaced ones too; parts from before go.

What is said names nobody: keys of rows, names and pseudonyms stay in memory. The certificate has counts and the name in
the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from confluent_kafka import Message

from operations import erasing_rows, erasing_topics, segments
from operations.erasing_topics import Compacted, World
from operations.erasures import Ledger, enter, ledger
from operations.partitions import Part, part_of, passed, whole
from operations.rewriting import RENEWAL, Rewritten, Rules, require_one_epoch, rewrite
from schemas.codec import Codec, IdSource
from schemas.structs import Use
from schemas.topics import EVENTS, REGISTER, groups, topics
from schemas.typed import dict_codec
from streams.epochs import changelog_of, epoch_of
from streams.erased import LOOK
from streams.versions import version
from transport.clients import ANSWER_SECONDS, Cluster, producer
from transport.orders import assigned_reader, read_skips

#: Seconds after which every process has heard of a new entry: it looks once a second, and a batch may take some.
HEARD: Final = 4.0
#: Times that the logs are rewritten until nothing is found; a late record is refused after the first already.
_TIMES: Final = 5
_LOGS: Final = (REGISTER, EVENTS)
#: Facts that follow from others: they stand for nothing when those are gone.
DERIVED: Final = frozenset({"nl.sor.Intrekking", "nl.sor.Dubbel", "nl.sor.Vervanging", "nl.sor.Teruggenomen"})
_FOLDS: Final = {EVENTS: "trajectories", REGISTER: "register"}


class Request(NamedTuple):
    """Who asked it of how many clients: the source, in whose name (AGB code), and the day (ISO, UTC)."""

    source: str
    sender: str
    day: str
    clients: int


@dataclass
class Certificate:
    """What was removed where. ``entries``: names of the clients in the ledger."""

    entries: list[str]
    moment: int  # ms
    asked: list[Request] = field(default_factory=list)
    logs: list[Rewritten] = field(default_factory=list)
    numbers: int = 0
    compacted: list[Compacted] = field(default_factory=list)
    tables: list[erasing_rows.Removed] = field(default_factory=list)
    check_seconds: int = 300  # between two times that the broker removes files
    left: int = 0  # records of the logs that were found afterwards
    seconds: float = 0.0


class Found(NamedTuple):
    """A record of a log that is to go."""

    part: Part
    key: bytes


Say = Callable[[str], None]


def forget(
    world: World, certificate: Certificate, pseudonyms: Sequence[bytes], say: Say, patience: float = 600.0
) -> None:
    """Remove everything of these clients, who are in the ledger. Errors as ``rewrite``: then do the same once more."""
    began = time.monotonic()
    run = _Forgetting(world, certificate, pseudonyms, patience)
    say("Waiting until every stage keeps to the ledger.")
    time.sleep(HEARD)
    say("Looking through the logs and the state of the register.")
    run.tell_stages()
    for attempt in range(_TIMES):
        say("Rewriting what the logs hold." if not attempt else "Something came meanwhile: once more.")
        run.rewrite_logs()
        certificate.left = len(run.found())
        if not certificate.left:
            break
        run.tell_stages()
    say("Removing rows from the compacted topics.")
    certificate.compacted += erasing_topics.remove(world, pseudonyms, run.highest, patience)
    say("Removing rows from the tables.")
    certificate.tables = erasing_rows.remove(world.client, world.names, pseudonyms, run.highest)
    certificate.check_seconds = segments.check_seconds(world.cluster)
    certificate.seconds = time.monotonic() - began


def entered(
    cluster: Cluster, keys: Any, pseudonyms: Sequence[bytes], ids: IdSource | None
) -> tuple[Certificate, Ledger]:
    """The first step: the ledger has the clients, and is what the rest goes by.

    Raises:
        KeysError: somebody is in the ledger and its key is not here. Under a key made anew no stage would know the
            clients, and each would go on with them.
        RewritingError: pseudonyms are being renewed.
    """
    ledger(cluster, keys, ids)
    with closing(assigned_reader(cluster, RENEWAL)) as renewal:
        require_one_epoch(renewal)
    moment = int(time.time() * 1000)
    names = enter(cluster, keys, pseudonyms, moment, ids)
    return Certificate(names, moment), ledger(cluster, keys, ids)


class _Forgetting:
    """The steps for some clients."""

    def __init__(self, world: World, certificate: Certificate, pseudonyms: Sequence[bytes], patience: float) -> None:
        self._world, self._certificate, self._pseudonyms = world, certificate, frozenset(pseudonyms)
        self._cluster, self._patience = world.cluster, patience
        self._events, self._uses = Codec(EVENTS, world.ids), dict_codec(Use, world.ids)
        self.highest = 0  # version of the rows that are to go, at most
        self._own: set[bytes] = set()  # clients of whom something was published since

    # --- what is to go ---------------------------------------------------------------------------------------------

    def _goes(self, message: Message) -> bool:
        """Whether a record of a log is of one of the clients and of before its moment."""
        value = message.value() or b""
        if message.topic() == REGISTER:
            return any(client in value for client in self._pseudonyms) and self._use_goes(value)
        key = message.key() or b""
        if key not in self._pseudonyms:
            return False
        if value == LOOK:
            return True
        event = self._events.decode(value)
        if self._world.ledger.forgets(key, event["published_at"]):
            return True
        return event["fact"][0] in DERIVED and key not in self._own

    def _use_goes(self, value: bytes) -> bool:
        use = self._uses.decode(value)
        client = (use["pseudonym"] or "").encode()
        return client in self._pseudonyms and self._world.ledger.forgets(client, use["published_at"])

    def found(self) -> set[Found]:
        """Where the logs hold a record that is to go."""
        about = [message for message in whole(self._cluster, EVENTS) if message.key() in self._pseudonyms]
        self._own = {message.key() or b"" for message in about if message.value() and self._is_own(message)}
        going = [message for message in about if self._goes(message)]
        going += [message for message in whole(self._cluster, REGISTER) if self._goes(message)]
        return {Found(part_of(message), message.key() or b"") for message in going}

    def _is_own(self, message: Message) -> bool:
        event = self._events.decode(message.value() or b"")
        forgets = self._world.ledger.forgets(message.key() or b"", event["published_at"])
        return not forgets and event["fact"][0] not in DERIVED

    # --- the stages let go -----------------------------------------------------------------------------------------

    def tell_stages(self) -> None:
        """Register first: what it tells of a client is a fact of that client. Then the clients themselves."""
        numbers = {found.key for found in self.found() if found.part.topic == REGISTER}
        for message in whole(self._cluster, changelog_of(groups()["register"])):
            value = message.value() or b""
            if any(client in value for client in self._pseudonyms):
                numbers.add(message.key() or b"")
        self._certificate.numbers = max(len(numbers), self._certificate.numbers)
        self._tell(REGISTER, sorted(numbers))
        places = self._tell(EVENTS, sorted(self._pseudonyms))
        epoch = epoch_of(self._cluster, groups()["trajectories"])
        self.highest = max(version(epoch, offset) for offset in places.values())

    def _tell(self, topic: str, keys: Sequence[bytes]) -> dict[Part, int]:
        """Have the stage that folds a log look at the ledger for these keys; wait until it has. The last offsets."""
        sender, places = producer(self._cluster, "sor-forget"), dict[Part, int]()

        def report(error: object, message: Message) -> None:
            assert error is None, error  # noqa: S101
            places[part_of(message)] = max(places.get(part_of(message), 0), int(message.offset() or 0))

        for key in keys:
            sender.produce(topic, LOOK, key, on_delivery=report)
            sender.poll(0)
        sender.flush(ANSWER_SECONDS)
        for part, offset in places.items():
            self._passed(groups()[_FOLDS[topic]], part, offset + 1)
        return places

    def _passed(self, group: str, part: Part, offset: int) -> None:
        passed(self._cluster, group, part, offset, self._patience)

    # --- logs -------------------------------------------------------------------------------------------------------

    def rewrite_logs(self) -> None:
        """Rewrite every partition that holds something that is to go, each up to a file of its own."""
        purpose = "+".join(self._certificate.entries)[:200]
        found = self.found()
        for topic in _LOGS:
            skips = read_skips(self._cluster, _FOLDS[topic], self._world.ids)
            parts = sorted({one.part for one in found if one.part.topic == topic})
            ends = segments.begin_files(self._cluster, parts)
            for part in parts:

                def keep(message: Message, part: Part = part, skips: Any = skips) -> bool:
                    if not message.value() or skips.leave_out(*part, message.offset()):
                        return False
                    return not self._goes(message)

                rules = Rules(keep, purpose, [groups()[name] for name in topics()[topic].read if name in groups()])
                self._certificate.logs.append(rewrite(self._cluster, part, rules, end=ends[part]))
