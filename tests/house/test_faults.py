"""The tree of exceptions that ``faults`` draws is the one in the code, and so are the exit codes."""

from __future__ import annotations

import importlib
import re
from functools import cache

import faults
from faults import OperatorFault, SenderFault
from tests.house.rooms import ROOT, modules
from tests.portal.site import ready

#: Headings of the tree below which a class has no root of ours -> what those classes derive from.
ROOTLESS = {"Control flow": Exception, "Bugs": RuntimeError}
PAGE = faults.__doc__ or ""


@cache
def exceptions() -> dict[str, type[Exception]]:
    """Every exception class of the project, by its name."""
    ready()  # modules of the portal can be imported only when Django is set up
    found = [
        cls
        for name in modules()
        if not name.endswith("__main__")
        for cls in vars(importlib.import_module(name)).values()
        if isinstance(cls, type) and issubclass(cls, Exception) and cls.__module__ == name
    ]
    assert len({cls.__name__ for cls in found}) == len(found), "two have one name"
    return {cls.__name__: cls for cls in found}


def drawn() -> dict[str, str]:
    """Class -> the class or heading that it stands below; a root has nothing above it."""
    above, found = [""], {}
    for line in PAGE.partition("::\n\n")[2].partition("\n\n")[0].splitlines():
        name = re.sub(r" +\d+$", "", line.strip())
        depth = (len(line) - len(line.lstrip())) // 4
        above[depth:] = [name]
        found[name] = above[depth - 1] if depth > 1 else ""
    return found


def told() -> set[int]:
    """The exit codes that the table explains."""
    return {int(code) for code in re.findall(r"^(\d+)  +\S", PAGE, re.MULTILINE)}


def test_the_tree_is_the_one_in_the_code() -> None:
    tree = {name: above for name, above in drawn().items() if name not in ROOTLESS}
    assert set(tree) == set(exceptions())
    for name, cls in exceptions().items():
        base = cls.__bases__[0]
        assert tree[name] == ("" if cls in (OperatorFault, SenderFault) else base.__name__) or (
            ROOTLESS.get(tree[name]) is base
        ), f"{name} stands below {tree[name]}"


def test_every_exit_code_is_explained() -> None:
    codes = {cls.exit_code for cls in exceptions().values() if issubclass(cls, OperatorFault)}
    assert codes | {value for name, value in vars(faults).items() if name.startswith("EXIT_")} <= told()
    assert codes == {2}, "a class with an exit code of its own: draw it in the tree"


def test_a_process_ends_with_a_code_of_the_table() -> None:
    """The numbers that only a process has are written in one place."""
    number = re.compile(r"\b(?:EXIT_\w+|FAULT)(?:: Final)? = \d+|(?:_exit|sys\.exit|Exit)\(7\d\)")
    wrong = [
        f"{path.relative_to(ROOT)}: {hit.group()}"
        for name, path in modules().items()
        if name != "faults"
        for hit in number.finditer(path.read_text("utf-8"))
    ]
    assert wrong == []


def test_the_ending_of_a_name_says_who_can_mend_it() -> None:
    for name, cls in exceptions().items():
        assert not name.endswith("Error") or issubclass(cls, OperatorFault), name
        assert not name.endswith("Fault") or issubclass(cls, SenderFault) or cls is OperatorFault, name
        assert not name.endswith("Problem") or name == "Problem", name  # RFC 9457's word for a refused request
