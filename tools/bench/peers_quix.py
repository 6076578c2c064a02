"""The job of ``batch`` in Quix Streams: a stateful apply, RocksDB state with its changelog, to_topic.

Run as a file by the Python of an environment of its own (``peers_have``), in which nothing of this project is. One
argument, a JSON object; one line of JSON on stdout.

Per event: get_bytes, unpack, merge, sort, pack, set_bytes, one row. Quix keeps what changed in a transaction and writes
changelog and RocksDB once per key per checkpoint (1 s); rows go out per event. Measured from the first event to the end
of the checkpoint that commits the last; the last event stops the application, which commits at once.
"""

from __future__ import annotations

import importlib
import json
import struct
import sys
import time
from typing import Any, Final

FACT: Final = struct.Struct(">QQQ")
SEED: Final = b"".join(FACT.pack(number, 0, number) for number in range(60))
#: As transport/clients.py, without compression as the engine's own producer.
PRODUCER: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",
    "compression.type": "none",
    "linger.ms": 50,
    "batch.size": 1_000_000,
    "message.max.bytes": 4_000_000,
    "queue.buffering.max.messages": 200_000,
    "queue.buffering.max.kbytes": 131_072,
}


class Job:
    """The fold, and when the first event and the last checkpoint were: seconds of a clock and of the processor."""

    def __init__(self, quix: Any, app: Any, events: int) -> None:
        self._context, self._app, self._left = quix.message_context, app, events
        self.began: tuple[float, float] | None = None
        self.ended: tuple[float, float] | None = None

    def fold(self, value: bytes, state: Any) -> bytes:
        """As ``batch.fold``, of one event."""
        self.began = self.began or _now()
        facts = {fact[0]: fact for fact in FACT.iter_unpack(state.get_bytes("facts", SEED)[:1440])}
        fact = FACT.unpack_from(value)
        if fact[1] >= facts[fact[0]][1]:
            facts[fact[0]] = fact
        version: bytes = self._context().offset.to_bytes(8, "big")
        packed: bytes = b"".join(FACT.pack(*facts[name]) for name in sorted(facts)) + version
        state.set_bytes("facts", packed)
        self._left -= 1
        if not self._left:
            self._app.stop()  # leaves the loop after this event, and commits
        return packed[:304] + version

    def watch(self, checkpoint: Any) -> None:
        """Note when the commit after the last event is done."""
        commit = checkpoint.commit

        def timed(*args: Any, **kwargs: Any) -> None:
            commit(*args, **kwargs)
            if not self._left and self.ended is None:
                self.ended = _now()

        checkpoint.commit = timed


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def main() -> int:
    """Run the job to its end."""
    options = json.loads(sys.argv[1])
    # By name: what is imported in this tree is declared in pyproject.toml, and this package does not go with the rest.
    quix = importlib.import_module("quixstreams")
    app = quix.Application(
        broker_address=options["bootstrap"], consumer_group=options["group"], auto_offset_reset="earliest",
        commit_interval=1.0, state_dir=options["datadir"], loglevel="WARNING", processing_guarantee="at-least-once",
        producer_extra_config=PRODUCER,
    )  # fmt: skip
    source = app.topic(options["source"], key_deserializer="bytes", value_deserializer="bytes")
    rows = app.topic(options["rows"], key_serializer="bytes", value_serializer="bytes")
    job = Job(quix, app, options["events"])
    job.watch(importlib.import_module("quixstreams.checkpointing").Checkpoint)
    app.dataframe(source).apply(job.fold, stateful=True).to_topic(rows)
    app.run()
    if job.began is None or job.ended is None:
        print("the application stopped before its last event", file=sys.stderr)
        return 1
    seconds, used = (after - before for before, after in zip(job.began, job.ended, strict=True))
    print(json.dumps({"rate": options["events"] / seconds, "cpu": used / options["events"] * 1e6}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
