"""What an operator chooses is read in ``settings`` and nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.rooms import ROOT, modules

#: Module of production -> what it has to do with the environment that is no setting of ours.
ELSEWHERE = {
    "local.services": "hands the environment on to its children",
    "local.kafka.java": "JAVA_HOME",
    "local.kafka.jars": "REQUESTS_CA_BUNDLE, for the library that downloads",
    "local.clickhouse.engine": "TZ, before the engine is loaded",
}
#: Modules that name variables of ours and read none: for their children, or in a sentence.
NAMES = {"local.services", "tools.bench.services", "local.kafka.java"}
VARIABLE = re.compile(r"SOR_[A-Z_]+")


def reads(source: str) -> Iterator[int]:
    """Lines that touch the environment: ``os.environ``, ``getenv``, an option with ``envvar``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in {"environ", "environb", "getenv", "getenvb"}:
                yield node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "envvar":
            yield node.value.lineno


def variables(source: str) -> Iterator[int]:
    """Lines with the name of a setting as a value, alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VARIABLE.fullmatch(node.value):
            yield node.lineno


def test_the_environment_is_read_in_settings() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for name, path in modules().items()
        if name.split(".")[0] not in {"settings", "tools"} and name not in ELSEWHERE
        for line in reads(path.read_text("utf-8"))
    }
    assert found == set()


def test_no_module_names_a_variable_of_ours() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for name, path in modules().items()
        if name.split(".")[0] != "settings" and name not in NAMES
        for line in variables(path.read_text("utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_exception_is_one(name: str) -> None:
    assert list(reads(modules()[name].read_text("utf-8"))), f"{name} has nothing to do with the environment any more"


@pytest.mark.parametrize(
    "source",
    ["import os\nos.environ['X']", "from os import environ", "import os\nos.getenv('X')", "Option(envvar='X')"],
)
def test_the_check_sees_the_ways_to_read(source: str) -> None:
    assert list(reads(source + "\nenviron" if "from" in source else source))


def test_the_check_sees_a_variable() -> None:
    assert list(variables("x = 'SOR_HOME'")) == [1]
    assert list(variables("x = 'Set SOR_HOME to a folder.'")) == []
