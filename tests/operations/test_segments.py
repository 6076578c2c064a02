"""Files of the broker: read behind their compression, begun anew, and settings of a topic that are put back."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
from confluent_kafka.admin import ConfigEntry, ConfigResource, ConfigSource, NewTopic, ResourceType

from operations.rewriting import Part, Rules, rewrite
from operations.segments import before, begin_files, bytes_in, compact, files_with, for_now
from tests.conftest import RunningBroker
from transport import clients

TOPIC = "files"
NEEDLE = b"p1.jeugd.0.CCCCCCCCCCCCCCCCCCCCCC"


def batch(content: bytes, codec: int) -> bytes:
    """A batch as the broker keeps it, with nothing in its head but what is read."""
    head = bytearray(61)
    head[8:12] = (len(head) - 12 + len(content)).to_bytes(4, "big")
    head[22] = codec
    return bytes(head) + content


def test_a_file_is_read_behind_its_compression(tmp_path: Path) -> None:
    packed = lz4.frame.compress(b"%s " * 20 % ((b"abc",) * 20))
    path = tmp_path / "0.log"
    path.write_bytes(batch(b"plain", 0) + batch(packed, 3) + b"\0" * 100)
    assert list(bytes_in(path)) == [b"plain", b"abc " * 20]
    (tmp_path / "1.sst").write_bytes(b"x" + NEEDLE)
    (tmp_path / "2.log.deleted").write_bytes(batch(lz4.frame.compress(b"a" * 500 + NEEDLE * 9), 3))
    assert files_with(tmp_path, [b"abc abc abc abc abc abc abc"]) == [path]
    assert [found.name for found in files_with(tmp_path, [NEEDLE])] == ["1.sst", "2.log.deleted"]
    assert files_with(tmp_path, [b"nobody"]) == []


def test_a_folder_that_the_broker_removes_meanwhile_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic that is deleted goes as a folder: here at the moment it is opened."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.sst").write_bytes(NEEDLE)
    opened = os.scandir

    def removed(path: Any) -> Any:
        if not isinstance(path, int) and Path(path) == tmp_path / "b":
            shutil.rmtree(tmp_path / "b")
        return opened(path)

    monkeypatch.setattr(os, "scandir", removed)
    assert [found.parent.name for found in files_with(tmp_path, [NEEDLE])] == ["a", "c"]


FOR_NOW = {"segment.ms": "100", "file.delete.delay.ms": "0"}
#: As a broker tells them: numbers.
OWN, DEFAULT = ConfigSource.DYNAMIC_TOPIC_CONFIG.value, ConfigSource.DEFAULT_CONFIG.value


@pytest.mark.parametrize(
    ("has", "put_back"),
    [
        ({"segment.ms": ("604800000", DEFAULT), "file.delete.delay.ms": ("60000", DEFAULT)}, {}),
        (
            {"segment.ms": ("70000", OWN), "file.delete.delay.ms": ("0", OWN)},
            {"segment.ms": "70000", "file.delete.delay.ms": "0"},
        ),
        ({"file.delete.delay.ms": ("0", OWN)}, {"file.delete.delay.ms": "0"}),
        ({"segment.ms": ("100", OWN), "file.delete.delay.ms": ("0", OWN)}, {}),
        ({"segment.ms": ("100", OWN), "file.delete.delay.ms": ("5", OWN)}, {"file.delete.delay.ms": "5"}),
    ],
)
def test_what_a_killed_run_left_is_not_put_back(has: dict[str, tuple[str, Any]], put_back: dict[str, str]) -> None:
    found = {name: ConfigEntry(name, value, source=source) for name, (value, source) in has.items()}
    assert before(found, FOR_NOW) == put_back


@pytest.fixture
def cluster(broker: RunningBroker) -> Iterator[clients.Cluster]:
    found = clients.Cluster(broker.bootstrap)
    admin = clients.admin(found)
    for name, config in (
        (TOPIC, {"segment.ms": "70000", "file.delete.delay.ms": "0"}),
        (f"{TOPIC}-compact", {"cleanup.policy": "compact"}),
    ):
        admin.create_topics([NewTopic(name, 1, 1, config=config)])[name].result()
    yield found
    for future in admin.delete_topics([TOPIC, f"{TOPIC}-compact"]).values():
        future.result()


def setting(cluster: clients.Cluster, name: str) -> str:
    admin = clients.admin(cluster)
    (found,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, TOPIC)]).values()
    return str(found.result()[name].value)


@pytest.mark.kafka
def test_settings_of_a_topic_are_put_back(cluster: clients.Cluster) -> None:
    with for_now(cluster, TOPIC, {"segment.ms": "100", "file.delete.delay.ms": "5"}):
        assert (setting(cluster, "segment.ms"), setting(cluster, "file.delete.delay.ms")) == ("100", "5")
    assert (setting(cluster, "segment.ms"), setting(cluster, "file.delete.delay.ms")) == ("70000", "0")


@pytest.mark.kafka
def test_what_was_removed_leaves_the_disk(broker: RunningBroker, cluster: clients.Cluster) -> None:
    """A log that is rewritten, and a compacted topic with a tombstone: both name somebody before, and no file after."""
    if broker.home is None:
        pytest.skip("the broker is not our own: its files are elsewhere")
    producer, home = clients.producer(cluster, "test"), broker.home
    for number in range(50):
        producer.produce(TOPIC, b"fact %d" % number, NEEDLE if number % 5 == 0 else b"other", 0)
    producer.produce(f"{TOPIC}-compact", b"state", NEEDLE, 0)
    producer.produce(f"{TOPIC}-compact", b"state", b"other", 0)
    producer.produce(f"{TOPIC}-compact", None, NEEDLE, 0)
    assert producer.flush(20) == 0
    named = {path.parent.name for path in files_with(home, [NEEDLE])}
    assert named >= {f"{TOPIC}-0", f"{TOPIC}-compact-0"}
    part, other = Part(TOPIC, 0), Part(f"{TOPIC}-compact", 0)
    end = begin_files(cluster, [part])[part]
    rules = Rules(lambda found: bool(found.value()) and found.key() != NEEDLE, "one")
    assert rewrite(cluster, part, rules, end=end).copied == 40
    assert compact(
        cluster, [other], lambda: not files_with(home / "kafka" / "data" / f"{TOPIC}-compact-0", [NEEDLE]), 60
    )
    until = time.monotonic() + 30
    while files_with(home, [NEEDLE]) and time.monotonic() < until:
        time.sleep(0.2)
    assert files_with(home, [NEEDLE]) == []
    assert files_with(home, [b"other"]) != []
