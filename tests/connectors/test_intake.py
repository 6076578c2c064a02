"""``sor intake`` as a process, on a real broker with the real stages: nothing lost, nothing double, nothing on disk."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import ClientError, ClientOSError, ClientSession, TCPConnector
from confluent_kafka import Consumer, TopicPartition

from connectors.intake.tokens import TokenFile
from local.ports import free_port
from schemas.topics import EVENTS
from tests.conftest import RunningBroker
from tests.connectors.authority import Authority
from tests.connectors.support import AGB, BSN, BSNS, RAP_HEADER, table
from tests.operations.emptied import gone
from tests.whole.stream import Stream
from tools.bench import intake as bench
from transport.clients import Cluster

pytestmark = pytest.mark.kafka
OTHER = "94000002"


def rap(rows: int, start: int = 0) -> bytes:
    """A RAP file with good rows."""
    return table(RAP_HEADER, [(BSNS[n % 500], "", str(start + n + 1), "D1O", "2") for n in range(rows)])


class Intake:
    """The intake as a process that can be stopped and killed."""

    def __init__(self, stream: Stream, *options: str, scheme: str = "http") -> None:
        self.port, self.metrics_port, self._stream, self._options = free_port(), free_port(), stream, options
        self.base = f"{scheme}://127.0.0.1:{self.port}"
        self.tokens = stream.home / "intake" / "tokens.json"
        self.scratch = stream.home / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self.log = stream.home / "intake.log"
        self.process: subprocess.Popen[bytes]

    def launch(self) -> None:
        environment = {**self._stream.environment(), "TMPDIR": str(self.scratch)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*bench.command(self.port, self.metrics_port), *self._options],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    async def start(self) -> None:
        self.launch()
        for _ in range(600):
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            if await bench.is_ready(self.metrics_port):
                return
            await asyncio.sleep(0.1)
        raise AssertionError("not ready")

    def workers(self) -> list[psutil.Process]:
        """The processes that seal."""
        return [one for one in psutil.Process(self.process.pid).children() if "spawn_main" in " ".join(one.cmdline())]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def served(intake: Intake) -> Iterator[Intake]:
    try:
        yield intake
    finally:
        if intake.process.poll() is None:
            intake.process.kill()
            intake.process.wait()


@pytest.fixture(scope="module")
def stream(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stream]:
    """The stages up to the receipt, on empty topics."""
    live = Stream(tmp_path_factory.mktemp("intake") / "home", broker.bootstrap, "http://127.0.0.1:9", {"admin": "x"})
    gone(Cluster(broker.bootstrap))  # records of an earlier test are sealed for other keys
    live.sor("keys", "init")
    live.sor("sources", "init", "--development")
    live.sor("topics", "apply", "--yes")
    live.start("evaluate", "entry", "deliveries")
    yield live
    live.stop()


@pytest.fixture
async def intake(stream: Stream) -> AsyncIterator[Intake]:
    with served(Intake(stream)) as running:
        await running.start()
        yield running


@pytest.fixture
async def client(intake: Intake) -> AsyncIterator[Client]:
    token = TokenFile(intake.tokens).add(AGB, 2)[1]
    async with ClientSession(intake.base, headers={"Authorization": f"Bearer {token}"}) as session:
        yield Client(session)


class Client:
    """A provider."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def post(self, content: bytes, params: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        async with self.session.post("/deliveries", data=content, params=params) as answer:
            return answer.status, json.loads(await answer.text())

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        async with self.session.get(path) as answer:
            return answer.status, json.loads(await answer.text())

    async def final(self, path: str) -> dict[str, Any]:
        """The receipt when every record has an outcome; by events."""
        last: dict[str, Any] = {}
        async with asyncio.timeout(60), self.session.get(path, headers={"Accept": "text/event-stream"}) as answer:
            async for line in answer.content:
                if line.startswith(b"data: "):
                    last = json.loads(line[6:])
        assert last["klaar"], last
        return last


def _events(stream: Stream) -> int:
    """Facts in the log that figures are made of."""
    reader = Consumer({"bootstrap.servers": stream.bootstrap, "group.id": "count"})
    try:
        places = reader.list_topics(EVENTS, timeout=10).topics[EVENTS].partitions
        return sum(reader.get_watermark_offsets(TopicPartition(EVENTS, place), timeout=10)[1] for place in places)
    finally:
        reader.close()


