"""Tables of the region: which file is read, and what an operator is told when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.field import definitions
from domain.field.definitions_file import DefinitionsError
from domain.field.spic import SHIPPED, SpicError, spics_of
from settings.settings import load_settings
from settings.tables import definitions_in_force, spic_table
from tests.domain.test_spic import TABLE


def test_without_a_file_what_is_shipped_holds() -> None:
    assert spic_table(load_settings(spic=None)) is SHIPPED


def test_the_named_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "spic.toml"
    file.write_bytes(TABLE)
    assert spic_table(load_settings(spic=file)) == spics_of(TABLE, "spic.toml")


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SpicError, match=r"^SOR_SPIC is .*nergens\.toml, which cannot be read \(No such file"):
        spic_table(load_settings(spic=tmp_path / "nergens.toml"))
    file = tmp_path / "spic.toml"
    file.write_bytes(b'[45A01]\nintensiteit = "zwaar"')
    with pytest.raises(SpicError, match=r"spic\.toml, line 1, 45A01: intensiteit must be one of"):
        spic_table(load_settings(spic=file))


def test_the_definitions_in_force_are_those_of_the_file_with_the_table_of_spics_beside_it(tmp_path: Path) -> None:
    file, products = tmp_path / "definities.toml", tmp_path / "spic.toml"
    file.write_bytes(b"versie = 7\ntermijnen.keten_dagen = 60")
    products.write_bytes(TABLE)
    table = spics_of(TABLE, "spic.toml")
    assert definitions_in_force(load_settings(definities=None, spic=None)) == definitions.SHIPPED
    assert definitions_in_force(load_settings(definities=None, spic=products)) == definitions.SHIPPED.with_spics(table)
    found = definitions_in_force(load_settings(definities=file, spic=products))
    assert (found.version, found.chain_days, found.spics) == (7, 60, table)
    file.write_bytes(b'versie = 7\nspic.45A02.intensiteit = "intensief"')
    assert definitions_in_force(load_settings(definities=file, spic=products)).spics != table


def test_a_file_of_definitions_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DefinitionsError, match=r"^SOR_DEFINITIES is .*nergens\.toml, which cannot be read \(No such f"):
        definitions_in_force(load_settings(definities=tmp_path / "nergens.toml"))
