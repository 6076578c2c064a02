"""A file of definitions: what it may say, what it changes, and what is told when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.field.definitions import DEFINITIONS, SHIPPED, VERSION, Definitions, Klasse, identified
from domain.field.definitions_file import WINDOWS, DefinitionsError, definitions_of, document_of
from domain.field.questionnaires import Subject
from domain.field.spic import MOST_BYTES, Spic, SpicError, spics

EXAMPLE = Path(__file__).parents[2] / "docs/examples/definities.toml"
V = b"versie = 9\n"
WINDOW, CBS = V + b"[termijnen]\n", V + b"[uitval_cbs.01]\n"
QUESTIONNAIRE = V + b'vragenlijsten."CEM+_2018_OE_v1".'
CEM = "CEM+_2018_OE_v1"


def test_the_example_says_all_that_is_shipped() -> None:
    found = definitions_of(EXAMPLE.read_bytes(), EXAMPLE.name)
    assert found == identified(SHIPPED._replace(version=VERSION + 1))
    text = EXAMPLE.read_text("utf-8")
    assert all(f"({window.least} to {window.most})" in text for window in WINDOWS.values())


def test_only_what_is_named_differs() -> None:
    found = definitions_of(V + b"[termijnen]\nketen_dagen = 60\n", "d.toml")
    assert found == identified(SHIPPED._replace(version=9, chain_days=60))
    assert definitions_of(V, "d.toml") == identified(SHIPPED._replace(version=9))


def test_a_class_a_question_and_a_product_are_taken_with_source_and_mark() -> None:
    content = """
        versie = 9
        uitval_ijw.32 = { klasse = "gepland", bron = "besluit 7", merk = "F" }
        [uitval_cbs]
        05.klasse = "client"
        [vragenlijsten."CEM+_2018_OE_v1"]
        groep = "jeugdige"
        nut = { vraag = "VR09B", bron = "protocol", merk = "F" }
        [spic.45A01]
        intensiteit = "intensief"
    """
    found = definitions_of(content.encode(), "d.toml")
    assert found.uitval_ijw == {**SHIPPED.uitval_ijw, "32": Klasse("gepland", "besluit 7", "F")}
    assert found.uitval == {**SHIPPED.uitval, "05": Klasse("client", "", "P")}
    assert found.vragenlijsten[CEM] == SHIPPED.vragenlijsten[CEM]._replace(groep="jeugdige")
    assert found.subjects[CEM] == {**SHIPPED.subjects[CEM], "nut": Subject("VR09B", "protocol", "F")}
    assert found.spics == spics({"45A01": Spic("", "", "intensief", "P")})


def test_a_table_of_spics_in_force_stays_unless_the_file_has_one() -> None:
    table = spics({"45A01": Spic("A", "", "intensief", "F")})
    assert definitions_of(V, "d.toml", table).spics == table
    assert definitions_of(V + b'[spic.45A02]\nintensiteit = "intensief"', "d.toml", table).spics.of("45A01").mark == "P"


def test_a_document_of_definitions_says_them_again() -> None:
    told = identified(
        SHIPPED._replace(
            version=12,
            opvolging_days=400,
            uitval={**SHIPPED.uitval, "05": Klasse("client", 'het "besluit"\\', "F")},
            spics=spics({"45A01": Spic("B", "8 jong", "intensief", "F")}),
        )
    )
    assert definitions_of(document_of(told), "d.toml") == told
    assert definitions_of(document_of(SHIPPED), "d.toml", lowest=1) == SHIPPED  # of a release before this one


def asked(**topics: Subject) -> Definitions:
    """As shipped, but for what one questionnaire asks."""
    return SHIPPED._replace(subjects={**SHIPPED.subjects, CEM: {**SHIPPED.subjects[CEM], **topics}})


def test_every_value_is_part_of_the_id_and_no_mark_that_changes_no_row() -> None:
    changed = [
        *(SHIPPED._replace(**{window.field: 17}) for window in WINDOWS.values()),
        SHIPPED._replace(version=9),
        SHIPPED._replace(uitval={**SHIPPED.uitval, "05": Klasse("client", "", "P")}),
        SHIPPED._replace(uitval_ijw={**SHIPPED.uitval_ijw, "02": Klasse("client", "", "P")}),
        SHIPPED._replace(spics=spics({})),
        SHIPPED._replace(vragenlijsten={**SHIPPED.vragenlijsten, CEM: SHIPPED.vragenlijsten["CEM+_2018_JE_v1"]}),
        asked(nut=Subject("VR10", "", "P")),
        asked(nut=Subject("VR09A", "S9", "F"), zonder_hulp=Subject("VR10", "S9", "F")),
    ]
    ids = [identified(one).id for one in changed]
    assert len({SHIPPED.id, *ids}) == 1 + len(ids)
    assert {len(one) for one in ids} == {16}
    same = [
        SHIPPED._replace(uitval={**SHIPPED.uitval, "01": SHIPPED.uitval["01"]._replace(basis="S9", mark="F")}),
        asked(nut=Subject("VR09A", "S9", "F")),
    ]
    assert {identified(one).id for one in same} == {SHIPPED.id}  # one of two questions confirmed confirms nothing


def test_every_window_of_the_definitions_can_be_given_and_what_protects_people_cannot() -> None:
    assert set(WINDOWS) == set(DEFINITIONS) - {"kleinste_groep", "kleinste_noemer"}
    assert {key: getattr(SHIPPED, window.field) for key, window in WINDOWS.items()} == {
        key: DEFINITIONS[key].value for key in WINDOWS
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"versie = [", "d.toml is no TOML: "),
        (b"\xff", "d.toml is not UTF-8"),
        (b"#" * (MOST_BYTES + 1), "has more than 1000000 bytes"),
        (b"\n[termijnen]", "d.toml, line 1: versie is missing: write versie = 4"),
        (b"# new\nversie = 3", "d.toml, line 2, versie: this must be a whole number from 4 to 65535"),
        (b"versie = true", "a whole number from 4"),
        (V + b"kleinste_groep = 3", "d.toml, line 2, kleinste_groep: this is none of versie, termijnen, "),
        (V + b"termijnen = 3", "line 2, termijnen: this is no table; write [termijnen] on a line of its own"),
        (WINDOW + b"\nketen = 3", "line 4, termijnen.keten: this is none of keten_dagen, meting_voor_einde"),
        (WINDOW + b"keten_dagen = 367", "line 3, termijnen.keten_dagen: this must be a whole number from 0 to 366"),
        (WINDOW + b'opvolging_dagen = "1"', "line 3, termijnen.opvolging_dagen: this must be a whole number from 1"),
        (V + b"[uitval_cbs.06]", "line 2, uitval_cbs.06: 06 is no reason that has a class; those are 01, 02"),
        (V + b'uitval_ijw.20.klasse = "x"', "line 2, uitval_ijw.20: 20 is no reason that has a class"),
        (V + b"[uitval_ijw.31]", "line 2, uitval_ijw.31.klasse: klasse is missing; it must be one of gepland, client"),
        (CBS + b'klasse = "administratief"', "klasse must be one of gepland, client, aanbieder, wederz"),
        (CBS + b'klasse = "client"\nkleur = 1', "line 4, uitval_cbs.01.kleur: this is none of klasse, bron"),
        (CBS + b'klasse = "client"\nmerk = "F"', 'line 2, uitval_cbs.01: merk = "F" says that a source fixes'),
        (CBS + b'klasse = "client"\nmerk = "X"', "merk must be one of F, R, P, between quotes"),
        (V + b"[vragenlijsten.cem]", "vragenlijsten.cem: this questionnaire is not let in; those that are: CEM+_"),
        (QUESTIONNAIRE + b'groep = "kind"', 'line 2, vragenlijsten."CEM+_2018_OE_v1".groep: groep'),
        (QUESTIONNAIRE + b'nut.vraag = "VR10"', "nut.vraag: vraag must be one of VR09A, VR09B"),
        (QUESTIONNAIRE + b'nut = { merk = "R" }', "nut.vraag: vraag is missing; it must be one of"),
        (QUESTIONNAIRE + b'vraag = "VR10"', "vraag: this is none of groep, soort, merk, nut, zonder"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_line_and_key(content: bytes, sentence: str) -> None:
    with pytest.raises(DefinitionsError) as told:
        definitions_of(content, "d.toml")
    assert sentence in str(told.value)
    assert str(told.value).endswith(".")


def test_a_product_that_is_wrong_is_told_as_in_a_table_of_its_own() -> None:
    with pytest.raises(SpicError, match=r"^d\.toml, line 2, 45A01: intensiteit must be one of "):
        definitions_of(V + b'[spic.45A01]\nintensiteit = "zwaar"', "d.toml")
