"""``sor doctor`` and ``sor restore`` where everything runs on this machine: they know its stack as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from crypto.memory import guard
from local import doctor as stack
from local.stores import stores
from operations.doctor import examination
from settings.settings import Settings, load_settings
from sor.commands import backup, doctor


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("doctor", help=doctor.examine.__doc__)(examine)
    app.command("restore", help=backup.restore.__doc__)(restore)


def examine(as_json: doctor.AsJson = False) -> None:
    """The stack of this machine first, then what runs."""
    guard()
    settings = load_settings()
    doctor.tell([*stack.examine(settings), *examination.examine(settings)], as_json=as_json)


def restore(
    folder: backup.Folder, keys: backup.Keys = False, ledger: backup.Ledger = None, as_json: backup.AsJson = False
) -> None:
    """Into an empty home; its broker and its engine run for as long as it takes."""
    backup.put_back(folder, _there, keys=keys, ledger=ledger, as_json=as_json)


@contextmanager
def _there(settings: Settings) -> Iterator[Settings]:
    if settings.kafka is not None and settings.clickhouse is not None:
        yield settings
        return
    with stores(settings) as found:
        yield found
