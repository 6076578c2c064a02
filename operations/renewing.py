"""``sor keys switch label``: every stored pseudonym gets its name of the next epoch, without any BSN (decision 0030).

Whoever carries it out holds the keys of ``entry`` and of the ledger, and is administrator of the broker and the store.
Sources, ``evaluate``, ``entry``, ``takeback`` and receipts go on; *register*, *trajectories* and the sink stand still.
Facts are a set, so what is stored may be written again under another key. Every step may be done twice:

1. *Stop*: no worker of the three may run; that is noted at their groups.
2. *Switch*: ``entry`` names at the next epoch from here on. When it has seen that, the ends of all topics are noted.
3. *Rewrite* what stands before those ends, record by record under the name of after: the log by its key, so into the
   partition of that; uses of numbers; the states of the register; who is asked to be forgotten. Until nobody is named
   as before any more. Who was forgotten is left out.
4. *Place* both stages: *trajectories* builds its states anew from the renewed log under a higher epoch, ``register``
   goes on with its renewed states.
5. *Rows* made by that take the place of those of before at one moment (``operations.renewed_tables``).

Where it is, is noted at the consumer group ``sor-renewal``, so a run that broke off goes on.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Final, NamedTuple

from confluent_kafka import TopicPartition

from operations import segments
from operations.partitions import Part, end_of, parts, passed, whole
from operations.renewal_rules import RenewalError, Renewer, lasts
from operations.renewed_tables import ROWS, cut, cutting, exchange
from operations.rewriting import RENEWAL, REPARTITION, Rewritten, rewrite
from schemas.topics import EVENTS, REGISTER, WISVERZOEKEN, groups
from sinks.access import Access
from streams.epochs import being_copied, changelog_of, note_of
from transport.clients import ANSWER_SECONDS, Cluster
from transport.groups import committed, members
from transport.lost import clock_epoch
from transport.notes import note_text, noted_at, text_at
from transport.orders import assigned_reader

#: Seconds after which ``entry`` names at the next epoch: it looks once a second, and a batch may be under way.
SETTLED: Final = 5.0
#: A worker that ended is a member of its group until its session does (10 s).
PATIENCE: Final = 20.0
#: Times that a log is looked through for names of before; after the first none should be found.
_TIMES: Final = 5
#: Partitions that are rewritten side by side.
_AT_ONCE: Final = 4
_LOGS: Final = (EVENTS, REGISTER)
_FOLDS: Final = {"trajectories": EVENTS, "register": REGISTER}

Tell = Callable[[str, int], None]


@dataclass(frozen=True)
class World:
    """Where the data are. ``switch``: has ``entry`` name at an epoch, unless it does already. ``renewer``: of one.
    ``end``: all of it is done. ``rows``: how to reach ClickHouse as its administrator. ``wait``: seconds that
    *trajectories* is waited for.
    """

    cluster: Cluster
    rows: Access
    switch: Callable[[int], None]
    end: Callable[[], None]
    renewer: Callable[[int], Renewer]
    settled: float = SETTLED
    patience: float = PATIENCE
    wait: float = 86_400.0


class Renewed(NamedTuple):
    """What was done by this run: records written again, those left out, and rows in the tables."""

    epoch: int
    records: int
    left_out: int
    rows: int
    seconds: float


class Renewing:
    """One run. ``tell``: hears the step, and how many records more it has done; ``say``: hears a sentence."""

    def __init__(self, world: World, tell: Tell, say: Callable[[str], None]) -> None:
        self._world, self._cluster, self._tell, self._say = world, world.cluster, tell, say
        self._changelog = {stage: changelog_of(groups()[stage]) for stage in _FOLDS}
        self._kept = (self._changelog["register"], WISVERZOEKEN)  # of which the last of each key counts
        self._note: dict[str, str] = {}
        self._id = secrets.token_hex(4)
        self._records = self._left_out = 0

    def run(self, epoch: int) -> Renewed:
        """Lead everything to this epoch, or go on with it.

        Raises:
            RenewalError: a worker runs, or something else is under way; the message says what to do.
            RewritingError, KafkaException, UnavailableError, RefusedError: the same again goes on.
        """
        began = time.monotonic()
        epoch = self._begin(epoch)
        if not self._note.get("placed"):
            self._require_stopped("register", "trajectories", "sink")
            self._forbid()
            self._switch(epoch)
            self._rewrite(epoch)
            self._place()
        rows = 0 if self._note.get("exchanged") else self._exchange()
        self._finish()
        return Renewed(epoch, self._records, self._left_out, rows, time.monotonic() - began)

    # --- what is noted ---------------------------------------------------------------------------------------------

    def _begin(self, epoch: int) -> int:
        self._note = self._noted(EVENTS)
        if unfinished := self._note.get("to"):
            self._write(run=self._id)
            return int(unfinished)
        require_no_other(self._cluster)
        self._require_stopped("register", "trajectories", "sink")
        self._note = {}
        self._write(to=str(epoch), run=self._id)
        return epoch

    def _noted(self, topic: str) -> dict[str, str]:
        with closing(assigned_reader(self._cluster, RENEWAL)) as reader:
            (found,) = committed(reader, [TopicPartition(topic, 0)])
        return noted_at(found)

    def _write(self, **words: str) -> None:
        if "run" not in words and self._noted(EVENTS).get("run") != self._id:
            raise RenewalError("Another `sor keys switch label` has taken this over: wait for that one.")
        self._note |= words
        self._commit(EVENTS, self._note)

    def _commit(self, topic: str, note: Mapping[str, str]) -> None:
        with closing(assigned_reader(self._cluster, RENEWAL)) as reader:
            reader.commit(offsets=[TopicPartition(topic, 0, 0, note_text(note))], asynchronous=False)

    def _note_ends(self, topic: str, ends: Mapping[Part, int]) -> None:
        """Of every topic at its own partition 0: a note has room for one."""
        text = " ".join(str(ends[part]) for part in sorted(ends))
        if topic == EVENTS:
            self._write(ends=text)
        else:
            self._commit(topic, {"to": self._note["to"], "ends": text})

    def _ends(self, topic: str) -> dict[Part, int]:
        ends = (self._note if topic == EVENTS else self._noted(topic))["ends"].split()
        return {Part(topic, partition): int(end) for partition, end in enumerate(ends)}

    # --- the steps -------------------------------------------------------------------------------------------------

    def _require_stopped(self, *stages: str) -> None:
        until = time.monotonic() + self._world.patience
        while running := [stage for stage in stages if members(self._cluster, groups()[stage])]:
            if time.monotonic() > until:
                raise RenewalError(
                    f"{' and '.join(running)} must not run: a client would have two names in the figures. Stop every "
                    f"worker (one machine: sor stop {running[0]}), then do the same again."
                )
            time.sleep(0.2)

    def _forbid(self) -> None:
        """No worker may begin from here until its log is renewed: it reads so in its note."""
        for stage in _FOLDS:
            self._place_stage(stage, {**note_of(self._cluster, groups()[stage]), "renewing": self._note["to"]}, [])

    def _switch(self, epoch: int) -> None:
        """Step 2."""
        self._world.switch(epoch)
        if self._note.get("switched"):
            return
        self._say(f"entry names at epoch {epoch} from now on.")
        time.sleep(self._world.settled)
        named = (*_LOGS, *self._kept, *ROWS)
        with ThreadPoolExecutor(len(named), "renewal") as threads:
            for topic, ends in zip(named, threads.map(self._closed, named), strict=True):
                self._note_ends(topic, ends)
        noted = note_of(self._cluster, groups()["trajectories"])
        epoch_of_rows = max(int(noted.get("epoch", 0)) + 1, clock_epoch(time.time()))
        self._write(switched="yes", rows=str(epoch_of_rows))

    def _closed(self, topic: str) -> dict[Part, int]:
        """The ends of a topic, each at the beginning of a file: so what stands before can go whole."""
        places = parts(self._cluster, topic)
        if topic in _LOGS:
            return segments.begin_files(self._cluster, places)
        with segments.for_now(self._cluster, topic, {"segment.ms": "100"}):
            for _ in range(2):
                ends = segments.close_files(self._cluster, places, None)
                time.sleep(0.2)
        return ends

    def _rewrite(self, epoch: int) -> None:
        """Step 3."""
        renewer = self._world.renewer(epoch)
        for topic in (*_LOGS, *self._kept):
            self._rewrite_topic(renewer, topic, self._ends(topic))
        for _ in range(_TIMES):
            found = {part for topic in _LOGS for part in self._former(renewer, topic)}
            if not found:
                return
            self._say("Something came under a name of before: once more.")
            for topic in _LOGS:
                places = [part for part in parts(self._cluster, topic) if part in found]
                ends = {**self._ends(topic), **segments.begin_files(self._cluster, places)}
                self._note_ends(topic, ends)
                self._rewrite_topic(renewer, topic, {part: ends[part] for part in places})
        raise RenewalError(
            "A process goes on naming clients as before: give every entry the key folder of this one, or stop it; then "
            "do the same again."
        )

    def _former(self, renewer: Renewer, topic: str) -> set[Part]:
        return {
            Part(topic, int(message.partition() or 0))
            for message in whole(self._cluster, topic)
            if renewer.is_former(message)
        }

    def _rewrite_topic(self, renewer: Renewer, topic: str, ends: Mapping[Part, int]) -> None:
        """Its partitions, some at once: most of the time of each is waiting for the broker."""

        def rewritten(part: Part) -> Rewritten:
            last = self._last(part, ends[part]) if topic in self._kept else None
            rules = renewer.rules(topic, f"renewal-{self._note['to']}", last)
            return rewrite(self._cluster, part, rules, lambda count: self._tell(topic, count), ends[part])

        with cutting(self._cluster, topic), ThreadPoolExecutor(_AT_ONCE, "renewal") as threads:
            for done in threads.map(rewritten, sorted(ends)):
                self._records += done.copied
                self._left_out += done.left_out if topic in _LOGS else 0
            if topic in self._kept:
                segments.close_files(self._cluster, sorted(ends), None)  # an empty changelog would be a lost one

    def _last(self, part: Part, end: int) -> dict[bytes, int]:
        return lasts(one for one in whole(self._cluster, part.topic, [part]) if int(one.offset() or 0) < end)

    def _place(self) -> None:
        """Step 4: of *trajectories* all states go, and it reads from the first record that there is."""
        states = {part: end_of(self._cluster, part) for part in parts(self._cluster, self._changelog["trajectories"])}
        cut(self._cluster, self._changelog["trajectories"], states)
        renewed = self._note["to"]
        for stage, topic in _FOLDS.items():
            note = {**note_of(self._cluster, groups()[stage]), "renewed": renewed}
            note.pop("renewing", None)
            if stage == "trajectories":
                note |= {"epoch": self._note["rows"], "since": self._note["rows"]}
                note.pop("copying", None)
            self._place_stage(stage, note, self._firsts(stage, topic))
        self._write(placed="yes")
        self._say("Every name is renewed: start register and trajectories; the sink waits until the rows are made.")

    def _firsts(self, stage: str, topic: str) -> list[TopicPartition]:
        """The first record of each partition, with what is noted beside the offset now."""
        with closing(assigned_reader(self._cluster, groups()[stage])) as group:
            found = committed(group, [part.at(0) for part in parts(self._cluster, topic)])
            lows = [group.get_watermark_offsets(place, timeout=ANSWER_SECONDS)[0] for place in found]
        return [Part(topic, place.partition).at(low, text_at(place)) for place, low in zip(found, lows, strict=True)]

    def _place_stage(self, stage: str, note: Mapping[str, str], offsets: Sequence[TopicPartition]) -> None:
        kept = TopicPartition(self._changelog[stage], 0, 0, note_text(note))
        with closing(assigned_reader(self._cluster, groups()[stage])) as group:
            group.commit(offsets=[kept, *offsets], asynchronous=False)

    def _exchange(self) -> int:
        """Step 5."""
        for part in parts(self._cluster, EVENTS):
            end = end_of(self._cluster, part)
            passed(self._cluster, groups()["trajectories"], part, end, self._world.wait)
        self._require_stopped("sink")
        begins = {part: end for topic in ROWS for part, end in self._ends(topic).items()}
        made = exchange(self._cluster, self._world.rows, begins, self._tell)
        self._write(exchanged="yes")
        return made

    def _finish(self) -> None:
        """The former rows leave their topics; then nothing is under way any more."""
        for topic in ROWS:
            cut(self._cluster, topic, self._ends(topic))
        self._write()
        self._world.end()
        self._note = {}
        for topic in (EVENTS, REGISTER, *self._kept, *ROWS):  # the first says that there is nothing to go on with
            self._commit(topic, {})


def under_way(cluster: Cluster) -> int:
    """The epoch that a renewal which is not finished leads to; 0 when there is none."""
    with closing(assigned_reader(cluster, RENEWAL)) as reader:
        (found,) = committed(reader, [TopicPartition(EVENTS, 0)])
    return int(noted_at(found).get("to", 0))


def require_no_other(cluster: Cluster) -> None:
    """``RenewalError`` while the log gets more partitions: events of one client stand in two of them."""
    with closing(assigned_reader(cluster, REPARTITION)) as reader:
        (found,) = committed(reader, [TopicPartition(EVENTS, 0)])
    with closing(assigned_reader(cluster, RENEWAL)) as reader:
        places = [part.at(0) for part in parts(cluster, EVENTS)]
        firsts = {one.partition: reader.get_watermark_offsets(one, timeout=ANSWER_SECONDS)[0] for one in places}
    copying = being_copied(note_of(cluster, groups()["trajectories"]), firsts)
    if (count := noted_at(found).get("to")) or copying:
        number = count or len(firsts)
        raise RenewalError(f"The log is being given {number} partitions: let `sor topics repartition {number}` end.")
