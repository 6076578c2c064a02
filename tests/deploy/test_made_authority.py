"""The secrets of an installation: an authority for its sources, made once and private, and the users of both lists."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from crypto import release_key
from crypto.sources import Trust
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
