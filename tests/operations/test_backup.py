"""Backups without a broker: files of records, the manifest, what is found damaged, keys apart, orders that move."""

from __future__ import annotations

import gzip
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaException, TopicPartition

from crypto import erasures, keys
from operations.backup import checking, forgotten, form, key_folders, reading, restoring, tables, taking
from operations.backup.form import BackupError, Chunk, ChunkWriter, Kept, Manifest, Part, TopicCopy
from schemas.asked import Asked
from schemas.codec import Codec, bundled_id, load
from schemas.erased import Erased
from schemas.orders import REQUEUE, SKIP, Order, Place, order_for, release_of
from schemas.records import event_to_record
from schemas.structs import Use
from schemas.topics import EVENTS, ORDERS, REGISTER, WISVERZOEKEN
from schemas.typed import StructCodec, dict_codec
from sinks.access import Access
from streams.erased import LOOK, NOBODY
from tests.build import events, start
from tests.conftest import RunningBroker
from tests.operations.emptied import emptied
from tests.secured import SecuredBroker
from transport import clients

RECORDS = [
    Kept(3, 1_700_000_000_000, b"a", b"\x00\x00\x00\x00\x07one"),
    Kept(5, 1_700_000_000_001, b"b", b"two", (("origin", b"x"), ("empty", None))),
    Kept(9, 0, b"a", None),
]
ORDER = StructCodec(Order)


def quiet(_what: str, _done: int, _total: int) -> None: ...


def written(folder: Path, records: list[Kept], path: str = "log/sor.events/0-3.gz") -> Chunk:
    writer = ChunkWriter(folder, path)
    for record in records:
        writer.add(record)
    return writer.close()


def manifest(chunks: list[Chunk], *, low: int = 0, end: int = 10) -> Manifest:
    return Manifest(
        format=form.FORMAT, release="1", cluster="c", at=1, settled=True, pseudonyms="k",
        topics={EVENTS: TopicCopy(id="t", parts={"0": Part(low=low, end=end, chunks=chunks)})},
    )  # fmt: skip


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    form.save(tmp_path, manifest([written(tmp_path, RECORDS)]), form.MANIFEST)
    return tmp_path


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    chunk = written(tmp_path, RECORDS)
    assert list(form.read_chunk(tmp_path, chunk)) == RECORDS
    assert (chunk.records, chunk.first, chunk.last, chunk.schemas) == (3, 3, 9, (7,))
    assert (tmp_path / chunk.path).stat().st_mode & 0o077 == 0


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    writer = ChunkWriter(tmp_path, "log/x.gz")
    writer.add(RECORDS[0])
    assert not (tmp_path / "log/x.gz").exists()
    writer.abandon()
    assert list((tmp_path / "log").iterdir()) == []


def test_a_whole_backup_is_found_whole(whole: Path) -> None:
    assert checking.verify(whole, quiet).records == 3


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _other_content(path: Path) -> None:
    """Good gzip, good records, another record: the checksum alone tells."""
    record = msgspec.msgpack.encode(RECORDS[0]._replace(key=b"other"))
    path.write_bytes(gzip.compress(len(record).to_bytes(4, "big") + record))


