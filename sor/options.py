"""Options of a command that stand before a setting."""

from __future__ import annotations

from typing import Any

import typer

from settings.page import variable
from settings.settings import Settings


def setting(name: str, *words: str) -> Any:
    """An option that wins from a setting; its help is what the setting says of itself.

    The parameter defaults to None, which ``given`` leaves to the environment.
    """
    return typer.Option(*words, help=Settings.model_fields[name].description, show_default=variable(name))


def given(**options: object) -> dict[str, object]:
    """Field -> value of the options that were given, for ``load_settings``."""
    return {name: value for name, value in options.items() if value is not None}
