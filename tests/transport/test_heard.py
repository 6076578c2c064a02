"""What librdkafka says reaches the log, each kind once in a while; and no client waits without a bound."""

from __future__ import annotations

import re
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.house.rooms import ROOT
from transport import clients, heard
from transport.clients import Cluster
from transport.heard import Heard


def test_each_kind_of_line_is_written_once_in_a_while_with_how_many_were_left_out() -> None:
    now = [0.0]
    said = Heard(10.0, lambda: now[0])
    with capture_logs() as lines:
        for kind in ("FAIL", "FAIL", "MAXPOLL", "FAIL"):
            said.log(40, "%s [%s] %s", kind, "a client", "what happened")
        now[0] = 10.0
        said.log(40, "%s [%s] %s", "FAIL", "a client", "what happened")
    told = [(line["event"].split()[0], line["left_out"], line["log_level"]) for line in lines]
    assert told == [("FAIL", 0, "error"), ("MAXPOLL", 0, "error"), ("FAIL", 2, "error")]


def test_a_process_with_a_log_hears_and_the_screen_of_a_command_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard.structlog, "is_configured", lambda: True)
    assert heard.heard()["log_level"] == 4
    monkeypatch.setattr(heard.structlog, "is_configured", lambda: False)
    assert "logger" not in heard.heard()


@pytest.mark.parametrize("configured", [True, False])
def test_a_client_for_administration_has_no_logger(configured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never polled: what librdkafka said would wait there for ever."""
    monkeypatch.setattr(heard.structlog, "is_configured", lambda: configured)
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(clients, "AdminClient", made.append)
    clients.admin(Cluster("x"))
    assert "logger" not in made[0]


#: Setting -> the longest that a fault may make anybody wait, ms. A stage is to be well again in 30 s.
BOUNDS = {
    "socket.timeout.ms": 10_000,
    "socket.connection.setup.timeout.ms": 5_000,
    "reconnect.backoff.max.ms": 1_000,
    "max.poll.interval.ms": 15_000,
    "session.timeout.ms": 10_000,
    "request.timeout.ms": 10_000,
    "delivery.timeout.ms": 30_000,
}


def test_every_wait_of_a_client_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    for name in ("Producer", "Consumer", "AdminClient"):
        monkeypatch.setattr(clients, name, made.append)
    clients.producer(Cluster("x"), "c")
    clients.consumer(Cluster("x"), "g", "0")
    clients.admin(Cluster("x"))
    wanted = {**dict.fromkeys(list(BOUNDS)[:3], 3), "max.poll.interval.ms": 1, "session.timeout.ms": 1}
    wanted |= {"request.timeout.ms": 1, "delivery.timeout.ms": 1}
    for setting, count in wanted.items():
        values = [settings[setting] for settings in made if setting in settings]
        assert len(values) == count, setting
        assert max(values) <= BOUNDS[setting], setting


#: A client that is made with librdkafka's own bounds: 300 s for a join, 60 s for a request.
_UNBOUND = re.compile(
    r"(?<![A-Za-z_])(?:Consumer|Producer|AdminClient)\((?!Protocol)(?!\s*\{?\s*(?:\*\*)?(?:cluster\.)?settings)"
)


def test_every_client_starts_from_the_settings_that_all_share() -> None:
    allowed = {"transport/clients.py", "local/health.py", "local/kafka/broker.py", "tools/bench/batch.py"}
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("connectors", "local", "operations", "sinks", "sor", "streams", "tools", "transport")
        for path in (ROOT / folder).rglob("*.py")
        if _UNBOUND.search(path.read_text("utf-8"))
    }
    assert found <= allowed | {"tools/bench/meter.py"}