@pytest.mark.parametrize("harm", [_flip, _other_content, Path.unlink, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("what", ["log/sor.events/0-3.gz", form.MANIFEST])
def test_a_damaged_backup_is_refused(whole: Path, what: str, harm: Any) -> None:
    harm(whole / what)
    with pytest.raises(BackupError):
        checking.verify(whole, quiet)


@pytest.mark.parametrize(("low", "end"), [(4, 10), (0, 9)])
def test_offsets_that_do_not_fit_are_refused(tmp_path: Path, low: int, end: int) -> None:
    form.save(tmp_path, manifest([written(tmp_path, RECORDS)], low=low, end=end), form.MANIFEST)
    with pytest.raises(BackupError, match="do not fit"):
        checking.verify(tmp_path, quiet)


def test_fewer_records_than_the_manifest_says_are_refused(tmp_path: Path) -> None:
    chunk = written(tmp_path, RECORDS)
    more = msgspec.structs.replace(chunk, records=4)
    form.save(tmp_path, manifest([more]), form.MANIFEST)
    with pytest.raises(BackupError, match="3 records of 4"):
        checking.verify(tmp_path, quiet)


def test_a_backup_that_was_not_finished_says_what_to_do(tmp_path: Path) -> None:
    form.save(tmp_path, manifest([]), form.BEGUN)
    with pytest.raises(BackupError, match="was not finished: run sor backup"):
        checking.verify(tmp_path, quiet)


def test_of_another_form_is_refused(tmp_path: Path) -> None:
    form.save(tmp_path, msgspec.structs.replace(manifest([]), format=2), form.MANIFEST)
    with pytest.raises(BackupError, match="form 2"):
        checking.verify(tmp_path, quiet)


@pytest.mark.parametrize("name", [form.MANIFEST, "notes.txt"])
def test_nothing_is_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(BackupError, match=r"another folder|empty folder"):
        taking._prepare(tmp_path)


# --- orders, receipts and contracts on their way to another cluster ---------------------------------------------------


def kept(order: Any) -> Kept:
    return Kept(0, 1, order.key, ORDER.encode(order))


def about(action: str, topic: str = EVENTS) -> Any:
    return order_for(action, "trajectories", Place(topic, 1, 7), reason="r", by="b", at=1)


def test_an_order_to_leave_a_record_out_names_the_place_where_it_lies_now() -> None:
    moved = {Place(EVENTS, 1, 7): Place(EVENTS, 0, 2)}
    found = restoring._moved(kept(about(SKIP)), ORDER, moved)
    assert found is not None
    order = ORDER.decode(found.value or b"")
    assert (order.place, order.stage, found.key) == (Place(EVENTS, 0, 2), "trajectories", b"sor.events/0/2")


@pytest.mark.parametrize(
    "order", [about(REQUEUE), about(SKIP, "sor.in.start"), release_of("hub", "entry", reason="r", by="b", at=1)]
)
def test_an_order_about_what_is_not_here_is_left_out(order: Any) -> None:
    assert restoring._moved(kept(order), ORDER, {Place(EVENTS, 1, 7): Place(EVENTS, 0, 2)}) is None


def test_records_are_called_by_the_schema_ids_of_the_target(tmp_path: Path) -> None:
    codec = Codec(ORDERS)
    record = kept(about(SKIP))
    value = b"\x00\x00\x00\x00\x2a" + (record.value or b"")[form.WIRE :]  # as a registry called it
    chunk = written(tmp_path, [record._replace(value=value)], "log/sor.orders/0-0.gz")
    topic = TopicCopy(id="t", parts={"0": Part(low=0, end=1, chunks=[chunk])}, schemas={"42": codec_text(ORDERS)})
    backup = restoring._Backup(tmp_path, msgspec.structs.replace(manifest([]), topics={ORDERS: topic}), None, quiet)
    [(place, found)] = backup.records(ORDERS)
    assert place == Place(ORDERS, 0, 0)
    assert form.schema_of(found.value) == bundled_id(load(ORDERS)) == codec.id
    assert ORDER.decode(found.value or b"").action == SKIP


def codec_text(name: str) -> str:
    return msgspec.json.encode(load(name)).decode()


def test_a_contract_that_nobody_here_knows_is_refused(tmp_path: Path) -> None:
    schema = '{"type": "record", "name": "Later", "namespace": "nl.sor", "fields": []}'
    topic = TopicCopy(id="t", parts={}, schemas={"42": schema})
    backup = restoring._Backup(tmp_path, msgspec.structs.replace(manifest([]), topics={ORDERS: topic}), None, quiet)
    with pytest.raises(BackupError, match="newer one"):
        list(backup.records(ORDERS))


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    keys.init(tmp_path / "keys")
    (tmp_path / "authority").mkdir()
    (tmp_path / "authority" / "root.key").write_text("secret")
    return {name: tmp_path / name for name in ("keys", "authority", "intake")}


def test_keys_go_into_a_folder_of_their_own_and_come_back(tmp_path: Path, places: dict[str, Path]) -> None:
    copy, home = tmp_path / "copy", tmp_path / "home"
    assert "keys/entry" in key_folders.take(places, copy)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (copy, *copy.rglob("*")))
    key_folders.verify(copy)
    key_folders.restore(copy, {name: home / name for name in places})
    assert keys.load_entry(home / "keys").root == keys.load_entry(tmp_path / "keys").root
    assert (home / "authority" / "root.key").read_text() == "secret"
    with pytest.raises(BackupError, match="never overwritten"):
        key_folders.restore(copy, {name: home / name for name in places})


@pytest.mark.parametrize("marker", [form.MANIFEST, form.BEGUN])
def test_keys_do_not_travel_with_the_log(tmp_path: Path, places: dict[str, Path], marker: str) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / marker).write_text("{}")
    with pytest.raises(BackupError, match="of their own"):
        key_folders.take(places, tmp_path / "backup" / "keys")


