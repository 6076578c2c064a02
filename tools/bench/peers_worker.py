"""A worker of the engine with the job of ``batch``, beside others of the same group if need be.

``python -m tools.bench.peers_worker OPTIONS`` (a JSON object) works until SIGTERM and then prints when it did what: for
the first event and for every commit the clock of the machine, events of the batch, processor seconds so far.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitoring import logs
from streams.engine.run import run
from streams.engine.stage import BatchStats, Out, Record, StageConfig
from tools.bench import batch
from transport.health import HealthConfig


def work(options: dict[str, Any]) -> int:
    """Fold until the signal; the exit code of the engine."""
    batch.ROWS[0] = options["rows"]
    config = StageConfig(
        options["group"], options["source"], "facts", batch.PARTITIONS, options["bootstrap"], Path(options["datadir"]),
        options["slot"], health=HealthConfig(options["port"]), session_timeout=6.0, heartbeat=1.5,
    )  # fmt: skip
    points: list[tuple[float, int, float]] = []

    def timed(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        if not points:
            points.append((time.monotonic(), 0, time.process_time()))
        return batch.fold(key, packed, records)

    def told(one: BatchStats) -> None:
        points.append((time.monotonic(), one.events, time.process_time()))

    code = run(config, timed, told)
    print(json.dumps({"points": points}), flush=True)
    return code


if __name__ == "__main__":
    logs.configure("WARNING", "engine", sys.stderr)
    sys.exit(work(json.loads(sys.argv[1])))
