"""The key of a source: what its folder must be, and what a proof that was kept does not excuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from crypto import authority, sign
from crypto.authority import Grant
from crypto.keys import KeysError
from crypto.sign import Checker, Signer
from crypto.sources import NotTrusted, Trust
from tests.crypto.test_sources import DAY, MESSAGE, NOW, PROVIDER, Region, own, region


@pytest.fixture
def here(tmp_path: Path) -> Region:
    return region(tmp_path)


@pytest.fixture
def folder(here: Region) -> Path:
    """A key folder with a source that counts today."""
    private, place = Ed25519PrivateKey.generate(), here.keys.parent / "source of today"
    sign.save(place, authority.issue(here.folder, here.keys, own(), private.public_key()), private)
    return place


def _pem(private: object) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined, no-any-return]


def _gone(place: Path) -> None:
    (place / "source" / sign.KEY).unlink()


def _readable(place: Path) -> None:
    (place / "source" / sign.KEY).chmod(0o644)


def _open(place: Path) -> None:
    (place / "source").chmod(0o755)


def _without_certificate(place: Path) -> None:
    (place / "source" / sign.CERTIFICATE).unlink()


def _no_key(place: Path) -> None:
    (place / "source" / sign.KEY).write_text("nothing")


def _no_certificate(place: Path) -> None:
    (place / "source" / sign.CERTIFICATE).write_text("nothing")


def _other_key(place: Path) -> None:
    (place / "source" / sign.KEY).write_bytes(_pem(Ed25519PrivateKey.generate()))


def _other_kind(place: Path) -> None:
    (place / "source" / sign.KEY).write_bytes(_pem(generate_private_key(SECP256R1())))


def _of_an_authority(place: Path) -> None:
    root = place.parent / "authority" / "root.pem"
    (place / "source" / sign.CERTIFICATE).write_bytes(root.read_bytes())


@pytest.mark.parametrize(
    ("spoil", "advice"),
    [
        (_gone, "sor sources issue"),
        (_readable, "0600"),
        (_open, "0700"),
        (_without_certificate, "sor sources issue"),
        (_no_key, "backup"),
        (_no_certificate, "backup"),
        (_other_key, "made together"),
        (_other_kind, "another kind"),
        (_of_an_authority, "none of a source"),
    ],
)
def test_a_folder_that_is_no_good_is_one_sentence(folder: Path, spoil: Callable[[Path], None], advice: str) -> None:
    assert Signer.load(folder).id == PROVIDER
    spoil(folder)
    with pytest.raises(KeysError, match=advice):
        Signer.load(folder)


def test_a_certificate_that_has_ended_is_said_before_anything_is_sent(here: Region, tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    der = authority.issue(here.folder, here.keys, own(seconds=DAY), private.public_key(), at=NOW)
    sign.save(tmp_path / "old", der, private)
    with pytest.raises(KeysError, match="has ended"):
        Signer.load(tmp_path / "old")


def test_a_chain_may_stand_behind_the_certificate(here: Region, folder: Path) -> None:
    path = folder / "source" / sign.CERTIFICATE
    path.write_bytes(path.read_bytes() + (here.folder / "root.pem").read_bytes())
    assert Signer.load(folder).id == PROVIDER


def test_a_key_is_never_overwritten(here: Region, folder: Path) -> None:
    before = (folder / "source" / sign.KEY).read_bytes()
    private = Ed25519PrivateKey.generate()
    der = authority.issue(here.folder, here.keys, own(), private.public_key())
    with pytest.raises(KeysError, match="never overwritten"):
        sign.save(folder, der, private)
    assert (folder / "source" / sign.KEY).read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["source"], "nothing stays behind"


def test_a_public_key_of_a_source_is_read(tmp_path: Path) -> None:
    public, path = Ed25519PrivateKey.generate().public_key(), tmp_path / "public.pem"
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert sign.read_public_key(path) == public
    other = generate_private_key(SECP256R1()).public_key()
    path.write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for wrong, reason in ((path, "another kind"), (tmp_path / "none", "cannot be read"), (Path(__file__), "no public")):
        with pytest.raises(KeysError, match=reason):
            sign.read_public_key(wrong)


def test_a_proof_that_is_kept_excuses_nothing_else(here: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time no signature is computed, and all the rest is looked at again."""
    clock, proofs = [0.0], []
    checker = Checker(Trust(here.keys, lambda: clock[0]))
    prove = checker._prove
    monkeypatch.setattr(checker, "_prove", lambda *words: proofs.append(prove(*words)))
    signer, other = here.signer(own()), here.signer(Grant("hub", frozenset("*"), frozenset("*"), DAY))
    signature = signer.sign(MESSAGE)

    def call(provider: str = PROVIDER, at: int = NOW, certificate: bytes = b"", message: bytes = MESSAGE) -> str:
        return checker(message, certificate or signer.certificate, signature, provider, "score", at * 1000).id

    assert [call(), call(), len(proofs)] == [PROVIDER, PROVIDER, 1]
    for wrong in (
        {"provider": "87654321"},
        {"at": NOW + 31 * DAY},
        {"certificate": other.certificate},
        {"message": b"another"},
    ):
        with pytest.raises(NotTrusted):
            call(**wrong)  # type: ignore[arg-type]
    authority.revoke(here.folder, here.keys, signer.source.serial, at=NOW)
    clock[0] += 1
    with pytest.raises(NotTrusted, match="revoked"):
        call()


def test_so_many_proofs_are_kept_and_no_more(here: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign, "_CACHE", 4)
    checker, signer = Checker(here.trust()), here.signer(own())
    for number in range(10):
        message = bytes([number])
        checker(message, signer.certificate, signer.sign(message), PROVIDER, "score", NOW * 1000)
    assert [message for _, message in checker._proved.values()] == [bytes([number]) for number in range(6, 10)]


def test_a_pair_that_is_exchanged_while_it_is_read_is_of_one_moment(
    here: Region, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, read = Ed25519PrivateKey.generate(), Path.read_bytes
    made = authority.issue(here.folder, here.keys, own(), private.public_key())
    turns = iter([True])

    def exchanged(path: Path) -> bytes:
        content = read(path)
        if path.name == sign.KEY and next(turns, False):
            sign.replace(folder, made, private)
        return content

    monkeypatch.setattr(Path, "read_bytes", exchanged)
    assert Signer.load(folder).certificate == made