def test_keys_that_were_changed_or_added_to_are_not_put_back(tmp_path: Path, places: dict[str, Path]) -> None:
    copy = tmp_path / "copy"
    key_folders.take(places, copy)
    (copy / "keys" / "more").write_text("x")
    with pytest.raises(BackupError, match="not what was copied"):
        key_folders.restore(copy, {name: tmp_path / "home" / name for name in places})


# --- who was forgotten ------------------------------------------------------------------------------------------------

CLIENT, MOMENT = b"p1.jeugd.0.AAAAAAAAAAAAAAAAAAAAAA", 1_000


@pytest.fixture
def keep(tmp_path: Path) -> forgotten.Keep:
    erasures.make(tmp_path)
    return forgotten.obeying(tmp_path, [Erased(naam=erasures.load(tmp_path)(CLIENT), moment=MOMENT)])


def fact(client: bytes, published_at: int) -> Kept:
    told = msgspec.structs.replace(events([start()])[0], published_at=published_at)
    return Kept(0, 1, client, Codec(EVENTS).encode(event_to_record(told)))


def use(client: bytes | None, published_at: int) -> Kept:
    blank: Any = {field["name"]: "" if field["type"] == "string" else 0 for field in load(REGISTER)["fields"]}
    blank |= dict.fromkeys(("sleutel", "inhoud", "bericht"), b"")
    blank |= {"pseudonym": client.decode() if client else None, "published_at": published_at}
    return Kept(0, 1, b"number", dict_codec(Use).encode(blank))


def asking(published_at: int) -> Kept:
    asked = Asked(pseudonym=CLIENT.decode(), sender="94000001", door="hub", tijd=published_at, reden="")
    return Kept(0, 1, b"handle/1", StructCodec(Asked).encode(asked))


@pytest.mark.parametrize(
    ("topic", "record", "stays"),
    [
        (EVENTS, fact(CLIENT, MOMENT - 1), False),
        (EVENTS, fact(CLIENT, MOMENT), True),  # it came to care again
        (EVENTS, fact(b"p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB", MOMENT - 1), True),
        (EVENTS, Kept(0, 1, CLIENT, b"what nobody can read"), False),
        (EVENTS, Kept(0, 1, b"another", b"what nobody can read"), True),
        (REGISTER, Kept(0, 1, CLIENT, b"what nobody can read"), True),
        (EVENTS, Kept(0, 1, CLIENT, LOOK), False),  # no fact, and its key names the child
        (EVENTS, Kept(0, 1, NOBODY, LOOK), True),
        (REGISTER, Kept(0, 1, b"number", LOOK), True),
        (REGISTER, use(CLIENT, MOMENT - 1), False),
        (REGISTER, use(CLIENT, MOMENT), True),
        (REGISTER, use(None, MOMENT - 1), True),
        (WISVERZOEKEN, asking(MOMENT - 1), False),
        (WISVERZOEKEN, asking(MOMENT), True),  # it is asked again
        (WISVERZOEKEN, Kept(0, 1, b"handle/1", None), True),
        (ORDERS, Kept(0, 1, CLIENT, b"x"), True),
    ],
)
def test_who_was_forgotten_does_not_come_back(keep: forgotten.Keep, topic: str, record: Kept, stays: bool) -> None:
    assert keep(topic, record) == (record if stays else None)


