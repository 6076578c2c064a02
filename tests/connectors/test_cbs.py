"""CBS-structured files: three forms by one declared layout, each rule with its code, keys that occur twice, no BSN."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.answer import report
from connectors.delivery.connector import Connector
from connectors.delivery.recognise import recognise
from connectors.formats.cbs.fields import half_years
from connectors.formats.cbs.layout import FIELDS, NEEDED, LayoutError, layout_of
from connectors.formats.model import Afwijzing, Choices, FileFault, FileRecord
from crypto.oprf import bsn_input, cbs_input
from domain.facts.checks import check
from domain.facts.fact import CbsRecord
from domain.field import codes
from domain.field.dates import day
from tests.connectors.support import (
    AGB,
    BSN,
    BSNS,
    CBS_HEADER,
    LAYOUT,
    ThirdParty,
    cbs_ascii,
    cbs_choices,
    cbs_row,
    cbs_xlsx,
    make_keys,
    parse_twice,
    refusal,
    table,
    unzipped,
    zipped,
)
from transport.clients import Cluster

R = cbs_row
K = cbs_choices
UNKNOWN, UNBORN = "999999999", "000000000"


def as_csv(rows: list[tuple[str, ...]]) -> bytes:
    """The lines as CSV."""
    return table(CBS_HEADER, rows)


FORMS = pytest.mark.parametrize("form", [cbs_ascii, as_csv, cbs_xlsx], ids=["ascii", "csv", "xlsx"])


def read(data: bytes, **more: Any) -> list[FileRecord]:
    """The records as a delivery reads them, each of which entry accepts too."""
    found = parse_twice("cbs", data, **({"choices": K()} | more))
    assert all(check(r.inhoud) is None for r in found if isinstance(r.inhoud, CbsRecord))
    return found


def fact(*rows: tuple[str, ...]) -> CbsRecord:
    """The one fact of lines."""
    (record,) = read(cbs_ascii(list(rows)))
    assert isinstance(record.inhoud, CbsRecord), record.inhoud
    return record.inhoud


@FORMS
def test_a_line_becomes_a_fact(form: Any) -> None:
    (record,) = read(form([R()]))
    begin, end = day(date(2026, 1, 5)), day(date(2026, 3, 1))
    assert (record.bsn, record.fallback, record.regels) == (BSN, "", 1)
    assert record.inhoud == CbsRecord(
        gemeente="0034", hulpvorm="02", verwijzer="02", crisis="02", begindatum=begin, einddatum=end, reden="01",
        geslacht="2", leeftijd=14, leeftijd_benaderd=False, nut_jeugdige=8, nut_ouder=None, zonder_hulp_jeugdige=4,
        zonder_hulp_ouder=None, periode="2026-1", tijd=1_782_129_600_000,
    )  # fmt: skip
    text = repr(record.inhoud)
    assert BSN not in text
    assert "1315" not in text


@FORMS
def test_every_form_says_the_same(form: Any) -> None:
    rows = [
        R(),
        R(bsn=BSNS[1], end="", reden="", nut="", zonder_hulp="", informant=""),
        R(bsn=BSNS[2], nut="10", zonder_hulp="01", informant="2", crisis="", verwijzer=""),
        R(bsn=UNKNOWN, born="20110500"),
    ]
    assert [(r.bsn, r.fallback, r.inhoud) for r in read(form(rows))] == [
        (r.bsn, r.fallback, r.inhoud) for r in read(cbs_ascii(rows))
    ]


def test_a_sheet_with_numbers_and_days_reads_as_text_does() -> None:
    row: list[Any] = list(R())
    row[0], row[1], row[7] = int(row[0]), int(row[1]), date(2026, 1, 5)
    row[4:7] = [2, 2, 2.0]
    row[8:14] = [date(2026, 3, 1), 1, 8.0, 4, 1, None]
    assert [r.inhoud for r in read(cbs_xlsx([tuple(row)]))] == [r.inhoud for r in read(cbs_ascii([R()]))]
    unborn = read(cbs_xlsx([(0, 0, *R()[2:])]))  # numbers forget their zeros
    assert [r.fallback for r in unborn] == ["V|00000000|1315AB|20260105|02"]


@pytest.mark.parametrize(
    ("born", "leeftijd", "approximate"),
    [("20110501", 14, False), ("20110105", 15, False), ("20110100", 15, True), ("20110000", 15, True),
     ("00000000", None, False)],
)  # fmt: skip
def test_a_partial_birth_date_makes_a_rough_age(born: str, leeftijd: int | None, approximate: bool) -> None:
    found = fact(R(born=born))
    assert (found.leeftijd, found.leeftijd_benaderd) == (leeftijd, approximate)


@pytest.mark.parametrize(("letter", "code"), [("V", "2"), ("M", "1"), ("O", "0"), ("v", "2")])
def test_the_sex_is_that_of_the_messages(letter: str, code: str) -> None:
    assert fact(R(geslacht=letter)).geslacht == code


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("G01", {"bsn": "999900007"}),
        ("G01", {"bsn": "12345678"}),
        ("G01", {"bsn": ""}),
        ("G02", {"born": "20110230"}),
        ("G02", {"born": "20260701"}),
        ("G02", {"born": "18990101"}),
        ("G02", {"born": "2011"}),
        ("G03", {"geslacht": "1"}),
        ("G03", {"geslacht": ""}),
        ("G04", {"postcode": ""}),
        ("G04", {"postcode": "0315AB"}),
        ("G05", {"hulpvorm": "05"}),
        ("G05", {"hulpvorm": ""}),
        ("G05", {"verwijzer": "07"}),
        ("G05", {"crisis": "03"}),
        ("G05", {"reden": "06"}),
        ("G06", {"begin": "20260230"}),
        ("G06", {"begin": "20260623"}),
        ("G06", {"end": "20260104"}),
        ("G06", {"end": "20260623"}),
        ("G06", {"begin": ""}),
        ("G07", {"end": ""}),
        ("G07", {"reden": ""}),
        ("G08", {"nut": "11"}),
        ("G08", {"nut": "0"}),
        ("G08", {"zonder_hulp": "05"}),
        ("G09", {"begin": "20250105", "end": "20251231"}),
        ("G11", {"informant": "3"}),
        ("G11", {"informant": ""}),
    ],
)
def test_a_wrong_line_is_refused_by_itself(code: str, changed: dict[str, str]) -> None:
    first, second = read(cbs_ascii([R(**changed), R(bsn=BSNS[1])]))
    assert isinstance(first.inhoud, Afwijzing)
    assert (first.inhoud.code, first.bsn, first.regel) == (code, None, 1)
    assert isinstance(second.inhoud, CbsRecord)


def test_a_short_line_and_a_line_with_other_cells_are_refused() -> None:
    records = read(cbs_ascii([R()]) + b"kort\r\n")
    assert [getattr(r.inhoud, "code", "") for r in records] == ["", "G10"]
    records = read(as_csv([R()]) + b"a;b\r\n")
    assert [getattr(r.inhoud, "code", "") for r in records] == ["", "G10"]


@pytest.mark.parametrize(
    ("place", "gemeente"),
    [("1300AA", "0034"), ("1379ZZ", "0034"), ("0034", "0034"), ("34", "0034"), ("1380AA", ""), ("0363", "")],
)
def test_only_declared_municipalities_pass(place: str, gemeente: str) -> None:
    found = [r.inhoud.gemeente for r in read(cbs_ascii([R(postcode=place)])) if isinstance(r.inhoud, CbsRecord)]
    assert found == ([gemeente] if gemeente else [])


def test_only_the_present_and_the_previous_half_year() -> None:
    assert half_years(day(date(2026, 6, 30))) == ("2026-1", "2025-2")
    assert half_years(day(date(2026, 7, 1))) == ("2026-2", "2026-1")
    old = R(begin="20250805", end="20251001")
    assert len(read(cbs_ascii([old]), choices=K("2025-2"))) == 1
    for code, choices in (("B18", K("2025-1")), ("B18", K("2026-2")), ("B17", K("")), ("B14", Choices())):
        assert refusal("cbs", cbs_ascii([old]), choices=choices).code == code


# Keys that occur more than once.


def test_lines_with_one_key_are_one_record() -> None:
    rows = [R(nut="8", zonder_hulp="", end="", reden=""), R(bsn=BSNS[1]), R(nut="6", zonder_hulp="02", informant="2")]
    merged, other = read(cbs_ascii(rows))
    if merged.bsn != BSN:  # a merged record comes after those that stand alone
        merged, other = other, merged
    assert (merged.regel, merged.regels, other.regel) == (1, 2, 2)
    record = merged.inhoud
    assert isinstance(record, CbsRecord)
    assert (record.nut_jeugdige, record.nut_ouder, record.zonder_hulp_ouder) == (8, 6, 2)
    assert (record.einddatum, record.reden) == (None, "")  # it ends only when the last one ends


def test_of_two_ends_the_last_counts_with_its_reason() -> None:
    found = fact(R(end="20260401", reden="03"), R(end="20260301", reden="01"))
    assert (found.einddatum, found.reden) == (day(date(2026, 4, 1)), "03")


def test_another_start_or_form_of_help_is_another_record() -> None:
    assert len(read(cbs_ascii([R(), R(begin="20260201"), R(hulpvorm="11")]))) == 3


@pytest.mark.parametrize("bsn", [UNKNOWN, UNBORN])
def test_a_client_without_bsn_has_the_key_of_cbs(bsn: str) -> None:
    (record,) = read(cbs_ascii([R(bsn=bsn)]))
    assert (record.bsn, record.fallback) == (None, "V|20110501|1315AB|20260105|02")


def test_twins_stay_apart_and_repeats_do_not() -> None:
    twin = {"bsn": UNBORN, "born": "00000000"}
    same, ended = R(**twin), R(**twin, end="20260401")
    keys = [r.fallback for r in read(cbs_ascii([same, same, ended, R(bsn=BSNS[1])])) if r.fallback]
    assert keys == ["V|00000000|1315AB|20260105|02", "V|00000000|1315AB|20260105|02|2"]
    numbered = [r.fallback for r in read(cbs_ascii([R(**twin, twin="1"), R(**twin, twin="2")]))]
    assert numbered == ["V|00000000|1315AB|20260105|02", "V|00000000|1315AB|20260105|02|m2"]


def test_a_fallback_key_is_never_the_input_of_a_bsn() -> None:
    assert cbs_input("V|1") == b"NL|CBS|V|1"
    assert not cbs_input(BSN).startswith(bsn_input(""))


def test_too_many_equal_keys_are_no_cbs_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.formats.cbs.reader.MOST_EQUAL", 3)
    with pytest.raises(FileFault, match="B19"):
        read(cbs_ascii([R()] * 5))


# Files.


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_a_file_that_stops_halfway_is_refused(eol: str) -> None:
    whole = cbs_ascii([R(), R(bsn=BSNS[1])], eol)
    assert len(read(whole)) == 2
    assert len(read(whole.rstrip(b"\r\n"))) == 2  # the last line is whole without its end
    for cut in (1, 5, 30):
        assert refusal("cbs", whole.rstrip(b"\r\n")[:-cut], choices=K()).code == "B03"
    text = as_csv([R(), R(bsn=BSNS[1])])
    assert refusal("cbs", text[:-4], choices=K()).code == "B03"


def test_a_layout_with_headings_only_reads_no_ascii() -> None:
    layout = b"\n".join(
        line.split(b", plaats")[0] + b"}" if b"plaats" in line else line for line in LAYOUT.splitlines()
    )
    assert len(read(as_csv([R()]), choices=K(layout=layout))) == 1
    assert refusal("cbs", cbs_ascii([R()]), choices=K(layout=layout)).code == "B06"
    with pytest.raises(FileFault, match="B02"):
        recognise(cbs_ascii([R()]), "x", "x", layout_of(layout))


@pytest.mark.parametrize(
    ("form", "file_name", "sender"), [(cbs_ascii, f"{AGB}_cbs.txt", AGB), (as_csv, "x", ""), (cbs_xlsx, "x.xlsx", "")]
)
def test_a_cbs_file_is_known_with_its_layout_only(form: Any, file_name: str, sender: str) -> None:
    assert recognise(form([R()]), file_name, "x", layout_of(LAYOUT)) == ("cbs", sender)
    with pytest.raises(FileFault, match="B14" if form is cbs_xlsx else "B02"):
        recognise(form([R()]), file_name, "x")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda t: t.replace("bsn =", "bns ="), "bns"),
        (lambda t: t.replace("plaats = 1, ", "plaats = 0, ", 1), "plaats"),
        (lambda t: t.replace("breedte = 9", "breed = 9"), "breed"),
        (lambda t: t.replace(', plaats = 1, breedte = 9', ', plaats = 1'), "bsn"),
        (lambda t: t.replace('{kolom = "BSN", plaats = 1, breedte = 9}', '{kolom = "BSN"}').replace(
            '{kolom = "Geslacht", plaats = 18, breedte = 1}', "{plaats = 18, breedte = 1}"), "elk"),
        (lambda t: t.replace('"ouder"', '"oma"'), "informant"),
        (lambda t: t.replace("[gemeenten]", "[plaatsen]"), "plaatsen"),
        (lambda t: t.replace('"0034"', '"34"'), "vier cijfers"),
        (lambda t: t.replace("1300-1379", "1300-"), "postcodes"),
        (lambda t: t.split("[informanten]")[0] + "[gemeenten]\n" + t.split("[gemeenten]")[1], "informant"),
        (lambda t: t + "[", "layout"),
    ],
)  # fmt: skip
def test_a_layout_that_cannot_be_used_says_why(change: Any, part: str) -> None:
    changed = change(LAYOUT.decode())
    assert changed != LAYOUT.decode()
    with pytest.raises(LayoutError, match=part):
        layout_of(changed.encode())


def test_the_example_in_the_documentation_is_a_layout() -> None:
    text = (Path(__file__).parents[2] / "docs" / "cbs-layout.md").read_text("utf-8")
    found = layout_of(text.split("```toml")[1].split("```")[0].encode())
    assert set(found.columns) == set(found.places) >= set(NEEDED)
    for field in FIELDS:
        assert field in text or field.removesuffix("_2") + "_1" in text, field


# Excel.


def test_a_named_sheet_is_read() -> None:
    layout = b'blad = "Juni"\n' + LAYOUT
    assert len(read(cbs_xlsx([R()], sheet="Juni"), choices=K(layout=layout))) == 1
    assert refusal("cbs", cbs_xlsx([R()]), choices=K(layout=layout)).code == "B20"


def test_a_sheet_lies_about_its_size_in_vain() -> None:
    parts = unzipped(cbs_xlsx([R()]))
    sheet = parts["xl/worksheets/sheet1.xml"]
    start = sheet.index(b"<dimension")
    liar = sheet[:start] + b'<dimension ref="A1:XFD1048576"/>' + sheet[sheet.index(b"/>", start) + 2 :]
    assert len(read(zipped(parts | {"xl/worksheets/sheet1.xml": liar}))) == 1
    far = sheet.replace(b'<row r="2"', b'<row r="999999999"').replace(b'r="A2"', b'r="A999999999"')
    assert far != sheet
    with pytest.raises(FileFault, match=r"B11|B20"):
        read(zipped(parts | {"xl/worksheets/sheet1.xml": far}))


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("B11", {"xl/media/x": b"0" * 5_000_000}),
        ("B11", {f"x{n}": b"" for n in range(1_001)}),
        ("B20", {"xl/sharedStrings.xml": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><sst>&a;</sst>'}),
        ("B20", {"xl/styles.xml": "<!DOCTYPE x>".encode("utf-16")}),
        ("B20", {"xl/workbook.xml": b"<x/>"}),
        ("B20", {"xl/workbook.xml": b""}),
        ("B20", {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row><c>"}),
    ],
)
def test_an_excel_file_has_bounds(code: str, parts: dict[str, bytes]) -> None:
    assert refusal("cbs", zipped(unzipped(cbs_xlsx([R()])) | parts), choices=K()).code == code


def test_a_cut_excel_file_is_refused() -> None:
    data = cbs_xlsx([R()])
    for end in (10, len(data) // 2, len(data) - 30):
        assert refusal("cbs", data[:end], choices=K()).code == "B20"


# A whole delivery.


def test_a_delivery_counts_drops_and_refuses(tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "keys")
    third = ThirdParty(keys)
    data = as_csv(
        [R(), R(bsn=BSNS[1], postcode="1012AB"), R(bsn=UNKNOWN), R(bsn="999900007"), R(nut="9", zonder_hulp="")]
    )
    with Connector(keys, Cluster("nowhere"), publisher=third, receipts=third) as connector:
        run = connector.run(AGB)._replace(choices=K(), tijd=1_782_129_600_000)
        delivery = _deliver(connector, run, data)
        assert (delivery.kind, delivery.lines) == ("cbs", 3)
        assert "1 regels van een niet-deelnemende gemeente" in "\n".join(report.first_step(delivery))
        receipt = third.wait(delivery.receipt_key, 0, lambda _r: None, lambda: None)
        shown = "\n".join(report.final_step(delivery, receipt))
        assert "zonder geweigerde regels" in shown
        assert "G01" in shown
        assert "999900007" not in shown
        sent = len(third.sent)
        assert _deliver(connector, run, data).id == delivery.id
        for choices in (K("2025-2"), K(layout=LAYOUT + b"# anders\n")):
            assert _deliver(connector, run._replace(choices=choices), data).id != delivery.id
    assert sent == 3


def _deliver(connector: Connector, run: Any, data: bytes) -> Any:
    from connectors.formats.files import InputFile

    def refuse(fault: FileFault) -> None:
        raise fault

    (delivery,) = connector.deliveries([InputFile("cbs", "cbs.csv", len(data), content=data)], run, refuse)
    connector.publish(delivery)
    return delivery


ROW = st.builds(
    R,
    bsn=st.sampled_from(BSNS[:40]),
    hulpvorm=st.sampled_from(sorted(codes.HULPVORMEN)),
    verwijzer=st.sampled_from(["", *sorted(codes.VERWIJZERS)]),
    reden=st.sampled_from(sorted(codes.CBS_REDENEN)),
    nut=st.sampled_from(["", "1", "10"]),
    zonder_hulp=st.sampled_from(["01", "04"]),
    informant=st.sampled_from("12"),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6, unique_by=lambda row: (row[0], row[5])))
def test_what_is_written_is_read_back(rows: list[tuple[str, ...]]) -> None:
    ascii_, text, sheet = (
        [(r.bsn, r.inhoud) for r in read(form(rows))] for form in (cbs_ascii, as_csv, cbs_xlsx)
    )  # fmt: skip
    assert ascii_ == text == sheet
    assert [(bsn, f.hulpvorm, f.verwijzer, f.reden) for bsn, f in ascii_ if isinstance(f, CbsRecord)] == [
        (row[0], row[5], row[4], row[9]) for row in rows
    ]
