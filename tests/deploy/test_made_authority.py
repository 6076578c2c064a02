"""The secrets of an installation hold an authority for its sources, made once and private."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crypto.sources import Trust
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

    first = make()
    assert make() == first
    assert not Trust(folder / "keys").development
    assert {path.stat().st_mode & 0o777 for path in (folder / "authority").iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder / "keys/public").iterdir()} == {0o644}
