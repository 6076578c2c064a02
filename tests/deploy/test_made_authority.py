"""The secrets of an installation: an authority for its sources, made once and private, and the users of both lists."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lxml import etree

from connectors.intake.visitors import Visitors
from crypto import authority, release_key
from crypto.keys import PUBLIC
from crypto.sources import ISSUED, Trust
from portal import passes
from sinks.schema.providers import LIST, checked, save
from sinks.schema.users import AUDIENCE_USERS, NAMES
from tests.house.rooms import ROOT


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_made_secrets_hold_an_authority_that_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    environment = {"PATH": os.environ["PATH"], "SOR": str(Path(sys.executable).with_name("sor")), "AUTHORITY": "Regio"}

    def make() -> dict[Path, bytes]:
        command = ["bash", str(ROOT / "deploy/make-secrets.sh"), str(folder)]
        subprocess.run(command, check=True, capture_output=True, timeout=60, env=environment)
        public = (folder / "keys/public").glob("*.pem")
        return {path: path.read_bytes() for path in (*public, *(folder / "authority").iterdir())}

    def known(file: str) -> set[str]:
        return {user.tag for user in etree.parse(folder / file).getroot().find("users").iterchildren("*")}

    first = make()
    assert known("clickhouse_passwords") == {*NAMES, *AUDIENCE_USERS}
    save(folder / LIST, [provider := checked("90000001", ["DUO"])])
    assert make() == first
    assert known("clickhouse_passwords") == {*NAMES, *AUDIENCE_USERS, provider.database}
    assert known("clickhouse_providers") == {provider.database, provider.owner}, "nobody has a password for the owner"
    assert {path.name for path in (folder / "audiences").iterdir()} == {
        "grafana_admin", *AUDIENCE_USERS, provider.database
    }  # fmt: skip
    assert release_key.load(folder / "keys")
    assert not Trust(folder / "keys").development
    assert {path.stat().st_mode & 0o777 for path in (folder / "authority").iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder / "keys/public").iterdir()} == {0o644}
    browsers(folder)
    assert make() == first, "and no other file changed"
    assert len(authority.published(folder / "portal")) == 1 + len(authority.published(folder / "keys")), "each once"


def browsers(folder: Path) -> None:
    """The portal has the pair of the intermediate and public files; what it gives counts."""
    home, agb, now = folder / "portal", "90000001", int(time.time())
    held = {path.name for path in (home / "authority").iterdir()}
    assert held == {"intermediate-1.pem", "intermediate-1.key", "ledger.json"}, "never the root's key"
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    der, _ = passes.certificate(home / "authority", home, agb=agb, subject="a1", public_key=key, now=now)
    assert Trust(folder / "keys").source(der, now).sends_for == {agb}
    assert passes.public_document(home, None, agb=agb, intake="")["evaluate"]
    made = x509.load_pem_x509_certificates((home / PUBLIC / ISSUED).read_bytes())
    assert x509.load_der_x509_certificate(der) in made
    shutil.copy(folder / "portal_token", home / passes.KEY)
    given = passes.token(passes.token_key(home), agb=agb, subject="a1", now=now)
    assert Visitors(folder / "visitors/public.pem").provider(given.token.encode()) == agb
