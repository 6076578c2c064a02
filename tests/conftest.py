"""Real services for the tests, each started once per run and only when a test asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from local.kafka.broker import Broker
from local.ports import free_port
from settings.settings import load_settings
from sinks.schema.users import NAMES
from tests.secured import SecuredBroker, secured_broker

_NEEDS_MARKER = {"broker": "kafka", "gateway": "clickhouse", "secured": "kafka"}
#: A test has a database of its own, sor_<something>; the rights of the users hold in ``sor``.
ELSEWHERE = {
    "sink": ("SELECT, INSERT ON sor_*.*",),
    "grafana": ("SELECT ON sor_*.*",),
    "replay": ("SELECT, INSERT ON sor_*.*",),
    "release": ("SELECT, INSERT ON sor_*.*",),
    "reports": ("SELECT ON sor_*.*",),
}


@dataclass(frozen=True)
class RunningBroker:
    """The broker of this test run; ``home`` holds its data and its log, None when it is not our own."""

    bootstrap: str
    home: Path | None = None


@dataclass(frozen=True)
class RunningGateway:
    """The ClickHouse of this test run and its users' passwords; ``home`` as for the broker."""

    url: str
    users: dict[str, str]
    home: Path | None = None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole streams first: they take longest, and read every file of a broker that fills in the course of a run."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/whole/"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that uses a service says so with its marker, so that ``-m "not kafka"`` can be trusted."""
    used = getattr(item, "fixturenames", ())
    for fixture, marker in _NEEDS_MARKER.items():
        if fixture in used and item.get_closest_marker(marker) is None:
            pytest.fail(f"This test uses the fixture {fixture!r}: mark it with @pytest.mark.{marker}", pytrace=False)


@pytest.fixture(autouse=True)
def log_as_by_default() -> Iterator[None]:
    """A command that a test runs in this process sets up the log of the process: the next test finds none of it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """A real broker: the one at ``SOR_TEST_KAFKA=host:port``, else one of our own in a temporary folder."""
    if existing := os.environ.get("SOR_TEST_KAFKA"):
        yield RunningBroker(existing)
        return
    home = tmp_path_factory.mktemp("kafka")
    with Broker(home, free_port(), free_port(), load_settings().cache) as own:
        yield RunningBroker(own.bootstrap, home)


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """A broker of our own that asks for names and keeps to the declared rights (``tests/secured.py``)."""
    with secured_broker(tmp_path_factory.mktemp("secured")) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """The real ClickHouse engine: the server at ``SOR_TEST_CLICKHOUSE=URL``, else one of our own.

    The password of each user is ``<name>-password``; a server of your own must have these users, and what ``ELSEWHERE``
    grants.
    """
    users = {name: f"{name}-password" for name in NAMES}
    if existing := os.environ.get("SOR_TEST_CLICKHOUSE"):
        yield RunningGateway(existing, users)
        return
    from local.clickhouse.gateway import Gateway

    home: Path = tmp_path_factory.mktemp("clickhouse")
    with Gateway(home, free_port(), users, more=ELSEWHERE) as own:
        yield RunningGateway(own.url, users, home)
