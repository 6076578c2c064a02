"""What a command needs and is not here, as one sentence that says what to run.

``pyproject.toml`` is the one list of packages; the metadata of the installation repeat it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, requires
from importlib.util import find_spec
from typing import Final, NamedTuple

from faults import OperatorFault

PROJECT: Final = "sturen-op-resultaat"
#: Rooms that an installation for production leaves out (``.dockerignore``).
CONVENIENCE: Final = ("local", "tools")


class NotHere(OperatorFault):
    """A command was asked for whose packages, or whose own modules, are no part of this installation."""


class Need(NamedTuple):
    """One line of the list. ``named``: where the package is this project itself, the extras that come with it."""

    extra: str  # empty for what every installation has
    package: str
    named: tuple[str, ...]
    always: bool  # and not only on some versions of Python


def explained(error: ModuleNotFoundError, command: str) -> NotHere | None:
    """What to do about an import that failed; None when an extra has nothing to do with it: a fault of ours."""
    name = error.name or ""
    if name in CONVENIENCE:
        return _left_out(command)
    extra = extra_of(name.partition(".")[0])
    return _missing(command, extra) if extra else None


def require(extra: str, command: str) -> None:
    """Look before the work begins: a command that starts processes would see each of them fail.

    Raises:
        NotHere: a package of the extra is not installed, or no room of this machine is.
    """
    if not in_a_checkout():
        raise _left_out(command)
    if not all(_is_installed(package) for package in packages(extra)):
        raise _missing(command, extra)


def in_a_checkout() -> bool:
    """Whether the rooms of one machine are here, which production leaves out."""
    return all(find_spec(room) is not None for room in CONVENIENCE)


def extra_of(module: str) -> str:
    """The extra that brings a module, or nothing; a distribution of its very name goes before one with a suffix."""
    found = sorted(
        (_plain(need.package) != module.lower(), need.extra) for need in needs() if brings(need.package, module)
    )
    return found[0][1] if found else ""


def brings(package: str, module: str) -> bool:
    """A distribution has the name of its module, or that and a suffix, or one of Django before it or of Python."""
    plain = _plain(package)
    names = (plain, plain.removeprefix("django_"), plain.removeprefix("py"))
    return any(f"{name}_".startswith(f"{module.lower()}_") for name in names)


def packages(extra: str) -> set[str]:
    """What an extra brings on every version of Python, with the extras that it names."""
    own = [need for need in needs() if need.extra == extra]
    found = {need.package for need in own if need.always and not need.named}
    return found.union(*(packages(name) for need in own for name in need.named))


@cache
def needs() -> tuple[Need, ...]:
    """Every package, those of every installation first; none when the project runs without being installed."""
    try:
        return tuple(sorted(_need(line) for line in requires(PROJECT) or ()))
    except PackageNotFoundError:
        return ()


def _need(line: str) -> Need:
    package, _, marker = line.partition(";")
    extra = "".join(re.findall(r"""\bextra == ["']([\w-]+)""", marker))
    name, *options = re.findall(r"[\w.-]+", re.split(r"[<>=~!\]]", package)[0])
    return Need(extra, name, tuple(options) if _plain(name) == _plain(PROJECT) else (), " and " not in marker)


def _plain(package: str) -> str:
    return re.sub(r"[-_.]+", "_", package).lower()


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def _missing(command: str, extra: str) -> NotHere:
    return NotHere(f"{command} needs packages that are not installed here. Run: pip install '{PROJECT}[{extra}]'")


def _left_out(command: str) -> NotHere:
    return NotHere(
        f"{command} is not part of this installation: it holds what production runs. Use a checkout of the project."
    )
