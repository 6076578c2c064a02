"""Blinding, sealing and pseudonyms: vectors, laws and what must be refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rbcl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import keys, oprf
from crypto.pseudonym import Pseudonyms, References, derive
from crypto.seal import ENTRY, EVALUATE, CannotOpen, Context, Opener, PrivateKey, Sealer, hash_of, nonce, wrap
from domain.field.bsn import official_numbers

#: When a line was published, ms.
AT = 1_750_000_000_000
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "envelope.json").read_text())
BSNS = st.sampled_from(official_numbers())
CONTEXT = Context("sor.in.score", "a" * 32, 3, "12345678", False, 0)

#: RFC 9497, A.1.1: input, blind, blinded element, evaluation element.
RFC_KEY = bytes.fromhex("5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e")
RFC_BLIND = bytes.fromhex("64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706")
RFC = [
    (
        b"\x00",
        "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c",
        "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
    ),
    (
        b"\x5a" * 17,
        "da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418",
        "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
    ),
]


@pytest.mark.parametrize(("message", "blinded", "evaluated"), RFC)
def test_the_vectors_of_rfc_9497(message: bytes, blinded: str, evaluated: str) -> None:
    element = oprf.multiply(RFC_BLIND, oprf.hash_to_group(message))
    assert element.hex() == blinded
    assert oprf.evaluate(RFC_KEY, element).hex() == evaluated
    unblinded = oprf.unblind(oprf.inverse(RFC_BLIND), bytes.fromhex(evaluated))
    assert unblinded == oprf.multiply(RFC_KEY, oprf.hash_to_group(message))


@settings(max_examples=50, deadline=None)
@given(BSNS)
def test_blind_evaluate_unblind_is_the_product_with_the_secret(bsn: str) -> None:
    secret = oprf.random_scalar()
    message = oprf.bsn_input(bsn)
    blinded, inverse = oprf.blind_message(message)
    product = oprf.multiply(secret, oprf.hash_to_group(message))
    assert oprf.unblind(inverse, oprf.evaluate(secret, blinded)) == product
    assert oprf.blind_message(message)[0] != blinded


@pytest.mark.parametrize("point", [bytes(32), b"\xff" * 32, b"", bytes(31), b"\x01" + bytes(31)])
def test_foreign_points_that_are_none_are_refused(point: bytes) -> None:
    with pytest.raises(oprf.InvalidPoint):
        oprf.evaluate(oprf.random_scalar(), point)
    with pytest.raises(oprf.InvalidPoint):
        oprf.unblind(oprf.random_scalar(), point)


#: RFC 9496, A.2: encodings of no point, of each kind one or two.
RFC_NO_POINTS = [
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=32, max_size=32) | st.sampled_from([bytes.fromhex(one) for one in RFC_NO_POINTS]))
def test_the_multiplication_refuses_what_the_check_refuses(point: bytes) -> None:
    """It decodes by the same rules, so that a foreign point is checked once."""
    good = point != oprf.IDENTITY and rbcl.crypto_core_ristretto255_is_valid_point(point)
    for takes in (oprf.checked, lambda foreign: oprf.evaluate(RFC_KEY, foreign)):
        if good:
            takes(point)
            continue
        with pytest.raises(oprf.InvalidPoint):
            takes(point)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 2**31 - 1))
def test_seal_and_open(plain: bytes, line: int) -> None:
    key = PrivateKey.generate()
    sealer = Sealer(ENTRY, key.public, CONTEXT)
    sealed = sealer.seal(line, AT, plain)
    opener = Opener(ENTRY, {key.id: key})
    assert opener.open(sealer.key_id, sealer.wrapped, sealed, CONTEXT, line, AT) == plain


@pytest.mark.parametrize(
    "moved",
    [
        {"topic": "sor.in.start"},
        {"delivery": "b" * 32},
        {"lines": 4},
        {"sender": "87654321"},
        {"test": True},
        {"epoch": 1},
    ],
)
def test_a_sealed_line_opens_nowhere_else(moved: dict[str, object]) -> None:
    key = PrivateKey.generate()
    sealer = Sealer(ENTRY, key.public, CONTEXT)
    sealed = sealer.seal(1, AT, b"fact")
    opener = Opener(ENTRY, {key.id: key})
    with pytest.raises(CannotOpen):
        opener.open(sealer.key_id, sealer.wrapped, sealed, CONTEXT._replace(**moved), 1, AT)  # type: ignore[arg-type]


def test_another_line_receiver_key_or_a_flipped_bit_does_not_open() -> None:
    key, other = PrivateKey.generate(), PrivateKey.generate()
    sealer = Sealer(ENTRY, key.public, CONTEXT)
    sealed = sealer.seal(1, AT, b"fact")
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    attempts = [
        (Opener(ENTRY, {key.id: key}), sealed, 2, AT),
        (Opener(ENTRY, {key.id: key}), sealed, 1, AT + 1),
        (Opener(EVALUATE, {key.id: key}), sealed, 1, AT),
        (Opener(ENTRY, {other.id: other}), sealed, 1, AT),
        (Opener(ENTRY, {key.id: key}), flipped, 1, AT),
        (Opener(ENTRY, {key.id: key}), b"", 1, AT),
    ]
    for opener, bytes_, line, at in attempts:
        with pytest.raises(CannotOpen):
            opener.open(sealer.key_id, sealer.wrapped, bytes_, CONTEXT, line, at)


def test_two_runs_of_one_delivery_share_no_content_key() -> None:
    key = PrivateKey.generate()
    first, second = (Sealer(ENTRY, key.public, CONTEXT) for _ in range(2))
    assert first.seal(1, AT, b"same") != second.seal(1, AT, b"same")


def test_the_frozen_envelope_still_opens() -> None:
    """A change of construction is a red test and not unreadable data."""
    v = VECTORS["sor-2"]
    key = PrivateKey(bytes.fromhex(v["private"]))
    context = Context(*v["context"])
    assert key.id.hex() == v["key_id"]
    opener = Opener(ENTRY, {key.id: key})
    wrapped, sealed = bytes.fromhex(v["wrapped"]), bytes.fromhex(v["sealed"])
    assert opener.open(key.id, wrapped, sealed, context, v["line"], v["published_at"]).decode() == v["plain"]
    signed = context.signed(bytes.fromhex(v["evaluate_hash"]), hash_of(wrapped))
    source = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(v["source"]))
    assert source.sign(signed).hex() == v["signature"]


def test_an_envelope_of_the_suite_before_does_not_open() -> None:
    """Nobody signed it: what was sealed under suite sor-1 has no effect any more."""
    v = VECTORS["sor-1"]
    key = PrivateKey(bytes.fromhex(v["private"]))
    opener = Opener(ENTRY, {key.id: key})
    wrapped, sealed = bytes.fromhex(v["wrapped"]), bytes.fromhex(v["sealed"])
    with pytest.raises(CannotOpen):
        opener.open(key.id, wrapped, sealed, Context(*v["context"]), v["line"], 0)


def test_the_frozen_pseudonym_is_the_same() -> None:
    v = VECTORS["p1"]
    root = bytes.fromhex(v["root"])
    element = bytes.fromhex(v["element"])
    for epoch, label in enumerate(v["labels"]):
        assert Pseudonyms(root, "jeugd", epoch).name(element).decode() == label
    assert References(root).hashed(b"toewijzing", "12345678", b"4711").hex() == v["reference"]


def test_domains_share_no_pseudonym() -> None:
    root = bytes(32)
    one, two = Pseudonyms(root, "jeugd", 0), Pseudonyms(root, "wmo", 0)
    elements = [hashlib.sha256(str(n).encode()).digest() for n in range(100_000)]
    bare = lambda p: {p.name(e).rsplit(b".", 1)[1] for e in elements}  # noqa: E731
    assert not bare(one) & bare(two)


def test_purposes_share_no_key() -> None:
    assert derive(bytes(32), "reference") != derive(bytes(32), "pseudonym|jeugd|0")


def test_key_folders(tmp_path: Path) -> None:
    keys.init(tmp_path / "k")
    public = keys.load_public(tmp_path / "k")
    assert oprf.public_of(keys.load_evaluate(tmp_path / "k").scalar) == public.oprf
    assert keys.load_entry(tmp_path / "k").domain == "jeugd"
    assert len({*keys.load_trajectories(tmp_path / "k"), keys.load_entry(tmp_path / "k").root}) == 3
    for name in (keys.EVALUATE, keys.ENTRY, keys.TRAJECTORIES):
        assert (tmp_path / "k" / name / "keys.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(keys.KeysError, match="never overwritten"):
        keys.init(tmp_path / "k")


def test_keys_of_an_earlier_release_are_completed_and_not_touched(tmp_path: Path) -> None:
    keys.init(tmp_path)
    shutil.rmtree(tmp_path / keys.TRAJECTORIES)
    before = {path: path.read_bytes() for path in tmp_path.rglob("keys.json")}
    with pytest.raises(keys.KeysError, match=r"trajectories/keys\.json is missing"):
        keys.load_trajectories(tmp_path)
    assert keys.complete(tmp_path)
    made = keys.load_trajectories(tmp_path)
    assert not keys.complete(tmp_path)
    assert keys.load_trajectories(tmp_path) == made
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(keys.KeysError, match="never overwritten"):
        keys.init(tmp_path)


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    keys.init(tmp_path)
    (tmp_path / keys.ENTRY / "keys.json").chmod(0o640)
    with pytest.raises(keys.KeysError, match="can be read by others"):
        keys.load_entry(tmp_path)


def test_a_scalar_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    keys.init(tmp_path / "a")
    keys.init(tmp_path / "b")
    shutil.rmtree(tmp_path / "a" / keys.EVALUATE)
    shutil.copytree(tmp_path / "b" / keys.EVALUATE, tmp_path / "a" / keys.EVALUATE)
    with pytest.raises(keys.KeysError, match="not the published one"):
        keys.load_evaluate(tmp_path / "a")


def test_missing_keys_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(keys.KeysError, match="sor keys init"):
        keys.load_public(tmp_path)


def test_the_connector_secret_is_made_once(tmp_path: Path) -> None:
    assert keys.connector_secret(tmp_path) == keys.connector_secret(tmp_path)


def test_a_wrapped_key_of_a_wrong_size_is_refused() -> None:
    key = PrivateKey.generate()
    wrapped = wrap(b"short", key.public, CONTEXT.info(ENTRY))
    with pytest.raises(CannotOpen, match="wrong size"):
        Opener(ENTRY, {key.id: key}).open(key.id, wrapped, b"", CONTEXT, 1, AT)
    assert len(nonce(1)) == 12


def test_the_folder_of_keys_is_for_its_user_alone(tmp_path: Path) -> None:
    """As ``sor doctor`` wants it."""
    keys.init(tmp_path / "home" / "keys")
    assert (tmp_path / "home" / "keys").stat().st_mode & 0o077 == 0


def test_a_process_leaves_no_library_behind(tmp_path: Path) -> None:
    """rbcl writes 2.8 MB to a temporary file and forgets it: a file for every process."""
    command = [sys.executable, "-c", "from crypto import oprf; print(oprf.POINT_BYTES)"]
    done = subprocess.run(command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, check=True)
    assert done.stdout.strip() == b"32"
    assert list(tmp_path.iterdir()) == []
