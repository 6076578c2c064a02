"""Stored pseudonyms are renewed while sources go on delivering: the same figures, and no name of before anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crypto.client_names import ClientNames
from crypto.keys import load_trajectories
from operations.erasures import enter
from operations.partitions import whole
from operations.segments import files_with
from schemas.topics import EVENTS, REGISTER, topics
from tests.conftest import RunningBroker, RunningGateway
from tests.whole.stream import Stream, running
from tools.simulator import SimulationConfig, simulate
from transport.clients import Cluster
from transport.loop import Stop
from transport.orders import assigned_reader
from transport.whole import read_whole

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]
FORMER, RENEWED = b"p1.jeugd.0.", b"p1.jeugd.1."
STILL = ("register", "trajectories", "sink")
#: What a renewal changes, or a second delivery.
_OTHER = "traject, meting, score, client, emmer, version, epoch, gebeurd_op, ingevoegd_op, sinds, aanlevering, record"


@pytest.fixture
def stream(broker: RunningBroker, gateway: RunningGateway, tmp_path: Path) -> Iterator[Stream]:
    with running(tmp_path / "home", broker.bootstrap, gateway.url, gateway.users) as live:
        simulate(SimulationConfig(8, 3, 1, date(2026, 6, 30), False, False), tmp_path / "files")
        yield live


def delivered(stream: Stream, files: Path, parts: Sequence[str] = ("berichten", "rap", "cem")) -> dict[str, Any]:
    return {part: stream.deliver(files / part) for part in parts}


def joined(stream: Stream) -> dict[str, Any]:
    """Client within its provider -> its trajecten with the metingen and scores that hang on each, without numbers."""
    hanging: dict[tuple[str, str], list[str]] = defaultdict(list)
    for table in ("metingen", "scores"):
        for client, traject, *row in stream.ask(_every(table, "client, traject")):
            hanging[client, traject].append(f"{table}{row}")
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for client, traject, *row in stream.ask(_every("trajecten", "client, traject")):
        found[client].append((str(row), tuple(sorted(hanging.pop((client, traject), ())))))
    for (client, _), rows in hanging.items():
        found[client].append(("", tuple(sorted(rows))))  # what waits
    return {client: tuple(sorted(cares)) for client, cares in found.items()}


def _every(table: str, first: str) -> str:
    left_out = "|".join(f"^{name}$" for name in _OTHER.split(", "))
    return f"SELECT {first}, COLUMNS('.*') EXCEPT('{left_out}') FROM sor.{table} FINAL"


def cares(rows: dict[str, Any]) -> Counter[Any]:
    return Counter(rows.values())


def switching(stream: Stream) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sor", "keys", "switch", "label", "--yes", "--json"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=stream.environment(), stdout=pipe, stderr=pipe, text=True)


def killed_at(stream: Stream, words: str) -> None:
    """Have it begin, or go on, until it says so; then it dies."""
    process, heard = switching(stream), ""
    assert process.stderr is not None
    while words not in heard:
        line = process.stderr.readline()
        assert line, heard
        heard += line
    process.kill()
    process.communicate()


def of_topics(stream: Stream) -> dict[str, Counter[bytes]]:
    """Topic -> epoch of names that stand in it -> records."""
    found: dict[str, Counter[bytes]] = defaultdict(Counter)
    with closing(assigned_reader(Cluster(stream.bootstrap), "sor-test")) as reader:
        for messages in read_whole(reader, list(topics()), Stop()):
            for message in messages:
                told = (message.key() or b"") + b" " + (message.value() or b"")
                found[str(message.topic())].update(name for name in (FORMER, RENEWED) if name in told)
    return found


def test_every_name_is_renewed_and_nothing_else_changes(stream: Stream, tmp_path: Path) -> None:
    settled = partial(stream.until, stream.caught_up, "everything is processed", 120)
    files, names = tmp_path / "files", ClientNames(load_trajectories(stream.home / "keys"))
    (questions,) = delivered(stream, files)["cem"]["aanleveringen"]
    settled()
    told = Counter(message.key() for message in whole(Cluster(stream.bootstrap), EVENTS) if message.value())
    providers = [str(one) for (one,) in stream.ask("SELECT DISTINCT aanbieder FROM sor.trajecten")]
    full = joined(stream)
    forgotten = next(one for one in told if len({names.of(one, p) for p in providers} & set(full)) == 1)
    later = int(time.time() * 1000) + 3_600_000
    enter(Cluster(stream.bootstrap), stream.home / "keys", [forgotten], later)
    own = {names.of(forgotten, one) for one in providers}
    wanted = cares({client: rows for client, rows in full.items() if client not in own})
    assert any("metingen" in str(rows) for rows in wanted)
    assert any("scores" in str(rows) for rows in wanted)
    assert wanted.total() == len(full) - 1

    stream.sor("keys", "rotate", "label")
    for stage in STILL:
        stream.processes[stage].terminate()
    for stage in STILL:
        stream.processes[stage].wait(25)
    killed_at(stream, "entry names at epoch 1")
    delivered(stream, files)  # entry goes on
    killed_at(stream, "start register and trajectories")
    assert cares(joined(stream)) == cares(full), "as it was"
    stream.start("register", "trajectories")
    process = switching(stream)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["epoch"] == 1
    assert cares(joined(stream)) == wanted, "before the sink says a word"
    stream.start("sink")
    settled()
    assert cares(joined(stream)) == wanted

    found = of_topics(stream)
    assert not [topic for topic, counted in found.items() if counted[FORMER]]
    assert {EVENTS, REGISTER, "sor-register-sleutels-changelog"} <= {one for one in found if found[one][RENEWED]}
    assert files_with(stream.home / "state", [FORMER]) == []
    former = {names.of(client, one) for client in told for one in providers}
    assert set(full) <= former
    assert not former & set(joined(stream))

    stream.sor("deliveries", "withdraw", questions["aanlevering"], "--yes")
    settled()
    assert not any("metingen" in str(rows) for rows in joined(stream).values()), "what was told before is taken back"
    delivered(stream, files, ["cem"])
    settled()
    assert cares(joined(stream)) == wanted
