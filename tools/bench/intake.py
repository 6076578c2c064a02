"""The HTTP intake with two hundred senders at once: good files, broken ones, slow and cut connections.

Every sender delivers one file after the other and follows the receipt of each until it is final. A sender that is told
to come back does so, one whose connection was cut sends the same file again. The run fails when one acknowledged
upload has no final receipt, or when a receipt counts other records than the file had.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from connectors.intake.tokens import TokenFile
from domain.field.bsn import official_numbers
from local.errors import StackError
from local.leash import leashed
from local.ports import free_port
from schemas.topics import LINES, groups
from tools.bench.figures import Figure, Tell
from tools.bench.meter import settle
from tools.bench.services import services

_FIRST_AGB: Final = 94_100_000
_NUMBERS: Final = official_numbers()
_HEAD: Final = "BSN;Beschikkingsnummer;Toewijzingsnummer;Type;Waarde"
#: How often each kind of upload comes, in a hundred.
_MIX: Final = {"good": 60, "rows": 14, "half": 6, "foreign": 4, "unknown": 4, "slow": 6, "cut": 6}
_LIMIT: Final = ClientTimeout(total=300)
_MEMORY: Final = 500.0
_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 90.0


class IntakeSizes(NamedTuple):
    """Senders at once, uploads in all, and rows of a file at most."""

    senders: int
    uploads: int
    rows: int


class Upload(NamedTuple):
    """One file: how it is sent, its content, and the records of its receipt (0: refused without one)."""

    how: str
    content: bytes
    records: int
    accepted: int


@dataclass
class Found:
    """What the senders saw."""

    acknowledged: list[float] = field(default_factory=list)  # s: from the first byte to 202
    received: list[float] = field(default_factory=list)  # s: from 202 to the final receipt
    ids: dict[str, set[str]] = field(default_factory=dict)
    how: Counter[str] = field(default_factory=Counter)
    again: Counter[int] = field(default_factory=Counter)  # answers after which the sender came back
    records: int = 0
    wrong: list[str] = field(default_factory=list)


def made(sender: int, number: int, rows: int) -> Upload:
    """The file ``number`` of a sender; the same numbers make the same file."""
    rng = random.Random(sender * 1_000 + number)
    how = rng.choices(list(_MIX), list(_MIX.values()))[0]
    count = rng.randint(5, rows)
    lines = [
        f"{_NUMBERS[(sender * 37 + row) % len(_NUMBERS)]};;{number * rows + row + 1};D1O;{row % 3}"
        for row in range(count)
    ]
    if how == "rows":
        lines[::5] = [line.replace("D1O", "D99") for line in lines[::5]]
    text = "\r\n".join([_HEAD, *lines, ""])
    if how == "half":
        return Upload(how, text[:-9].encode(), 1, 0)
    if how == "foreign":
        return Upload(how, text.encode(), 1, 0)
    if how == "unknown":
        return Upload(how, rng.randbytes(200).hex().encode(), 0, 0)
    return Upload(how, text.encode(), count, count - len(lines[::5]) if how == "rows" else count)


class Sender:
    """One provider with one token."""

    def __init__(self, session: ClientSession, base: str, number: int, token: str, found: Found) -> None:
        self._session, self._base, self._number, self._found = session, base, number, found
        self.agb = str(_FIRST_AGB + number)
        self._headers = {"Authorization": f"Bearer {token}"}

    async def deliver(self, uploads: int, rows: int) -> None:
        """Its files one after the other, each until its receipt is final."""
        for number in range(uploads):
            upload = made(self._number, number, rows)
            self._found.how[upload.how] += 1
            if upload.how == "cut":
                await self._cut(upload)
            await self._one(upload)

    async def _one(self, upload: Upload) -> None:
        began = time.perf_counter()
        status, answer = await self._until_answered(upload)
        if status != (202 if upload.records else 422):
            self._found.wrong.append(f"{upload.how}: {status} {answer.get('detail')}")
        if status != 202:
            return
        acknowledged = time.perf_counter()
        self._found.acknowledged.append(acknowledged - began)
        receipt = await self._receipt(answer["ontvangst"])
        self._found.received.append(time.perf_counter() - acknowledged)
        self._found.ids.setdefault(self.agb, set()).add(answer["aanlevering"])
        self._found.records += receipt["gezien"]
        if (receipt["klaar"], receipt["gezien"], receipt["geaccepteerd"]) != (True, upload.records, upload.accepted):
            self._found.wrong.append(f"{upload.how}: {receipt}")

    async def _until_answered(self, upload: Upload) -> tuple[int, dict[str, Any]]:
        """The final answer; "too busy" and a lost connection are tried again."""
        other = {"naam": f"{_FIRST_AGB - 1}_scores.csv"} if upload.how == "foreign" else {}
        while True:
            body: Any = _slowly(upload.content) if upload.how == "slow" else upload.content
            try:
                async with self._session.post(
                    f"{self._base}/deliveries", data=body, headers=self._headers, params=other
                ) as answer:
                    if answer.status not in (429, 503):
                        return answer.status, json.loads(await answer.text())
                    self._found.again[answer.status] += 1
                    pause = int(answer.headers["Retry-After"])
            except (ClientError, ConnectionError):
                self._found.again[0] += 1
                pause = 1
            await asyncio.sleep(pause)

    async def _cut(self, upload: Upload) -> None:
        """Half a file, then the connection is gone."""
        host, _, port = self._base.removeprefix("http://").partition(":")
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, int(port))
            head = (
                f"POST /deliveries HTTP/1.1\r\nHost: {host}\r\nAuthorization: {self._headers['Authorization']}\r\n"
                f"Content-Length: {len(upload.content)}\r\n\r\n"
            )
            writer.write(head.encode() + upload.content[: len(upload.content) // 2])
            await writer.drain()
            writer.close()

    async def _receipt(self, path: str) -> dict[str, Any]:
        """The final receipt, as the stream of events ends with it."""
        headers = {**self._headers, "Accept": "text/event-stream"}
        receipt: dict[str, Any] = {"klaar": False, "gezien": 0}
        while not receipt["klaar"]:
            async with self._session.get(self._base + path, headers=headers) as answer:
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        receipt = json.loads(line[6:])
        return receipt

    async def listed(self) -> set[str]:
        """Every delivery that a search finds."""
        found, after = set[str](), {"aantal": "200"}
        while after:
            async with self._session.get(f"{self._base}/deliveries", headers=self._headers, params=after) as answer:
                page = json.loads(await answer.text())
            found |= {one["aanlevering"] for one in page["aanleveringen"]}
            after = {"aantal": "200", "na": page["volgende"]} if page["volgende"] else {}
        return found


async def _slowly(content: bytes) -> AsyncIterator[bytes]:
    step = max(1, len(content) // 5)
    for at in range(0, len(content), step):
        yield content[at : at + step]
        await asyncio.sleep(0.2)


async def load(base: str, tokens: dict[int, str], sizes: IntakeSizes) -> Found:
    """All senders at once. ``StackError`` when anything was lost or wrong."""
    found = Found()
    # The answers of a file are few and long waited for: every sender has connections of its own.
    async with ClientSession(connector=TCPConnector(limit=0), timeout=_LIMIT) as session:
        senders = [Sender(session, base, number, token, found) for number, token in tokens.items()]
        share, rest = divmod(sizes.uploads, len(senders))
        await asyncio.gather(
            *(sender.deliver(share + (place < rest), sizes.rows) for place, sender in enumerate(senders))
        )
        for sender in senders:
            lost = found.ids.get(sender.agb, set()) - await sender.listed()
            if lost:
                found.wrong.append(f"not found in a search: {lost}")
    if found.wrong:
        raise StackError(f"{len(found.wrong)} uploads went wrong, such as: {found.wrong[0]}")
    return found


class Memory:
    """The largest resident size of a process and of its children together, in MB; looked at now and then."""

    def __init__(self, process: psutil.Process) -> None:
        self._process, self.most, self.parent = process, 0.0, 0.0

    async def __aenter__(self) -> Memory:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(0.2)

    def look(self) -> None:
        """Take one sample."""
        with suppress(psutil.NoSuchProcess):
            sizes = [one.memory_info().rss / 2**20 for one in (self._process, *self._process.children(recursive=True))]
            self.most, self.parent = max(self.most, sum(sizes)), max(self.parent, sizes[0])


def tokens_for(path: Path, senders: int) -> dict[int, str]:
    """A token for each sender, by number."""
    file = TokenFile(path)
    return {number: file.add(str(_FIRST_AGB + number), 1)[1] for number in range(senders)}


def command(port: int, metrics_port: int) -> list[str]:
    """The intake as a process of its own."""
    return [sys.executable, "-m", "sor", "intake", "--port", str(port), "--metrics-port", str(metrics_port)]


async def is_ready(metrics_port: int) -> bool:
    """Whether the intake takes files."""
    try:
        async with ClientSession() as session, session.get(f"http://127.0.0.1:{metrics_port}/ready") as answer:
            return answer.status == 200
    except (ClientError, OSError):
        return False


def intake(sizes: IntakeSizes, tell: Tell) -> list[Figure]:
    """The load on a real broker with the stages up to the receipt running."""
    with services() as running:
        settle(running.cluster, groups()["deliveries"], LINES)
        running.start("evaluate", "entry", "deliveries")
        tokens = tokens_for(running.home / "intake" / "tokens.json", sizes.senders)
        port, metrics_port = free_port(), free_port()
        with (running.home / "log" / "intake.log").open("ab") as log:
            process = subprocess.Popen(
                leashed(command(port, metrics_port)), env=running.environment(), stdout=log, stderr=log
            )
        try:
            tell(f"{sizes.senders} senders, {sizes.uploads} uploads of up to {sizes.rows} rows")
            return asyncio.run(_measured(process, port, metrics_port, tokens, sizes))
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


async def _measured(
    process: subprocess.Popen[bytes], port: int, metrics_port: int, tokens: dict[int, str], sizes: IntakeSizes
) -> list[Figure]:
    base, deadline = f"http://127.0.0.1:{port}", time.monotonic() + _READY_SECONDS
    while not await is_ready(metrics_port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackError(f"The intake is not ready (exit code {process.poll()}).")
        await asyncio.sleep(0.1)
    async with Memory(psutil.Process(process.pid)) as memory:
        began = time.perf_counter()
        found = await load(base, tokens, sizes)
        return _figures(sizes, found, memory, time.perf_counter() - began)


def _figures(sizes: IntakeSizes, found: Found, memory: Memory, seconds: float) -> list[Figure]:
    name = "intake"
    mixed = ", ".join(f"{number} {how}" for how, number in sorted(found.how.items()))
    again = ", ".join(f"{number} after {status or 'a lost connection'}" for status, number in found.again.items())
    return [
        Figure(name, f"{sizes.senders} senders at once, {sizes.uploads} uploads: each second", sizes.uploads / seconds,
               "uploads", note=f"{found.records:,} records; {mixed}; nothing lost; came back: {again or 'none'}"),
        Figure(name, "upload to acknowledgement, half of all", _part(found.acknowledged, 0.5), "s"),
        Figure(name, "upload to acknowledgement, 99 of 100", _part(found.acknowledged, 0.99), "s"),
        Figure(name, "acknowledgement to final receipt, half of all", _part(found.received, 0.5), "s"),
        Figure(name, "acknowledgement to final receipt, 99 of 100", _part(found.received, 0.99), "s"),
        Figure(name, "memory of the intake with its workers", memory.most, "MB", _MEMORY, most=True,
               memory=memory.parent, note="the largest sum seen; memory: the process that listens alone"),
    ]  # fmt: skip


def _part(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
