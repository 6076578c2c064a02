"""A source that delivers all the time, and again until it has a receipt of everything."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Final, NamedTuple

from confluent_kafka import KafkaException

from connectors.delivery.connector import Connector
from connectors.delivery.deliveries import Delivery
from connectors.delivery.signers import hub
from connectors.errors import BrokerDown
from connectors.formats import files as input_files
from connectors.formats.cbs.layout import read
from connectors.formats.model import Choices, FileFault
from domain.facts.answer import Receipt
from settings.access import intake_endpoint, kafka_cluster
from settings.settings import Settings
from tools.demo import last_half_year
from tools.simulator import SimulationConfig, simulate
from tools.simulator.almere import half_year

#: Files of messages in one portion; the other kinds are delivered a folder at a time.
_FILES: Final = 25
_MONTHS: Final = 12
_WAIT, _PAUSE, _REST = 10.0, 0.5, 0.3


class Portion(NamedTuple):
    """What is delivered at once. ``again``: it may be delivered again after what follows it."""

    paths: list[Path]
    choices: Choices = Choices()
    again: bool = True


def region(folder: Path, clients: int, seed: int) -> None:
    """The files of a region, with everything that the simulator does wrong on purpose."""
    simulate(SimulationConfig(clients, _MONTHS, seed, last_half_year(datetime.now(UTC).date()), True), folder)


def portions(folder: Path) -> list[Portion]:
    """In the order in which they are delivered. CBS files last: each replaces the one before."""
    found = []
    for name in ("berichten", "cem", "bergop", "rap", "te-laat"):
        files = sorted(path for path in (folder / name).rglob("*") if path.is_file())
        size = _FILES if name in ("berichten", "te-laat") else len(files) or 1
        found += [Portion(files[start : start + size]) for start in range(0, len(files), size)]
    document = json.loads((folder / "expected.json").read_text("utf-8"))
    period, _ = half_year(date.fromisoformat(document["configuratie"]["until"]))
    choices = Choices(layout=read(folder / "cbs" / "layout.toml"), periode=period)
    parts = sorted(path for path in (folder / "cbs").iterdir() if path.is_dir())
    return found + [Portion([part], choices, again=False) for part in parts]


class Source:
    """Delivers portions, by turns through the intake and to the broker, until it is told that it is enough.

    ``receipts``: the newest of each delivery; ``retries``: portions that had to be delivered again.
    """

    def __init__(self, settings: Settings, given: list[Portion]) -> None:
        self._settings, self._given = settings, given
        self.receipts: dict[str, tuple[int, Receipt]] = {}
        self.retries, self.rounds, self.done = Counter[str](), 0, 0
        self.failure: BaseException | None = None
        self._enough = Event()
        self._thread = Thread(target=self._work, name="source", daemon=True)

    def start(self) -> None:
        """Deliver from now on."""
        self._thread.start()

    def finish(self, seconds: float) -> bool:
        """Deliver what was not delivered yet, then no more: whether all of it has its receipt within ``seconds``."""
        self._enough.set()
        self._thread.join(seconds)
        return not self._thread.is_alive() and self.failure is None

    def _work(self) -> None:
        try:
            for number, portion in enumerate(self._order()):
                while not self._delivered(portion, direct=number % 2 == 1):
                    time.sleep(_PAUSE)
                self.done += 1
        except BaseException as error:  # noqa: BLE001 - told by who asks for the end
            self.failure = error

    def _order(self) -> Iterator[Portion]:
        """All of it once; then what may come again, with a rest in between, until it is enough."""
        yield from self._given
        while not self._enough.is_set():
            self.rounds += 1
            for portion in self._given:
                if self._enough.wait(_REST):
                    return
                if portion.again:
                    yield portion

    def _delivered(self, portion: Portion, *, direct: bool) -> bool:
        try:
            with self._connector(portion.choices, direct=direct) as connector:
                return self._run(connector, portion.paths)
        except (BrokerDown, KafkaException, OSError) as error:
            self.retries[type(error).__name__] += 1
            return False

    def _connector(self, choices: Choices, *, direct: bool) -> Connector:
        signer = hub(self._settings.keys, self._settings.authority, "chaos")
        intake = None if direct else intake_endpoint(self._settings)
        cluster = kafka_cluster(self._settings)
        keys = self._settings.keys
        return Connector(keys, cluster, choices=choices, signers=lambda _sender: signer, intake=intake)

    def _run(self, connector: Connector, paths: list[Path]) -> bool:
        refused: list[FileFault] = []
        sent: list[Delivery] = []
        found = input_files.find(paths, input_files.Limits(), refused.append)
        for delivery in connector.deliveries(found, connector.run(), refused.append):
            connector.publish(delivery)
            sent.append(delivery)
        for delivery in sent:
            receipt = connector.receipt(delivery, _WAIT)
            if receipt is None or not receipt.klaar:
                self.retries["no receipt"] += 1
                return False
            self.receipts[delivery.receipt_key] = (delivery.lines, receipt)
        return True
