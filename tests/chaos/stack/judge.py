"""At the end: nothing lost, nothing doubled, every traject what the simulator decided."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import clickhouse_connect
from confluent_kafka import KafkaException

from settings.access import clickhouse_access
from tests.chaos.stack.probe import Probe
from tests.chaos.stack.source import Source
from tests.chaos.stack.stack import Stack
from tools.simulator import compare

_SETTLE: Final = 90.0
_RECEIPTS: Final = "SELECT count(), sum(lines), sum(gezien), countIf(NOT klaar) FROM sor.receipts FINAL"


def verdict(stack: Stack, probe: Probe, source: Source, folder: Path) -> list[str]:
    """What is wrong, one sentence each; empty when all is as it must be."""
    if not source.finish(_SETTLE + 210):
        return [f"The source did not finish: {source.failure or 'it still waits for receipts'}."]
    if not _caught_up(probe):
        return [f"Not everything is processed: {probe.places()}."]
    return [*_receipts(source), *_tables(stack, source), *_trajecten(stack, folder), *_audit(stack)]


def _caught_up(probe: Probe) -> bool:
    end = time.monotonic() + _SETTLE
    while time.monotonic() < end:
        try:
            if all(place.lag == 0 for place in probe.places().values()):
                return True
        except KafkaException:
            pass
        time.sleep(0.5)
    return False


def _receipts(source: Source) -> Iterator[str]:
    """Every line of every delivery seen, and each once."""
    for key, (lines, receipt) in source.receipts.items():
        if receipt.gezien != lines:
            yield f"The receipt of {key} counts {receipt.gezien} lines of {lines}."


def _tables(stack: Stack, source: Source) -> Iterator[str]:
    """The same in ClickHouse."""
    wanted = (len(source.receipts), sum(lines for lines, _ in source.receipts.values()))
    end = time.monotonic() + _SETTLE
    while True:
        deliveries, lines, seen, open_ones = _ask(stack, _RECEIPTS)[0]
        if (deliveries, lines, seen, open_ones) == (*wanted, wanted[1], 0):
            return
        if time.monotonic() > end:
            yield (
                f"ClickHouse holds receipts of {deliveries} deliveries with {lines} lines, {seen} seen, {open_ones} "
                f"open; {wanted[0]} with {wanted[1]} were delivered."
            )
            return
        time.sleep(0.5)


def _trajecten(stack: Stack, folder: Path) -> Iterator[str]:
    document = json.loads((folder / "expected.json").read_text("utf-8"))
    wanted, found = compare.expected(document, cbs=True), Counter[str]()
    end = time.monotonic() + _SETTLE
    while time.monotonic() < end:
        found = compare.found(_ask(stack, compare.QUERY))
        if found == wanted:
            return
        time.sleep(0.5)
    lost, more = wanted - found, found - wanted
    yield (
        f"{lost.total()} trajecten are missing and {more.total()} too many: {list(lost)[:2]} against {list(more)[:2]}."
    )


def _ask(stack: Stack, sql: str) -> list[tuple[Any, ...]]:
    access = clickhouse_access(stack.settings, "admin")
    with clickhouse_connect.get_client(
        dsn=access.url, username=access.user, password=access.password, autogenerate_session_id=False
    ) as client:
        return [tuple(row) for row in client.query(sql).result_rows]


def _audit(stack: Stack) -> Iterator[str]:
    done = stack.sor("audit")
    if done.returncode:
        yield f"sor audit ended with {done.returncode}: {done.stdout[-600:]}{done.stderr[-600:]}"
