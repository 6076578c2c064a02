"""The step of *entry*: opens a line, takes the blinding off, names the client, checks the fact and lets it in.

Without the secret of ``evaluate`` it can test no guess. References leave it as keyed hashes, and so does what names
the delivery wherever a pseudonym stands: its *handle*. Only accepted facts of real deliveries become events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from crypto import oprf
from crypto.keys import EntryKeys
from crypto.pseudonym import Pseudonyms, References
from crypto.seal import ENTRY, CannotOpen, Opener
from crypto.sources import Source, Trust
from crypto.steps import ONE
from domain.facts.answer import Line
from domain.facts.checks import Finding, check
from domain.facts.delivery import MOST_LINES
from domain.facts.fact import KINDS, BerichtRetour, Terugname, Wisverzoek
from domain.field.field_names import is_field_name
from domain.field.messages import MESSAGES
from schemas.asked import Asked
from schemas.codec import Codec, IdSource, Record, Undecodable
from schemas.records import NAME, record_to_fact
from schemas.runs import RunCodec
from schemas.structs import Evaluated, Sealed
from schemas.taken import Taken
from schemas.topics import EVENTS, IN_TOPIC
from schemas.typed import StructCodec
from streams.asked import late, waiting
from streams.envelope import OF_A_LINE, Proof, context_of, opened
from streams.references import Remembered, hashed
from streams.register import Uses
from streams.rejected import CODES
from streams.takeback import order

_CACHE: Final = 100_000
_SCALAR: Final = 32
_MOST_ROWS: Final = 1_000_000
#: Topic -> (kind of delivery, the facts that may come through it).
_KINDS: Final = {topic: (kind, frozenset(NAME[cls] for cls in KINDS[kind])) for kind, topic in IN_TOPIC.items()}
_REFUSAL: Final = "nl.sor.Afwijzing"
_TERUGNAME, _WISVERZOEK = NAME[Terugname], NAME[Wisverzoek]
#: What names no client, so that nothing of it is blinded.
_NO_CLIENT: Final = frozenset({NAME[BerichtRetour], _TERUGNAME})
#: Bytes of what stands for a delivery, and of the hash of what a record says.
_HANDLE: Final = 16
_CONTENT: Final = 16
_pack: Final = msgspec.msgpack.Encoder(order="deterministic").encode


class Admitted(NamedTuple):
    """What comes of one record: its line, and its event under a pseudonym unless refused or a test."""

    handle: bytes
    kind: str
    published_at: int
    code: str
    line: Line
    pseudonym: bytes
    event: bytes | None
    register: Sequence[tuple[str, bytes]] = ()  # key and record of each number it uses
    taken: tuple[bytes, bytes, Line] | None = None  # of a delivery that it takes back: handle, record, line
    former: Sequence[bytes] = ()  # pseudonyms of the same client under epochs of before
    asked: tuple[bytes, bytes] | None = None  # of a client that is to be forgotten: key and record


class Admission:
    """The step of the stage: one evaluated record in; its outcome, and perhaps its event, out."""

    def __init__(self, keys: EntryKeys, trust: Trust, ids: IdSource | None = None) -> None:
        self._proof = Proof(trust)
        references = References(keys.root)
        self._references, self._hash = Remembered(references), references.hashed
        self._handle = lru_cache(maxsize=_CACHE)(self._handle_of)
        self._evaluated = RunCodec(Evaluated, OF_A_LINE, "delivery", ids)
        self._sealed = StructCodec(Sealed, ids)
        self._events = Codec(EVENTS, ids)
        self._uses, self._taken, self._asked = Uses(ids), StructCodec(Taken, ids), StructCodec(Asked, ids)
        self._uses_of: dict[str, Counter[bytes]] = {"sealing": Counter(), "scalar": Counter()}
        self._use(keys)

    def _use(self, keys: EntryKeys) -> None:
        self._opener = Opener(ENTRY, keys.sealing)
        self._pseudonyms = Pseudonyms(keys.root, keys.domain, keys.epoch, keys.labels)
        self._steps = dict(keys.steps)
        self._first = ONE if ONE in self._steps.values() else None
        self._names = lru_cache(maxsize=_CACHE)(self._unblinded_names)

    def use(self, keys: EntryKeys) -> None:
        """Other keys from the next record on. The root is never another: it is what the log's names come of."""
        self._uses_of["sealing"] += self._opener.uses()
        self._use(keys)

    def uses(self) -> dict[str, Counter[bytes]]:
        """Uses of each key since the last call: of sealing keys, and of the scalars whose elements were named."""
        self._uses_of["sealing"] += self._opener.uses()
        done, self._uses_of = self._uses_of, {"sealing": Counter(), "scalar": Counter()}
        return done

    def _named(self, inverse: bytes, envelope: Evaluated) -> tuple[bytes, ...]:
        self._uses_of["scalar"][envelope["scalar"]] += 1
        return self._names(inverse, envelope["element"], envelope["scalar"])

    def _unblinded_names(self, inverse: bytes, element: bytes, scalar: bytes) -> tuple[bytes, ...]:
        if self._steps:
            inverse = self._stepped(inverse, scalar)
        return self._pseudonyms.names(oprf.unblind(inverse, element))

    def _stepped(self, inverse: bytes, scalar: bytes) -> bytes:
        """What takes the blinding off and leads back to the first scalar: the one of records that name none."""
        step = self._steps.get(scalar) if scalar else self._first
        if step is None:
            raise CannotOpen("evaluated with a scalar whose step this process does not hold")
        return inverse if step == ONE else oprf.times(step, inverse)

    def _handle_of(self, sender: str, delivery: str, lines: int) -> str:
        """A delivery is (sender, id, number of records); this stands for it where its id may not (trust T2, T4)."""
        return self._hash(b"delivery", sender, f"{delivery}|{lines}".encode(), _HANDLE).hex()

    def read(self, value: bytes) -> Evaluated:
        """The envelope in a record; ``Undecodable``."""
        envelope = opened(self._evaluated, value)
        if envelope["topic"] not in _KINDS:
            raise Undecodable("the record names a topic that is no topic of a connector")
        return envelope

    def source(self, envelope: Evaluated, at: int) -> Source:
        """Who signed it, as that stood when the record came in (ms); ``NotTrusted``."""
        context = context_of(envelope, envelope["topic"])
        return self._proof(envelope, context, envelope["evaluate_hash"], envelope["entry_wrapped"], at)

    def refresh(self) -> None:
        """Look for new certificates and revocations."""
        self._proof.refresh()

    def __call__(self, envelope: Evaluated, at: int, source: str) -> Admitted:
        """What comes of an envelope of a source that came in at that moment (ms).

        Raises:
            Undecodable, CannotOpen, InvalidPoint: poison.
        """
        kind, fact_names = _KINDS[envelope["topic"]]
        sealed, inverse = self._opened(envelope)
        # No delivery is of the future, whatever its source says: what is taken back stays so until it comes again.
        envelope["published_at"] = min(envelope["published_at"], at)
        name, content = sealed.inhoud
        if name == _REFUSAL:
            return self._refused(envelope, kind, sealed, _bounded(content["code"], content["veld"]))
        if name not in fact_names or bool(envelope["element"]) == (name in _NO_CLIENT):
            return self._refused(envelope, kind, sealed, Finding("K04", ""))
        problem = check(record_to_fact(sealed.inhoud)) or (late(envelope, at) if name == _WISVERZOEK else None)
        if problem is not None:
            return self._refused(envelope, kind, sealed, problem)
        names = () if name in _NO_CLIENT else self._named(inverse, envelope)
        return self._accepted(envelope, kind, sealed, names, source)

    def _opened(self, envelope: Evaluated) -> tuple[Sealed, bytes]:
        """The sealed record, and what takes the blinding off."""
        plain = self._opener.open(
            envelope["entry_key_id"],
            envelope["entry_wrapped"],
            envelope["entry_sealed"],
            context_of(envelope, envelope["topic"]),
            envelope["line"],
            envelope["published_at"],
        )
        sealed = self._sealed.decode(plain[_SCALAR:])
        if not (sealed.regel >= 0 and 0 <= sealed.regels <= _MOST_ROWS):
            raise Undecodable("the rows that the record covers are impossible")
        if not 0 <= sealed.plaats <= sealed.records <= MOST_LINES:
            raise Undecodable("the place of the record in its message is impossible")
        return sealed, plain[:_SCALAR]

    def _accepted(
        self, envelope: Evaluated, kind: str, sealed: Sealed, names: tuple[bytes, ...], source: str
    ) -> Admitted:
        pseudonym, first = (names[-1], names[0]) if names else (b"", b"")
        line = _line(envelope, kind, sealed.regel, sealed.regels, None)
        handle = self._handle(envelope["sender"], envelope["delivery"], envelope["lines"])
        published_at = envelope["published_at"]
        admitted = Admitted(handle.encode(), kind, published_at, "", line, pseudonym, None, former=names[:-1])
        if envelope["test"]:
            return admitted
        name, content = sealed.inhoud
        if name == _TERUGNAME:
            return admitted._replace(taken=self._taken_back(envelope, Terugname(**content), source))
        if name == _WISVERZOEK:
            key, asked = waiting(envelope, Wisverzoek(**content), handle, pseudonym, source)
            return admitted._replace(asked=(key, self._asked.encode(asked)))
        named = name, hashed(self._references, kind, envelope["sender"], content)
        told: Evaluated = {**envelope, "delivery": handle}  # from here on nothing names it otherwise
        content_hash = self._content_hash(envelope["sender"], named, first) if sealed.records else b""
        uses = self._uses(told, named, content_hash, sealed.records, sealed.plaats, sealed.regel, pseudonym, first)
        event = self._event(told, named) if pseudonym else None
        return Admitted(admitted.handle, kind, published_at, "", line, pseudonym, event, uses, None, admitted.former)

    def _event(self, told: Evaluated, named: tuple[str, Record]) -> bytes:
        return self._events.encode(
            {
                "delivery": told["delivery"],
                "line": told["line"],
                "aanbieder": told["sender"],
                "published_at": told["published_at"],
                "fact": named,
            }
        )

    def _taken_back(self, envelope: Evaluated, fact: Terugname, source: str) -> tuple[bytes, bytes, Line]:
        """A delivery of the same sender counts as never sent, from the moment that its source says so."""
        handle = self._handle(envelope["sender"], fact.aanlevering, fact.lines)
        key, taken = order(envelope, fact, handle, envelope["published_at"], source)
        line = replace(_line(envelope, "takeback", 0, 0, None), delivery="", lines=0, uitkomst="teruggenomen")
        return key, self._taken.encode(taken), line

    def _content_hash(self, sender: str, named: tuple[str, Record], first: bytes) -> bytes:
        """What a record says and of whom, as a keyed hash: shows that one identification came with two contents. The
        client by its first name, which no renewal changes: a message of before and of after must meet.
        """
        return self._hash(b"inhoud", sender, _pack(named) + first, _CONTENT)

    def _refused(self, envelope: Evaluated, kind: str, sealed: Sealed, problem: Finding) -> Admitted:
        line = _line(envelope, kind, sealed.regel, sealed.regels, problem)
        return Admitted(self._key_of(envelope), kind, envelope["published_at"], problem.code, line, b"", None)

    def _key_of(self, envelope: Evaluated) -> bytes:
        return self._handle(envelope["sender"], envelope["delivery"], envelope["lines"]).encode()

    def unreadable(self, envelope: Evaluated, problem: Exception) -> tuple[bytes, Line]:
        """Key and line for the receipt of a record of a known source that could not be opened."""
        refusal = Finding(CODES[type(problem)], "")
        line = _line(envelope, _KINDS[envelope["topic"]][0], 0, 0, refusal)
        return self._key_of(envelope), line


def _bounded(code: str, veld: str) -> Finding:
    """A refusal as its sender wrote it, held to our own codes and to names of fields: it may carry no content."""
    return Finding(code if code in MESSAGES else "K04", veld if is_field_name(veld) else "")


def _line(envelope: Evaluated, kind: str, regel: int, regels: int, problem: Finding | None) -> Line:
    """The outcome of one record, which covers ``regels`` rows of its file from row ``regel`` on."""
    return Line(
        delivery=envelope["delivery"],
        line=envelope["line"],
        lines=envelope["lines"],
        kind=kind,
        sender=envelope["sender"],
        test=envelope["test"],
        published_at=envelope["published_at"],
        regel=regel,
        regels=regels,
        uitkomst="afgekeurd" if problem else "geaccepteerd",
        code=problem.code if problem else "",
        veld=problem.veld if problem else "",
    )
