"""The keys of a region in a folder of its own, a source that is a browser, and both stages: made once per run."""

from __future__ import annotations

import base64
import tempfile
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from connectors.delivery.compact import Head, SealedLine, envelope
from crypto import authority, keys
from crypto.authority import Grant
from crypto.keys import PublicKeys
from crypto.sources import Trust
from schemas.codec import Codec
from streams.admission import Admission, Admitted
from streams.evaluate import Evaluator
from tests.trusted import ARRIVED, DAY, admit, evaluate, with_authority

SENDER: Final = "94000001"


class Region(NamedTuple):
    """Public keys, trust, a source with its certificate, and the two stages."""

    home: Path
    public: PublicKeys
    trust: Trust
    source: Ed25519PrivateKey
    certificate: bytes
    evaluator: Evaluator
    admission: Admission


@cache
def region() -> Region:
    """The one of this run."""
    home = Path(tempfile.mkdtemp(prefix="sor-browser-")) / "keys"
    keys.init(home)
    with_authority(home)
    source = Ed25519PrivateKey.generate()
    trust = Trust(home)
    stages = Evaluator(keys.load_evaluate(home), trust), Admission(keys.load_entry(home), trust)
    return Region(home, keys.load_public(home), trust, source, certified(home, source.public_key()), *stages)


def certified(home: Path, public: Ed25519PublicKey) -> bytes:
    """A certificate of the authority for a key of a browser."""
    grant = Grant(
        "browser",
        frozenset({SENDER}),
        frozenset({"score", "cem", "start", "stop", "declaration", "cbs", "takeback"}),
        DAY,
    )
    return authority.issue(home.parent / f"{home.name}-authority", home, grant, public, at=ARRIVED // 1000)


def public_document(**more: object) -> dict[str, object]:
    """What the portal tells a browser."""
    public = region().public
    return {
        "suite": public.suite,
        "epoch": public.epoch,
        "evaluate": as_text(public.evaluate),
        "entry": as_text(public.entry),
        "ids": {"sealed": Codec("sor.sealed").id, "compact": Codec("sor.compact").id},
        "sender": SENDER,
        **more,
    }


def as_text(value: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(value).decode()


def opened(head: Head, line: SealedLine) -> Admitted:
    """A line after both stages."""
    value = Codec("sor.in", subject=f"{head.topic}-value").encode(envelope(head, line))
    return admit(region().admission, evaluate(region().evaluator, head.topic, value))
