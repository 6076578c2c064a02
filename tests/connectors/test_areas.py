"""Postcode areas: the table of a region, the address that counts, and that the digits never leave the connector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.delivery.connector import Connector
from connectors.formats.areas import AreasError, areas_of, read
from connectors.formats.ijw import address
from connectors.formats.ijw.xml_stream import Looked
from connectors.formats.model import Choices
from crypto.seal import Sealer
from domain.facts.checks import check
from domain.facts.fact import CbsRecord, Toewijzing
from domain.field.dates import iso_day
from tests.connectors.support import (
    BSN,
    CBS_HEADER,
    ThirdParty,
    Toewijzingen,
    assigned,
    cbs_choices,
    cbs_row,
    make_keys,
    parse,
    parse_twice,
    table,
)
from transport.clients import Cluster

TABLE = b'[gebieden]\n"Waterwijk" = ["1311-1313", "1315"]\n"Haven" = ["1361", "1363"]\n'
AREAS = areas_of(TABLE)
DAY = iso_day("2026-06-20")


@pytest.mark.parametrize(
    ("postcode", "area"),
    [
        ("1315AB", "Waterwijk"),
        (" 1313 ab ", "Waterwijk"),
        ("1311ZZ", "Waterwijk"),
        ("1314AB", ""),
        ("1363AB", "Haven"),
        ("1315", ""),
        ("0034", ""),
        ("13150AB", ""),
        ("", ""),
    ],
)
def test_a_postcode_lies_in_one_area_or_none(postcode: str, area: str) -> None:
    assert AREAS.of(postcode) == area


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[gebieden", "is niet goed: "),
        (b"\xff", "is niet goed: "),
        (b"[gebieden]", "onder [gebieden] staat geen gebied"),
        (b"[areas]", "is niet goed: "),
        (b'[gebieden]\n"1315" = ["1311-1315"]', '"1315" is geen naam van een gebied'),
        (b'[gebieden]\n"Wijk 3" = ["1311-1315"]', '"Wijk 3" is geen naam van een gebied'),
        (b'[gebieden]\n"Haven" = ["1311"]', '"Haven" heeft minder dan twee postcodes'),
        (b'[gebieden]\n"Haven" = ["1311", "1311"]', '"Haven" heeft minder dan twee postcodes'),
        (b'[gebieden]\n"A" = ["1311-1312"]\n"B" = ["1312-1313"]', 'postcode 1312 staat bij "A" en bij "B"'),
        (b'[gebieden]\n"A" = ["1311-1310"]', '"1311-1310" bij "A" is geen reeks'),
        (b'[gebieden]\n"A" = ["1311AB"]', '"1311AB" bij "A" is geen reeks'),
        (b"#" * 1_000_001, "het bestand is te groot"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(content: bytes, sentence: str) -> None:
    with pytest.raises(AreasError) as told:
        areas_of(content, "wijken.toml")
    assert "wijken.toml" in str(told.value)
    assert sentence in str(told.value)


def test_a_table_that_is_not_there_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(AreasError, match="SOR_POSTCODEGEBIEDEN"):
        read(tmp_path / "nergens.toml")
    (tmp_path / "wijken.toml").write_bytes(TABLE)
    assert read(tmp_path / "wijken.toml") == AREAS


# --- the address that counts ----------------------------------------------------------------------------------------


def contact(postcode: str, kind: str = "", begin: str = "", end: str = "") -> list[Looked]:
    """One contact as it is looked at."""
    told = {"Soort": kind, "Postcode": postcode, "Begindatum": begin, "Einddatum": end}
    paths = {path[-1]: path for path in address.LOOK}
    return [*(Looked(paths[name], text) for name, text in told.items() if text), Looked(("Contact",), "")]


@pytest.mark.parametrize(
    ("contacts", "postcode"),
    [
        ([], ""),
        ([contact("")], ""),
        ([contact("1311AA")], "1311AA"),
        ([contact("1311AA", "03"), contact("1312AA", "01")], "1312AA"),
        ([contact("1311AA", "03"), contact("1312AA")], "1312AA"),
        ([contact("1311AA", "04"), contact("1312AA", "03")], "1312AA"),
        ([contact("1311AA", "02")], ""),
        ([contact("1311AA", "99")], ""),
        ([contact("1312AA", "01"), contact("1311AA", "01")], "1312AA"),
        ([contact("1311AA", "01", end="2026-06-19"), contact("1312AA", "03")], "1312AA"),
        ([contact("1311AA", "01", end="2026-06-20+02:00"), contact("1312AA", "03")], "1311AA"),
        ([contact("1311AA", "01", begin="2026-06-21"), contact("1312AA", "03")], "1312AA"),
        ([contact("1311AA", "01", begin="2026-06-20"), contact("1312AA", "03")], "1311AA"),
        ([contact("", "01"), contact("1312AA", "03")], "1312AA"),
    ],
)
def test_of_several_addresses_the_one_where_the_client_lives_counts(
    contacts: list[list[Looked]], postcode: str
) -> None:
    assert address.postcode([one for some in contacts for one in some], DAY) == postcode


# --- what goes on -----------------------------------------------------------------------------------------------------


def areas_in(message: bytes) -> list[str]:
    """The area of every assignment, each of which entry accepts."""
    facts = [record.inhoud for record in parse("assignment", message, choices=Choices(areas=AREAS))]
    assert all(isinstance(fact, Toewijzing) and check(fact) is None for fact in facts)
    return [fact.postcodegebied for fact in facts if isinstance(fact, Toewijzing)]


def test_every_assignment_of_a_message_has_the_area_of_its_client() -> None:
    message = Toewijzingen([assigned(), assigned(toewijzingnummer=4712)]).bytes()
    assert areas_in(message) == ["Waterwijk", "Waterwijk"]
    assert [r.inhoud.postcodegebied for r in parse("assignment", message)] == ["", ""]  # type: ignore[union-attr]


def test_the_address_of_a_relation_is_not_looked_at() -> None:
    whole = Toewijzingen().bytes()
    relation, own = whole.split(b"Contactgegevens>", 1)
    assert b"1315AB" in relation
    assert areas_in(relation + b"Contactgegevens>" + own.replace(b"1315AB", b"1361AB")) == ["Haven"]
    assert areas_in(relation + b"Contactgegevens>" + own.replace(b"1315AB", b"9999AB")) == [""]


@pytest.mark.parametrize("postcode", [b"", b"13", b"1315AB" * 20, b"<m:Iets>1315AB</m:Iets>"])
def test_an_address_of_another_form_has_no_area_and_refuses_nothing(postcode: bytes) -> None:
    assert areas_in(Toewijzingen().bytes().replace(b"1315AB", postcode)) == [""]


def test_a_client_without_contacts_has_no_area() -> None:
    head, _, rest = Toewijzingen().bytes().partition(b"<m:Contactgegevens>")
    assert areas_in(head + b"<m:Contactgegevens/>" + rest.partition(b"</m:Contactgegevens>")[2]) == [""]


def cbs_choice() -> Choices:
    """The choices for a CBS file with the areas."""
    given = cbs_choices()
    return Choices(layout=given.layout, periode=given.periode, areas=AREAS)


@pytest.mark.parametrize(
    ("postcode", "area"), [("1315AB", "Waterwijk"), ("1361 ab", "Haven"), ("1320AB", ""), ("0034", "")]
)
def test_a_line_of_a_cbs_file_has_its_area(postcode: str, area: str) -> None:
    data = table(CBS_HEADER, [cbs_row(postcode=postcode)])
    (record,) = parse_twice("cbs", data, choices=cbs_choice())
    assert isinstance(record.inhoud, CbsRecord)
    assert check(record.inhoud) is None
    assert record.inhoud.postcodegebied == area


def test_of_two_lines_of_one_record_the_area_goes_with_its_municipality() -> None:
    data = table(CBS_HEADER, [cbs_row(), cbs_row(postcode="1361AB", nut="9")])
    (record,) = parse_twice("cbs", data, choices=cbs_choice())
    assert (record.regels, record.inhoud.postcodegebied) == (2, "Waterwijk")  # type: ignore[union-attr]


def test_with_another_table_it_is_another_delivery() -> None:
    other = Choices(areas=areas_of(TABLE + b'"Poort" = ["1362", "1364"]\n'))
    marks = [choice.mark("assignment", dropped=False) for choice in (Choices(), Choices(areas=AREAS), other)]
    assert marks[0] == []
    assert marks[1] != marks[2]
    assert Choices(areas=AREAS).mark("start", dropped=False) == []
    assert cbs_choice().mark("cbs", dropped=False) != cbs_choices().mark("cbs", dropped=False)


@pytest.mark.parametrize("kind", ["assignment", "cbs"])
def test_the_digits_are_in_nothing_that_is_sealed_or_sent(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed: list[bytes] = []
    seal = Sealer.seal

    def listen(self: Sealer, line: int, published_at: int, content: bytes, *more: Any) -> bytes:
        sealed.append(content)
        return seal(self, line, published_at, content, *more)

    monkeypatch.setattr(Sealer, "seal", listen)
    monkeypatch.setattr("connectors.delivery.reading.SETTLED_NS", 0)
    keys = make_keys(tmp_path / "keys")
    third = ThirdParty(keys)
    data, name, sender = Toewijzingen().bytes(), "JW301.xml", ""
    choices = Choices(areas=AREAS)
    if kind == "cbs":
        row = cbs_row(bsn="999999999")  # the key without a BSN holds the postcode: it is blinded
        data, name, sender, choices = table(CBS_HEADER, [row, cbs_row()]), "cbs.csv", "94000001", cbs_choice()
    with Connector(keys, Cluster("nowhere"), publisher=third, receipts=third, choices=choices) as connector:
        connector.publish_bytes(name, data, sender=sender)
    assert third.events
    everything = [*sealed, *third.events, *(value for _, _, value in third.sent)]
    assert any(b"Waterwijk" in content for content in sealed)
    assert any(b"Waterwijk" in content for content in third.events)
    for told in (b"1315", b"15AB", BSN.encode()):
        assert not any(told in content for content in everything)
