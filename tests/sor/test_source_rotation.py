"""``sor keys rotate source``, ``intermediate``, ``root``: as an operator types them, and what they say to do next."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crypto.sign import CERTIFICATE, Checker, Signer
from crypto.sources import NotTrusted, Trust
from tests.sor import operator
from tests.sor.operator import Sor, home_with_keys

PROVIDER = "94000001"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home_with_keys(tmp_path, monkeypatch, "sources", "source_rotation")


@pytest.fixture
def sor(home: Path) -> Sor:
    operator.sor("sources", "init", "--name", "Regio")
    operator.sor("sources", "issue", PROVIDER, "--for", PROVIDER, "--kind", "score")
    return operator.sor


def checked(home: Path, signer: Signer) -> str:
    now = time.time_ns() // 1_000_000
    return Checker(Trust(home / "keys"))(b"m", signer.certificate, signer.sign(b"m"), PROVIDER, "score", now).id


def test_a_source(home: Path, sor: Sor) -> None:
    place = home / "authority" / "sources" / PROVIDER
    former = Signer.load(place)
    said = sor("keys", "rotate", "source", PROVIDER)
    following = Signer.load(place)
    for one in (former, following):
        assert checked(home, one) == PROVIDER
    serial = f"{former.source.serial:x}"
    assert (place / f"source-{serial}" / CERTIFICATE).exists()
    (words,) = re.findall(r"`sor (sources revoke \w+) --reden replaced`", said)
    assert words.endswith(serial)
    sor(*words.split(), "--reden", "replaced")
    assert checked(home, following) == PROVIDER
    with pytest.raises(NotTrusted):
        checked(home, former)


def test_a_source_that_keeps_its_key_to_itself(home: Path, sor: Sor) -> None:
    public = Ed25519PrivateKey.generate().public_key()
    (home / "public.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    words = ("keys", "rotate", "source", PROVIDER, "--public-key", str(home / "public.pem"), "--out", str(home / "out"))
    said = sor(*words, "--days", "20")
    (written,) = (home / "out").glob(f"{PROVIDER}-*.pem")
    assert written.name in said
    assert x509.load_pem_x509_certificate(written.read_bytes()).public_key() == public
    assert not list((home / "out").rglob("*.key"))


def test_a_source_whose_pair_is_elsewhere_costs_no_certificate(home: Path, sor: Sor) -> None:
    assert "cannot be read" in sor("keys", "rotate", "source", PROVIDER, "--out", str(home / "nowhere"), code=2)
    assert "2 certificate(s)" in sor("sources", "list")


def test_an_intermediate(home: Path, sor: Sor) -> None:
    issue = ("sources", "issue", "portal", "--for", PROVIDER, "--kind", "score", "--hours", "1")
    sor(*issue)
    assert "Made Regio intermediate 2" in sor("keys", "rotate", "intermediate")
    assert "cut off portal" in sor("keys", "retire", "intermediate", code=2)
    sor("keys", "rotate", "source", "portal")
    assert "Regio intermediate 1: refused from now on" in sor("keys", "retire", "intermediate")
    assert "no former intermediate" in sor("keys", "retire", "intermediate")


def test_a_root(home: Path, sor: Sor, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Trust(home / "keys", iter(range(1, 100)).__next__)
    assert "Made Regio root 2, which issues nothing yet" in sor("keys", "rotate", "root")
    assert "may not have looked" in sor("keys", "switch", "root", code=2)
    running.refresh()
    now = time.time() + 120
    with monkeypatch.context() as patched:
        patched.setattr("sor.commands.source_rotation.time.time", lambda: now)
        assert "issues from now on" in sor("keys", "switch", "root")
    assert f"cut off {PROVIDER}" in sor("keys", "retire", "root", code=2)
    sor("keys", "rotate", "source", PROVIDER)
    assert "root.key is of no use any more" in sor("keys", "retire", "root")
    signer = Signer.load(home / "authority" / "sources" / PROVIDER)
    assert running.source(signer.certificate, int(time.time())).id == PROVIDER
    assert not running.complaint
    sor("sources", "init", "--name", "Regio")
    assert "is another authority: Regio" in sor("sources", "init", "--name", "Elders", code=2)
