"""Pseudonyms and the names in rows are what another implementation makes: ``openssl``'s command line.

HKDF by ``openssl kdf``, HMAC by ``openssl dgst -mac``. Without openssl these tests fail: a derivation that nobody else
can repeat is one that we could lose.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from crypto.client_names import BUCKETS, ClientNames
from crypto.keys import TrajectoriesKeys
from crypto.pseudonym import Pseudonyms, Renewal, derive

V = json.loads((Path(__file__).parents[1] / "vectors" / "envelope.json").read_text())["p1"]
ROOT, ELEMENT = bytes.fromhex(V["root"]), bytes.fromhex(V["element"])
FRESH = bytes.fromhex(V["secret_of_epoch_1"])


@pytest.fixture(scope="module", autouse=True)
def _openssl_is_there() -> None:
    if shutil.which("openssl") is None:
        pytest.fail("There is no openssl on this machine: install the package openssl (.ci/run does).", pytrace=False)


def hkdf(secret: bytes, info: str) -> bytes:
    words = ["openssl", "kdf", "-keylen", "32", "-binary", "-kdfopt", "digest:SHA256"]
    words += ["-kdfopt", f"hexkey:{secret.hex()}", "-kdfopt", f"info:{info}", "HKDF"]
    return subprocess.run(words, capture_output=True, check=True).stdout


def hmac(key: bytes, message: bytes) -> bytes:
    words = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"]
    return subprocess.run(words, input=message, capture_output=True, check=True).stdout


def written(value: bytes) -> str:
    return base64.urlsafe_b64encode(value[:16]).decode().rstrip("=")


def label(epoch: int, secrets: dict[int, bytes]) -> str:
    value = b"jeugd\x00" + ELEMENT
    for n in range(epoch + 1):
        value = hmac(hkdf(secrets.get(n, ROOT), f"sor|pseudonym|jeugd|{n}"), value)[:16]
    return f"p1.jeugd.{epoch}.{written(value)}"


@pytest.mark.parametrize("epoch", range(3))
@pytest.mark.parametrize(("frozen", "secrets"), [("labels", {}), ("labels_of_secret", {1: FRESH})])
def test_a_pseudonym(epoch: int, frozen: str, secrets: dict[int, bytes]) -> None:
    """Under one root, and with a fresh secret for epoch 1."""
    ours = Pseudonyms(ROOT, "jeugd", epoch, secrets.items()).name(ELEMENT).decode()
    assert ours == label(epoch, secrets) == V[frozen][epoch]


def test_a_renewed_pseudonym() -> None:
    first, second = (V["labels_of_secret"][n].encode() for n in (0, 1))
    value = base64.urlsafe_b64decode(first.rpartition(b".")[2] + b"==")
    made = written(hmac(hkdf(FRESH, "sor|pseudonym|jeugd|1"), value))
    assert Renewal(FRESH, "jeugd", 1).renew(first) == second == f"p1.jeugd.1.{made}".encode()


def test_a_client_in_a_row() -> None:
    client, bucket = hkdf(ROOT, "sor|client"), hkdf(ROOT, "sor|bucket")
    assert (client, bucket) == (derive(ROOT, "client"), derive(ROOT, "bucket"))
    names, pseudonym = ClientNames(TrajectoriesKeys(client, bucket)), V["labels"][0].encode()
    frozen = V["client"]
    provider = frozen["aanbieder"]
    told = written(hmac(client, pseudonym + b"|" + provider.encode()))
    assert names.of(pseudonym, provider) == told == frozen["name"]
    assert names.secret(pseudonym) == hmac(client, b"|" + pseudonym) == bytes.fromhex(frozen["secret"])
    assert names.bucket(pseudonym) == int.from_bytes(hmac(bucket, pseudonym)[:2], "big") % BUCKETS == frozen["bucket"]
