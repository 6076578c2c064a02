"""An authority for tests, a hub that may send everything, and the third party's way of asking who signed."""

from __future__ import annotations

import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final

from confluent_kafka import Message
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import authority
from crypto.authority import Grant
from crypto.sign import Signer, save
from crypto.sources import Trust
from streams.admission import Admission, Admitted
from streams.evaluate import Evaluator

EVERYTHING: Final = frozenset({"*"})
#: What a hub of a test may send: a certificate for everything has to name this kind (``crypto.certificates.NAMED``).
KINDS: Final = frozenset({"*", "erasure"})
DAY: Final = 86_400
#: When the records of a test came in, ms.
ARRIVED: Final = int(time.time() * 1000)
#: From when on the certificates count: in a long run they are made long after the records came in.
_BEGAN: Final = ARRIVED // 1000


def signer(folder: Path, keys: Path, name: str, sends_for: frozenset[str], kinds: frozenset[str]) -> Signer:
    """A source of the authority in a folder, with a key of its own."""
    private = Ed25519PrivateKey.generate()
    grant = Grant(name, sends_for, kinds, DAY)
    return Signer(authority.issue(folder, keys, grant, private.public_key(), at=_BEGAN), private)


def with_authority(keys: Path) -> Signer:
    """Give a key home an authority beside it, and a source of its own: a hub that may send everything."""
    folder = keys.parent / f"{keys.name}-authority"
    (keys / "public").mkdir(parents=True, exist_ok=True)
    authority.init(folder, keys, "tests", development=True, at=_BEGAN)
    private = Ed25519PrivateKey.generate()
    der = authority.issue(folder, keys, Grant("hub", EVERYTHING, KINDS, DAY), private.public_key(), at=_BEGAN)
    save(keys, der, private)
    return Signer(der, private)


@cache
def hub() -> tuple[Trust, Signer]:
    """Of keys that live in memory: made once per run."""
    keys = Path(tempfile.mkdtemp(prefix="sor-trust-")) / "keys"
    made = with_authority(keys)
    return Trust(keys), made


def evaluate(evaluator: Evaluator, topic: str, value: bytes, at: int = ARRIVED) -> bytes:
    """What the stage makes of one record, with every check it does."""
    envelope = evaluator.read(value)
    evaluator.source(envelope, topic, at)
    return evaluator(envelope, topic)


def admit(admission: Admission, value: bytes, at: int = ARRIVED) -> Admitted:
    """What the stage makes of one record, with every check it does."""
    envelope = admission.read(value)
    return admission(envelope, at, admission.source(envelope, at).id)


def arrived(topic: str, value: bytes | None, key: bytes | None, offset: int = 7, at: int = ARRIVED) -> Message:
    """A record as the consumer hands it out."""
    return Message(topic=topic, partition=2, offset=offset, key=key, value=value, timestamp=(1, at))
