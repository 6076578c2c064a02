"""The key of the noise: made once, private, and never anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from crypto import key_log, release_key
from crypto.key_files import FILE, KeysError
from sor.cli import app


def test_the_key_is_made_once_and_kept_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_KEYS", str(tmp_path))
    with pytest.raises(KeysError, match="sor release init"):
        release_key.load(tmp_path)
    assert "Made" in CliRunner().invoke(app, ["release", "init"]).output
    key = release_key.load(tmp_path)
    assert len(key) == 32
    assert "is there already" in CliRunner().invoke(app, ["release", "init"]).output
    assert release_key.load(tmp_path) == key
    folder = tmp_path / release_key.FOLDER
    assert (folder.stat().st_mode | (folder / FILE).stat().st_mode) & 0o077 == 0
    assert key.hex() not in (tmp_path / key_log.LOG / release_key.FOLDER / key_log.FILE).read_text()
    folder.chmod(0o755)
    with pytest.raises(KeysError, match="read by others"):
        release_key.load(tmp_path)
