"""CEM+ answers: rows to metingen, every error with its code, and what damage does."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.cem import OPEN, datum, metingen
from connectors.formats.model import Afwijzing, FileContext, FileRecord, Tally
from domain.facts.fact import Meting
from domain.field.dates import as_date, iso_day
from domain.field.questionnaires import QUESTIONS, VRAGENLIJSTEN
from tests.connectors.support import AGB, BSN, BSNS, CEM_HEADER, NOW, attempt, cem_rows, damaged, parse, refusal, table


def read(*groups: list[tuple[str, ...]]) -> list[FileRecord]:
    return parse("cem", table(CEM_HEADER, [row for group in groups for row in group]))


def codes(records: list[FileRecord]) -> list[str]:
    return [r.inhoud.code if isinstance(r.inhoud, Afwijzing) else "" for r in records]


def test_the_rows_of_a_meting_become_one_record() -> None:
    first, second = read(cem_rows("1-1"), cem_rows("1-2", bsn=BSNS[1], informant="Ouder, verzorger"))
    assert (first.regel, first.regels, first.bsn) == (2, 3, BSN)
    assert (second.regel, second.regels, second.bsn) == (5, 3, BSNS[1])
    assert isinstance(first.inhoud, Meting)
    assert first.inhoud == Meting(
        meting=b"1-1", vragenlijst="CEM+_2018_OE_v1", informant="Moeder", datum=datum("01-06-2026") or 0,
        antwoorden={"VR01": 2, "VR09A": 8, "VR10": 1}, tijd=NOW,
    )  # fmt: skip
    assert "ref-7" not in repr(first.inhoud) + str(first.cells)  # client_ref is not read


def test_rows_of_metingen_may_be_mixed() -> None:
    a, b = cem_rows("1-1"), cem_rows("1-2")
    records = read([a[0], b[0], a[1], b[1], b[2], a[2]])
    assert codes(records) == ["", ""]
    assert [r.regels for r in records] == [3, 3]


@pytest.mark.parametrize("when", ["01-06-2026", "1-6-2026", "1-06-2026", "01-6-2026", "1/6/2026", "01/06/2026"])
def test_a_day_is_read_as_dutch_spreadsheets_write_it(when: str) -> None:
    """A spreadsheet that saves its text form drops the zeros (1-6-2026): one meaning in the Netherlands."""
    (record,) = read(cem_rows(when=when))
    assert isinstance(record.inhoud, Meting)
    assert record.inhoud.datum == iso_day("2026-06-01")


@pytest.mark.parametrize(
    ("code", "veld", "rows"),
    [
        ("C01", "bsn", cem_rows(bsn="999900007")),
        ("C01", "bsn", cem_rows(bsn="999999999")),
        ("C02", "datum_meting", cem_rows(when="31-02-2026")),
        ("C02", "datum_meting", cem_rows(when="2026-06-01")),
        ("C02", "datum_meting", cem_rows(when="1-6-26")),
        ("C02", "datum_meting", cem_rows(when="6/31/2026")),
        ("C02", "datum_meting", cem_rows(when="1 juni 2026")),
        ("C02", "datum_meting", cem_rows(when="1-6-2026 00:00")),
        ("C02", "datum_meting", cem_rows(when="01-07-2026")),
        ("C03", "vragenlijst", cem_rows(vragenlijst="CEM_2018_OE_v1")),
        ("C04", "vraag", cem_rows(answers={"VR01": "1", "VR08": "1"})),
        ("C05", "antwoord", cem_rows(answers={"VR01": "5"})),
        ("C05", "antwoord", cem_rows(answers={"VR09A": "11"})),
        ("C05", "antwoord", cem_rows(answers={"VR09A": "0"})),
        ("C05", "antwoord", cem_rows(answers={"VR01": "2,0"})),
        ("C05", "antwoord", cem_rows(answers={"VR01": "²"})),
        ("C13", "antwoord", cem_rows(answers={"VR01": ""})),
        ("C06", "vraag", cem_rows() + cem_rows(answers={"VR01": "3"})),
        ("C07", "bsn", cem_rows() + cem_rows(answers={"VR02": "3"}, bsn=BSNS[1])),
        ("C07", "datum_meting", cem_rows() + cem_rows(answers={"VR02": "3"}, when="02-06-2026")),
        ("C07", "informant", cem_rows() + cem_rows(answers={"VR02": "3"}, informant="Vader")),
        ("C07", "vragenlijst", cem_rows() + cem_rows(answers={"VR02": "3"}, vragenlijst="CEM+_2018_JE_v1")),
        ("C08", "zorgaanbieder_id", cem_rows(provider="1234567")),
        ("C11", "zorgaanbieder_id", cem_rows(provider="94000002")),
        ("C12", "informant", cem_rows(informant="Moeder 612345678")),
        ("C12", "informant", cem_rows(informant="")),
        ("C12", "informant", cem_rows(informant="De moeder van het kind dat zo heet")),
    ],
)
def test_each_error_refuses_its_meting_and_no_other(code: str, veld: str, rows: list[tuple[str, ...]]) -> None:
    records = read(rows, cem_rows("9-9"))
    assert records[0].inhoud == Afwijzing(code, veld)
    assert records[0].regels == len(rows)
    assert records[0].bsn is None
    assert codes(records)[1] == ""


def test_a_row_without_meting_id_stands_alone() -> None:
    records = read(cem_rows(""), cem_rows("1-1"), cem_rows("x" * 65)[:1])
    assert sorted(codes(records)) == ["", "C09", "C09", "C09", "C09"]


def test_a_row_of_another_width_spoils_its_meting() -> None:
    rows = cem_rows()
    records = read([rows[0], rows[1][:-1], rows[2]], cem_rows("1-2"))
    assert codes(records) == ["C10", ""]
    assert records[0].regels == 3
    assert codes(read([rows[1][:-1]], cem_rows("1-2"))) == ["C10", ""]


def test_a_scattered_meting_is_refused_in_all_its_parts() -> None:
    rows = cem_rows("1-1")
    others = [cem_rows(f"2-{n}", answers={"VR01": "1"}) for n in range(OPEN)]
    data = table(CEM_HEADER, [*rows[:1], *(row for other in others for row in other), *rows[1:]])
    context = FileContext("x", AGB, NOW, rows=200)
    first = list(metingen(io.BytesIO(data), context))
    context.tally = Tally()
    second = list(metingen(io.BytesIO(data), context))
    assert [(r.regel, r.regels) for r in first] == [(r.regel, r.regels) for r in second]
    assert sorted((r.regel, r.inhoud.code) for r in second if isinstance(r.inhoud, Afwijzing)) == [
        (2, "C07"),
        (67, "C07"),
    ]
    assert len(second) == OPEN + 2


def test_lines_are_counted_as_in_the_feedback() -> None:
    data = table(CEM_HEADER, cem_rows("1-1") + cem_rows("1-2") + [("a", "b")]) + b"\r\n"
    context = FileContext("x", AGB, NOW)
    list(metingen(io.BytesIO(data), context))
    count = context.tally
    assert (count.total, count.empty, count.header, count.data, count.wrong) == (9, 1, 1, 7, 1)


def test_an_unfinished_last_answer_is_not_trusted() -> None:
    ten = table(CEM_HEADER, cem_rows(answers={"VR09A": "10"})).rstrip()
    assert codes(parse("cem", ten)) == [""]
    assert refusal("cem", ten[:-1]).code == "B03"  # a 1 that may have been a 10
    assert codes(parse("cem", table(CEM_HEADER, cem_rows(answers={"VR01": "1"})).rstrip())) == [""]


def test_a_file_cut_anywhere_gives_an_answer() -> None:
    whole = table(CEM_HEADER, cem_rows())
    for cut in range(len(whole)):
        code, records = attempt("cem", whole[:cut])
        assert code in {"B01", "B03", "B06"} or codes(records) == [""]


def test_damaged_bytes_give_an_answer_and_never_a_bsn() -> None:
    whole = table(CEM_HEADER, cem_rows() + cem_rows("1-2"))
    for data in damaged(whole, random.Random(5), 1500):
        attempt("cem", data)


ANSWERS = st.dictionaries(st.sampled_from(sorted(QUESTIONS)), st.integers(1, 4), min_size=1)
DAYS = st.integers(0, 20_600)
METINGEN = st.lists(
    st.tuples(
        st.text("abc0123456789-", min_size=1, max_size=12),
        st.sampled_from(BSNS),
        DAYS,
        st.sampled_from(["Moeder", "Vader", "Één van beide ouders", "Ouder, verzorger"]),
        st.sampled_from(sorted(VRAGENLIJSTEN)),
        ANSWERS,
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda t: t[0],
)


@settings(max_examples=100, deadline=None)
@given(METINGEN, st.sampled_from([";", ",", "\t"]), st.sampled_from(["utf-8-sig", "cp1252"]))
def test_metingen_survive_writing_and_reading(
    facts: list[tuple[str, str, int, str, str, dict[str, int]]], sep: str, encoding: str
) -> None:
    rows = [
        row
        for meting, bsn, day, informant, questionnaire, answers in facts
        for row in cem_rows(meting, {q: str(a) for q, a in answers.items()}, bsn=bsn, informant=informant,
                            vragenlijst=questionnaire, when=as_date(day).strftime("%d-%m-%Y"))
    ]  # fmt: skip
    records = parse("cem", table(CEM_HEADER, rows, sep, encoding), encoding)
    assert [(r.bsn, r.inhoud) for r in sorted(records, key=lambda r: r.regel)] == [
        (
            bsn,
            Meting(
                meting=meting.encode(),
                vragenlijst=questionnaire,
                informant=informant,
                datum=day,
                antwoorden=answers,
                tijd=NOW,
            ),
        )
        for meting, bsn, day, informant, questionnaire, answers in facts
    ]
