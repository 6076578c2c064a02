"""The rooms of the house and what each may import: the one list, from the ground up (docs/architecture.md)."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_SKIPPED: Final = {".venv", ".git", ".sor", "node_modules", "build", "dist", "__pycache__"}

_GROUND: Final = {"faults", "monitoring"}
_FIELD: Final = _GROUND | {"domain", "crypto", "schemas", "transport"}
_PRODUCTION: Final = _FIELD | {"connectors", "streams", "sinks", "settings", "results", "operations"}
#: Room -> the rooms it may import. A room stands below every room that may import it.
ROOMS: Final[dict[str, set[str]]] = {
    "faults": set(),
    "monitoring": {"faults"},
    "domain": {"faults"},
    "crypto": {"faults"},
    "schemas": _GROUND | {"domain"},
    "transport": _GROUND | {"schemas"},
    "connectors": _FIELD,
    "streams": _FIELD,
    "sinks": _GROUND | {"domain", "schemas", "transport"},
    "settings": _GROUND | {"domain", "transport", "sinks"},
    "results": _GROUND | {"domain", "sinks"},
    "operations": _PRODUCTION - {"operations"},
    "portal": _PRODUCTION - {"streams", "operations"},
    "local": _PRODUCTION,
    "tools": _PRODUCTION | {"local"},
    "sor": _PRODUCTION | {"portal", "local", "tools"},
}
#: What a production process never loads.
CONVENIENCE: Final = {"local", "tools"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or will be in the repository."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "-z"], capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        names = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked archive
        names = [path for path in ROOT.rglob("*") if not _SKIPPED & set(path.relative_to(ROOT).parts)]
    return tuple(path for path in names if path.is_file())


@cache
def modules() -> dict[str, Path]:
    """Name -> file of every module of a room; tests are no room."""
    found = {}
    for path in files():
        parts = path.relative_to(ROOT).with_suffix("").parts
        if path.suffix == ".py" and parts[0] in ROOMS:
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of every module that a file may load, imports inside functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
