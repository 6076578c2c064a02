"""JW305, JW307 and JW323: what is read, every rule inside one message with its code, and what damage does."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as replaced

from connectors.formats.ijw.reader import leeftijd
from domain.facts.fact import Fact, Prestatie, Start, Stop
from domain.field import codes
from domain.field.dates import as_date, day
from tests.connectors.support import (
    AGB,
    BSN,
    BSNS,
    Declaratie,
    Regie,
    attempt,
    damaged,
    iso,
    parse,
    prestatie,
    product,
    refusal,
)

DAGTEKENING = day(date(2026, 6, 20))


def only(kind: str, data: bytes, **more: Any) -> Fact:
    """The one fact of a message."""
    (record,) = parse(kind, data, **more)
    assert record.bsn == BSN
    return record.inhoud  # type: ignore[return-value]


def test_a_start_becomes_a_fact_without_name_or_birth_date() -> None:
    fact = only("start", Regie(products=[product(toewijzingnummer="000004711")]).bytes())
    begin, first_day = day(date(2026, 1, 5)), day(date(2026, 1, 1))
    assert fact == Start(
        gemeente="0363",
        toewijzing=b"4711",
        categorie="45",
        code="45A99",
        begindatum=begin,
        status=1,
        dagtekening=DAGTEKENING,
        bericht=b"000000001",
        ingangsdatum=first_day,
        leeftijd=14,
        leeftijd_benaderd=False,
        geslacht="2",
    )  # leading zeros carry no meaning; 14 completed years on the first day


def test_a_stop_carries_its_reason_and_the_age_at_its_end() -> None:
    fact = only("stop", Regie(ending=True, born="2011-02-15").bytes())
    assert isinstance(fact, Stop)
    assert (fact.reden_beeindiging, fact.einddatum, fact.leeftijd) == ("31", day(date(2026, 3, 1)), 15)


def test_a_declared_line_becomes_a_fact() -> None:
    fact = only(
        "declaration", Declaratie([prestatie(previous="R0", dc="C", tarief=None, eenheid="83", bedrag=10)]).bytes()
    )
    assert fact == Prestatie(
        gemeente="0363", toewijzing=b"4711", categorie="45", code="45A99", referentie=b"R1", vorige_referentie=b"R0",
        debet_credit="C", begindatum=day(date(2026, 5, 1)), einddatum=day(date(2026, 5, 31)), volume=10, eenheid="83",
        bedrag=10, dagtekening=DAGTEKENING, bericht=b"000000001", declaratienummer=b"D1",
    )  # fmt: skip


def test_optional_elements_may_be_left_out() -> None:
    bare = product(toewijzingnummer=None, categorie=None, ingangsdatum=None)
    fact = only("start", Regie(products=[bare]).bytes())
    assert isinstance(fact, Start)
    assert (fact.toewijzing, fact.categorie, fact.code, fact.ingangsdatum) == (None, "", "", None)


@pytest.mark.parametrize(
    "lenient",
    [
        Regie(eol="\n").bytes(),
        b"\xef\xbb\xbf" + Regie().bytes(),
        Regie(header={"basis": "0.1.0", "bericht": "12.34.5"}).bytes(),
        Regie().bytes().replace(b"<m:Client>", b"<!-- opmerking --><m:Client>"),
        Regie().bytes().replace(b"xmlns:m", b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
                                          b'xsi:schemaLocation="a b" xmlns:m'),
        Regie().bytes().replace(b"m:", b"x:").replace(b"xmlns:m", b"xmlns:x"),
    ],
    ids=["LF", "BOM", "XSD version", "comment", "schemaLocation", "prefix"],
)  # fmt: skip
def test_what_senders_do_differently_is_read(lenient: bytes) -> None:
    assert only("start", lenient) == only("start", Regie().bytes())


S, P, K = product, prestatie, dict[str, Any]
TWO = [prestatie(), prestatie(ref="R2")]


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("CS002", "start", Regie(bsn="999900007")),
        ("CS002", "start", Regie(bsn="000000000")),
        ("CS002", "stop", Regie(True, bsn="999999999")),
        ("CS002", "declaration", Declaratie([P(bsn="999900007")])),
        ("CS058", "start", Regie(products=[S(status="2")])),
        ("CS058", "stop", Regie(True, products=[S(True, status="9")])),
        ("CS139", "start", Regie(born="2011-05-02", usage="1")),
        ("CS139", "start", Regie(born="2011-02-01", usage="2")),
        ("CS139", "start", Regie(born="1900-01-02", usage="3")),
        ("TR002", "start", Regie(born="1906-06-19")),
        ("TR018", "stop", Regie(True, products=[S(True, begin="2026-03-02", end="2026-03-01")])),
        ("TR101", "start", Regie(products=[S(), S(status="3")])),
        ("TR101", "stop", Regie(True, products=[S(True), S(True, end="2026-03-02")])),
        ("TR101", "declaration", Declaratie([P(), P(toewijzingnummer=4712)])),
        ("TR134", "start", Regie(products=[S(begin="2026-06-21")])),
        ("TR134", "start", Regie(products=[S(begin="2026-02-30")])),
        ("TR134", "start", Regie(products=[S(begin="0001-01-01")])),
        ("TR134", "start", Regie(born="2026-06-21")),
        ("TR134", "stop", Regie(True, products=[S(True, end="2026-06-21")])),
        ("TR135", "start", Regie(header=K(dagtekening="2026-06-23"))),
        ("TR135", "declaration", Declaratie(header=K(dagtekening="2026-06-23"))),
        ("CS025", "start", Regie(header=K(version=2))),
        ("CS015", "declaration", Declaratie(header=K(subversie=1))),
        ("TR137", "declaration", Declaratie([P(begin="2026-05-31", end="2026-05-30")])),
        ("TR137", "declaration", Declaratie([P(begin="2026-06-01", end="2026-06-21")])),
        ("CS340", "declaration", Declaratie(periode=("2026-05-01", "2026-05-30"))),
        ("CS340", "declaration", Declaratie(periode=("2026-05-02", "2026-05-31"))),
        ("CS340", "declaration", Declaratie(periode=("2026-04-01", "2026-05-31"))),
        ("CS100", "declaration", Declaratie(periode=("2020-12-01", "2020-12-31"))),
        ("CS337", "declaration", Declaratie([P(begin="2026-04-30", end="2026-05-01")])),
        ("CD060", "declaration", Declaratie([P(previous="R0")])),
        ("CD060", "declaration", Declaratie([P(dc="C")])),
        ("CD087", "declaration", Declaratie([P(tarief=None)])),
        ("CD087", "declaration", Declaratie([P(eenheid="83", bedrag=10)])),
        ("CS339", "declaration", Declaratie([P(eenheid="83", tarief=None, bedrag=11)])),
        ("CS325", "declaration", Declaratie([P(bedrag=0)], dc="C")),
        ("TR358", "declaration", Declaratie(total=999)),
        ("TR358", "declaration", Declaratie(dc="C")),
        ("TR315", "declaration", Declaratie([P(dc="C", previous="R0"), P(ref="R2", dc="C", previous="R0")])),
        ("TR316", "declaration", Declaratie([P(), P(ref="R2", dc="C", previous="R1")])),
        ("TR316", "declaration", Declaratie([P(ref="R2", dc="C", previous="R1"), P()])),
        ("TR335", "declaration", Declaratie([P(begin="2021-06-01", end="2021-06-18")])),
        ("TR416", "declaration", Declaratie(TWO)),
        ("JZ588", "stop", Regie(True, products=[S(True, reden="19")])),
        ("JZ588", "stop", Regie(True, products=[S(True, reden="21", status="3")])),
        ("JZ020", "start", Regie(products=[S(categorie="39")])),
        ("JZ020", "declaration", Declaratie([P(categorie="39")])),
        ("B09", "start", Regie(header=K(afzender="94000002"))),
    ],
)  # fmt: skip
def test_each_rule_inside_a_message_refuses_it(code: str, kind: str, message: Any) -> None:
    fault = refusal(kind, message.bytes())
    assert fault.code == code
    assert [found.code for found in fault.found] == [code]


def test_all_findings_are_shown_and_the_first_one_counts() -> None:
    stop = S(True, begin="2026-03-02", end="2026-03-01", reden="19", categorie="39")
    fault = refusal("stop", Regie(True, bsn="999900007", products=[stop]).bytes())
    assert fault.code == "CS002"
    assert [found.code for found in fault.found] == ["CS002", "JZ020", "JZ588", "TR018"]


def test_a_removal_is_checked_on_its_key_alone() -> None:
    future = S(True, begin="2027-01-02", end="2027-01-01", status="3")
    fact = only("stop", Regie(True, products=[future]).bytes())
    assert isinstance(fact, Stop)
    assert fact.status == 3


def test_a_correction_in_one_message_is_read() -> None:
    message = Regie(True, products=[S(True, status="3"), S(True, reden="34")])
    assert [r.inhoud.status for r in parse("stop", message.bytes())] == [3, 1]  # type: ignore[union-attr]


def test_a_debit_may_follow_a_credit_of_an_earlier_message() -> None:
    lines = [P(ref="R2", dc="C", previous="R1"), P(ref="R3", volume=11, bedrag=1100)]
    assert len(parse("declaration", Declaratie(lines).bytes())) == 2


@pytest.mark.parametrize(
    ("element", "change"),
    [
        ("Bericht", lambda x: x.replace(b"jw305/schema", b"jw305/schema2")),
        ("Datum", lambda x: x.replace(b"b:Datum>", b"m:Datum>")),
        ("Code", lambda x: x.replace(b"<b:Code>45A99</b:Code>", b"<b:Code></b:Code>")),
        ("Code", lambda x: x.replace(b"45A99", b"45A999")),
        ("Geslacht", lambda x: x.replace(b"<m:Geslacht>2</m:Geslacht>", b"")),
        ("Geslacht", lambda x: x.replace(b"<m:Geslacht>2", b"<m:Geslacht>9")),
        ("Geslacht", lambda x: x.replace(b"<m:Geslacht>", b'<m:Geslacht a="1">')),
        ("Naam", lambda x: x.replace(b"</m:Geslacht>", b"</m:Geslacht><m:Geslacht>2</m:Geslacht>")),
        ("Bsn", lambda x: x.replace(b"<m:Bsn>9", b"<m:Bsn> 9")),
        ("Bsn", lambda x: x.replace(BSN.encode(), b"99990000")),
        ("Geslacht", lambda x: x.replace(b"<m:Geslacht>", b"<m:Adres>x</m:Adres><m:Geslacht>")),
        ("StartProducten", lambda x: x.replace(b"<m:StartProducten>", b"<m:StartProducten>tekst")),
        ("Begindatum", lambda x: x.replace(b"<m:Begindatum>2026-01-05", b"<m:Begindatum>2026-01-05Z")),
        ("StatusAanlevering", lambda x: x.replace(b"<m:StatusAanlevering>1", b"<m:StatusAanlevering>4")),
        ("BerichtCode", lambda x: x.replace(b">438<", b">440<")),
        ("Afzender", lambda x: x.replace(AGB.encode(), b"0363")),
        ("Identificatie", lambda x: x.replace(b"000000001", b"   ")),
        ("BasisschemaXsdVersie", lambda x: x.replace(b"1.0.0", b"1.0", 1)),
        ("Achternaam", lambda x: x.replace(b"Test", b"T" * 201)),
        ("Achternaam", lambda x: x.replace(b"Test", b"T" * 2_000_000)),
        ("Geslachtsnaam", lambda x: x.replace(b"<b:Geslachtsnaam>", b"<b:Voornamen>A</b:Voornamen><b:Geslachtsnaam>")),
        ("ToewijzingNummer", lambda x: x.replace(b">4711<", b">1000000000<")),
        ("ToewijzingNummer", lambda x: x.replace(b">4711<", b">-1<")),
    ],
)  # fmt: skip
def test_another_structure_is_refused_at_level_1(element: str, change: Any) -> None:
    message = Regie().bytes()
    changed = change(message)
    assert changed != message
    fault = refusal("start", changed)
    assert (fault.code, fault.veld) == ("XSD", element)


def test_a_mixed_up_document_is_refused() -> None:
    assert refusal("start", Regie().bytes().replace(b"</m:Geslacht>", b"</m:Gesl>")).code == "B25"
    assert refusal("start", Regie().bytes() + b"<m:nog/>").code == "B25"
    assert refusal("stop", Regie().bytes()).code == "XSD"


BOMB = b"".join(
    [
        b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a0 "lol">',
        *(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)),
        b"]><x>&a9;</x>",
    ]
)


@pytest.mark.parametrize(
    "evil",
    [
        BOMB,
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><x>&f;</x>',
        b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><x/>',
        Regie().bytes().replace(b"<m:Bericht ", b"<!DOCTYPE Bericht><m:Bericht "),
        b" " * 65_530 + b"<!DOCTYPE x><x/>",
    ],
    ids=["billion laughs", "external DTD", "external entity", "parameter entity", "bare", "across two reads"],
)
def test_a_document_type_is_refused_unread(evil: bytes) -> None:
    fault = refusal("start", evil)
    assert (fault.code, fault.veld) == ("XSD", "DOCTYPE")


def test_undeclared_entities_depth_and_other_encodings_are_refused() -> None:
    assert refusal("start", Regie().bytes().replace(b"Test", b"&x;")).code == "B25"
    assert refusal("start", b"<a>" * 100_000).code == "XSD"
    assert refusal("start", Regie().bytes().replace(b"Test", b"T\xe9st")).code == "B04"
    assert refusal("start", Regie().bytes().decode().encode("utf-16")).code == "B04"


@pytest.mark.parametrize(
    ("kind", "whole"),
    [("start", Regie().bytes()), ("stop", Regie(True).bytes()), ("declaration", Declaratie().bytes())],
)
def test_a_message_cut_anywhere_is_half(kind: str, whole: bytes) -> None:
    end = whole.rindex(b">") + 1
    for cut in range(end):
        fault = refusal(kind, whole[:cut])
        assert fault.code == "B03", whole[:cut][-20:]
        assert BSN not in str(fault)
    assert parse(kind, whole[:end]) == parse(kind, whole)


@pytest.mark.parametrize("kind", ["start", "stop", "declaration"])
def test_a_damaged_byte_gives_an_answer_and_never_a_bsn(kind: str) -> None:
    whole = {"start": Regie(), "stop": Regie(True), "declaration": Declaratie()}[kind].bytes()
    for data in damaged(whole, random.Random(7), 1500):
        attempt(kind, data)


def test_names_and_bsn_show_in_no_record_text() -> None:
    (record,) = parse("start", Regie().bytes())
    assert BSN not in repr(record)
    assert "Test" not in f"{record!r}{record.inhoud!r}"


@pytest.mark.parametrize(
    ("born", "use", "on", "years", "rough"),
    [
        ("2010-06-15", None, "2026-06-14", 15, False),
        ("2010-06-15", None, "2026-06-15", 16, False),
        ("2008-02-29", None, "2026-02-28", 17, False),
        ("2010-06-01", "1", "2026-06-01", 16, True),
        ("2010-01-01", "2", "2026-12-31", 16, True),
        ("1900-01-01", "3", "2026-12-31", None, False),
        ("2026-05-01", None, "2026-04-01", 0, False),
    ],
)
def test_age_comes_from_the_known_part_of_a_birth_date(
    born: str, use: str | None, on: str, years: int | None, rough: bool
) -> None:
    days = [day(date.fromisoformat(text)) for text in (born, on)]
    assert leeftijd(days[0], use, days[1]) == (years, rough)


LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 &<>'\"é-", min_size=1, max_size=12).filter(str.strip)
DAYS = st.integers(day(date(2021, 6, 21)), DAGTEKENING)


@st.composite
def start(draw: st.DrawFn) -> Start:
    """A start that may stand in the test message; age as of its birth date in the test."""
    begin = draw(DAYS)
    category = draw(st.sampled_from(["", *codes.PRODUCTCATEGORIEEN]))
    code = draw(st.one_of(st.just(""), LETTERS.map(lambda t: t[:5]).filter(str.strip))) if category else ""
    number = draw(st.one_of(st.none(), st.integers(0, 999_999_999).map(lambda n: str(n).encode())))
    entry = draw(st.one_of(st.none(), DAYS))
    status = draw(st.sampled_from([1, 3]))
    return Start(
        gemeente="0363", toewijzing=number, categorie=category, code=code, begindatum=begin, status=status,
        dagtekening=DAGTEKENING, bericht=b"", ingangsdatum=entry, leeftijd=0, leeftijd_benaderd=False, geslacht="1",
    )  # fmt: skip


def write_product(fact: Start, ending: bool = False, **more: Any) -> Any:
    """The element of a fact."""
    return product(
        ending,
        toewijzingnummer=None if fact.toewijzing is None else fact.toewijzing.decode().zfill(9),
        categorie=fact.categorie or None,
        code=fact.code or None,
        ingangsdatum=None if fact.ingangsdatum is None else iso(fact.ingangsdatum),
        begin=iso(fact.begindatum),
        status=str(fact.status),
        **more,
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(start(), min_size=1, max_size=5, unique_by=lambda f: (f.toewijzing, f.categorie, f.code, f.begindatum)),
    st.sampled_from(BSNS),
    LETTERS,
)
def test_starts_survive_writing_and_reading(facts: list[Start], bsn: str, identification: str) -> None:
    products = [write_product(f) for f in facts]
    message = Regie(bsn=bsn, born="2021-06-01", geslacht="1", products=products, header={"id": identification})
    born = date(2021, 6, 1)
    expected = []
    for n, fact in enumerate(facts, 1):
        on = as_date(fact.begindatum)
        years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        expected.append((n, bsn, replaced(fact, bericht=identification.encode(), leeftijd=years)))
    assert [(r.regel, r.bsn, r.inhoud) for r in parse("start", message.bytes())] == expected


@settings(max_examples=100, deadline=None)
@given(start(), DAYS, st.sampled_from(list(codes.REDENEN)))
def test_stops_survive_writing_and_reading(fact: Start, end: int, reason: str) -> None:
    fact = replaced(fact, begindatum=min(fact.begindatum, end))
    message = Regie(True, products=[write_product(fact, True, reden=reason, end=iso(end))])
    read = only("stop", message.bytes())
    assert isinstance(read, Stop)
    assert (read.reden_beeindiging, read.einddatum, read.status) == (reason, end, fact.status)
    assert (read.toewijzing, read.categorie, read.code, read.begindatum, read.ingangsdatum) == (
        fact.toewijzing, fact.categorie, fact.code, fact.begindatum, fact.ingangsdatum,
    )  # fmt: skip


@st.composite
def declared(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Lines of one declaration that break no rule."""
    references = draw(st.lists(LETTERS, min_size=1, max_size=8, unique=True))
    lines = []
    for n, reference in enumerate(references):
        euros, credit = draw(st.booleans()), draw(st.booleans())
        volume = draw(st.integers(0, 99_999_999))
        first = draw(st.integers(1, 31))
        lines.append(
            prestatie(
                bsn=draw(st.sampled_from(BSNS[:3])),
                ref=reference,
                previous=f"zzz{n}" if credit else None,
                dc="C" if credit else "D",
                toewijzingnummer=n,
                begin=f"2026-05-{first:02d}",
                eenheid="83" if euros else "16",
                tarief=None if euros else 5,
                volume=volume,
                bedrag=volume if euros else draw(st.integers(0, 99_999_999)),
            )
        )
    return lines


@settings(max_examples=100, deadline=None)
@given(declared())
def test_declarations_survive_writing_and_reading(lines: list[dict[str, Any]]) -> None:
    records = parse("declaration", Declaratie(lines).bytes())
    read = {
        (r.bsn, f.referentie.decode(), f.vorige_referentie and f.vorige_referentie.decode(), f.debet_credit,
         f.toewijzing.decode(), iso(f.begindatum), f.eenheid, f.volume, f.bedrag)
        for r in records if isinstance(f := r.inhoud, Prestatie)
    }  # fmt: skip
    assert read == {
        (
            x["bsn"],
            x["ref"],
            x["previous"],
            x["dc"],
            str(x["toewijzingnummer"]),
            x["begin"],
            x["eenheid"],
            x["volume"],
            x["bedrag"],
        )
        for x in lines
    }
    assert [r.regel for r in records] == list(range(1, len(lines) + 1))
