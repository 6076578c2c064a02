"""Check, seal and publish one upload: in a process of its own, because that is work for a processor.

A thread would hold the interpreter's lock while it parses, and every read and write of two hundred connections would
wait for it; a process also takes the harm when a file breaks the parser or the memory. At most ``workers`` of them
run, each with its own keys in memory and its own producer. The answer comes when the broker has every record.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct

from connectors import masking
from connectors.answer.receipts import QUIET
from connectors.delivery.connector import BROKER_MS, Connector
from connectors.delivery.deliveries import Candidate, Delivery, Run, candidates, check
from connectors.delivery.recognise import HEAD, recognise
from connectors.delivery.signers import own_as_it_is
from connectors.errors import BrokerDown
from connectors.formats.files import InputFile, Limits
from connectors.formats.model import FileFault
from connectors.intake.config import IntakeConfig
from connectors.intake.jobs import Denied, Done, Job, Refused, SealedJob
from connectors.intake.sealed import pass_on
from crypto.memory import guard
from crypto.sign import Checker
from crypto.sources import Trust
from domain.facts.answer import Receipt
from faults import SenderFault
from transport.clients import Cluster
from transport.publisher import Publisher

#: Sealed records that one worker may have queued for the broker.
_QUEUE: Final = {"queue.buffering.max.kbytes": 16_384, "queue.buffering.max.messages": 20_000}
_NO_NAME: Final = "aanlevering"
#: Name of the intake as a source, on a machine for trying out.
HUB: Final = "intake"


class WorkerLost(SenderFault):
    """A worker ended in the middle; what it had published is published, the sender tries again."""


class WorkerBroken(RuntimeError):
    """A fault of this program in a worker: type and places, no values, for those may come from a file."""


class Sealer(Protocol):
    """What the intake needs of its workers."""

    async def deliver(self, job: Job | SealedJob) -> Done | Refused | Denied:
        """Check, seal (unless that was done) and publish.

        Raises:
            BrokerDown: not everything is at the broker. WorkerLost, WorkerBroken.
        """

    def close(self) -> None:
        """End the workers."""


class _NoReceipts:
    """Receipts come to the intake in one place, not to its workers."""

    def mark(self, delivery: str) -> None:
        """Nothing is waited for here."""

    def wait(
        self, delivery: str, seconds: float, seen: Callable[[Receipt], None], pulse: Callable[[], None]
    ) -> Receipt | None:
        """Never called."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


def handle(connector: Connector, job: Job, most_rows: int) -> Done | Refused:
    """Check, seal and publish one upload; returns when the broker has every record."""
    if max(job.content.count(b"\n"), job.content.count(b"\r")) > most_rows:
        return Refused("B05")
    run, refused = connector.run(job.agb, test=job.test), list[FileFault]()
    name = job.name or _NO_NAME
    given = InputFile(masking.name(name), name, len(job.content), content=job.content)
    delivery = _checked(given, run, refused.append)
    if delivery is None:
        return _refused(refused[0])
    connector.publish(delivery)
    return _done(delivery)


def _checked(given: InputFile, run: Run, refuse: Callable[[FileFault], None]) -> Delivery | None:
    for group in candidates([given], run, refuse).values():
        return check([_own(one, run) for one in group], run, refuse)
    return None


def _own(candidate: Candidate, run: Run) -> Candidate:
    """A RAP file names its sender in its file name only; another one than the token's is refused as well."""
    with candidate.input.open() as stream:
        named = recognise(stream.read(HEAD), candidate.input.file_name, candidate.input.shown).sender
    if candidate.kind == "score" and named and named != run.sender:
        return candidate._replace(fault=FileFault("B09", candidate.input.shown))
    return candidate


def _refused(fault: FileFault) -> Refused:
    return Refused(fault.code, tuple((one.code, one.place, one.veld) for one in fault.found))


def _done(delivery: Delivery) -> Done:
    file = delivery.files[0]
    count = file.context.tally
    return Done(
        delivery.id,
        delivery.kind,
        delivery.sender,
        delivery.test,
        delivery.lines,
        delivery.tijd,
        file.refused,
        dict(file.codes),
        (count.total, count.empty, count.header, count.data, count.wrong),
        _refused(file.fault) if file.fault else None,
    )


class _Setup(Struct, frozen=True):
    keys: Path
    cluster: Any  # Cluster
    body_bytes: int
    rows: int
    authority: Path | None = None


class _Worker:
    """What one worker process keeps between two uploads."""

    def __init__(self, setup: _Setup) -> None:
        self.setup, self.checker = setup, Checker(Trust(setup.keys))
        self.signers = own_as_it_is(setup.keys, setup.authority, HUB)
        self.publisher: Publisher
        self.connector = self._connected()

    def _connected(self) -> Connector:
        """With a producer that knows of no failure."""
        cluster: Cluster = self.setup.cluster
        self.publisher = Publisher(cluster, "sor-intake", **QUIET, **_QUEUE, **{"message.timeout.ms": BROKER_MS})
        limits = Limits(file_bytes=self.setup.body_bytes)
        return Connector(
            self.setup.keys, cluster, limits=limits, publisher=self.publisher, receipts=_NoReceipts(),
            signers=self.signers,
        )  # fmt: skip

    def work(self, job: Job | SealedJob) -> Done | Refused | Denied:
        try:
            if isinstance(job, SealedJob):
                return pass_on(job, self.checker, self.publisher)
            return handle(self.connector, job, self.setup.rows)
        except BrokerDown as error:
            self.connector = self._connected()  # a producer that was emptied reports its old failures once more
            raise BrokerDown(str(error)) from None
        except Exception as error:  # noqa: BLE001 - raised again without its text
            self.connector = self._connected()
            raise WorkerBroken(where(error)) from None


def where(error: BaseException) -> str:
    """Type of an error and the places it came through; its text may hold values and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"


_worker: _Worker | None = None


def _begin(setup: _Setup) -> None:
    """In a new worker: it leaves Ctrl-C to its parent and does not outlive it."""
    global _worker
    guard()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, name="parent", daemon=True).start()
    _worker = _Worker(setup)


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(job: Job | SealedJob) -> Done | Refused | Denied:
    assert _worker is not None  # noqa: S101 - made by _begin
    return _worker.work(job)


class Workers:
    """The worker processes. One that is lost takes the others with it; the next upload gets new ones."""

    def __init__(self, config: IntakeConfig, lost: Callable[[], None] = lambda: None) -> None:
        limits = config.limits
        self._setup = _Setup(config.keys, config.cluster, limits.body_bytes, limits.rows, config.authority)
        self._number, self._lost = config.workers, lost
        self._pool = self._made()

    def _made(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._number, context, initializer=_begin, initargs=(self._setup,))

    async def deliver(self, job: Job | SealedJob) -> Done | Refused | Denied:
        """See ``Sealer``. The caller lets at most ``workers`` uploads in at once, so that none waits in the pool."""
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _work, job)
        except BrokenExecutor:
            if pool is self._pool:
                self._pool = self._made()
                pool.shutdown(wait=False, cancel_futures=True)
                self._lost()
            raise WorkerLost("a worker ended in the middle of an upload") from None

    def close(self) -> None:
        """Wait for what runs, then end them."""
        self._pool.shutdown(wait=True, cancel_futures=True)
