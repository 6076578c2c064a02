"""JW301: what is read, every rule inside one message with its code, and that nothing of the person goes on."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.facts.checks import check
from domain.facts.fact import Toewijzing
from domain.field import codes
from domain.field.dates import as_date, day
from tests.connectors.support import AGB, BSN, Toewijzingen, assigned, parse, refusal

T = assigned


def facts(message: Toewijzingen) -> list[Toewijzing]:
    """The facts of a message, each of which entry accepts too."""
    found = [record.inhoud for record in parse("assignment", message.bytes())]
    assert all(isinstance(fact, Toewijzing) and check(fact) is None for fact in found)
    return found  # type: ignore[return-value]


def test_an_assignment_becomes_a_fact_under_its_municipality() -> None:
    (record,) = parse("assignment", Toewijzingen().bytes())
    assert record.bsn == BSN
    assert record.inhoud == Toewijzing(
        gemeente="0363", toewijzing=b"4711", categorie="45", code="45A99", toewijzingsdatum=day(date(2026, 1, 2)),
        toewijzingstijd=37_230, ingangsdatum=day(date(2026, 1, 1)), einddatum=day(date(2026, 12, 31)),
        reden_wijziging="", volume=12, eenheid="04", frequentie="2", budget=None, dagtekening=day(date(2026, 6, 20)),
        bericht=b"000000001",
    )  # fmt: skip


def test_nothing_of_the_person_leaves_the_parser() -> None:
    records = parse("assignment", Toewijzingen([T(), T(toewijzingnummer=4712)]).bytes())
    text = repr([(r.regel, r.inhoud, r.cells, r.fallback) for r in records])
    for secret in ("Jansen", "Jan", "2011", "1315AB", "Frans", "gescheiden", "belt", BSN):
        assert secret not in text
    assert str(day(date(2011, 5, 1))) not in text


def test_an_end_beyond_reckoning_is_an_open_end() -> None:
    assert facts(Toewijzingen([T(end="9999-12-31")]))[0].einddatum is None


def test_what_may_be_left_out() -> None:
    (bare,) = facts(
        Toewijzingen([T(referentie=None, categorie=None, end="2026-12-31", omvang=None, budget=5, commentaar=None)])
    )
    assert (bare.categorie, bare.code, bare.volume, bare.eenheid, bare.budget) == ("", "", None, "", 5)
    (open_,) = facts(Toewijzingen([T(end=None, code=None, omvang=None)]))
    assert (open_.einddatum, open_.code, open_.categorie) == (None, "", "45")


@pytest.mark.parametrize("reden", sorted(codes.REDENEN_CHANGE))
def test_every_reason_of_change_is_read(reden: str) -> None:
    (fact,) = facts(Toewijzingen([T(reden=reden, end="2026-01-01")]))
    assert fact.reden_wijziging == reden


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("CS002", Toewijzingen(bsn="999900007")),
        ("CS002", Toewijzingen(bsn="000000000")),
        ("CS139", Toewijzingen(born="2011-05-02", usage="1")),
        ("TR002", Toewijzingen(born="1900-01-01")),
        ("TR134", Toewijzingen(born="2026-06-21")),
        ("TR135", Toewijzingen(header={"dagtekening": "2026-06-23"})),
        ("CS025", Toewijzingen(header={"version": 2})),
        ("CS015", Toewijzingen(header={"subversie": 1})),
        ("TR101", Toewijzingen([T(), T(datum="2026-02-02")])),
        ("CS003", Toewijzingen([T(end="2025-12-31")])),
        ("CS335", Toewijzingen([T(reden="13")])),
        ("CS335", Toewijzingen([T(reden="13", end=None)])),
        ("CS336", Toewijzingen([T(reden="01")])),
        ("JZ002", Toewijzingen([T(reden="15")])),
        ("JZ020", Toewijzingen([T(categorie="39")])),
        ("CD079", Toewijzingen([T(categorie=None)])),
        ("CD077", Toewijzingen([T(budget=1)])),
        ("B09", Toewijzingen(header={"ontvanger": "94000002"})),
        ("TR134", Toewijzingen([T(ingangsdatum="2026-02-30")])),
        ("TR134", Toewijzingen([T(ingangsdatum="1899-12-31")])),
        ("TR134", Toewijzingen([T(datum="2101-01-01")])),
        *[("XSD", Toewijzingen([T(tijd=clock)])) for clock in ("24:00:00", "10:20", "10:20:30Z", "10:20:61", "x")],
        ("XSD", Toewijzingen([T(omvang=(1, "99", "2"))])),
        ("XSD", Toewijzingen([T(omvang=(1, "04", "3"))])),
        ("XSD", Toewijzingen([T(toewijzingnummer=1_000_000_000)])),
        ("XSD", Toewijzingen([T(datum=None)])),
        ("XSD", Toewijzingen([])),
        ("XSD", Toewijzingen(header={"afzender": AGB})),
    ],
)
def test_one_finding_refuses_the_message(code: str, message: Toewijzingen) -> None:
    fault = refusal("assignment", message.bytes())
    assert fault.code == code
    assert BSN not in repr(fault)


def test_attributes_and_depth_inside_what_is_passed_over_are_harmless() -> None:
    deep = b"<m:Communicatie>" + b"<b:x>" * 150 + b"</b:x>" * 150 + b"</m:Communicatie>"
    data = Toewijzingen().bytes().replace(b"<m:JuridischeStatus>", deep + b"<m:JuridischeStatus>")
    assert refusal("assignment", data).code == "XSD"  # a second Communicatie is one too many
    first = Toewijzingen().bytes()
    start, end = first.index(b"<m:Communicatie>"), first.index(b"</m:Communicatie>") + len(b"</m:Communicatie>")
    assert len(parse("assignment", first[:start] + deep + first[end:])) == 1


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 999_999_999),
    st.dates(date(2015, 1, 1), date(2026, 6, 20)),
    st.integers(0, 86_399),
    st.integers(0, 2_000),
    st.none() | st.tuples(st.integers(0, 99_999_999), st.sampled_from(sorted(codes.EENHEDEN)), st.sampled_from("1246")),
    st.sampled_from(sorted(codes.PRODUCTCATEGORIEEN)),
)
def test_what_is_written_is_read_back(
    number: int, begin: date, seconds: int, duration: int, omvang: tuple[Any, ...] | None, categorie: str
) -> None:
    end = as_date(day(begin) + duration)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    (fact,) = facts(
        Toewijzingen(
            [
                T(
                    toewijzingnummer=number,
                    ingangsdatum=begin,
                    end=end,
                    tijd=clock,
                    omvang=omvang,
                    categorie=categorie,
                )
            ]
        )
    )
    assert (fact.toewijzing, fact.ingangsdatum, fact.einddatum) == (str(number).encode(), day(begin), day(end))
    assert fact.toewijzingstijd == seconds
    assert (fact.volume, fact.eenheid, fact.frequentie) == (omvang or (None, "", ""))
    assert fact.categorie == categorie
