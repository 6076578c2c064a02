"""What the portal gives to a browser: a certificate of hours for one provider, a token, and the public keys."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.intake.visitors import Visitors
from crypto import authority
from crypto.certificates import NotTrusted
from crypto.ledger import AuthorityError
from crypto.sources import Trust
from portal import passes
from portal.passes import CERTIFICATE_SECONDS, KINDS, PassesError, WrongKey
from schemas.codec import Codec
from tests.connectors.support import AGB, make_keys

SUBJECT = "4b1f9c"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    made = tmp_path / "keys"
    make_keys(made)
    return made


@pytest.fixture
def folder(tmp_path: Path, keys: Path) -> Path:
    """The authority's folder as it stands beside a portal: without the key of the root."""
    place = keys.parent / "keys-authority"
    (place / "root.key").unlink()
    return place


def test_a_browser_is_a_source_of_its_provider_for_a_working_day(keys: Path, folder: Path) -> None:
    now, public = int(time.time()), Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    der, until = passes.certificate(folder, keys, agb=AGB, subject=SUBJECT, public_key=public, now=now)
    source = Trust(keys).source(der, now)
    assert (source.sends_for, source.kinds, until) == (frozenset({AGB}), KINDS, now + CERTIFICATE_SECONDS)
    assert "erasure" not in source.kinds
    with pytest.raises(NotTrusted):
        Trust(keys).source(der, until + 1)
    assert authority.published(keys)[-1].name.endswith(f"browser-{SUBJECT}")


@pytest.mark.parametrize("shown", [b"", b"\0" * 31, b"\0" * 33, b"x" * 1_000_000])
def test_what_is_no_key_gets_no_certificate(keys: Path, folder: Path, shown: bytes) -> None:
    before = len(authority.published(keys))
    with pytest.raises(WrongKey):
        passes.certificate(folder, keys, agb=AGB, subject=SUBJECT, public_key=shown, now=int(time.time()))
    assert len(authority.published(keys)) == before


def test_a_subject_names_nobody_and_no_other_provider(keys: Path, folder: Path) -> None:
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for subject in ("anna@example.nl", "a" * 60):
        with pytest.raises(AuthorityError):
            passes.certificate(folder, keys, agb=AGB, subject=subject, public_key=public, now=int(time.time()))
    for agb in ("*", "9400000", ""):
        with pytest.raises(ValueError, match="eight digits"):
            passes.certificate(folder, keys, agb=agb, subject=SUBJECT, public_key=public, now=int(time.time()))


def test_the_intake_takes_the_tokens_of_this_portal(tmp_path: Path) -> None:
    place, now = tmp_path / "portal", time.time()
    key = passes.token_key(place)
    made = passes.token(key, agb=AGB, subject=SUBJECT, now=now)
    visitors = Visitors(place / passes.PUBLIC_KEY)
    assert visitors.provider(made.token.encode()) == AGB
    assert (place / passes.KEY).stat().st_mode & 0o077 == 0
    again = passes.token(passes.token_key(place), agb=AGB, subject=SUBJECT, now=now)
    assert visitors.provider(again.token.encode()) == AGB


def test_a_key_that_is_broken_is_told_and_not_replaced(tmp_path: Path) -> None:
    passes.token_key(tmp_path / "portal")
    (tmp_path / "portal" / passes.KEY).write_text("no key")
    with pytest.raises(PassesError, match="no Ed25519 key"):
        passes.token_key(tmp_path / "portal")


def test_a_browser_gets_the_public_keys_and_nothing_else(keys: Path) -> None:
    found = passes.public_document(keys, None, agb=AGB, intake="https://intake.example")
    assert (found["suite"], found["sender"], found["intake"]) == ("sor-2", AGB, "https://intake.example")
    assert found["ids"] == {"sealed": Codec("sor.sealed").id, "compact": Codec("sor.compact").id}
    assert found.keys() == {"suite", "epoch", "evaluate", "entry", "ids", "sender", "intake", "kinds"}
    (keys / "public" / "keys.json").write_text("{}")
    with pytest.raises(PassesError, match="copy the public keys"):
        passes.public_document(keys, None, agb=AGB, intake="https://intake.example")
