"""RAP scores: separators, encodings, every row error with its code, and what damage does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.model import Afwijzing
from connectors.formats.rap import TYPES, proposal
from domain.facts.fact import Score
from tests.build import score
from tests.connectors.support import BSN, BSNS, NOW, RAP_HEADER, attempt, damaged, parse, refusal, table

GOOD = (BSN, "", "4711", "D1O", "2")


def row(**changed: str) -> tuple[str, ...]:
    """One row; every cell can be changed."""
    v = dict(zip(("bsn", "beschikking", "toewijzing", "type", "waarde"), GOOD, strict=True)) | changed
    return tuple(v.values())


def outcome(*rows: tuple[str, ...]) -> list[Score | Afwijzing]:
    return [r.inhoud for r in parse("score", table(RAP_HEADER, list(rows)))]  # type: ignore[misc]


def test_a_row_becomes_a_score() -> None:
    (record,) = parse(
        "score", table(RAP_HEADER, [row(beschikking="012345678", toewijzing="0004711", type="D10C", waarde="x")])
    )
    assert (record.regel, record.regels, record.bsn) == (2, 1, BSN)
    assert record.inhoud == score(b"4711", b"012345678", doel=10, beoordelaar="C", waarde=None, tijd=NOW)


@pytest.mark.parametrize("quote_all", [False, True])
@pytest.mark.parametrize("eol", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("sep", [";", ",", "\t"])
def test_separators_encodings_line_ends_and_quotes(sep: str, encoding: str, eol: str, quote_all: bool) -> None:
    data = table(
        RAP_HEADER,
        [row(), row(beschikking="é-12"), row(type="PB", waarde="3")],
        sep,
        encoding,
        eol,
        quote_all=quote_all,
    )
    read = [r.inhoud for r in parse("score", data, "cp1252" if encoding == "cp1252" else "utf-8-sig")]
    assert read[0] == score(b"4711", None, doel=1, beoordelaar="O", waarde=2, tijd=NOW)
    assert isinstance(read[1], Afwijzing)  # the same score again: the toewijzingsnummer is its key
    assert read[1].code == "R06"
    assert read[2] == score(b"4711", None, doel=0, beoordelaar="B", waarde=3, tijd=NOW)


@pytest.mark.parametrize(
    "header",
    [
        ("bsn", "BESCHIKKINGSNUMMER", "ToewijzingNummer", "type", "WAARDE"),
        ("BSN", "Beschikingsnummer", "Toewijzingsnummer", "Type", "Waarde", ""),
    ],
)
def test_spellings_of_the_header(header: tuple[str, ...]) -> None:
    rows = [(*row(), "")[: len(header)]]
    assert [r.inhoud for r in parse("score", table(header, rows))] == outcome(row())


def test_any_order_of_columns_and_unknown_columns() -> None:
    data = table(("Waarde", "Naam", "Type", "Toewijzingsnummer", "BSN"), [("2", "Test", "D1O", "4711", BSN)])
    (record,) = parse("score", data)
    assert record.inhoud == score(b"4711", None, doel=1, beoordelaar="O", waarde=2, tijd=NOW)
    assert "Test" not in record.cells


def test_a_separator_hint_and_blank_lines_are_passed_over() -> None:
    lines = table(RAP_HEADER, [row(), row(type="D2O")]).decode().split("\r\n")
    data = "\r\n".join(["sep=;", "", *lines[:2], ";;;;", *lines[2:]]).encode()
    assert [r.regel for r in parse("score", data)] == [4, 6]


@pytest.mark.parametrize(
    ("code", "veld", "changed"),
    [
        ("R01", "BSN", {"bsn": "999900007"}),
        ("R01", "BSN", {"bsn": "99990006"}),
        ("R01", "BSN", {"bsn": "000000000"}),
        ("R01", "BSN", {"bsn": ""}),
        ("R01", "BSN", {"bsn": "٩٩٩٩٠٠٠٠٦"}),
        ("R02", "Toewijzingsnummer", {"toewijzing": ""}),
        ("R03", "Toewijzingsnummer", {"toewijzing": "47a11"}),
        ("R03", "Toewijzingsnummer", {"toewijzing": "1234567890"}),
        ("R03", "Toewijzingsnummer", {"toewijzing": "²"}),
        ("R08", "Beschikkingsnummer", {"beschikking": "9" * 51}),
        ("R04", "Type", {"type": "D10"}),
        ("R04", "Type", {"type": "D0O"}),
        ("R04", "Type", {"type": "D11O"}),
        ("R04", "Type", {"type": "D1B"}),
        ("R04", "Type", {"type": ""}),
        ("R05", "Waarde", {"waarde": "3"}),
        ("R05", "Waarde", {"waarde": "-2"}),
        ("R05", "Waarde", {"waarde": "1,0"}),
        ("R05", "Waarde", {"waarde": ""}),
        ("R05", "Waarde", {"type": "PB", "waarde": "0"}),
        ("R05", "Waarde", {"type": "PC", "waarde": "-1"}),
    ],
)
def test_each_row_error_has_its_code(code: str, veld: str, changed: dict[str, str]) -> None:
    assert outcome(row(**changed), row()) == [
        Afwijzing(code, veld),
        score(b"4711", None, doel=1, beoordelaar="O", waarde=2, tijd=NOW),
    ]


def test_rows_of_another_width() -> None:
    data = table(RAP_HEADER, [row()[:4], (*row(), "x"), (*row(), "", "")])
    assert [getattr(r.inhoud, "code", "") for r in parse("score", data)] == ["R07", "R07", ""]


def test_a_stray_quote_spoils_one_row_only() -> None:
    data = table(RAP_HEADER, [row(), row(type="D2O"), row(type="D3O")]).replace(b"D2O", b'"D2O')
    assert [getattr(r.inhoud, "code", "") for r in parse("score", data)] == ["", "R07", ""]
    data = data.replace(f'{BSN};;4711;"D2O'.encode(), f'"{BSN};;4711;D2O'.encode())
    assert [getattr(r.inhoud, "code", "") for r in parse("score", data)] == ["", "R07", ""]


def test_the_same_score_twice_is_refused_once() -> None:
    same = [row(), row(toewijzing="04711", waarde="1"), row(bsn=BSNS[1]), row(type="D1C"), row(toewijzing="4712")]
    assert [getattr(c, "code", "") for c in outcome(*same)] == ["", "R06", "", "", ""]


def test_a_header_without_a_column_refuses_the_file() -> None:
    fault = refusal("score", table(RAP_HEADER[:-1], [row()[:-1]]))
    assert (fault.code, fault.veld) == ("B06", "Waarde")
    assert refusal("score", table(("BSN", "BSN", *RAP_HEADER[1:]), [(BSN, *row())])).code == "B06"
    assert refusal("score", table(RAP_HEADER, [])).code == "B01"


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("D10", "Bedoelt u D1O of D10O/D10C?"),
        ("d20", "Bedoelt u D2O?"),
        ("D3", "Bedoelt u D3O of D3C?"),
        ("D99", ""),
        ("GAS", ""),
    ],
)
def test_a_bare_goal_gets_a_proposal(typed: str, suggested: str) -> None:
    assert proposal(typed) == suggested


def test_a_file_cut_anywhere_is_never_half_counted() -> None:
    rows = [row(), row(type="PB", waarde="3"), row(waarde="-1", type="D2C")]
    whole = table(RAP_HEADER, rows)
    accepted = {
        bytes(c.toewijzing or b"") + bytes([c.doel, (c.waarde or 0) + 5])
        for c in outcome(*rows)
        if isinstance(c, Score)
    }
    for cut in range(len(whole)):
        code, records = attempt("score", whole[:cut])
        assert code in {"", "B01", "B03", "B06"}
        for record in records:
            c = record.inhoud
            assert isinstance(c, Score), whole[:cut]
            assert bytes(c.toewijzing or b"") + bytes([c.doel, (c.waarde or 0) + 5]) in accepted


def test_a_number_at_the_end_of_an_unfinished_file_is_not_trusted() -> None:
    data = table(("BSN", "Type", "Waarde", "Toewijzingsnummer"), [(BSN, "D1O", "2", "4711")])
    assert len(parse("score", data)) == 1
    assert refusal("score", data.rstrip()).code == "B03"
    assert len(parse("score", table(RAP_HEADER, [row()]).rstrip())) == 1  # a value cannot become another one


def test_damaged_bytes_give_an_answer_and_never_a_bsn() -> None:
    whole = table(RAP_HEADER, [row(), row(type="PB", waarde="3")])
    for data in damaged(whole, random.Random(3), 1500):
        attempt("score", data)


NUMBERS = st.one_of(st.none(), st.integers(0, 999_999_999))
DECISIONS = st.one_of(st.none(), st.text("abcXYZ0123456789-é\";,'", min_size=1, max_size=20))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(BSNS), NUMBERS, DECISIONS, st.sampled_from(sorted(TYPES)), st.sampled_from("12x")),
        min_size=1,
        max_size=20,
        unique_by=lambda t: (t[0], t[1] if t[1] is not None else t[2], t[3]),
    ).map(lambda rows: [r for r in rows if r[1] is not None or r[2] is not None]),
    st.sampled_from([";", ",", "\t"]),
    st.sampled_from(["utf-8-sig", "cp1252"]),
)
def test_scores_survive_writing_and_reading(
    rows: list[tuple[str, int | None, str | None, str, str]], sep: str, cod: str
) -> None:
    if not rows:
        return
    text = [(bsn, dec or "", "" if num is None else str(num), kind, value) for bsn, num, dec, kind, value in rows]
    read = parse("score", table(RAP_HEADER, text, sep, cod), cod)
    assert [(r.bsn, r.inhoud) for r in read] == [
        (bsn, score(None if num is None else str(num).encode(), dec.encode() if dec else None, doel=TYPES[kind][0],
                    beoordelaar=TYPES[kind][1], waarde=None if value == "x" else int(value), tijd=NOW))
        for bsn, num, dec, kind, value in rows
    ]  # fmt: skip
