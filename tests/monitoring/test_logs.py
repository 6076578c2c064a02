"""Logs are JSON lines, of our code and of libraries, and hold nothing of what a record held."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from monitoring import logs

HIDDEN = "999900006"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything logged since, as parsed lines; the logging of the test run is put back afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure("INFO", "entry", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers[:] = before
    root.setLevel(level)


def test_our_lines_and_those_of_libraries_have_the_same_form(lines: Lines) -> None:
    structlog.get_logger("streams.entry").info("seen", delivery="d" * 32, line=3)
    logging.getLogger("streams.engine.stage").info("seen %d of %s", 3, "two", extra={"delivery": "d" * 32})
    first, second = lines()
    for line in (first, second):
        assert set(line) >= {"timestamp", "level", "logger", "process", "event"}
        assert (line["level"], line["process"], line["delivery"]) == ("info", "entry", "d" * 32)
        assert line["timestamp"].endswith("Z")
    assert (first["event"], first["line"], first["logger"]) == ("seen", 3, "streams.entry")
    assert (second["event"], second["logger"]) == ("seen 3 of two", "streams.engine.stage")


def test_the_level_counts_for_both(lines: Lines) -> None:
    structlog.get_logger("streams.entry").debug("no")
    logging.getLogger("faust").debug("no")
    assert lines() == []


def fail(value: str) -> None:
    raise ValueError(f"invalid literal: {value}")


def test_an_exception_shows_where_and_not_what(lines: Lines) -> None:
    try:
        try:
            fail(HIDDEN)
        except ValueError as error:
            raise KeyError(HIDDEN) from error
    except KeyError:
        logging.getLogger("sor").critical("a fault of this program", exc_info=True)
        structlog.get_logger("sor").error("the same", exc_info=True)
    for line in lines():
        assert [one["type"] for one in line["exception"]] == ["KeyError", "ValueError"]
        assert line["exception"][1]["at"][-1].startswith("test_logs.py:")
        assert line["exception"][1]["at"][-1].endswith(" fail")
        assert HIDDEN not in json.dumps(line)


def test_a_library_tells_of_an_exception_by_its_type_alone(lines: Lines) -> None:
    logging.getLogger("mode.services").error("crashed: %r", ValueError(HIDDEN))
    logging.getLogger("streams.engine.stage").error("stops: %s", RuntimeError("mend this"))
    foreign, ours = lines()
    assert foreign["event"] == "crashed: 'ValueError'"
    assert ours["event"] == "stops: mend this"


def test_a_library_that_is_hushed_says_what_is_grave_only(lines: Lines) -> None:
    logs.quiet("CRITICAL", "some.library")
    logging.getLogger("some.library").error("again and again")
    logging.getLogger("some.library").critical("grave")
    assert [line["event"] for line in lines()] == ["grave"]


def test_what_json_does_not_know_is_named_by_its_type(lines: Lines) -> None:
    structlog.get_logger("streams.entry").info("odd", value=HIDDEN.encode())
    assert lines()[0]["value"] == "<bytes>"


def test_warnings_of_python_are_lines_as_well(lines: Lines) -> None:
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    warnings.warn("odd", UserWarning, stacklevel=1)
    assert {line["logger"] for line in lines()} <= {"py.warnings"}


def test_a_process_writes_json_from_its_first_line() -> None:
    """A password file is missing: what the process says as it ends."""
    command = [sys.executable, "-m", "sor", "run", "exporter"]
    environment = {"SOR_CLICKHOUSE": "http://127.0.0.1:9", "SOR_HOME": "/nonexistent", "PATH": "/usr/bin"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 70
    said = [json.loads(line) for line in run.stdout.splitlines()]
    assert (said[-1]["level"], said[-1]["process"]) == ("critical", "exporter")
    assert "/nonexistent/secrets/exporter" in said[-1]["event"], "what an operator can mend is a sentence"
