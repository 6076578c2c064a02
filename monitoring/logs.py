"""Logs as JSON lines, of our own code and of every library, without what a record held.

A line has ``timestamp`` (UTC), ``level``, ``logger``, ``process`` and ``event``. What a line says of one delivery
carries it as ``delivery``: its number is a keyed hash, so one search finds all lines of all processes about it.

Our own code says it as ``structlog.get_logger().info("…", delivery=…)`` and in no other way. The loggers of Python are
what libraries use, and are named here alone (``quiet``).

An exception shows its type and where it was raised, never its text: the text of ``int("999…")`` is a value. What an
operator should read is a sentence of ours, and is logged as one.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

#: Loggers whose sentences are ours; of any other an exception among the arguments shows its type alone.
OURS: Final = frozenset(
    {"connectors", "crypto", "domain", "faults", "local", "monitoring", "operations", "portal", "results", "schemas"}
    | {"settings", "sinks", "sor", "streams", "tools", "transport"}
)
_Event = MutableMapping[str, Any]


def configure(level: str, process: str, stream: TextIO | None = None) -> None:
    """From now on every logger of this process writes JSON lines on ``stream``, standard output when left out.

    ``level`` is the least severe one to write: DEBUG, INFO, WARNING, ERROR.
    """

    def named(_logger: object, _method: str, event: _Event) -> _Event:
        event["process"] = process
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
        _without_values,
    ]
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.addFilter(_types_alone)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=_type_of),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def quiet(level: str, *names: str) -> None:
    """From libraries with these loggers only what is at least so severe."""
    for name in names:
        logging.getLogger(name).setLevel(level)


def _types_alone(record: logging.LogRecord) -> bool:
    """Exceptions among the arguments of a library's line lose their text."""
    if record.name.partition(".")[0] not in OURS and isinstance(record.args, tuple):
        record.args = tuple(type(one).__name__ if isinstance(one, BaseException) else one for one in record.args)
    return True


def _without_values(_logger: object, _method: str, event: _Event) -> _Event:
    """``exc_info`` becomes the types of an exception and of its causes, and the places in the code."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = [_described(one) for one in _chain(error)]
    return event


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def _described(error: BaseException) -> dict[str, Any]:
    return {"type": type(error).__name__, "at": _frames(error.__traceback__)}


def _frames(trace: TracebackType | None) -> list[str]:
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found


def _type_of(value: object) -> str:
    """What JSON has no form for is named by its type: its text may hold anything."""
    return f"<{type(value).__name__}>"
