"""A child is forgotten on the running stream, as its source asked: no row is recomputed of it, by an audit, a replay or
from a backup of before, and no file on any disk names it any more.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from crypto import oprf
from crypto.client_names import ClientNames
from crypto.keys import load_entry, load_evaluate, load_trajectories
from crypto.pseudonym import Pseudonyms
from domain.field.bsn import official_numbers
from operations.segments import files_with
from schemas.topics import ERASURES, EVENTS, REGISTER, WISVERZOEKEN, topics
from tests.conftest import RunningBroker, RunningGateway
from tests.operations.emptied import gone
from tests.whole.stream import Stream, running
from tools.simulator import SimulationConfig, simulate
from transport import clients
from transport.orders import assigned_reader, readable
from transport.whole import partitions

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]
#: Who makes rows anew.
MAKERS = ("trajectories", "sink")
#: A provider that is nobody's.
STRANGER = "94000099"


@pytest.fixture
def stream(broker: RunningBroker, gateway: RunningGateway, tmp_path: Path) -> Iterator[Stream]:
    with running(tmp_path / "home", broker.bootstrap, gateway.url, gateway.users) as live:
        files = tmp_path / "files"
        at_once = [ConfigEntry("file.delete.delay.ms", "0", incremental_operation=AlterConfigOpType.SET)]
        admin = clients.admin(clients.Cluster(broker.bootstrap))  # for the test's sake: a minute later by default
        for log in (EVENTS, REGISTER):
            resource = ConfigResource(ResourceType.TOPIC, log, incremental_configs=at_once)
            admin.incremental_alter_configs([resource])[resource].result()
        simulate(SimulationConfig(12, 2, 11, date(2026, 6, 30), True, False), files)
        for part in (files / "berichten", files / "rap"):
            live.deliver(part)
        live.until(live.caught_up, "everything is processed", 120)
        yield live


def records(stream: Stream, topic: str) -> Iterator[tuple[bytes, bytes | None]]:
    """Key and value of every record."""
    reader = assigned_reader(clients.Cluster(stream.bootstrap), "sor-test")
    try:
        for place in partitions(reader, [topic]):
            low, end = reader.get_watermark_offsets(place, timeout=10)
            reader.assign([TopicPartition(topic, place.partition, OFFSET_BEGINNING)])
            at = low
            while at < end:
                yield from ((one.key() or b"", one.value()) for one in readable(reader.consume(1000, 0.1)))
                at = max(at, reader.position([place])[0].offset)
    finally:
        reader.close()


def holding(stream: Stream, needles: Sequence[bytes]) -> Counter[str]:
    """Topic -> records in which one of these strings stands."""
    return Counter(
        topic
        for topic in topics()
        for key, value in records(stream, topic)
        if any(needle in key or needle in (value or b"") for needle in needles)
    )


def rows(stream: Stream) -> dict[str, list[tuple[str, str]]]:
    """Table -> client and number of every row, replaced ones too."""
    return {
        table: [(str(c), str(n)) for c, n in stream.ask(f"SELECT client, {number} FROM sor.{table}")]
        for table, number in (("trajecten", "traject"), ("metingen", "meting"), ("scores", "score"))
    }


def test_nothing_names_a_forgotten_child_any_more(
    stream: Stream, broker: RunningBroker, gateway: RunningGateway
) -> None:
    copy = stream.home.parent / "before"
    stream.sor("backup", str(copy), "--json")
    told = Counter(key for key, _ in records(stream, EVENTS))
    client, facts = told.most_common(1)[0]
    names = ClientNames(load_trajectories(stream.home / "keys"))
    own = {names.of(client, str(one)) for (one,) in stream.ask("SELECT DISTINCT aanbieder FROM sor.trajecten")}
    before = rows(stream)
    numbers = {number for table in before.values() for name, number in table if name in own}
    needles = [client, *(name.encode() for name in own), *(number.encode() for number in numbers)]
    others = {table: sorted(set(found)) for table, found in without(stream, own).items()}
    held = holding(stream, needles)
    assert {EVENTS, "sor.register", "sor.trajecten", "sor-trajectories-personen-changelog"} <= set(held), held
    assert "sor-register-sleutels-changelog" in held
    assert files_with(stream.home / "state", [client]), "the control: the states name it"
    assert broker.home is None or files_with(broker.home, needles), "and so do the files of the broker"
    assert facts > 3
    assert len(numbers) > 1

    bsn = number_of(stream, client)
    nobody = next(number for number in official_numbers() if number not in numbers_of(stream))
    ask(stream, [bsn], "--sender", STRANGER)
    ask(stream, [bsn, nobody])
    assert holding(stream, [client])[WISVERZOEKEN] == 2
    assert holding(stream, [bsn.encode(), nobody.encode()]) == Counter()
    done = stream.sor("forget", "--pending", "--yes", "--reden", "asked for", "--json", timeout=400)
    certificate = json.loads(done.stdout)
    assert not [name for name in (client.decode(), bsn) if name in done.stdout + done.stderr]
    assert "never carried out" in done.stderr, "what the stranger asked"
    assert [(one["sender"], one["clients"]) for one in certificate["asked"]] == [("00000000", 1)]
    assert list(values(stream, WISVERZOEKEN)) == [], "nothing waits, and of whom nobody knew anything nothing is kept"
    assert [log["topic"] for log in certificate["logs"]].count(EVENTS) == 1
    assert all(one["gone"] for one in certificate["compacted"])
    assert (certificate["found_afterwards"], certificate["numbers"] > 0) == (0, True)
    assert holding(stream, needles) == Counter()
    assert {table: [one for one in found if one[0] in own] for table, found in rows(stream).items()} == {
        table: [] for table in before
    }
    stream.until(stream.caught_up, "the copies are read")
    assert {table: sorted(set(found)) for table, found in without(stream, own).items()} == others
    assert json.loads(stream.sor("audit", "--json", check=False).stdout)["equal"], "recomputed from the log: the same"
    stream.sor("replay", "--swap", "--processes", "1", "--json")
    assert made(stream) == others, "made anew, and in use"
    stream.stop()
    stream.start("trajectories", "register")  # the lists of files of their states are written anew
    stream.until(lambda: not files_with(stream.home, needles), "no file of ours names it")
    if broker.home is not None:
        home = broker.home
        stream.until(lambda: not files_with(home, needles), "no file of the broker names it", 90)
    if gateway.home is not None:
        assert files_with(gateway.home, needles) == []
    stream.stop()
    restored(stream, copy, needles, others)


def restored(stream: Stream, copy: Path, needles: Sequence[bytes], others: dict[str, list[tuple[str, str]]]) -> None:
    """A backup of before is put back, where the ledger is there still: everybody else comes back."""
    gone(clients.Cluster(stream.bootstrap), but=ERASURES)
    stream.ask("DROP DATABASE sor SYNC")
    other = Stream(stream.home.parent / "other", stream.bootstrap, stream.url, stream.passwords)
    shutil.copytree(stream.home / "keys", other.home / "keys")
    done = json.loads(other.sor("restore", str(copy), "--json").stdout)
    assert {EVENTS, REGISTER} <= set(done["left_out"]), "the control: the backup held it"
    assert holding(other, needles) == Counter()
    try:
        other.start(*MAKERS)
        other.until(lambda: made(other) == others, "the rows of everybody else are made anew, and no other", 120)
        assert holding(other, needles) == Counter()
    finally:
        other.stop()


def made(stream: Stream) -> dict[str, list[tuple[str, str]]]:
    """Every row, once."""
    return {table: sorted(set(found)) for table, found in rows(stream).items()}


def ask(stream: Stream, numbers: Sequence[str], *words: str) -> None:
    """As a source that has the numbers."""
    typed = "\n".join(numbers)
    done = stream.sor("forget", "--bsn", "-", *words, "--reden", "op verzoek", "--json", typed=typed)
    assert not [number for number in numbers if number in done.stdout + done.stderr]


def numbers_of(stream: Stream) -> set[str]:
    """The numbers of everybody who was delivered."""
    files = (stream.home.parent / "files").rglob("*")
    text = "\n".join(path.read_text("utf-8", "replace") for path in files if path.is_file())
    return set(re.findall(r"\b\d{9}\b", text)) & set(official_numbers())


def number_of(stream: Stream, client: bytes) -> str:
    """Whose pseudonym this is: whoever holds both sets of keys can look for it, and nobody else."""
    scalar, entry = load_evaluate(stream.home / "keys").scalar, load_entry(stream.home / "keys")
    pseudonyms = Pseudonyms(entry.root, entry.domain, entry.epoch, entry.labels)
    for number in sorted(numbers_of(stream)):
        if pseudonyms.name(oprf.multiply(scalar, oprf.hash_to_group(oprf.bsn_input(number)))) == client:
            return number
    raise AssertionError("the client is none of those that were delivered")


def values(stream: Stream, topic: str) -> dict[bytes, bytes]:
    """What a compacted topic says by key."""
    found: dict[bytes, bytes] = {}
    for key, value in records(stream, topic):
        if value:
            found[key] = value
        else:
            found.pop(key, None)
    return found


def without(stream: Stream, own: set[str]) -> dict[str, list[tuple[str, str]]]:
    """The rows of everybody else as they count."""
    return {table: [one for one in found if one[0] not in own] for table, found in rows(stream).items()}
