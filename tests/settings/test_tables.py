"""Tables of the region: which file is read, and what an operator is told when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.field.spic import SHIPPED, SpicError, spics_of
from settings.settings import load_settings
from settings.tables import spic_table
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
