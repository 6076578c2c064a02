"""The command line loads what is asked for and nothing else."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.main import get_group
from typer.testing import CliRunner

from sor import cli

#: Runs one command line in a fresh process and tells what it ended with and which modules it loaded.
_PROBE: Final = """
import json, sys
from sor import cli
sys.argv = ["sor", *json.loads(sys.argv[1])]
code = 0
try:
    cli.main()
except SystemExit as end:
    code = end.code
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""
_ROOMS: Final = {"domain", "crypto", "schemas", "connectors", "transport", "streams", "sinks"}


def _run(*words: str, environment: dict[str, str] | None = None) -> tuple[int, set[str], str, str]:
    command = [sys.executable, "-c", _PROBE, json.dumps(words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    text, _, last = done.stdout.rstrip().rpartition("\n")
    code, modules = json.loads(last)
    return code, set(modules), text, done.stderr


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    assert _paragraph(cli.load(name).help) == cli.COMMANDS[name].help


def test_every_module_of_commands_is_listed() -> None:
    """A module that registers nothing is a part of another one."""
    folder = Path(cli.__file__).parent / "commands"
    registering = {path.stem for path in folder.glob("*.py") if "def register(" in path.read_text("utf-8")}
    listed = {module for entry in cli.COMMANDS.values() for module in (entry.module, entry.machine)}
    assert registering == listed - {""}


def test_a_command_of_one_machine_has_the_options_of_the_one_that_it_takes_the_place_of() -> None:
    """Production has no stack of its own machine, and is asked in the same words."""
    for name, entry in cli.COMMANDS.items():
        if entry.machine:
            here, there = _of(entry.machine, name), _of(entry.module, name)
            assert {one.name: one.opts for one in here.params} == {one.name: one.opts for one in there.params}
            assert here.help == there.help


def _of(module: str, name: str) -> Any:
    alone = typer.Typer()
    importlib.import_module(f"sor.commands.{module}").register(alone)
    alone.callback()(lambda: None)
    return get_group(alone).commands[name]


def test_help_lists_all_and_loads_none() -> None:
    code, modules, text, _ = _run("--help")
    assert code == 0
    assert [name for name in cli.COMMANDS if f" {name} " not in text] == []
    assert {name.partition(".")[0] for name in modules} & _ROOMS == set()
    assert [name for name in modules if name.startswith("sor.commands")] == []


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (("deliver", "--help"), "connectors.delivery.connector"),
        (("run", "--help"), "transport.clients"),
        (("sql", "--help"), "settings.access"),
    ],
)
def test_a_command_loads_what_it_needs(words: tuple[str, ...], loaded: str) -> None:
    code, modules, text, _ = _run(*words)
    assert (code, loaded in modules) == (0, True)
    assert f"sor {words[0]} [OPTIONS]" in text
    assert {"tools.simulator", "clickhouse_connect", "tools.demo", "faust"} & modules == set()
    assert [name for name in modules if name.startswith("sor.commands.")] == [f"sor.commands.{words[0]}"]


def test_a_command_that_is_none_is_answered_with_the_nearest() -> None:
    answer = CliRunner().invoke(cli.app, ["dliver"])
    assert answer.exit_code == 2
    assert "Did you mean 'deliver', 'deliveries'?" in " ".join(answer.output.split())


def test_what_an_operator_can_mend_is_one_sentence(tmp_path: Path) -> None:
    code, _, _, error = _run("keys", "show", environment={"SOR_HOME": str(tmp_path), "SOR_PORTS": "1"})
    assert code == 2
    assert error.startswith("sor: SOR_PORTS is '1'")
    assert error.count("\n") == 1


def test_a_fault_of_ours_is_no_sentence() -> None:
    probe = "from sor import cli\ncli.app = lambda: 1 / 0\ncli.main()"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
