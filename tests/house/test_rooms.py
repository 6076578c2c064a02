"""The house stands: no arrow upwards, no circle, no room too large, and no production on a convenience."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import pytest

from tests.house.rooms import CONVENIENCE, ROOMS, ROOT, imported, modules


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for module, path in modules().items()
        if module.split(".")[0] == room
        for line, name in imported(path)
        if (other := name.split(".")[0]) != room and other in {*ROOMS, "tests"} - ROOMS[room]
    ]
    assert wrong == []


def test_the_list_of_rooms_has_no_circle_and_keeps_production_apart() -> None:
    order = list(TopologicalSorter(ROOMS).static_order())
    assert set(order) == set(ROOMS)
    assert {room for room in ROOMS if ROOMS[room] & CONVENIENCE} == {"tools", "sor"}


def test_no_circle_of_modules() -> None:
    graph = {
        module: {name for _, name in imported(path) if name in modules() and name != module}
        for module, path in modules().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_no_room_holds_over_a_quarter_of_the_code() -> None:
    lines = dict.fromkeys(ROOMS, 0)
    for module, path in modules().items():
        lines[module.split(".")[0]] += len(path.read_text("utf-8").splitlines())
    assert {room: n for room, n in lines.items() if n > sum(lines.values()) / 4} == {}


#: Commands that are about this machine or about made-up data: the others run in production.
OF_ONE_MACHINE = {"bench", "demo", "machine", "simulate", "stack"}


def test_a_production_command_loads_no_convenience() -> None:
    wrong = {
        module
        for module, path in modules().items()
        if module.startswith("sor.") and module.rpartition(".")[2] not in OF_ONE_MACHINE
        for _, name in imported(path)
        if name.split(".")[0] in CONVENIENCE
    }
    assert wrong == set()
