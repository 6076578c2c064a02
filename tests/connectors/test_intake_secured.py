"""On a broker with access rules: the intake writes for sources that have no right there, and so does ``upstream``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from urllib.request import urlopen

import pytest

from connectors.answer.receipts import KafkaReceipts
from connectors.intake.tokens import ANY, TokenFile
from domain.facts.answer import Receipt, receipt_key
from local.ports import free_port
from schemas.codec import Codec
from schemas.topics import KIND_OF, groups
from schemas.typed import ReceiptCodec
from tests.connectors.intake_support import rap
from tests.connectors.support import AGB, Regie, make_keys
from tests.house.rooms import ROOT
from tests.secured import SecuredBroker, secured_broker
from tools.bench.intake import command
from transport.clients import consumer, producer

pytestmark = pytest.mark.kafka


class Stages(Thread):
    """In the place of the stages: reads as ``evaluate``, answers as ``deliveries`` when a delivery is complete."""

    def __init__(self, broker: SecuredBroker) -> None:
        super().__init__(daemon=True)
        self._broker, self.ended = broker, Event()
        self.seen = Counter[str]()

    def run(self) -> None:
        envelopes, receipts = Codec("sor.in"), ReceiptCodec()
        reader = consumer(self._broker.cluster("evaluate"), groups()["evaluate"], "test")
        writer = producer(self._broker.cluster("deliveries"), "test")
        reader.subscribe(["sor.in.score", "sor.in.start"])
        while not self.ended.is_set():
            message = reader.poll(0.1)
            if message is None or message.error():
                continue
            found = envelopes.decode(message.value() or b"")
            key = receipt_key(found["sender"], found["delivery"], found["lines"])
            self.seen[key] += 1
            if self.seen[key] == found["lines"]:
                receipt = Receipt(
                    delivery=found["delivery"], kind=KIND_OF[str(message.topic())], sender=found["sender"],
                    test=False, lines=found["lines"], gezien=found["lines"], geaccepteerd=found["lines"], klaar=True,
                    eerste=found["published_at"], laatste=found["published_at"], version=1,
                )  # fmt: skip
                writer.produce("sor.receipts", receipts.encode(receipt), key.encode())
                writer.flush(10)
        reader.close()


@contextmanager
def served(broker: SecuredBroker, keys: Path, port: int) -> Iterator[None]:
    """The intake as a process that is its own principal."""
    metrics = free_port()
    environment = {**broker.environment("intake"), "SOR_KEYS": str(keys)}
    log = broker.home / "intake.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command(port, metrics), env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(300):
            assert process.poll() is None, log.read_text()[-3000:]
            try:
                urlopen(f"http://127.0.0.1:{metrics}/ready", timeout=2).close()
            except OSError:
                time.sleep(0.1)
            else:
                break
        yield
    finally:
        process.terminate()
        process.wait(30)


def test_sources_and_a_message_system_deliver_without_reading_a_topic(tmp_path: Path) -> None:
    keys, port = make_keys(tmp_path / "keys"), free_port()
    (tmp_path / "scores.csv").write_bytes(rap(300))
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "start.xml").write_bytes(Regie().bytes())
    (tmp_path / "spool" / "note.txt").write_bytes(b"no message")
    with secured_broker(tmp_path / "broker") as broker:
        file = TokenFile(broker.home / "home" / "intake" / "tokens.json")
        token = tmp_path / "token"
        token.touch(mode=0o600)
        token.write_text(file.add("hub", 2, "", (ANY,))[1])
        stages = Stages(broker)
        stages.start()
        there = {"SOR_INTAKE": f"http://127.0.0.1:{port}", "SOR_INTAKE_TOKEN_FILE": str(token), "SOR_KEYS": str(keys)}
        own = {name: value for name, value in os.environ.items() if not name.startswith("SOR_")}
        source = own | there | {"SOR_HOME": str(tmp_path / "source")}
        deliver = [sys.executable, "-m", "sor", "deliver", str(tmp_path / "scores.csv"), "--as", AGB]
        example = [sys.executable, "docs/examples/upstream.py", str(tmp_path / "spool")]
        upstream = broker.environment("upstream") | there | {"PYTHONPATH": str(ROOT)}
        with served(broker, keys, port):
            done = subprocess.run(deliver, env=source, capture_output=True, text=True, timeout=90, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "Geïmporteerd en gevalideerd      300" in done.stdout
            again = subprocess.run(deliver, env=source, capture_output=True, text=True, timeout=90, check=False)
            assert again.returncode == 0
            ran = subprocess.run(
                example, env=upstream, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
            )
        assert "start.xml: " in ran.stdout, ran.stderr
        assert "geaccepteerd" in ran.stdout
        assert ran.returncode == 1  # the note is no message
        receipts = KafkaReceipts(broker.cluster("upstream"))
        receipts.mark(receipt_key(AGB, "0" * 32, 1))
        began = time.monotonic()
        assert receipts.wait(receipt_key(AGB, "0" * 32, 1), 30, lambda _one: None, lambda: None) is None
        assert time.monotonic() - began < 1  # it is told at once that there are none for it
        stages.ended.set()
        stages.join(10)
        assert sorted(stages.seen.values()) == [1, 600]
