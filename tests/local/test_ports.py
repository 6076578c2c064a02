"""Ports are remembered, two homes do not meet, and a taken port is named."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from local.errors import StackError
from local.ports import BLOCK, choose_ports, free_port
from settings.ports import Ports, remembered_ports
from settings.settings import SettingsError, load_settings


def test_the_choice_is_remembered(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    assert remembered_ports(settings) is None
    chosen = choose_ports(settings)
    assert remembered_ports(settings) == chosen
    assert choose_ports(settings) == chosen


def test_a_second_home_takes_another_block_while_the_first_is_in_use(tmp_path: Path) -> None:
    first = choose_ports(load_settings(home=tmp_path / "a"))
    with socket.create_server(("127.0.0.1", first.clickhouse)):
        second = choose_ports(load_settings(home=tmp_path / "b"))
    assert second.base >= first.base + BLOCK
    assert not set(first.services()) & set(second.services())


def test_a_taken_port_that_was_set_is_named_with_its_holder_and_the_setting(tmp_path: Path) -> None:
    base = free_port()
    settings = load_settings(home=tmp_path, ports=base)
    with socket.create_server(("127.0.0.1", base + 2)), pytest.raises(StackError) as error:
        choose_ports(settings)
    sentence = str(error.value)
    assert f"Port {base + 2}, needed for clickhouse," in sentence
    assert f"(process {os.getpid()})" in sentence
    assert "SOR_PORTS" in sentence


def test_a_remembered_block_that_was_taken_since_is_exchanged(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    first = choose_ports(settings)
    with socket.create_server(("127.0.0.1", first.kafka)):
        second = choose_ports(settings)
    assert second != first
    assert remembered_ports(settings) == second


def test_what_is_set_wins_over_what_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"ports": 27300}')
    assert remembered_ports(load_settings(home=tmp_path)) == Ports(27300)
    assert remembered_ports(load_settings(home=tmp_path, ports=28000)) == Ports(28000)


def test_an_unreadable_memory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(SettingsError, match="Remove it"):
        remembered_ports(load_settings(home=tmp_path))
