"""Which packages a room may import: those that come with it when only a part of the project is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from sor import needs
from tests.house.rooms import ROOMS, ROOT, imported, modules

#: Room, or a part of it -> the extras whose packages it may import, beside what every installation has.
COMES_WITH: dict[str, set[str]] = {
    "connectors.intake": {"intake"},
    "streams": {"stream"},
    "sinks": {"results"},
    "results.release": {"results", "release"},
    "results.gate": {"results", "release"},
    "results.reports": {"results", "reports"},
    "results": {"results"},
    "operations": {"results"},
    "portal": {"intake", "results", "reports", "portal"},
    "local": {"intake", "stream", "results", "release", "reports", "local"},
    "tools": {"intake", "stream", "results", "release", "reports", "local"},
    "sor.commands.portal": {"results", "portal"},
    "sor": {"results"},
}


def foreign(module: str) -> Iterator[tuple[int, str]]:
    """Line and name of every package of others that a module imports."""
    for line, name in imported(modules()[module]):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ROOMS and top != "_typeshed":
            yield line, top


def allowed(module: str) -> set[str]:
    """The extras of a module."""
    found = (extras for part, extras in COMES_WITH.items() if f"{module}.".startswith(f"{part}."))
    return next(found, set())


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_packages_that_come_with_it(room: str) -> None:
    wrong = [
        f"{modules()[module].relative_to(ROOT)}:{line} imports {package}"
        for module in modules()
        if module.split(".")[0] == room
        for line, package in foreign(module)
        if needs.extra_of(package) not in {"", *allowed(module)}
    ]
    assert wrong == []


def test_every_imported_package_is_declared() -> None:
    declared = {need.package for need in needs.needs()}
    found = {package for module in modules() for _, package in foreign(module)}
    assert {package for package in found if not any(needs.brings(one, package) for one in declared)} == set()