async def test_from_upload_to_receipt_and_nothing_of_a_test(stream: Stream, intake: Intake, client: Client) -> None:
    before = _events(stream)
    status, body = await client.post(rap(20), {"naam": "scores.csv", "test": "true"})
    assert (status, body["nieuw"]) == (202, True)
    receipt = await client.final(body["ontvangst"])
    assert (receipt["status"], receipt["test"], receipt["geaccepteerd"]) == ("goedgekeurd", True, 20)
    assert _events(stream) == before
    _, real = await client.post(rap(20))
    assert (await client.final(real["ontvangst"]))["geaccepteerd"] == 20
    assert _events(stream) == before + 20
    # After a restart everything is known again, from the topic alone.
    assert intake.stop() == 0
    await intake.start()
    found = {one["aanlevering"]: one["status"] for one in (await client.get("/deliveries"))[1]["aanleveringen"]}
    assert found[body["aanlevering"]] == found[real["aanlevering"]] == "goedgekeurd"
    assert (await client.post(rap(20)))[1]["nieuw"] is False
    # A provider whose last token went is forgotten; with a new one its receipts are read once more.
    file = TokenFile(intake.tokens)
    for one in file.read():
        file.revoke(one.id)
    for _ in range(300):
        async with ClientSession() as plain, plain.get(f"http://127.0.0.1:{intake.metrics_port}/metrics") as answer:
            if "\nsor_intake_receipts 0.0" in await answer.text():
                break
        await asyncio.sleep(0.1)
    else:
        raise AssertionError("receipts of nobody are kept")
    headers = {"Authorization": f"Bearer {file.add(AGB, 1)[1]}"}
    async with ClientSession(intake.base, headers=headers) as session:
        again = Client(session)
        for _ in range(100):
            listed = {one["aanlevering"] for one in (await again.get("/deliveries"))[1]["aanleveringen"]}
            if found.keys() <= listed:
                break
            await asyncio.sleep(0.1)
        assert found.keys() <= listed
    log = intake.log.read_text()
    assert all(json.loads(line) for line in log.splitlines())
    assert real["aanlevering"] in log
    assert AGB not in log


async def _until(true: Any, what: str) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.02)


def _sealed(stream: Stream) -> int:
    """Records that a connector has published."""
    reader = Consumer({"bootstrap.servers": stream.bootstrap, "group.id": "count"})
    try:
        topic = "sor.in.score"
        places = reader.list_topics(topic, timeout=10).topics[topic].partitions
        return sum(reader.get_watermark_offsets(TopicPartition(topic, place), timeout=10)[1] for place in places)
    finally:
        reader.close()


async def test_killed_in_the_middle_of_an_upload(stream: Stream, intake: Intake, client: Client) -> None:
    """kill -9 while records are on their way: no answer, no clear byte at rest, and the same again has one effect."""
    content, before = rap(30_000, start=1_000_000), _sealed(stream)
    sending = asyncio.create_task(client.post(content))
    await _until(lambda: _sealed(stream) > before, "the first records are at the broker")
    workers = intake.workers()
    assert workers
    assert _regular_files(intake.process.pid, *(one.pid for one in workers)) == set()
    intake.stop(signal.SIGKILL)
    assert _sealed(stream) < before + 30_000  # it was in the middle
    with pytest.raises((ClientError, ClientOSError)):
        await sending
    await _until(lambda: not any(one.is_running() and one.status() != "zombie" for one in workers), "no orphans")
    # A library unpacks its own machine code there; nothing else is written.
    assert all(path.suffix == ".so" and BSN.encode() not in path.read_bytes() for path in intake.scratch.iterdir())
    await intake.start()
    status, body = await client.post(content)
    assert status == 202
    receipt = await client.final(body["ontvangst"])
    assert (receipt["records"], receipt["gezien"], receipt["geaccepteerd"]) == (30_000, 30_000, 30_000)
    at_rest = b"".join(path.read_bytes() for path in (stream.home / "intake").rglob("*") if path.is_file())
    assert BSN.encode() not in at_rest + intake.log.read_bytes()


