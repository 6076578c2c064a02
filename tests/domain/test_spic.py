"""The table of SPICs: what a file may say, what it is told when it is wrong, and what a row takes from it."""

from __future__ import annotations

import pytest

from domain.care.fold import Person, all_rows, fold, rows_of
from domain.care.rows import TrajectRow
from domain.field import definitions
from domain.field.spic import (
    INTENSITEITEN,
    LONG_LASTING,
    MOST_BYTES,
    NONE,
    SHIPPED,
    Spic,
    SpicError,
    Spics,
    spics,
    spics_of,
)
from tests.build import CLIENT, cbs_record, event, fact_set, meting, start

GOOD = b"""
# products of the contracts
[45A01]
segment = "B"
profiel = "8 (jong)"
intensiteit = "perspectief"
"""
TABLE = b"""
[45A01]
segment = "C"
profiel = "8"
intensiteit = "intensief"
merk = "F"

[45A02]
intensiteit = "intensief"
"""


def row(table: Spics, *told: object) -> TrajectRow:
    (found,) = (
        r
        for r in rows_of(CLIENT, fact_set(told), (), definitions.SHIPPED.with_spics(table)).values()
        if isinstance(r, TrajectRow)
    )
    return found


def test_a_file_gives_each_product_its_segment_profiel_intensiteit_and_mark() -> None:
    table = spics_of(TABLE, "spic.toml")
    assert table.of("45A01") == Spic("C", "8", "intensief", "F")
    assert table.of("45A02") == Spic("", "", "intensief", "P")
    assert table.of("43A10") == NONE  # the file replaces what is shipped as a whole
    assert SHIPPED.of("43A10").intensiteit == "duurzaam_licht"


def test_what_is_shipped_is_of_the_four_intensities_and_a_proposal() -> None:
    assert {one.intensiteit for one in SHIPPED.per_code.values()} <= set(INTENSITEITEN)
    assert {one.mark for one in SHIPPED.per_code.values()} == {"P"}
    assert set(LONG_LASTING) - set(INTENSITEITEN) == {"duurzaam"}


def test_the_id_is_of_what_figures_rest_on() -> None:
    one, other = Spic("A", "1", "intensief", "P"), Spic("B", "1", "intensief", "P")
    table = spics({"45A01": one, "45A02": other})
    assert spics({"45A02": other, "45A01": one._replace(mark="F")}).id == table.id
    for changed in ({"45A01": one}, {"45A01": other, "45A02": one}, {"45A01": one, "45A03": other}):
        assert spics(changed).id != table.id
    for name, value in (("segment", "C"), ("profiel", "2"), ("intensiteit", "perspectief")):
        assert spics({"45A01": one._replace(**{name: value}), "45A02": other}).id != table.id
    assert len(table.id) == 16


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[45A01", "spic.toml is no TOML"),
        (b"# nothing", "spic.toml holds no product"),
        (b"\xff", "spic.toml is not UTF-8"),
        (b"#" * (MOST_BYTES + 1), "has more than 1000000 bytes"),
        (b'x = 1\n', "spic.toml, line 1, x: this is no table"),
        (b'[45A01x]\nintensiteit = "intensief"', "spic.toml, line 1, 45A01x: a product code has at most five"),
        (b'\n[45A01]\nsegment = "B"', "spic.toml, line 2, 45A01: intensiteit is missing; it is one of perspectief, "),
        (b'[45A01]\nintensiteit = "duurzaam"', "45A01: intensiteit must be one of perspectief, intensief, duurzaam_l"),
        (b'[45A01]\nintensiteit = 3', "45A01: intensiteit must be one of"),
        (b'[45A01]\nintensiteit = "intensief"\nsegment = "D"', "45A01: segment must be one of A, B, C"),
        (b'[45A01]\nintensiteit = "intensief"\nmerk = "X"', "45A01: merk must be F"),
        (b'[45A01]\nintensiteit = "intensief"\nkleur = "A"', "45A01: kleur is none of segment, profiel, "),
        (GOOD, "spic.toml, line 3, 45A01: profiel must be at most 40 letters"),
        (b'[45A01]\nintensiteit = "intensief"\nprofiel = "' + b"a" * 41 + b'"', "profiel must be at most 40"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_line_and_code(content: bytes, sentence: str) -> None:
    with pytest.raises(SpicError) as told:
        spics_of(content, "spic.toml")
    assert sentence in str(told.value)
    assert str(told.value).endswith(".")


def test_a_code_in_a_comment_is_not_its_line() -> None:
    with pytest.raises(SpicError, match="line 2, 45A01"):
        spics_of(b"# 45A01 is no more\n[45A01]", "spic.toml")


def test_a_row_takes_all_of_the_product_of_its_last_levering_and_says_by_which_table() -> None:
    table = spics_of(TABLE, "spic.toml")
    found = row(table, start(0, code="45A01"))
    assert (found.segment, found.profiel, found.intensiteit, found.spic) == ("C", "8", "intensief", table.id)
    found = row(table, start(0, code="43A10"))
    assert (found.segment, found.profiel, found.intensiteit, found.spic) == ("", "", "", table.id)
    assert row(SHIPPED, start(0, code="43A10")).spic == SHIPPED.id != table.id


def test_a_product_that_the_table_has_stands_above_the_questionnaires() -> None:
    yearly = meting(30, "JD")
    assert row(spics_of(TABLE, "spic.toml"), start(0, code="45A01"), yearly).intensiteit == "intensief"
    assert row(SHIPPED, start(0, code="45A01"), yearly).intensiteit == "duurzaam"


def test_a_row_of_a_cbs_file_names_no_product() -> None:
    found = row(SHIPPED, cbs_record())
    assert (found.segment, found.profiel, found.intensiteit, found.spic) == ("", "", "", "")


def test_the_stage_and_the_audit_are_given_one_table() -> None:
    table, told = definitions.SHIPPED.with_spics(spics_of(TABLE, "spic.toml")), event(start(0, code="45A01"))
    live = fold(CLIENT, Person(), [told], 1, 1, definitions=table).issued
    again = all_rows(CLIENT, fact_set([told]), definitions=table)
    assert {issued.key: issued.row for issued in live} == again
    assert all_rows(CLIENT, fact_set([told])) != again
