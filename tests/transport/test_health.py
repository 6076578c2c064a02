"""The health page says whether the work goes on; who stands still is not who waits or starts."""

from __future__ import annotations

import socket
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from transport.health import TURN_LIMIT, Health, HealthConfig
from transport.loop import Stop
from transport.watchdog import LIMIT


@pytest.fixture
def health() -> Iterator[Health]:
    """A page of a process whose loop turns every 0.3 s at least."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        page = HealthConfig(int(probe.getsockname()[1]))
    served = Health(page, "entry", turn_limit=0.3).start()
    yield served
    served.stop()


def asked(health: Health, path: str) -> tuple[int, str]:
    """Status and body of one page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{health._config.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_process_that_starts_is_alive_for_as_long_as_it_likes(health: Health) -> None:
    time.sleep(0.4)
    assert asked(health, "/alive") == (200, "alive\n")
    assert asked(health, "/ready")[0] == 503


def test_a_loop_that_does_not_turn_is_not_alive_and_one_that_turns_again_is(health: Health) -> None:
    health.ready = True
    health.turned()
    assert asked(health, "/alive")[0] == 200
    time.sleep(0.4)
    assert asked(health, "/alive") == (503, "its loop has not turned for 0 s\n")
    assert asked(health, "/ready")[0] == 200, "which says something else"
    health.note = "held"
    assert asked(health, "/ready") == (200, "ready: held\n")
    health.turned()
    assert asked(health, "/alive")[0] == 200


def test_every_look_at_the_stop_is_a_turn(health: Health) -> None:
    stop = Stop()
    assert not stop
    stop.turned = health.turned
    health.turned()
    time.sleep(0.4)
    assert not stop
    assert health.stuck() is None


def test_who_goes_before_the_answer_leaves_no_traceback(health: Health, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", health._config.port or 0), timeout=5) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing is a reset
            probe.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert asked(health, "/alive")[0] == 200
    time.sleep(0.3)
    assert "Traceback" not in capfd.readouterr().err


def test_a_process_ends_itself_after_a_minute() -> None:
    assert TURN_LIMIT + LIMIT <= 60
