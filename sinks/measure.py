"""Everything the sink reports to Prometheus, in one place."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from monitoring import metrics
from schemas.codec import Record
from sinks.tables import Table

STAGE: Final = "sink"


@contextmanager
def decoding() -> Iterator[None]:
    """Around the decoding of the records of a batch and table, or of a sample of them."""
    with metrics.BATCH_SECONDS.labels(stage=STAGE, step="decode").time():
        yield


def inserted(table: Table, rows: int, sample: Sequence[Record], seconds: float) -> None:
    """ClickHouse confirmed rows: from now on they can be queried.

    The freshness of the rows is that of ``sample``, all of them or some, evenly spread: each counts for its share.
    """
    metrics.SINK_ROWS.labels(table=table.name).inc(rows)
    metrics.SINK_INSERT_SECONDS.labels(table=table.name).observe(seconds)
    if table.timed:
        now, observe = time.time(), metrics.FRESHNESS.observe
        for at, row in enumerate(sample):
            if not row["gebeurd_op"]:
                continue  # it changed by what another provider told
            age = max(0.0, now - row["gebeurd_op"] / 1000)
            for _ in range((at + 1) * rows // len(sample) - at * rows // len(sample)):
                observe(age)


def retried(table: Table) -> None:
    """An insert failed and will be tried again."""
    metrics.SINK_RETRIES.labels(table=table.name).inc()


def committed(records: int, lag: Mapping[str, int], seconds: float) -> None:
    """Offsets were committed; ``lag`` is what is left per topic."""
    metrics.RECORDS.labels(stage=STAGE, outcome="accepted").inc(records)
    metrics.BATCH_RECORDS.labels(stage=STAGE).observe(records)
    metrics.BATCH_SECONDS.labels(stage=STAGE, step="commit").observe(seconds)
    metrics.LAST_COMMIT.labels(stage=STAGE).set_to_current_time()
    for topic, left in lag.items():
        metrics.LAG.labels(stage=STAGE, topic=topic).set(left)
