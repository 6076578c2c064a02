"""The supervisor with tiny real processes: order, restarts, clean stops, no orphans."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local import logs, resting
from local.errors import StackError
from local.state import read_statuses
from settings.running import is_alive, running_supervisor

# The program under test: a supervisor over the services that a JSON file declares. A service writes a line to the
# journal when it starts and when it gets SIGTERM; it is ready when its ready file exists.
_PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from local.control import supervise
from local.errors import StackError
from local.hangs import Sign
from local.health import http_ready
from local.services import Service
from local.state import only_supervisor, end_leftovers
from local.supervisor import Supervisor
from local.timing import Timing

home = Path(sys.argv[1])
entries = json.loads((home / "services.json").read_text())

def ready(name):
    return lambda: None if (home / f"{name}.ready").exists() else "no ready file"

def signs(e):
    return (Sign(http_ready(f"http://127.0.0.1:{e['port']}/alive"), e["silent"], 0.2),) if "port" in e else ()

def show(statuses):
    with (home / "shown").open("a") as shown:
        shown.writelines(f"{status.name} {status.state} {status.detail}\\n" for status in statuses)

services = [
    Service(
        e["name"], e.get("kind", "service"), lambda e=e: [sys.executable, "-c", e["code"], str(home), e["name"]],
        check=ready(e["name"]) if e.get("kind") != "step" else None, after=tuple(e.get("after", ())),
        stop_seconds=e.get("stop_seconds", 10.0), address="there", signs=signs(e), start_limit=e.get("start"),
    )
    for e in entries
]
timing = Timing(
    first_backoff=0.05, longest_backoff=0.2, tick=0.02, starting_poll=0.02, ready_poll=0.02, external=0.3, gap=1.0,
    grace=0.5, beat=0.1,
)

async def run():
    supervisor = Supervisor(home, services, show, timing)
    supervisor.handle_signals()
    await supervisor.run()

with only_supervisor(home):
    end_leftovers(home)
    try:
        asyncio.run(run())
    except StackError as error:
        sys.exit(str(error))
"""

_SERVE = """
import os, signal, sys, time
from pathlib import Path
home, name = Path(sys.argv[1]), sys.argv[2]
journal = (home / "journal").open("a", buffering=1)
def stop(*_):
    journal.write(f"{name} stopped\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
journal.write(f"{name} started\\n")
(home / f"{name}.ready").touch()
while True:
    signal.pause()
"""

# It answers /alive with the words of a file, and its loop takes the signal away from whoever would end it.
_ANSWER = """
import signal, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
home, name = Path(sys.argv[1]), sys.argv[2]
class Alive(BaseHTTPRequestHandler):
    def do_GET(self):
        words = (home / "stuck").read_text() if (home / "stuck").exists() else ""
        body = (words or "alive").encode()
        self.send_response(503 if words else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = ThreadingHTTPServer(("127.0.0.1", PORT), Alive)
(home / f"{name}.ready").touch()
server.serve_forever()
"""

_STUBBORN = _SERVE.replace("    sys.exit(0)\n", "")
_STEP = "import sys; from pathlib import Path; open(Path(sys.argv[1]) / 'journal', 'a').write(sys.argv[2] + ' ran\\n')"
_DIES = "import sys; sys.exit('cannot: the reason')"


class Run:
    """A supervisor process over some services in a home of its own."""

    def __init__(self, home: Path, services: list[dict[str, object]]) -> None:
        self.home = home
        (home / "services.json").write_text(json.dumps(services))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(home)], stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def states(self) -> dict[str, str]:
        return {status.name: status.state for status in read_statuses(self.home)[0]}

    def pid(self, name: str) -> int | None:
        return next((status.pid for status in read_statuses(self.home)[0] if status.name == name), None)

    def restarts(self, name: str) -> int:
        return next((status.restarts for status in read_statuses(self.home)[0] if status.name == name), 0)

    def journal(self) -> list[str]:
        path = self.home / "journal"
        return path.read_text().splitlines() if path.exists() else []

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"not within 20 s: {what}; {self.states()} {self.journal()}"
            time.sleep(0.02)

    def shown(self, words: str) -> list[str]:
        """The lines about a change that have these words."""
        return [line for line in (self.home / "shown").read_text().splitlines() if words in line]

    def until_all(self, *states: str) -> None:
        self.until(lambda: bool(self.states()) and set(self.states().values()) <= set(states), f"all {states}")

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(*services: dict[str, object]) -> Run:
        runs.append(Run(tmp_path, list(services)))
        return runs[-1]

    yield start
    for each in runs:
        if each.process.poll() is None:
            each.terminate()


