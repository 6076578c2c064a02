"""A small world: a broker with its access rules on, every stage as its own principal, an authority, two providers, a
hub, a municipality, the intake, and some hundred clients delivered honestly. Made once for all attack tests.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import OffsetSpec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import authority, keys, oprf
from crypto.authority import Grant
from crypto.pseudonym import Pseudonyms
from crypto.sign import Signer
from local.kafka.security import ADMIN
from schemas.codec import Record
from schemas.topics import (
    EVALUATED,
    EVENTS,
    IN_TOPIC,
    LINES,
    METINGEN,
    ORDERS,
    RECEIPTS,
    REGISTER,
    REJECTED,
    SCORES,
    TRAJECTEN,
    groups,
    topics,
)
from tests.attack.guesses import RANGE, point
from tests.attack.parties import Party, Seen, Told, decoded
from tests.attack.stages import Stages, reads_of
from tests.build import meting, score, start, stop
from tests.secured import STRANGER, SecuredBroker

A, B = "12345678", "87654321"
MUNICIPALITY: Final = "0363"
ROWS: Final = (TRAJECTEN, METINGEN, SCORES)
#: Where a record has an effect; a dead letter is none.
EFFECTS: Final = (EVALUATED, EVENTS, REGISTER, LINES, RECEIPTS, *ROWS)
#: Stages in the order in which a record passes them.
_FLOW: Final = ("evaluate", "entry", "takeback", "register", "takeback", "trajectories", "deliveries")
_EACH, _SHARED = 90, 40
_YEAR: Final = 365 * 86_400
#: How long the authority is there, so that a certificate can have ended.
_SINCE: Final = 10 * 86_400
_MARK: Final = ("version", "gebeurd_op")
_CODES: Final = tuple(f"45A{n:02}" for n in range(1, 30))


class World:
    """What runs, and what only the tests know: who is whose client."""

    def __init__(self, secured: SecuredBroker, home: Path) -> None:
        self.secured, self.home = secured, home
        self.keys, self.authority = home / "keys", home / "authority"
        keys.init(self.keys)
        authority.init(self.authority, self.keys, "attack", development=True, at=int(time.time()) - _SINCE)
        chosen = random.Random(7).sample(RANGE, 2 * _EACH - _SHARED)
        self.clients = {A: set(chosen[:_EACH]), B: set(chosen[_EACH - _SHARED :])}
        self.strangers = random.Random(8).sample(sorted(set(RANGE) - set(chosen)), 400)
        self.sources = {
            A: self.source(A, {A}, "*"),
            B: self.source(B, {B}, "*"),
            "hub-cem": self.source("hub-cem", {A}, "cem"),
            MUNICIPALITY: self.source(MUNICIPALITY, {"*"}, "assignment"),
            "intake": self.source("intake", {"*"}, "*"),
        }
        self.honest: dict[str, dict[str, int]] = {A: {}, B: {}}  # delivery -> records
        self.stages = Stages(secured, home, self.folder)

    # --- who there is ---------------------------------------------------------------------------------------------

    def source(self, name: str, sends_for: set[str], kind: str, **more: Any) -> Signer:
        """A source of the authority."""
        private = Ed25519PrivateKey.generate()
        grant = Grant(name, frozenset(sends_for), frozenset({kind}), more.pop("seconds", _YEAR))
        return Signer(
            authority.issue(self.authority, self.keys, grant, private.public_key(), at=more.pop("at", None)), private
        )

    def impostor(self) -> Signer:
        """A source of another authority of the same name."""
        place = self.home / "impostor"
        if not place.exists():
            (place / "keys" / "public").mkdir(parents=True)
            authority.init(place / "authority", place / "keys", "attack", development=True)
        private = Ed25519PrivateKey.generate()
        grant = Grant(B, frozenset({"*"}), frozenset({"*"}), _YEAR)
        return Signer(authority.issue(place / "authority", place / "keys", grant, private.public_key()), private)

    def folder(self, *names: str) -> Path:
        """A key home that holds the public keys and these private folders."""
        place = self.home / f"keys-{'-'.join(names) or 'none'}"
        for name in ("public", *names):
            if (self.keys / name).exists() and not (place / name).exists():
                place.mkdir(mode=0o700, exist_ok=True)
                (place / name).symlink_to(self.keys / name)
        return place

    def party(self, principal: str, *folders: str, source: str = "", signer: Signer | None = None) -> Party:
        """Somebody with the rights of a principal, these key folders, and a source's key and token."""
        return Party(
            principal,
            self.secured.cluster(principal),
            self.folder(*folders),
            signer or self.sources.get(source),
            (lambda: self.receipts_of(source)) if source else dict,
        )

    def delivering(self) -> str:
        """The principal through which sources deliver: the intake."""
        writers = topics()[IN_TOPIC["score"]].write
        return "intake" if "intake" in writers else writers[0]

    def administrator(self) -> Party:
        """Who may do everything at the broker, and holds no key."""
        return self.party(ADMIN)

    def stranger(self) -> Party:
        """Has a password of the broker and no right."""
        return self.party(STRANGER)

    # --- what runs --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Every group begins where the broker is now: what other tests left there is not ours."""
        for name, group in groups().items():
            if name in _FLOW:
                self._begin(group, self.ends(reads_of(name)))
        self.stages.start()
        self._populate()

    def _begin(self, group: str, ends: Mapping[str, int]) -> None:
        places = [TopicPartition(topic, 0, end) for topic, end in ends.items()]
        asked = [ConsumerGroupTopicPartitions(group, places)]
        until = time.monotonic() + 30
        while any(place.error for place in self._altered(asked)):  # the coordinator of the first group is on its way
            assert time.monotonic() < until, group
            time.sleep(0.1)

    def _altered(self, asked: list[ConsumerGroupTopicPartitions]) -> list[TopicPartition]:
        (future,) = self.secured.admin.alter_consumer_group_offsets(asked).values()
        return list(future.result(20).topic_partitions)

    def ends(self, names: Any = EFFECTS) -> dict[str, int]:
        """End offset of topics."""
        asked = {TopicPartition(name, 0): OffsetSpec.latest() for name in names}
        return {place.topic: one.result(20).offset for place, one in self.secured.admin.list_offsets(asked).items()}

    def settle(self, seconds: float = 60) -> None:
        """Wait until every stage has handled everything; what a stage publishes it publishes before it commits."""
        until = time.monotonic() + seconds
        for name in (one for one in _FLOW if one in self.stages.running):
            while (left := self._behind(name)) > 0:
                self.stages.alive()
                assert time.monotonic() < until, f"{name} is {left} records behind"
                time.sleep(0.05)
        self.stages.alive()

    def orders_heard(self) -> None:
        """Wait until both stages that read records again have met every order."""
        for name in ("evaluate", "entry"):
            until = time.monotonic() + 60
            while self._behind(name, [ORDERS]) > 0:
                self.stages.alive()
                assert time.monotonic() < until, name
                time.sleep(0.05)

    def _behind(self, name: str, of: Iterable[str] = ()) -> int:
        ends = self.ends(of or reads_of(name))
        asked = [ConsumerGroupTopicPartitions(groups()[name], [TopicPartition(topic, 0) for topic in ends])]
        (future,) = self.secured.admin.list_consumer_group_offsets(asked).values()
        return sum(ends[place.topic] - max(place.offset, 0) for place in future.result(20).topic_partitions)

    # --- what was delivered honestly -------------------------------------------------------------------------------

    def _populate(self) -> None:
        """Each provider tells of its clients what has nothing to do with what the other tells."""
        for provider, clients in self.clients.items():
            seed = random.Random(provider)
            told = {"start": [], "stop": [], "score": [], "cem": []}  # type: dict[str, list[Told]]
            for n, bsn in enumerate(sorted(clients)):
                for kind, fact in _life(seed, provider, n).items():
                    told[kind].append((bsn, fact))
            for kind, facts in told.items():
                self.honest[provider][self.deliver(provider, kind, facts)] = len(facts)
        self.settle()

    def deliver(self, provider: str, kind: str, told: list[Told], **more: Any) -> str:
        """An honest delivery; its id."""
        party, name = self.party(self.delivering(), source=provider), secrets.token_hex(16)
        made = party.delivery(kind, more.pop("sender", provider), told, delivery=name, **more)
        assert party.writes(made) == len(made)
        return name

    # --- what the tests know ---------------------------------------------------------------------------------------

    def reads(self, *names: str) -> Seen:
        """Records of topics, as who may see everything."""
        return self.administrator().reads(names)

    def latest(self, topic: str) -> dict[str, Record]:
        """The newest record of every key of a compacted topic."""
        return _newest(self.reads(topic), topic)

    def letters(self) -> list[Record]:
        """Every dead letter."""
        return [one for _, value in self.reads(REJECTED).get(REJECTED, []) if (one := decoded(REJECTED, value))]

    def receipts_of(self, sender: str) -> dict[str, Record]:
        """What the intake shows a source: its own receipts, by delivery."""
        return {one["delivery"]: one for one in self.latest(RECEIPTS).values() if one["sender"] == sender}

    def of_others(self, *own: str) -> dict[str, dict[str, Record]]:
        """Rows and receipts of every provider but these, without what says when they were made."""
        found: dict[str, dict[str, Record]] = {}
        seen = self.reads(*ROWS, RECEIPTS)
        for topic in (*ROWS, RECEIPTS):
            whose = "sender" if topic == RECEIPTS else "aanbieder"
            found[topic] = {
                key: {name: value for name, value in one.items() if name not in _MARK}
                for key, one in _newest(seen, topic).items()
                if one[whose] not in own
            }
        return found

    def pseudonyms(self) -> dict[bytes, str]:
        """Pseudonym -> number, over the whole range: what evaluate and entry together can make."""
        scalar, held = keys.load_evaluate(self.keys).scalar, keys.load_entry(self.keys)
        names = Pseudonyms(held.root, held.domain, held.epoch)
        return {names.name(oprf.multiply(scalar, point(bsn))): bsn for bsn in RANGE}

    @contextmanager
    def nobody_else_is_touched(self, *own: str) -> Iterator[None]:
        """Facts and receipts of everybody but these providers are the same afterwards, and every stage still runs."""
        before = self.of_others(*own)
        yield
        self.settle()
        assert self.of_others(*own) == before

    @contextmanager
    def nothing_happens(self) -> Iterator[None]:
        """No record goes further than a dead letter."""
        self.settle()
        before = self.ends()
        yield
        self.settle()
        assert self.ends() == before


def _newest(seen: Seen, topic: str) -> dict[str, Record]:
    found = seen.get(topic, [])
    return {key.decode(): record for key, value in found if (record := decoded(topic, value)) is not None}


def number_of(provider: str, n: int) -> bytes:
    """Number of the assignment of a provider's client."""
    return f"{provider[:2]}{n:04}".encode()


def _life(seed: random.Random, provider: str, n: int) -> dict[str, Any]:
    """What a provider tells of one client: a start, for half of them its stop, a score, a questionnaire."""
    number, begin = number_of(provider, n), seed.randrange(400)
    same = {"toewijzing": number, "code": seed.choice(_CODES), "leeftijd": seed.randrange(18)}
    told: dict[str, Any] = {
        "start": start(begin, **same, bericht=b"s" + number),
        "score": score(number, doel=seed.randrange(1, 6), day=seed.randrange(400)),
        "cem": meting(seed.randrange(400), "OE", day=450 + n, meting=b"m" + number),
    }
    if seed.random() < 0.5:
        told["stop"] = stop(begin, begin + seed.randrange(30, 120), **same, bericht=b"e" + number)
    return told
