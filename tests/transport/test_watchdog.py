"""A process that stands still ends itself, and only then."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field

from prometheus_client import REGISTRY

from faults import EXIT_HANGS
from transport.watchdog import GAP, LIMIT, Watchdog


@dataclass
class Process:
    """Something watched, on a clock that the test turns."""

    now: float = 50.0
    stuck: str | None = None
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dog = Watchdog("entry", lambda: self.stuck, clock=lambda: self.now, ended=self.words.append)

    def passes(self, seconds: int) -> list[str]:
        for _ in range(seconds):
            self.now += 1.0
            self.dog.look()
        return self.words


def test_standing_still_for_the_limit_ends_it() -> None:
    process = Process()
    assert process.passes(1000) == []
    process.stuck = "no batch for 20 s"
    assert process.passes(int(LIMIT)) == []
    assert process.passes(1) == ["no batch for 20 s: the process ends here and is started again"]


def test_prometheus_sees_it() -> None:
    process = Process()
    for stuck, shown in ((None, 1), ("no batch", 0), (None, 1)):
        process.stuck = stuck
        process.passes(1)
        assert REGISTRY.get_sample_value("sor_alive", {"stage": "entry"}) == shown


def test_what_goes_on_in_time_begins_anew() -> None:
    process = Process(stuck="no batch")
    assert process.passes(int(LIMIT)) == []
    process.stuck = None
    assert process.passes(1) == []
    process.stuck = "no batch"
    assert process.passes(int(LIMIT)) == []


def test_a_process_that_was_stopped_as_a_whole_gets_its_time_anew() -> None:
    process = Process(stuck="no batch")
    assert process.passes(int(LIMIT) - 1) == []
    process.now += GAP
    assert process.passes(int(LIMIT)) == []
    assert len(process.passes(1)) == 1


_HANGS = """
import logging, threading
from monitoring import logs
from transport.watchdog import Watchdog

def hangs():
    BEFORE
    threading.Event().wait()

logs.configure("INFO", "entry")
Watchdog("entry", lambda: "nothing moves", limit=0.1, every=0.02).start()
hangs()
"""


def _end(before: str) -> subprocess.CompletedProcess[str]:
    code = _HANGS.replace("BEFORE", before)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)


def test_it_says_what_stood_still_and_where() -> None:
    ended = _end("pass")
    assert ended.returncode == EXIT_HANGS
    line = json.loads(ended.stdout)
    assert (line["level"], line["process"]) == ("critical", "entry")
    assert line["event"].startswith("nothing moves: the process ends")
    assert any(place.endswith(" hangs") for place in line["where"])


def test_a_process_that_holds_the_lock_of_the_log_ends_too() -> None:
    ended = _end("logging.getLogger().handlers[0].acquire()")
    assert (ended.returncode, ended.stdout) == (EXIT_HANGS, "")