def _service(name: str, *after: str, code: str = _SERVE, **extra: object) -> dict[str, object]:
    return {"name": name, "code": code, "after": list(after), **extra}


def _answering(silent: float, **extra: object) -> dict[str, object]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    code = _ANSWER.replace("PORT", str(port))
    return _service("stage", code=code, port=port, silent=silent, stop_seconds=0.1, **extra)


def test_it_starts_in_order_and_stops_in_reverse(run: Callable[..., Run]) -> None:
    step = {"name": "step", "kind": "step", "code": _STEP, "after": ["store"]}
    stack = run(_service("store"), step, _service("stage", "step"))
    stack.until_all("ready", "done")
    assert stack.terminate() == 0
    assert stack.journal() == ["store started", "step ran", "stage started", "stage stopped", "store stopped"]
    assert running_supervisor(stack.home) is None


def test_what_comes_after_waits_for_health_and_not_for_time(run: Callable[..., Run]) -> None:
    not_ready = _SERVE.replace('(home / f"{name}.ready").touch()', "")
    stack = run(_service("store", code=not_ready), _service("stage", "store"))
    stack.until(lambda: stack.journal() == ["store started"], "the store runs")
    stack.until(lambda: stack.states() == {"store": "starting", "stage": "waiting"}, "the stage waits")
    (stack.home / "store.ready").touch()
    stack.until_all("ready")


def test_what_dies_is_restarted_and_the_rest_is_left_alone(run: Callable[..., Run]) -> None:
    stack = run(_service("store"), _service("stage", "store"))
    stack.until_all("ready")
    store, stage = stack.pid("store"), stack.pid("stage")
    assert store is not None
    assert stage is not None
    os.kill(stage, signal.SIGKILL)
    stack.until(lambda: stack.pid("stage") not in (stage, None), "another process")
    stack.until_all("ready")
    assert stack.restarts("stage") == 1
    assert (stack.pid("store"), stack.restarts("store")) == (store, 0)


def test_a_service_that_never_gets_ready_ends_the_stack_with_its_last_words(run: Callable[..., Run]) -> None:
    stack = run(_service("store"), _service("broken", "store", code=_DIES))
    assert stack.process.wait(20) == 1
    assert stack.process.stderr is not None
    sentence = stack.process.stderr.read()
    assert "broken ended 5 times before it was ready: cannot: the reason (all of it: sor logs broken)" in sentence
    assert stack.journal() == ["store started", "store stopped"]
    assert "the reason" in read_statuses(stack.home)[1]


def test_a_failed_step_ends_the_stack_with_its_last_words(run: Callable[..., Run]) -> None:
    stack = run({"name": "migrate", "kind": "step", "code": _DIES}, _service("stage", "migrate"))
    assert stack.process.wait(20) == 1
    assert stack.process.stderr is not None
    assert "The step migrate failed: cannot: the reason" in stack.process.stderr.read()
    assert stack.journal() == []


def test_something_external_that_is_silent_ends_the_stack(run: Callable[..., Run]) -> None:
    stack = run(_service("kafka", kind="external"))
    assert stack.process.wait(20) == 1
    assert stack.process.stderr is not None
    assert "kafka at there no ready file. Start it, or correct or unset SOR_KAFKA" in stack.process.stderr.read()


def test_what_ignores_a_stop_is_ended_by_force(run: Callable[..., Run]) -> None:
    stack = run(_service("stubborn", code=_STUBBORN, stop_seconds=0.2))
    stack.until_all("ready")
    child = stack.pid("stubborn")
    assert child is not None
    assert stack.terminate() == 0
    assert not is_alive(child, None)


@pytest.mark.skipif(sys.platform != "linux", reason="binding a child to its parent is a feature of the Linux kernel")
def test_a_supervisor_killed_by_force_leaves_no_child_and_no_lock(run: Callable[..., Run]) -> None:
    stack = run(_service("store"), _service("stubborn", "store", code=_STUBBORN))
    stack.until_all("ready")
    children = psutil.Process(stack.process.pid).children(recursive=True)
    assert len(children) == 2
    stack.process.kill()
    stack.process.wait(10)
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert (len(gone), alive) == (2, [])
    assert running_supervisor(stack.home) is None
    again = run(_service("store"))
    again.until_all("ready")


