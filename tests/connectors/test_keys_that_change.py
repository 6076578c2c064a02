"""A connector that stays open seals to the key that counts and signs with the pair that is there, from the next on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.delivery import signers
from connectors.delivery.sealed import SealedDelivery
from connectors.formats.model import FileRecord
from crypto import keys, rotation, sign, succession
from crypto.keys import KeysError
from crypto.seal import key_id
from crypto.sign import Signer
from domain.field.bsn import official_numbers
from schemas.codec import Codec
from tests.build import score
from tests.trusted import with_authority


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.init(tmp_path / "keys")
    with_authority(tmp_path / "keys")
    return tmp_path / "keys"


def sealed_to(folder: Path, signer: Signer) -> str:
    """Id of the key of evaluate in an envelope that is made now."""
    made = SealedDelivery(keys.load_public(folder), signer, "score", "0" * 32, 1, "99000001", test=False)
    envelope = made.envelope(1, FileRecord(1, 1, official_numbers()[0], score(b"1", b"2")), 1_750_000_000_000)
    return str(Codec("sor.in").decode(envelope)["evaluate_key_id"].hex())


def test_a_key_that_was_published_ahead_is_used_from_its_moment_on(folder: Path) -> None:
    signer, now = Signer.load(folder), int(time.time())
    current = key_id(keys.load_public(folder).evaluate).hex()
    made = rotation.publish_sealing(folder, keys.EVALUATE, ahead=3600, at=now - 3500)
    assert sealed_to(folder, signer) == current
    rotation.switch_sealing(folder, keys.EVALUATE, at=now + 200)
    assert sealed_to(folder, signer) == made.key
    later = rotation.publish_sealing(folder, keys.EVALUATE, ahead=3600, at=now - 3700)
    assert sealed_to(folder, signer) == later.key


def test_a_pair_that_was_replaced_signs_the_next_delivery(folder: Path) -> None:
    for sign_for in (signers.signers(folder), signers.own_as_it_is(folder, None, "hub")):
        former, private = sign_for("99000001"), Ed25519PrivateKey.generate()
        assert sign_for("99000001") is former, "nothing is read again while nothing changed"
        authority_folder = folder.parent / f"{folder.name}-authority"
        made = succession.reissue(authority_folder, folder, former.id, private.public_key(), at=int(time.time()))
        sign.replace(folder, made.der, private)
        assert sign_for("99000001").certificate == made.der


def test_a_pair_that_is_not_whole_leaves_the_former_one(folder: Path) -> None:
    sign_for = signers.signers(folder)
    former = sign_for("99000001")
    (folder / sign.SOURCE / sign.CERTIFICATE).write_text("half")
    assert sign_for("99000001") is former
    with pytest.raises(KeysError):
        signers.signers(folder)("99000001")
