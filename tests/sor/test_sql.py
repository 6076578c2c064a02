"""``sor sql`` against a running engine, and its sentences when there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.ports import free_port

pytestmark = pytest.mark.clickhouse
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(gateway: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``sor sql`` with the settings of this test's engine."""
    monkeypatch.setenv("SOR_HOME", str(tmp_path))
    monkeypatch.setenv("SOR_CLICKHOUSE", gateway.url)
    (tmp_path / "secrets").mkdir()
    for name, password in gateway.users.items():
        path = tmp_path / "secrets" / name
        path.touch(mode=0o600)
        path.write_text(password)

    def sql(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sor", "sql", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return sql


def test_rows_in_three_shapes(run: Run) -> None:
    assert run("SELECT 1 AS een, 'é' AS tekst", "--format", "csv").stdout == '"een","tekst"\n1,"é"\n'
    assert json.loads(run("SELECT 1 AS een", "--format", "json").stdout)["data"] == [{"een": 1}]
    assert "een" in run("SELECT 1 AS een").stdout


def test_what_a_row_holds_acts_nowhere(run: Run) -> None:
    """Neither on a terminal nor, from a table of cells, in a spreadsheet."""
    acts = "SELECT '\\x1b[2J\u202e' AS a, '=1+1' AS b, '-' AS c, -1 AS d, 'a\",\"=1' AS e"
    for shape in ("pretty", "csv", "json"):
        assert run(acts, "--format", shape).stdout.replace("\n", "").replace("\t", "").isprintable()
    assert run(acts, "--format", "csv").stdout.splitlines()[1] == '"?[2J?","\'=1+1","\'-",-1,"a"",""=1"'
    assert json.loads(run(acts, "--format", "json").stdout)["data"][0]["a"] == "\x1b[2J\u202e"
    failed = run("SELECT throwIf(1, '\\x1b[2J')")
    assert failed.returncode == 1
    assert failed.stderr.replace("\n", "").isprintable()


def test_it_only_reads_unless_told_otherwise(run: Run) -> None:
    refused = run("CREATE DATABASE sor_sql")
    assert refused.returncode == 1
    assert "Cannot execute query in readonly mode" in refused.stderr
    for statement in ("CREATE DATABASE sor_sql", "DROP DATABASE sor_sql"):
        assert run(statement, "--user", "admin").returncode == 0


def test_an_error_is_clickhouses_sentence_and_nothing_more(run: Run) -> None:
    done = run("SELECT * FROM nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Code: 60. DB::Exception: ")
    assert "Traceback" not in done.stderr


def test_a_stack_that_does_not_run_says_how_to_start_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_CLICKHOUSE", f"http://127.0.0.1:{free_port()}")
    done = run("SELECT 1")
    assert done.returncode == 1
    assert done.stderr.endswith("Start it with: sor up\n")
    monkeypatch.delenv("SOR_CLICKHOUSE")
    never = run("SELECT 1")
    assert never.returncode == 1
    assert "sor up" in never.stderr