def test_a_second_supervisor_is_refused(run: Callable[..., Run]) -> None:
    first = run(_service("store"))
    first.until_all("ready")
    second = run(_service("store"))
    assert second.process.wait(20) == 1
    assert second.process.stderr is not None
    assert f"already running (process {first.process.pid})" in second.process.stderr.read()
    assert first.states() == {"store": "ready"}


def test_what_an_operator_stops_rests_until_he_starts_it(run: Callable[..., Run]) -> None:
    stack = run(_service("store"), _service("stage", "store"))
    stack.until_all("ready")
    store = stack.pid("store")
    resting.stop(stack.home, "stage")
    assert stack.states() == {"store": "ready", "stage": "resting"}
    assert stack.journal()[-1] == "stage stopped"  # asked, not killed
    resting.start(stack.home, "stage")
    assert stack.states() == {"store": "ready", "stage": "ready"}
    assert (stack.restarts("stage"), stack.pid("store")) == (0, store)
    with pytest.raises(StackError, match="There are: store, stage"):
        resting.stop(stack.home, "sink")
    assert stack.terminate() == 0


def test_nobody_stops_a_process_of_a_stack_that_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="No stack is running"):
        resting.stop(tmp_path, "stage")


def test_what_hangs_is_ended_and_started_again(run: Callable[..., Run]) -> None:
    stack = run(_service("store"), _answering(1.0))
    stack.until_all("ready")
    store, stage = stack.pid("store"), stack.pid("stage")
    assert stage is not None
    os.kill(stage, signal.SIGSTOP)
    stack.until(lambda: stack.pid("stage") not in (stage, None), "another process")
    stack.until_all("ready")
    assert not is_alive(stage, None)
    assert (stack.restarts("stage"), stack.restarts("store"), stack.pid("store")) == (1, 0, store)
    assert stack.shown("stage hangs does not answer for ")
    assert stack.shown("stage restarting hung (does not answer for ")
    (line,) = map(json.loads, logs.tail(stack.home / "log" / "stage.log", 5))
    assert line["event"].startswith("ended by the supervisor: does not answer for ")


def test_a_short_stop_is_survived(run: Callable[..., Run]) -> None:
    stack = run(_answering(4.0))
    stack.until_all("ready")
    stage = stack.pid("stage")
    assert stage is not None
    os.kill(stage, signal.SIGSTOP)
    time.sleep(3)
    assert stack.states() == {"stage": "not ready"}
    os.kill(stage, signal.SIGCONT)
    stack.until_all("ready")
    time.sleep(1.5)
    assert (stack.pid("stage"), stack.restarts("stage")) == (stage, 0)


def test_what_says_itself_that_it_stands_still_is_started_again(run: Callable[..., Run]) -> None:
    stack = run(_answering(30.0))
    stack.until_all("ready")
    stage = stack.pid("stage")
    (stack.home / "stuck").write_text("its loop stands still")
    stack.until(lambda: stack.pid("stage") not in (stage, None), "another process")
    (stack.home / "stuck").unlink()
    stack.until_all("ready")
    assert stack.shown("stage hangs answers 503: its loop stands still for 0 s")


def test_what_never_shows_a_sign_is_started_again(run: Callable[..., Run]) -> None:
    stack = run({**_answering(30.0, start=0.5), "code": _SERVE})  # ready by its file, and no page
    stack.until(lambda: stack.restarts("stage") > 0, "it is started again")
    assert stack.shown("stage hangs does not answer for ")


def test_who_was_stopped_himself_ends_nobody(run: Callable[..., Run]) -> None:
    """Everything stands still, the supervisor wakes up first: all were silent for longer than their limit."""
    stack = run(_answering(4.0))
    stack.until_all("ready")
    stage = stack.pid("stage")
    assert stage is not None
    os.kill(stage, signal.SIGSTOP)
    time.sleep(0.5)
    stack.process.send_signal(signal.SIGSTOP)
    time.sleep(5)
    stack.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    os.kill(stage, signal.SIGCONT)
    time.sleep(1.5)
    stack.until_all("ready")
    assert (stack.pid("stage"), stack.restarts("stage")) == (stage, 0)
