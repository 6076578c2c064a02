"""An intake in this process: real sockets and handlers, the third party's stages as functions, faults on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession

from connectors.delivery.connector import Connector
from connectors.intake.api import Intake
from connectors.intake.config import IntakeConfig, IntakeLimits, Tls
from connectors.intake.documents import Receipts
from connectors.intake.index import Index, entry
from connectors.intake.jobs import Denied, Done, Job, Refused, SealedJob
from connectors.intake.sealed import pass_on
from connectors.intake.server import listening
from connectors.intake.tokens import ANY, Gate, TokenFile
from connectors.intake.visitors import Visitors
from connectors.intake.work import handle
from crypto.sign import Checker
from crypto.sources import Trust
from schemas.typed import ReceiptCodec
from tests.connectors.support import AGB, BSN, RAP_HEADER, ThirdParty, make_keys, table
from transport.clients import Cluster

OTHER = "94000002"
HUB, ALL = "berichtenhub", "regiohub"
DEFAULT = IntakeLimits()


def rap(rows: int = 3, bsn: str = BSN, start: int = 0) -> bytes:
    """A RAP file with good rows."""
    return table(RAP_HEADER, [(bsn, "", str(start + number + 1), "D1O", "2") for number in range(rows)])


class ReceiptFeed:
    """Receipts come straight from the third party here."""

    def __init__(self) -> None:
        self.providers: frozenset[str] = frozenset()
        self.answers, self.reread = True, 0

    def read_again(self) -> None:
        self.reread += 1


class LocalSealer:
    """The work of a worker in a thread. ``hold`` keeps uploads waiting, ``fault`` is raised instead of an answer."""

    def __init__(self, keys: Path, index: Index, rows: int) -> None:
        self.third, self._index, self._rows = ThirdParty(keys), index, rows
        self.connector = Connector(keys, Cluster("nowhere"), publisher=self.third, receipts=self.third)
        self.checker = Checker(Trust(keys))
        self.codec = ReceiptCodec()
        self.hold: asyncio.Event | None = None
        self.fault: Exception | None = None
        self.receipts = True  # whether the third party answers by itself
        self.running: list[str] = []

    async def deliver(self, job: Job | SealedJob) -> Done | Refused | Denied:
        who = job.agb if isinstance(job, Job) else job.caller.id
        self.running.append(who)
        try:
            if self.hold is not None:
                await self.hold.wait()
            if self.fault is not None:
                raise self.fault
            result = await asyncio.to_thread(self._work, job)
        finally:
            self.running.remove(who)
        if self.receipts and isinstance(result, Done):
            self.answer()
        return result

    def _work(self, job: Job | SealedJob) -> Done | Refused | Denied:
        if isinstance(job, SealedJob):
            return pass_on(job, self.checker, self.third)
        return handle(self.connector, job, self._rows)

    def answer(self) -> None:
        """The newest receipt reaches the index."""
        raw = self.third.last_receipt
        self._index.put([entry(self.codec.decode(raw), raw)])

    def close(self) -> None:
        """Nothing runs."""


class Running:
    """A served intake with a client for each provider."""

    def __init__(self, base: str, sealer: LocalSealer, feed: ReceiptFeed, intake: Intake, index: Index) -> None:
        self.base, self.sealer, self.feed, self.intake, self.index = base, sealer, feed, intake, index
        self.session = ClientSession()
        self.tokens: dict[str, str] = {}
        self.hubs: dict[str, str] = {}
        self.file: TokenFile
        self.loop: asyncio.AbstractEventLoop
        self.ended: asyncio.Event
        self.port = int(base.rpartition(":")[2])

    def auth(self, agb: str = AGB) -> dict[str, str]:
        return {"Authorization": f"Bearer {(self.tokens | self.hubs)[agb]}"}

    async def post(
        self, content: Any, agb: str = AGB, path: str = "/deliveries", **more: Any
    ) -> tuple[ClientResponse, dict[str, Any]]:
        headers = {**self.auth(agb), **more.pop("headers", {})}
        async with self.session.post(self.base + path, data=content, headers=headers, **more) as answer:
            return answer, json.loads(await answer.text())

    async def get(self, path: str, agb: str = AGB, **more: Any) -> tuple[ClientResponse, dict[str, Any]]:
        async with self.session.get(self.base + path, headers=self.auth(agb), **more) as answer:
            return answer, json.loads(await answer.text())


@asynccontextmanager
async def intake(
    folder: Path,
    limits: IntakeLimits = DEFAULT,
    workers: int = 2,
    proxies: tuple[str, ...] = (),
    tls: Tls | None = None,
    origins: frozenset[str] = frozenset(),
) -> AsyncIterator[Running]:
    """A running intake with a token for two providers, for a hub of the first, and for a hub of any."""
    keys = folder / "keys"
    if not keys.exists():
        make_keys(keys)
    file = TokenFile(folder / "tokens.json")
    tokens = {agb: file.add(agb, 30)[1] for agb in (AGB, OTHER)}
    hubs = {name: file.add(name, 30, "", sends)[1] for name, sends in ((HUB, (AGB,)), (ALL, (ANY,)))}
    index, feed = Index(limits.receipts_bytes), ReceiptFeed()
    sealer = LocalSealer(keys, index, limits.rows)
    gate = Gate(file.path, visitors=Visitors(folder / "visitors.pem"))
    made = Intake(gate, index, sealer, Receipts(ReceiptCodec()), feed, limits, workers, origins)
    made.welcome()
    config = IntakeConfig(
        keys, Cluster("nowhere"), file.path, port=0, workers=workers, limits=limits, proxies=frozenset(proxies),
        tls=tls,
    )  # fmt: skip
    async with listening(made.application(), config) as port:
        running = Running(f"{'https' if tls else 'http'}://127.0.0.1:{port}", sealer, feed, made, index)
        running.tokens, running.hubs, running.file = tokens, hubs, file
        try:
            yield running
        finally:
            made.closing = True
            index.wake()
            await running.session.close()


async def until(true: Any, what: str, seconds: float = 10) -> None:
    """Poll a condition."""
    for _ in range(int(seconds * 100)):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not yet: {what}")
