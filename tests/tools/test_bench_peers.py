"""The engine beside its peers: a wrong row is seen, what is missing is a sentence, workers are counted together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.errors import StackError
from local.kafka.jars import Jar, locked_jars
from tests.conftest import RunningBroker
from tools.bench import batch, peers, peers_have, peers_job
from tools.bench.peers_job import Job, Peer
from tools.bench.peers_run import Commands, Result, measured, together
from tools.bench.services import Services
from transport.clients import Cluster

ROWS = {b"one": b"fact" * 76 + (7).to_bytes(8, "big"), b"two": b"tact" * 76 + (9).to_bytes(8, "big")}
STATES = {key: value * 4 for key, value in ROWS.items()}


def prints(values: dict[bytes, bytes]) -> peers_job.Prints:
    return {key: peers_job.fingerprint(value) for key, value in values.items()}


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        ({}, 0),
        ({b"one": b"lack" * 76 + ROWS[b"one"][-8:]}, 1),
        ({b"one": ROWS[b"one"][:-8] + (6).to_bytes(8, "big")}, 1),
        ({b"three": ROWS[b"one"]}, 1),
        ({b"one": ROWS[b"two"], b"two": ROWS[b"one"]}, 2),
    ],
)
def test_a_planted_row_is_seen(wrong: dict[bytes, bytes], number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert peers_job.differing(prints({**ROWS, **wrong}), prints(ROWS)) == number
    assert peers_job.differing(prints(ROWS), prints({**ROWS, **wrong})) == number
    job = object.__new__(Job)
    job.name, job.cluster, job.topics = peers.EACH, None, type("Topics", (), {"name": "t", "source": "s"})
    left = {"t-quix1.rows": ROWS, "t.rows-quix1": {**ROWS, **wrong}}
    monkeypatch.setattr(peers_job, "newest", lambda _cluster, topic: prints(left.get(topic, STATES)))
    right = prints(STATES), prints(ROWS)
    if not number:
        job.check(Peer("quix"), right)
        return
    with pytest.raises(StackError, match=f"^quix1 does another job .* of [23] rows .* {number} are not those"):
        job.check(Peer("quix"), right)


def test_without_the_jars_and_a_network_there_is_a_sentence(tmp_path: Path) -> None:
    def fetch(jar: Jar, _scratch: Path) -> Path:
        raise StackError(f"{jar.filename} could not be fetched (ConnectionError). Set SOR_KAFKA.")

    with pytest.raises(StackError) as refused:
        peers_have.streams_jars(tmp_path, fetch)
    said = str(refused.value)
    assert "beside Kafka Streams, and 12 of its jars are not in" in said
    assert "kafka-streams-4.3.1.jar" in said
    assert "Let this machine reach the network once" in said
    assert "SOR_KAFKA" not in said  # what helps the broker does not help here


def test_another_jar_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    def fetch(jar: Jar, scratch: Path) -> Path:
        (scratch / jar.filename).write_bytes(b"another")
        return scratch / jar.filename

    with pytest.raises(StackError, match="SHA-256"):
        peers_have.streams_jars(tmp_path, fetch)


def test_the_jars_that_both_have_are_the_broker_s() -> None:
    mine = locked_jars((peers_have.HERE / "peers.lock").read_text("utf-8"))
    names = {jar.artifact for jar in mine}
    assert {jar for jar in locked_jars() if jar.artifact in names} < set(mine)
    assert {"kafka-streams", "rocksdbjni", "ecj"} <= names


def test_an_environment_is_made_once_and_whole_or_not_at_all(tmp_path: Path) -> None:
    made: list[Path] = []

    def install(folder: Path) -> None:
        (folder / "bin").mkdir(parents=True)
        made.append(folder)
        if len(made) == 1:
            raise StackError("no network")
        (folder / "bin" / "python").touch()

    told: list[str] = []
    with pytest.raises(StackError, match="no network"):
        peers_have.quix_python(tmp_path, told.append, install)
    assert list(tmp_path.iterdir()) == []
    python = peers_have.quix_python(tmp_path, told.append, install)
    assert python.exists()
    assert peers_have.quix_python(tmp_path, told.append, install) == python
    assert len(made) == len(told) == 2


def test_every_package_of_quix_has_a_hash() -> None:
    lock = (peers_have.HERE / "quix.lock").read_text("utf-8")
    assert re.search(r"^quixstreams==3\.28\.", lock, re.MULTILINE)
    assert len(re.findall(r"^\S+==\S+ \\\n    --hash=sha256:", lock, re.MULTILINE)) == lock.count("==")


def test_the_job_of_java_has_the_same_sizes() -> None:
    text = (peers_have.HERE / "KStreams.java").read_text("utf-8")
    assert f"FACT = {batch.FACT.size}, FACTS = {batch.FACTS}," in text


def test_workers_are_counted_from_the_first_fold_to_the_last_commit() -> None:
    one = [(10.0, 0, 1.0), (11.0, 100, 1.5), (13.0, 100, 2.5)]
    two = [(10.5, 0, 2.0), (12.0, 100, 3.0), (14.0, 100, 4.0)]
    both = together([one, two, []], 300.0)
    assert both == Result(100.0, 3.5 / 400 * 1e6, 300.0, 100.0, 2.0 / 200 * 1e6)
    assert together([[(0.0, 0, 0.0), (1.0, 10, 1.0)]], 1.0) == Result(10.0, 100_000.0, 1.0)


def test_each_peer_has_a_rate_a_processor_and_where_it_knows_it_a_later_half() -> None:
    late, plain = Result(100.0, 50.0, 200.0, 120.0, 40.0), Result(50.0, 60.0, 100.0)
    found = {peers.ENGINE[1]: [late, late], Peer("streams"): [late], Peer("quix"): [plain]}
    made = peers.figures(peers.EACH, found, 0.5)
    assert [one.what for one in made] == [
        f"engine, {peers.EACH}", "… processor time", "… later half", "… later half, processor time",
        f"engine, {peers.EACH}", "… processor time",
    ]  # fmt: skip
    assert [one.ratio for one in made] == [1.0, 1.0, 1.0, 1.0, 2.0, pytest.approx(1.2)]
    assert [one.reached for one in made] == [None, True, None, None, None, None]


@pytest.mark.kafka
@pytest.mark.slow
def test_engine_and_bare_loop_do_the_same_job(broker: RunningBroker, tmp_path: Path) -> None:
    running = Services(tmp_path, Cluster(broker.bootstrap), "http://127.0.0.1:9", {})
    job = Job(running, peers.RUNS, 4_000, 8)
    right = peers_job.expected(job)
    for peer in (Peer("engine"), Peer("bare")):
        assert measured(running, job, peer, Commands([], None)).rate > 0
        job.check(peer, right)
    with pytest.raises(StackError, match="500 rows"):
        job.check(Peer("bare"), (right[0], dict.fromkeys(right[1], (b"", 0))))
    job.forget()
