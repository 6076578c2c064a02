"""From paths to files, and from files to a kind: folders, zip files, encodings, files that change or cannot be read."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from connectors import masking
from connectors.delivery.reading import prepare, same_bytes, settled
from connectors.delivery.recognise import recognise
from connectors.formats.files import InputFile, Limits, find
from connectors.formats.model import Afwijzing, FileFault
from connectors.formats.seen import Seen
from tests.connectors.support import (
    AGB,
    BSN,
    CEM_HEADER,
    RAP_HEADER,
    Antwoord,
    Declaratie,
    Regie,
    Retour,
    Toewijzingen,
    cbs_row,
    cbs_xlsx,
    cem_rows,
    parse,
    table,
)

RAP = table(RAP_HEADER, [(BSN, "", "4711", "D1O", "2")])
CEM = table(CEM_HEADER, cem_rows())
SECRET = b"s" * 32


def found(*paths: Path, limits: Limits = Limits()) -> tuple[list[str], list[str]]:  # noqa: B008
    """Names of what is found, and codes of what is refused."""
    refused: list[FileFault] = []
    names = [given.shown for given in find(list(paths), limits, refused.append)]
    return names, [fault.code for fault in refused]


def make_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_folders_are_read_in_order_of_path_and_each_file_once(tmp_path: Path) -> None:
    for name in ("b/2.xml", "a/9.csv", "a/.hidden", ".git/x", "c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    make_zip(tmp_path / "b/1.zip", {"z.xml": b"1", "d/a.xml": b"2", "__MACOSX/a.xml": b"3", "d/.b": b"4"})
    names, refused = found(tmp_path, tmp_path / "c.csv")
    assert names == ["a/9.csv", "b/1.zip/d/a.xml", "b/1.zip/z.xml", "b/2.xml", "c.csv"]
    assert not refused


def test_what_cannot_be_read_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "goed.csv").write_bytes(RAP)
    (tmp_path / "stuk.zip").write_bytes(make_zip(tmp_path / "x.zip", {"a.csv": RAP}).read_bytes()[:40])
    (tmp_path / "x.zip").unlink()
    os.mkfifo(tmp_path / "pijp")
    (tmp_path / "weg.csv").symlink_to(tmp_path / "bestaat-niet")
    assert found(tmp_path) == (["goed.csv"], ["B13", "B10", "B13"])
    assert found(tmp_path / "nergens") == ([], ["B13"])


def test_a_damaged_member_is_refused_when_it_is_read(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.csv": RAP * 5_000, "b.csv": RAP}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(b"4711") + 200_000] ^= 1
    path.write_bytes(data)
    assert found(path) == (["a.zip/a.csv", "a.zip/b.csv"], [])
    given = next(find([path], Limits(), lambda _fault: None))
    with pytest.raises(FileFault, match="B10"):
        prepare(given, SECRET, 10**6)


@pytest.mark.parametrize(
    ("members", "limits", "code"),
    [
        ({"binnen.zip": b"PK\x03\x04rest"}, Limits(), "B12"),
        ({"a.csv": b"0" * 2_000_000}, Limits(), "B11"),
        ({f"{n}.csv": b"x" for n in range(4)}, Limits(zip_entries=3), "B11"),
        ({f"{n}.csv": b"x" * 100 for n in range(4)}, Limits(zip_bytes=399), "B11"),
        ({"[Content_Types].xml": b"<x/>", "visio/document.xml": b"<x/>"}, Limits(), "B14"),
    ],
)
def test_a_zip_file_has_bounds(tmp_path: Path, members: dict[str, bytes], limits: Limits, code: str) -> None:
    assert found(make_zip(tmp_path / "a.zip", members), limits=limits) == ([], [code])


def test_an_excel_sheet_is_a_file_and_no_zip_file(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(cbs_xlsx([cbs_row()]))
    assert found(tmp_path) == (["a.xlsx"], [])


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.csv": RAP}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flag] |= 1
    path.write_bytes(data)
    assert found(path) == ([], ["B10"])


def test_a_file_name_shows_no_bsn_and_no_control_characters(tmp_path: Path) -> None:
    (tmp_path / f"client {BSN}\x1b[31m.csv").write_bytes(RAP)
    names, _ = found(tmp_path)
    assert names == ["client ******006?[31m.csv"]
    assert masking.name("20260101_JW305_000000001.xml") == "20260101_JW305_000000001.xml"


@pytest.mark.parametrize(
    ("name", "head", "kind", "sender"),
    [
        ("x", Regie().bytes(), "start", AGB),
        ("x.csv", b"\xef\xbb\xbf" + Regie(True).bytes(), "stop", AGB),
        ("x", Declaratie().bytes(), "declaration", AGB),
        ("x", Declaratie().bytes()[:700], "declaration", AGB),
        ("x", Declaratie().bytes()[:200], "declaration", ""),
        ("x", Regie(header={"afzender": "0363"}).bytes(), "start", ""),
        ("x", Regie().bytes().replace(b"3_2/jw305", b"3_1/jw305"), "start", AGB),
        (f"{AGB}_scores.csv", RAP, "score", AGB),
        (f"{AGB}-scores.csv", RAP, "score", AGB),
        (f"{AGB}.csv", RAP, "score", ""),
        ("20260301_scores.csv", RAP, "score", ""),
        ("scores.csv", RAP, "score", ""),
        (f"{AGB}_scores.csv", RAP[RAP.index(b"\n") + 1 :], "score", AGB),
        ("x", CEM, "cem", AGB),
        ("x", CEM[CEM.index(b"\n") + 1 :], "cem", AGB),
        ("x", CEM.replace(AGB.encode(), b"onbekend"), "cem", ""),
        ("x", Toewijzingen().bytes(), "assignment", AGB),
        ("x", Retour().bytes(), "return", AGB),
        ("x", Retour(ending=True).bytes(), "return", AGB),
        ("x", Antwoord().bytes(), "return", AGB),
    ],
)
def test_kind_and_sender_come_from_the_content(name: str, head: bytes, kind: str, sender: str) -> None:
    assert recognise(head, name, "x") == (kind, sender)


@pytest.mark.parametrize(
    ("code", "head"),
    [
        ("B01", b""),
        ("B01", b"\xef\xbb\xbf \r\n"),
        ("B02", b"hallo"),
        ("B02", b";;;\n"),
        ("B02", b"naam;adres\na;b\n"),
        ("B27", b"<html/>"),
        ("B02", b"<"),
        ("B21", Regie().bytes().replace(b"jw305", b"jw315")),
        ("B14", b"PK\x03\x04rest"),
        ("B02", b"<!DOCTYPE x><x/>"),
        ("B21", b"\x89PNG"),
        ("B04", RAP.decode().encode("utf-16")),
        ("B04", b"a\x00b"),
        ("B14", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ],
)
def test_what_is_not_of_the_field_is_refused(code: str, head: bytes) -> None:
    with pytest.raises(FileFault) as caught:
        recognise(head, "x", "x")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("é".encode() * 9, "utf-8-sig"),
        ("é".encode("cp1252") * 9, "cp1252"),
        (b"abc", "utf-8-sig"),
        (b"\x81abc", ""),
        (b"abc\xe9\x00", ""),
    ],
)
def test_the_encoding_is_found(data: bytes, encoding: str) -> None:
    assert prepare(InputFile("x", "x", len(data), content=data), SECRET, 100).encoding == encoding


def test_a_file_that_ends_within_a_character_is_half() -> None:
    for data, code in (("é".encode()[:1], "B03"), (b"x" * 101, "B05")):
        with pytest.raises(FileFault, match=code):
            prepare(InputFile("x", "x", len(data), content=data), SECRET, 100)


def test_a_file_that_is_still_written_to_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(RAP)
    given = InputFile("a.csv", "a.csv", len(RAP), path)
    written = path.stat().st_mtime_ns
    slept: list[float] = []
    assert settled(given, lambda: written + 2_000_000_000, slept.append) == given.stamp()
    assert not slept  # at rest for long enough
    settled(given, lambda: written + 400_000_000, slept.append)
    assert slept == [pytest.approx(0.6)]  # looked again after the rest of a second
    grow: Callable[[float], None] = lambda _seconds: path.write_bytes(RAP * 2) and None  # noqa: E731
    with pytest.raises(FileFault, match="B07"):
        settled(given, lambda: written, grow)


def test_other_bytes_than_were_checked_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(RAP)
    given = InputFile("a.csv", "a.csv", len(RAP), path)
    mac = prepare(given, SECRET, 10**6).mac
    with same_bytes(given, SECRET, mac) as stream:
        assert stream.read() == RAP
    path.write_bytes(RAP.replace(b"4711", b"4712"))
    with pytest.raises(FileFault, match="B07"), same_bytes(given, SECRET, mac):
        pass


def test_a_large_file_is_checked_before_it_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.delivery.reading.HELD", 10)
    path = tmp_path / "a.csv"
    path.write_bytes(RAP)
    given = InputFile("a.csv", "a.csv", len(RAP), path)
    mac = prepare(given, SECRET, 10**6).mac
    with same_bytes(given, SECRET, mac) as stream:
        assert stream.read() == RAP
    path.write_bytes(RAP.replace(b"4711", b"4712"))
    with pytest.raises(FileFault, match="B07"), same_bytes(given, SECRET, mac):
        pass


def test_errors_of_the_reader_stay_what_they_are(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.csv": RAP})
    given = next(find([path], Limits(), lambda _fault: None))
    with pytest.raises(RuntimeError, match="ours"), given.open():
        raise RuntimeError("ours")


def test_a_set_of_hashes_is_a_set() -> None:
    seen, mirror = Seen(10), set[int]()
    for n in range(5_000):
        value = hash(("x", n % 3_000)) & (2**64 - 1)
        assert (value in seen) == (value in mirror)
        assert seen.add(value) == (value not in mirror)
        mirror.add(value)
    assert seen.add(0)
    assert not seen.add(0)


def test_cells_on_the_screen_hold_no_bsn() -> None:
    assert masking.bsn(BSN) == "******006"
    assert masking.bsn("Jan Jansen") == "*********"
    assert masking.cell(f"D1O {BSN}") == "D1O ******006"
    assert masking.number("4711", BSN) == "4711"
    assert masking.number(BSN, "x") == "******006"
    assert masking.number("012345678", "x") == "012345678"
    assert masking.cell("x" * 500) == "x" * 23 + "…"


def test_memory_content_is_a_source() -> None:
    given = InputFile("x", "x", 3, content=b"abc")
    assert isinstance(given.open(), BytesIO)
    assert given.stamp() == settled(given)
    assert "abc" not in repr(given)


SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("jw305_start.xml", "start", 1),
        ("jw307_stop.xml", "stop", 1),
        ("jw323_declaratie.xml", "declaration", 3),
        (f"{AGB}_rap_scores.csv", "score", 5),
        ("cem_plus.csv", "cem", 1),
    ],
)
def test_the_sample_files_are_read_without_a_refusal(name: str, kind: str, records: int) -> None:
    data = (SAMPLES / name).read_bytes()
    assert recognise(data, name, name) == (kind, AGB)
    read = parse(kind, data)
    assert len(read) == records
    assert not any(isinstance(record.inhoud, Afwijzing) for record in read)
