"""The scan finds what is planted, in every form and place: only then does it mean something that it finds nothing."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import date
from pathlib import Path

import clickhouse_connect
import pytest
import rocksdict
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from crypto import oprf
from domain.field.bsn import official_numbers
from tests.conftest import RunningBroker, RunningGateway
from tests.operations.emptied import gone
from tests.whole import scan_places
from tests.whole.scan import Hit, People, Scan, forms_of_number
from transport.clients import Cluster

#: Numbers that no other test delivers: what is planted here stays in the shared broker's files for a while.
SOMEBODY, OTHER = official_numbers()[-2:]
PEOPLE = People(
    frozenset({SOMEBODY}),
    frozenset({"Testérsen", "Test &amp; Zn"}),
    frozenset({date(2013, 4, 5)}),
    frozenset({"000098765"}),
)


def hits(data: bytes, people: People = PEOPLE) -> set[str]:
    scan = Scan(people)
    scan.piece("here", data)
    return {form for _, form in scan.hits}


def written(bsn: str) -> dict[str, bytes]:
    """Ways in which a number could come to rest, made without the forms that the scan derives."""
    clear, point = bsn.encode(), oprf.hash_to_group(oprf.bsn_input(bsn))
    return {
        "number, raw": clear,
        "number, hex": clear.hex().encode(),
        "number, utf-16": bsn.encode("utf-16-be"),
        "number, base64": base64.b64encode(b'{"bsn":"' + clear + b'"}'),
        "md5, hex": hashlib.md5(clear).hexdigest().encode(),  # noqa: S324
        "sha1, raw": hashlib.sha1(clear).digest(),  # noqa: S324
        "sha256, raw": hashlib.sha256(clear).digest()[:16],
        "sha256, hex": hashlib.sha256(clear).hexdigest().upper().encode(),
        "sha256, base64": base64.urlsafe_b64encode(hashlib.sha256(clear).digest()),
        "sha512, hex": hashlib.sha512(clear).hexdigest()[:32].encode(),
        "point, raw": point,
        "point, hex": point.hex().encode(),
        "point, base64": base64.b64encode(b"p" + point),
    }


@pytest.mark.parametrize("form", written(SOMEBODY))
def test_every_form_is_found_at_every_alignment(form: str) -> None:
    for lead in range(9):
        around = os.urandom(500)
        assert form in hits(around + b"=" * lead + written(SOMEBODY)[form] + b"=" + around)
        assert hits(around + b"=" * lead + written(OTHER)[form] + b"=" + around) == set()


@pytest.mark.parametrize("shift", range(3))
def test_base64_is_found_whatever_stands_before(shift: int) -> None:
    assert "number, base64" in hits(base64.b64encode(b"x" * shift + SOMEBODY.encode() + b"yy"))


def test_no_form_is_too_short_to_mean_anything() -> None:
    assert min(len(form.data) for form in forms_of_number(SOMEBODY)) >= 9
    assert len({form.name for form in forms_of_number(SOMEBODY)}) == 4 + 5 * 3


def test_a_number_inside_a_key_counts_and_inside_a_time_does_not() -> None:
    assert hits(b"99000001" + SOMEBODY.encode()) == {"number, raw"}
    assert hits(b"at 1700" + SOMEBODY.encode() + b" ms") == set()
    assert hits(b"at 1700" + SOMEBODY.encode() + b" ms, and " + SOMEBODY.encode()) == {"number, raw"}


@pytest.mark.parametrize("text", ["2013-04-05", "05-04-2013", "20130405"])
def test_a_birth_date_is_found(text: str) -> None:
    assert hits(f"born {text}.".encode()) == {"birth date"}
    assert hits(f"9{text}.".encode()) == set()


@pytest.mark.parametrize("text", ["Testérsen", "Test & Zn", "Test &amp; Zn"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16-le"])
def test_a_name_is_found(text: str, encoding: str) -> None:
    assert hits(b"..." + text.encode(encoding) + b"...") == {"name"}
    assert hits(b"TestPerson ttest & Zn") == set()


def test_a_reference_is_found() -> None:
    assert hits(b"besluit 000098765;") == {"reference"}
    assert hits(b"00000000000000098765.log") == set()


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    """Also over the borders of what is read at once, and behind megabytes of nothing."""
    path = tmp_path / "segment"
    for place in ((1 << 20) - 4, (1 << 20) - 9, 1 << 20, 5 << 20):
        with path.open("wb") as file:
            file.truncate(6 << 20)
            file.seek(place)
            file.write(SOMEBODY.encode())
        scan = Scan(PEOPLE)
        scan.tree(tmp_path)
        assert scan.hits == [Hit(str(path), "number, raw")], place


def test_a_tree_is_read_but_for_what_is_excluded(tmp_path: Path) -> None:
    for name in ("keys/entry", "log", "state/deep"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "keys" / "entry" / "keys.json").write_text(SOMEBODY)
    (tmp_path / "log" / "entry.log").write_text(f"cannot open the line of {SOMEBODY}")
    (tmp_path / "state" / "deep" / SOMEBODY).touch()
    scan = Scan(PEOPLE)
    scan.tree(tmp_path, tmp_path / "keys")
    assert {hit.place.split("/")[-2] for hit in scan.hits} == {"log", "deep"}


def test_a_state_file_is_read_behind_its_compression(tmp_path: Path) -> None:
    options = rocksdict.Options(raw_mode=True)
    options.set_compression_type(rocksdict.DBCompressionType.lz4())
    table = rocksdict.Rdict(str(tmp_path / "personen.db"), options)
    table[b"somebody"] = (b"abc" * 1000) + hashlib.sha256(SOMEBODY.encode()).hexdigest().encode()
    table[b"packed"] = b"\x81\xa3bsn\xce" + int(SOMEBODY).to_bytes(4, "big")  # a number, not text
    table.close()
    scan = Scan(PEOPLE)
    assert scan_places.state(scan, tmp_path) == 2
    assert {form for _, form in scan.hits} == {"sha256, hex", "number, raw"}


@pytest.mark.kafka
def test_a_record_is_read_behind_its_compression(broker: RunningBroker) -> None:
    gone(Cluster(broker.bootstrap))  # what other tests wrote there need be no record of a contract
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic("scan-planted", 2, 1)])["scan-planted"].result()
    try:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "compression.type": "lz4", "linger.ms": 100})
        repeated = b"%s " * 50  # what repeats is compressed away
        producer.produce("scan-planted", repeated % ((base64.b64encode(SOMEBODY.encode()),) * 50), partition=0)
        producer.produce("scan-planted", b"", key=hashlib.sha256(SOMEBODY.encode()).digest(), partition=1)
        producer.produce("scan-planted", b"", headers={"bsn": SOMEBODY}, partition=1)
        assert producer.flush(20) == 0
        scan = Scan(PEOPLE)
        assert scan_places.kafka(scan, broker.bootstrap, frozenset({"scan-planted"})) >= 3
    finally:
        admin.delete_topics(["scan-planted"])["scan-planted"].result()
    forms = {form for place, form in scan.hits if place == "record of scan-planted"}
    assert forms == {"number, base64", "sha256, raw", "number, raw"}


@pytest.mark.kafka
def test_the_segments_of_the_broker_are_read(broker: RunningBroker) -> None:
    if broker.home is None:
        pytest.skip("the broker is not our own: its files are elsewhere")
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic("scan-segment", 1, 1)])["scan-segment"].result()
    try:
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        producer.produce("scan-segment", f"client {SOMEBODY.encode().hex()}")
        assert producer.flush(20) == 0
        scan = Scan(PEOPLE)
        scan.tree(broker.home)
    finally:
        admin.delete_topics(["scan-segment"])["scan-segment"].result()
    assert {hit.form for hit in scan.hits if "scan-segment-0/" in hit.place} == {"number, hex"}


@pytest.mark.clickhouse
def test_a_table_is_read_behind_its_compression(gateway: RunningGateway) -> None:
    with clickhouse_connect.get_client(dsn=gateway.url, username="admin", password=gateway.users["admin"]) as client:
        client.command("CREATE DATABASE scan_planted")
        try:
            client.command(
                "CREATE TABLE scan_planted.t (n UInt32, m Map(String, String)) ENGINE = MergeTree ORDER BY n"
            )
            digest = hashlib.sha256(SOMEBODY.encode()).hexdigest()
            client.command(f"INSERT INTO scan_planted.t VALUES (1, {{'hash': '{digest}'}}), ({SOMEBODY}, {{}})")
            scan = Scan(PEOPLE)
            assert scan_places.clickhouse(scan, gateway.url, gateway.users["admin"]) >= 2
        finally:
            client.command("DROP DATABASE scan_planted SYNC")
    forms = {form for place, form in scan.hits if place == "table scan_planted.t"}
    assert forms == {"sha256, hex", "number, raw"}
