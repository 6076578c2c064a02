"""A stage to be killed: a fold whose state and rows show every lost or doubled event, run with one fault on order.

Started as ``python -m tests.chaos.batch_worker <json>``. Every committed batch prints ``batch <events>`` on stdout.

The state of a key is the set of its event numbers, so nothing lost and nothing doubled can hide. Its row moves: it lies
under ``key/bucket`` with a bucket that changes with the number of events, so that the fold has to take rows back.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitoring import logs
from streams.engine.handing import Changing
from streams.engine.run import run
from streams.engine.stage import BatchStats, Fold, Out, Record, StageConfig
from streams.versions import version
from transport.health import HealthConfig

CONTENT = "content-of-a-record"


def bucket(events: int) -> str:
    """Where the row of a key with so many events lies; never in the same place again, so that no mistake heals."""
    return str(events // 3)


def row(key: bytes, place: str, version: int, numbers: list[int] | None, topic: str) -> Out:
    """One row; ``numbers`` None takes it back."""
    body = {"version": version, "deleted": numbers is None, "numbers": numbers or []}
    return Out(topic, key + b"/" + place.encode(), json.dumps(body).encode())


def make_fold(topic: str) -> Fold:
    """The fold, with its rows going to ``topic``."""

    def fold(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        state: dict[str, Any] = (
            json.loads(packed) if packed else {"numbers": [], "version": -1, "place": "", "gone": {}}
        )
        numbers = sorted(set(state["numbers"]) | {int(record.value) for record in records})
        version = max(state["version"], records[-1].offset)
        place = bucket(len(numbers))
        gone = {old: at for old, at in state["gone"].items() if records[0].offset <= at}
        if state["place"] not in ("", place):
            gone[state["place"]] = version
        gone.pop(place, None)
        rows = [row(key, place, version, numbers, topic)]
        rows += [row(key, old, at, None, topic) for old, at in gone.items()]
        new = {"numbers": numbers, "version": version, "place": place, "gone": gone}
        return json.dumps(new).encode(), rows

    return fold


def die(_: object = None) -> None:
    """As the machine would do it."""
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def crash_in(step: str, batch: int) -> None:
    """Kill this process in the given step of its ``batch``-th batch."""
    from streams.engine.app import BatchConsumer, Store
    from streams.engine.step import Step

    seen = {"batches": 0, "records": 0}
    fold, changelog, produce = Step.fold, Step._changelog, Step._produce
    put, commit = Store.put, BatchConsumer.commit_batch

    def armed() -> bool:
        return seen["batches"] >= batch

    async def counted_fold(self: Step, source: Any) -> Any:
        seen["batches"] += 1
        return await fold(self, source)

    async def then_die(self: Step, folded: Any) -> Any:
        ends = await changelog(self, folded)
        if step == "changelog" and armed():
            die()
        return ends

    def count_and_die(self: Step, topic: str, *args: Any, **options: Any) -> None:
        produce(self, topic, *args, **options)
        wanted = topic.endswith("-changelog") if step == "half-changelog" else topic.endswith(".rows")
        if armed() and step in {"half-changelog", "half-rows"} and wanted:
            seen["records"] += 1
            if seen["records"] == 20:
                self._producer.flush(5)
                die()

    def put_and_die(self: Store, *args: Any) -> None:
        put(self, *args)
        if step == "store" and armed():
            die()

    async def die_and_commit(self: BatchConsumer, positions: Any) -> bool:
        if step == "commit" and armed():
            die()
        return await commit(self, positions)

    for owner, name, replaced in (
        (Step, "fold", counted_fold),
        (Step, "_changelog", then_die),
        (Step, "_produce", count_and_die),
        (Store, "put", put_and_die),
        (BatchConsumer, "commit_batch", die_and_commit),
    ):
        setattr(owner, name, replaced)


def drop_fetched(every: int) -> None:
    """Lose every so many-th chunk of fetched source records, as Faust does around a rebalance."""
    from streams.engine.app import BatchConsumer

    take, seen = BatchConsumer._take, [0]

    async def losing(self: BatchConsumer, records: Any) -> None:
        seen[0] += 1
        if seen[0] % every == 1:
            records = {tp: found for tp, found in records.items() if tp.topic != self.source}
        await take(self, records)

    BatchConsumer._take = losing  # type: ignore[method-assign]


def raise_in(fold: Fold, batch_of_key: int) -> Fold:
    """A fold with a bug: its call number ``batch_of_key`` fails, and the error quotes the record."""
    calls = [0]

    def failing(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        calls[0] += 1
        if calls[0] == batch_of_key:
            raise ValueError(CONTENT)
        return fold(key, packed, records)

    return failing


def slow(fold: Fold, seconds: float) -> Fold:
    """A fold that holds the event loop for so long, once, when the file ``hold`` appears in the working directory."""
    flag = Path("hold")

    def holding(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        if flag.exists():
            flag.unlink()
            time.sleep(seconds)
        return fold(key, packed, records)

    return holding


def padded(fold: Fold, size: int) -> Fold:
    """A fold whose states have so many bytes, whatever is in them."""

    def padding(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        state, rows = fold(key, packed, records)
        return state.ljust(size), rows

    return padding


def of_trajectories(prefix: str) -> Fold:
    """The fold of the stage *trajectories*, its output in topics with a prefix of their own."""
    from crypto.client_names import ClientNames
    from crypto.keys import TrajectoriesKeys
    from streams.trajectories import Trajectories

    fold = Trajectories(ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32)))

    def moving(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        state, rows = fold(key, packed, records)
        return state, [row._replace(topic=f"{prefix}.{row.topic}") for row in rows]

    return moving


def under(fold: Fold, epoch: int) -> Fold:
    """A fold whose versions are under an epoch."""

    def lifted(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        return fold(key, packed, [record._replace(offset=version(epoch, record.offset)) for record in records])

    return lifted


def die_in_slice(number: int) -> None:
    """kill -9 in the slice of this number: its states are in the changelog and none of its rows is out."""
    from streams.engine.step import Step

    changelog, seen = Step._changelog, [0]

    async def then_die(self: Step, folded: Any) -> Any:
        ends = await changelog(self, folded)
        seen[0] += bool(folded.anew and folded.states)
        if seen[0] == number:
            die()
        return ends

    Step._changelog = then_die  # type: ignore[method-assign]


def changing(config: StageConfig, fault: dict[str, Any]) -> tuple[Fold, Changing]:
    """The stage *trajectories*, as definitions are handed over to it, with slices of so many clients."""
    from crypto.client_names import ClientNames
    from crypto.keys import TrajectoriesKeys
    from domain.field.definitions import SHIPPED
    from streams.definitions import ChangingTrajectories, DefinitionsLog
    from streams.engine import step
    from streams.trajectories import Trajectories
    from transport.clients import Cluster

    step.SLICE = fault["slice"]
    fold = Trajectories(ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32)))
    return fold, ChangingTrajectories(DefinitionsLog(Cluster(config.bootstrap)), fold, SHIPPED)


def told(batch: BatchStats) -> None:
    """One line per committed batch."""
    print("batch", batch.events, flush=True)  # noqa: T201


def main() -> int:
    """Run the stage that the first argument describes."""
    options: dict[str, Any] = json.loads(sys.argv[1])
    logs.configure("INFO", "worker", sys.stderr)
    fault: dict[str, Any] = options.pop("fault")
    page = HealthConfig(options.pop("health_port", None))
    config = StageConfig(**{**options, "datadir": Path(options["datadir"]), "health": page})
    fold = of_trajectories(config.name) if "trajectories" in fault else make_fold(f"{config.name}.rows")
    handed = None
    if "slice" in fault:
        fold, handed = changing(config, fault)
    if "die in slice" in fault:
        die_in_slice(fault["die in slice"])
    if "crash" in fault:
        crash_in(fault["crash"], fault["batch"])
    if "drop" in fault:
        drop_fetched(fault["drop"])
    if "raise" in fault:
        fold = raise_in(fold, fault["raise"])
    if "hold" in fault:
        fold = slow(fold, fault["hold"])
    if "epoch" in fault:
        fold = under(fold, fault["epoch"])
    if "pad" in fault:
        fold = padded(fold, fault["pad"])
    return run(config, fold, told, handed)


if __name__ == "__main__":
    sys.exit(main())
