"""``docs/settings.md``: every setting with its default, from the one class that declares them."""

from __future__ import annotations

import os
from typing import Any, Final, NamedTuple

from settings.settings import Settings

_PREFIX: Final = "SOR_"
#: What only tests and checks read.
_OF_TESTS: Final = "SOR_TEST_"
_HEAD: Final = """# Settings

*Generated from `settings/settings.py` by `sor settings --write`; do not edit.*

Every setting is a variable of the environment. An empty one counts as unset; one that cannot be used ends the command
with a sentence that names it. Where a command has an option for a setting, its help says so and the option wins.
`sor settings` shows what is in force here, `sor doctor` names variables that are no setting. A password is never a
setting: the setting names the file that holds it.

| variable | default | meaning |
|---|---|---|
"""


class SettingRow(NamedTuple):
    """One setting in words; ``default`` is empty where there is none."""

    variable: str
    default: str
    description: str


def settings_table() -> list[SettingRow]:
    """All settings in order of declaration."""
    rows = []
    for name, field in Settings.model_fields.items():
        description, _, computed = (field.description or "").partition(" Default ")
        rows.append(SettingRow(variable(name), computed.removesuffix(".") or shown(field.default), description))
    return rows


def variable(name: str) -> str:
    """The variable of a field."""
    return f"{_PREFIX}{name.upper()}"


def shown(value: Any) -> str:
    """A value as it would be written in the environment."""
    if value is None:
        return ""
    return ",".join(value) if isinstance(value, tuple) else str(value)


def unknown_variables() -> list[str]:
    """Variables of the environment that look like a setting and are none."""
    known = {row.variable for row in settings_table()}
    return sorted(
        name for name in os.environ if name.startswith(_PREFIX) and not name.startswith(_OF_TESTS) and name not in known
    )


def _plain(text: str) -> str:
    """A placeholder such as <home> is no element of a page."""
    return text.replace("<", "&lt;")


def markdown() -> str:
    """The page."""
    rows = (
        f"| `{row.variable}` | {f'`{row.default}`' if row.default else ''} | {_plain(row.description)} |"
        for row in settings_table()
    )
    return _HEAD + "\n".join(rows) + "\n"