def test_a_ledger_without_its_key_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(keys.KeysError, match="copy that key folder"):
        forgotten.obeying(tmp_path, [Erased(naam="n", moment=1)])
    assert forgotten.obeying(tmp_path, []) is forgotten.everything


# --- a log that moves -------------------------------------------------------------------------------------------------


class Broke(Exception): ...


@pytest.fixture
def source(broker: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> taking.Source:
    """A log of fifty events in one partition, taken in files of ten."""
    cluster = emptied(broker.bootstrap, 1)
    produce(cluster, 50)
    monkeypatch.setattr(taking, "CHUNK_RECORDS", 10)
    monkeypatch.setattr(tables, "take", lambda _access, _folder: {})
    return taking.Source(cluster, Access("", "", ""), "k")


def produce(cluster: clients.Cluster, number: int) -> None:
    producer = clients.producer(cluster, "test")
    for one in range(number):
        producer.produce(EVENTS, b"value %d" % one, b"key %d" % one, headers=[("h", b"1")])
    assert producer.flush(20) == 0


def breaks_off(what: str, done: int, _total: int) -> None:
    if what == f"{EVENTS}/0" and done == 20:
        raise Broke


@pytest.mark.kafka
def test_a_backup_that_broke_off_goes_on_and_one_of_a_rewritten_log_is_refused(
    source: taking.Source, tmp_path: Path
) -> None:
    folder, other = tmp_path / "one", tmp_path / "other"
    for place in (folder, other):
        with pytest.raises(Broke):
            taking.take(source, place, breaks_off)
    assert form.load(folder, form.BEGUN).topics[EVENTS].records == 20
    produce(source.cluster, 5)  # behind the ends that were noted
    manifest, digest = taking.take(source, folder, quiet)
    assert digest
    assert not (folder / form.BEGUN).exists()
    (part,) = manifest.topics[EVENTS].parts.values()
    assert [chunk.records for chunk in part.chunks] == [10] * 5
    found = [record for chunk in part.chunks for record in form.read_chunk(folder, chunk)]
    assert [record.value for record in found] == [b"value %d" % one for one in range(50)]
    assert {record.headers for record in found} == {(("h", b"1"),)}
    assert all(record.time > 0 for record in found)

    client = clients.admin(source.cluster)  # it must live until it was answered
    [gone] = client.delete_records([TopicPartition(EVENTS, 0, 30)]).values()
    gone.result(20)
    with pytest.raises(BackupError, match="was rewritten"):
        taking.take(source, other, quiet)
    emptied(source.cluster.bootstrap, 1)
    with pytest.raises(BackupError, match="another log"):
        taking.take(source, other, quiet)


@pytest.mark.kafka
def test_who_may_not_ask_how_far_entry_is_waits_and_who_may_not_read_is_told(secured: SecuredBroker) -> None:
    """An end that nobody may see is not 0: such a backup would be empty and call itself whole."""
    began = time.monotonic()
    assert reading.settle(secured.cluster("backup"), 0.5)
    assert time.monotonic() - began >= 0.5
    with reading.Reader(secured.cluster("operator")) as reader, pytest.raises(KafkaException, match="authorization"):
        reader.reach(EVENTS)
