"""What people really deliver: each kind of file as it comes out of the programs of the field."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from connectors.answer import report
from connectors.answer.rows import outcome, shown_cells
from connectors.delivery.recognise import recognise
from connectors.formats.files import Limits, find
from connectors.formats.model import Afwijzing, FileFault
from domain.facts.fact import CbsRecord, Meting
from domain.field.dates import iso_day
from domain.field.messages import MESSAGES, OPTIONS, text
from domain.field.questionnaires import informant
from domain.field.words import ONLY_ZEROS
from tests.connectors.support import (
    BSN,
    BSNS,
    CBS_HEADER,
    CEM_HEADER,
    RAP_HEADER,
    Declaratie,
    Regie,
    attempt,
    cbs_choices,
    cbs_row,
    cbs_xlsx,
    cem_rows,
    parse,
    prestatie,
    refusal,
    table,
)

ROW = (BSN, "", "4711", "D1O", "2")
RAP = table(RAP_HEADER, [ROW])
CEM = table(CEM_HEADER, cem_rows())
HASH = "5f3c" * 16


def refused(head: bytes, name: str = "x") -> FileFault:
    with pytest.raises(FileFault) as caught:
        recognise(head, name, "x")
    return caught.value


@pytest.mark.parametrize("unseen", ["\u00a0", "\u200b", "\ufeff", "\u00ad", "\u202f"])
def test_characters_that_nobody_sees_are_not_read(unseen: str) -> None:
    spoiled = table(tuple(f"{name}{unseen}" for name in RAP_HEADER), [tuple(f"{unseen}{cell}" for cell in ROW)])
    assert recognise(spoiled, "94000001_x.csv", "x") == ("score", "94000001")
    assert [r.inhoud for r in parse("score", spoiled)] == [r.inhoud for r in parse("score", RAP)]


def test_characters_that_nobody_sees_are_not_read_in_a_sheet() -> None:
    heading = tuple(f"{name}\u200b" for name in CBS_HEADER)
    spoiled = cbs_xlsx([cbs_row(hulpvorm="\u00a002\u200b")], heading)
    whole = cbs_xlsx([cbs_row(hulpvorm="02")])
    found, wanted = (parse("cbs", data, choices=cbs_choices()) for data in (spoiled, whole))
    assert [r.inhoud for r in found] == [r.inhoud for r in wanted]
    assert isinstance(found[0].inhoud, CbsRecord)


@pytest.mark.parametrize("hint", [b"sep=;\r\n", b'"sep=;"\r\n', b'\xef\xbb\xbf"sep=;"\r\n'])
def test_a_line_that_names_the_separator_is_passed_over(hint: bytes) -> None:
    data = hint + RAP.removeprefix(b"\xef\xbb\xbf")
    assert recognise(data, "x", "x").kind == "score"
    assert [type(r.inhoud).__name__ for r in parse("score", data)] == ["Score"]


@pytest.mark.parametrize(
    ("name", "head", "what"),
    [
        ("x.xml", Regie().bytes().replace(b"jw305", b"jw316"), "JW316"),
        ("x.xml", Regie().bytes().replace(b"/ijw/", b"/iwmo/").replace(b"jw305", b"wmo305"), "WMO305"),
        ("Thumbs.db", b"\xd0\xcf\x11\xe0rest", "geen levering"),
        ("~$scores.xlsx", b"\x05naam", "geen levering"),
        ("~$leeg.xlsx", b"", "geen levering"),
        ("handleiding", b"%PDF-1.7\n", "geen levering"),
        (".~lock.scores.csv#", b"naam", "geen levering"),
        ("Brief.DOCX", b"PK\x03\x04", "geen levering"),
        ("jw305.xml.tmp", b"<?xml", "geen levering"),
        ("foto", b"\xff\xd8\xff\xe0", "geen levering"),
        ("layout_blad2.toml", b"[velden]", "geen levering"),
    ],
)
def test_what_is_not_for_the_monitor_is_named(name: str, head: bytes, what: str) -> None:
    fault = refused(head, name)
    assert (fault.code, fault.veld) == ("B21", what)


def test_a_workbook_of_the_old_form_is_told_what_to_become() -> None:
    old, name = b"\xd0\xcf\x11\xe0" + bytes(500), "Workbook".encode("utf-16-le")
    assert refused(old, "Standaard.XLS").code == "B23"
    assert refused(old + name, "x").code == "B23"
    assert refused(old + "EncryptedPackage".encode("utf-16-le"), "x.xls").code == "B14"
    assert ".xlsx" in text("B23")


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08rest", b"7z\xbc\xaf\x27\x1crest", b"Rar!\x1a\x07\x01rest"])
def test_what_another_program_packed_is_to_be_unpacked_first(head: bytes) -> None:
    assert refused(head, "jw305.xml.gz").code == "B26"


@pytest.mark.parametrize("head", [b"<html><table>", b"\xef\xbb\xbf \n<!DOCTYPE html>", b"<META charset='x'>"])
def test_a_web_page_with_the_name_of_a_sheet_is_called_one(head: bytes) -> None:
    assert refused(head, "Export.xls").code == "B27"


@pytest.mark.parametrize("kind", ["score", "cem"])
def test_a_title_above_the_header_is_refused_as_what_it_is(kind: str) -> None:
    data = b"Export van 1-10-2026;;;;\r\n\r\n" + (RAP if kind == "score" else CEM)
    assert recognise(data, "x", "x").kind == kind
    assert refusal(kind, data).code == "B06"


def test_a_document_in_a_folder_is_passed_over_and_a_sheet_of_another_program_is_told_what_to_become(
    tmp_path: Path,
) -> None:
    for name, part in (("brief.docx", "word/document.xml"), ("scores.ods", "META-INF/manifest.xml")):
        with zipfile.ZipFile(tmp_path / name, "w") as made:
            made.writestr("[Content_Types].xml" if name == "brief.docx" else "mimetype", "x")
            made.writestr(part, "<x/>")
    faults: list[FileFault] = []
    [brief] = find([tmp_path], Limits(), faults.append)
    assert refused(brief.open().read(), brief.file_name).code == "B21"
    assert [fault.code for fault in faults] == ["B14"]


def test_the_sentence_on_characters_is_true_of_a_message() -> None:
    assert refusal("start", Regie().bytes().replace(b"Test", b"T\xe9st")).code == "B04"
    assert "een XML-bericht is UTF-8" in text("B04")


def test_a_message_that_is_not_well_formed_says_where() -> None:
    whole = Regie().bytes()
    fault = refusal("start", whole.replace(b"Test", b"Test & Co"))
    line = whole[: whole.index(b"Test")].count(b"\n") + 1
    assert (fault.code, fault.row) == ("B25", line)
    assert fault.veld.startswith("kolom ")
    fault = refused(b"\r\n" + whole)
    assert (fault.code, fault.row, fault.veld) == ("B25", 2, "kolom 6")
    assert "Regel 2, kolom 6" in report.refused_file(fault)
    assert f", regel {line}, " in "".join(report._findings(refusal("start", whole.replace(b"Test", b"a & b"))))


@pytest.mark.parametrize("release", ["3_1", "3_0", "2_4"])
def test_another_release_is_named(release: str) -> None:
    old = Regie().bytes().replace(b"/3_2/", f"/{release}/".encode())
    fault = refusal("start", old)
    assert (fault.code, fault.veld) == ("B22", f"iJw {release.replace('_', '.')}")


def test_the_advice_on_a_key_that_comes_twice_fits_a_declaration() -> None:
    twice = Declaratie([prestatie(), prestatie(bsn=BSNS[1])]).bytes()
    assert refusal("declaration", twice).code == "TR101"
    assert "eigen ReferentieNummer" in text("TR101")
    assert "aparte berichten" in text("TR101")


@pytest.mark.parametrize(
    ("written", "role"),
    [
        ("Ouder/verzorger", "Ouder"),
        ("ouder / verzorger", "Ouder"),
        ("Ouder(s)/verzorger(s)", "Ouder"),
        ("Jongere", "Jeugdige"),
        ("Pleegouder(s)", "Pleegouder"),
        ("Vader en moeder", "Ouders"),
        ("MOEDER", "Moeder"),
        ("Ouder(s)", "Ouder"),
        ("Tante Truus", "Anders"),
    ],
)
def test_roles_are_read_as_people_write_them(written: str, role: str) -> None:
    assert informant(written) == role


@pytest.mark.parametrize("written", ["02-03-2026", "2-3-2026", "2/3/2026"])
@pytest.mark.parametrize("form", ["sheet", "csv"])
def test_days_as_people_write_them_are_read(written: str, form: str) -> None:
    rows = [cbs_row(begin=written, end="", reden="", born="1-5-2012")]
    data = cbs_xlsx(rows) if form == "sheet" else table(CBS_HEADER, rows)
    [record] = parse("cbs", data, choices=cbs_choices())
    assert isinstance(record.inhoud, CbsRecord)
    assert record.inhoud.begindatum == iso_day("2026-03-02")


def test_a_written_day_that_does_not_exist_is_refused() -> None:
    [record] = parse("cbs", table(CBS_HEADER, [cbs_row(begin="31-02-2026")]), choices=cbs_choices())
    assert record.inhoud == Afwijzing("G06", "datum aanvang")


def test_capitals_of_a_questionnaire_and_its_questions_do_not_count() -> None:
    rows = cem_rows(answers={"vr01": "2", "vr09a": "8"}, vragenlijst="CEM+_2018_oe_V1")
    [record] = parse("cem", table(CEM_HEADER, rows))
    assert isinstance(record.inhoud, Meting)
    assert (record.inhoud.vragenlijst, record.inhoud.antwoorden) == ("CEM+_2018_OE_v1", {"VR01": 2, "VR09A": 8})
    unfinished = table(CEM_HEADER, cem_rows(answers={"vr09a": "1"})).rstrip()
    assert refusal("cem", unfinished).code == "B03"  # it may have been a 10


@pytest.mark.parametrize(("last", "code"), [("n.v.t.", ""), ("nvt", ""), ("n.v.t", "B03"), ("n.v", "B03"), ("", "B03")])
def test_a_last_line_without_an_end_is_whole_when_its_answer_is(last: str, code: str) -> None:
    data = table(CEM_HEADER, cem_rows(answers={"VR01": "2", "VR02": last})).rstrip()
    assert attempt("cem", data)[0] == code


@pytest.mark.parametrize("nothing", ["", " ", "n.v.t.", "NVT"])
def test_an_unanswered_question_is_missing_and_the_others_count(nothing: str) -> None:
    answers = {"VR01": "2", "VR02": nothing, "VR03": "4"}
    [record] = parse("cem", table(CEM_HEADER, cem_rows(answers=answers)))
    assert isinstance(record.inhoud, Meting)
    assert record.inhoud.antwoorden == {"VR01": 2, "VR03": 4}


@pytest.mark.parametrize("nothing", ["", "n.v.t.", "Nvt"])
def test_an_unanswered_question_of_cbs_is_missing_and_the_other_counts(nothing: str) -> None:
    [record] = parse("cbs", table(CBS_HEADER, [cbs_row(nut=nothing)]), choices=cbs_choices())
    assert isinstance(record.inhoud, CbsRecord)
    assert (record.inhoud.nut_jeugdige, record.inhoud.zonder_hulp_jeugdige) == (None, 4)


@pytest.mark.parametrize(
    ("written", "kept"), [("Ouder 1", "Ouder"), ("Ouder 2", "Ouder"), ("Ouder 3", ""), ("1", ""), ("Ouder 12", "")]
)
def test_which_of_two_parents_is_not_kept(written: str, kept: str) -> None:
    [record] = parse("cem", table(CEM_HEADER, cem_rows(informant=written)))
    wanted = kept or Afwijzing("C12", "informant")
    assert (record.inhoud.informant if isinstance(record.inhoud, Meting) else record.inhoud) == wanted


def test_a_question_twice_is_refused_also_when_one_is_unanswered() -> None:
    rows = cem_rows(answers={"VR01": "", "VR02": "1"}) + cem_rows(answers={"VR01": "1"})
    assert parse("cem", table(CEM_HEADER, rows))[0].inhoud == Afwijzing("C06", "vraag")


def test_a_fault_names_its_own_row_and_question() -> None:
    answers = {"VR01": "2", "VR02": "9", "VR03": "4", "VR04": "x"}
    [_, record] = parse("cem", table(CEM_HEADER, cem_rows("1-1") + cem_rows("1-2", answers, bsn=BSNS[1])))
    assert record.inhoud == Afwijzing("C05", "antwoord")
    assert (record.regel, record.regels) == (6, 4)
    assert shown_cells("cem", record.cells)["vraag"] == "VR02"


def test_a_question_that_is_not_ours_is_not_shown() -> None:
    [record] = parse("cem", table(CEM_HEADER, cem_rows(answers={"VR01": "2", "Jan": "1"})))
    assert (record.inhoud, record.regel) == (Afwijzing("C04", "vraag"), 3)
    assert "vraag" not in shown_cells("cem", record.cells)


@pytest.mark.parametrize("pseudonym", [HASH, HASH.upper(), "q83vEjRWeJCrze8SNFZ4kKvN7w=="])
def test_a_number_that_was_hashed_before_is_told_so(pseudonym: str) -> None:
    [meting] = parse("cem", table(CEM_HEADER, cem_rows(bsn=pseudonym)))
    assert meting.inhoud == Afwijzing("C14", "bsn")
    [score] = parse("score", table(RAP_HEADER, [(pseudonym, *ROW[1:])]))
    assert score.inhoud == Afwijzing("R09", "BSN")
    assert "bronbestand" in text("C14")


@pytest.mark.parametrize(
    ("bsn", "hint"),
    [("99990006", "eerste nul"), ("9,999E+08", "afgerond"), ("9999.00.018", "afgerond"), ("999900007", "")],
)
def test_a_spoiled_number_says_what_may_have_spoiled_it(bsn: str, hint: str) -> None:
    sentence = outcome("R01", "BSN", "", bsn)["foutmelding"]
    assert hint in sentence
    assert bsn not in sentence
    assert hint or sentence == text("R01")


def test_what_waits_for_a_decision_is_told_of_lost_zeros() -> None:
    assert any(ONLY_ZEROS in line for line in report.waiting({"beschikking": 1}))
    assert not any(ONLY_ZEROS in line for line in report.waiting({"start": 1}))


def sheets(*pages: list[tuple[Any, ...]]) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for number, rows in enumerate(pages):
        page = book.create_sheet(f"Blad{number}")
        for row in rows:
            page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_heading_is_found_below_titles_and_on_another_sheet() -> None:
    titles = [("Standaard spreadsheet",), (), ("Aanbieder:", "94000001")]
    data = sheets([("Toelichting",), ("Vul in",)], [*titles, CBS_HEADER, cbs_row()])
    [record] = parse("cbs", data, choices=cbs_choices())
    assert isinstance(record.inhoud, CbsRecord)
    assert record.regel == 5


def test_a_heading_that_is_nowhere_is_named_at_the_first_row() -> None:
    far = [(f"titel {n}",) for n in range(20)]
    fault = refusal("cbs", sheets([("Toelichting",)], [*far, CBS_HEADER, cbs_row()]), choices=cbs_choices())
    assert (fault.code, fault.row, fault.veld) == ("B06", 1, "bsn")
    assert "eerste 20 rijen" in text("B06")


def test_no_sentence_speaks_of_options_and_sor_deliver_adds_them() -> None:
    assert [code for code, message in MESSAGES.items() if "--" in message.text] == []
    for code, option in OPTIONS.items():
        assert option in report.refused_file(FileFault(code, "x"))


def test_one_day_written_in_two_ways_is_one_meting() -> None:
    rows = cem_rows(when="01-06-2026", answers={"VR01": "2"}) + cem_rows(when="1-6-2026", answers={"VR02": "3"})
    [record] = parse("cem", table(CEM_HEADER, rows))
    assert isinstance(record.inhoud, Meting)
    assert record.inhoud.antwoorden == {"VR01": 2, "VR02": 3}
    rows = cem_rows(when="01-06-2026", answers={"VR01": "2"}) + cem_rows(when="2-6-2026", answers={"VR02": "3"})
    [record] = parse("cem", table(CEM_HEADER, rows))
    assert record.inhoud == Afwijzing("C07", "datum_meting")