def _regular_files(*processes: int) -> set[str]:
    """Files that processes hold open and could have written an upload to; only root may look into them (T10)."""
    found = set[str]()
    if os.geteuid():
        return found
    for process in processes:
        for handle in Path(f"/proc/{process}/fd").iterdir():
            try:
                target = str(handle.readlink())
            except FileNotFoundError:
                continue
            if target.startswith("/") and not target.startswith(("/dev/", "/proc/")) and Path(target).is_file():
                found.add(target)
    return {name for name in found if not name.endswith("/intake.log")}


async def test_a_worker_that_is_lost_costs_one_try(stream: Stream, intake: Intake, client: Client) -> None:
    content, before = rap(20_000, start=2_000_000), _sealed(stream)
    sending = asyncio.create_task(client.post(content))
    await _until(lambda: _sealed(stream) > before, "the first records are at the broker")
    for worker in intake.workers():
        worker.kill()
    status, body = await sending
    assert (status, body["title"]) == (503, "Even niet beschikbaar")
    status, body = await client.post(content)
    assert status == 202
    assert (await client.final(body["ontvangst"]))["geaccepteerd"] == 20_000


async def test_many_senders_at_once(stream: Stream) -> None:
    """A small version of the load of ``sor bench``: it checks every receipt and fails when anything is lost."""
    running = Intake(stream)
    tokens = bench.tokens_for(running.tokens, 40)
    with served(running):
        await running.start()
        async with bench.Memory(psutil.Process(running.process.pid)) as memory:
            found = await bench.load(running.base, tokens, bench.IntakeSizes(40, 160, 60))
        assert sum(found.how.values()) == 160
        assert set(found.how) == {"good", "rows", "half", "foreign", "unknown", "slow", "cut"}
        assert len(found.acknowledged) == 160 - found.how["unknown"]
        memory.look()
        assert 50 < memory.most < 600
        assert running.stop() == 0


async def test_without_a_broker_it_says_so_and_takes_nothing(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Intake(stream)
    monkeypatch.setattr(stream, "bootstrap", "127.0.0.1:1")
    with served(running):
        running.launch()
        token = TokenFile(running.tokens).add(OTHER, 1)[1]
        async with ClientSession(running.base, headers={"Authorization": f"Bearer {token}"}) as session:
            for _ in range(300):
                try:
                    async with session.get("/openapi.json") as answer:
                        assert answer.status == 200
                        break
                except ClientError:
                    await asyncio.sleep(0.1)
            assert not await bench.is_ready(running.metrics_port)
            async with session.post("/deliveries", data=rap(1)) as answer:
                assert (answer.status, "Retry-After" in answer.headers) == (503, True)


@asynccontextmanager
async def _secured(
    base: str, authority: Authority, pair: tuple[Path, Path] | None, token: str = ""
) -> AsyncIterator[ClientSession]:
    context = ssl.create_default_context(cafile=str(authority.path))
    if pair:
        context.load_cert_chain(*pair)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with ClientSession(base, connector=TCPConnector(ssl=context), headers=headers) as session:
        yield session


async def test_certificates_of_both_sides(stream: Stream, tmp_path: Path) -> None:
    """With a client CA nobody gets in without a certificate; a certificate can stand for a provider by itself."""
    authority, stranger = Authority(tmp_path), Authority(_folder(tmp_path / "other"))
    server, sender, plain = (authority.issue(name) for name in ("server", "sender", "plain"))
    options = ("--certificate", str(server[0]), "--key", str(server[1]), "--client-ca", str(authority.path))
    running = Intake(stream, *options, scheme="https")
    file = TokenFile(running.tokens)
    file.add_certificate(AGB, ssl.PEM_cert_to_DER_cert(sender[0].read_text()), 1)
    token = file.add(OTHER, 1)[1]
    with served(running):
        await running.start()
        async with (
            _secured(running.base, authority, sender) as session,
            session.post("/deliveries", data=rap(3, 7_000_000)) as answer,
        ):
            assert (answer.status, (await answer.json())["afzender"]) == (202, AGB)
        async with _secured(running.base, authority, plain) as session, session.get("/deliveries") as answer:
            assert answer.status == 401  # known to the authority, but nobody's
        async with _secured(running.base, authority, plain, token) as session, session.get("/deliveries") as answer:
            assert answer.status == 200  # a token over a known certificate
        for pair in (None, stranger.issue("stranger")):
            async with _secured(running.base, authority, pair, token) as session:
                with pytest.raises((ClientError, ConnectionError)):
                    async with session.get("/openapi.json") as answer:
                        await answer.read()
        assert running.stop() == 0


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
