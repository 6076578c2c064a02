"""``sor keys rotate`` and ``sor keys switch``: other keys while the stages run (docs/decisions/0025)."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from crypto import keys, label_epochs, rotation
from crypto.key_list import Key
from crypto.memory import guard
from crypto.rotation import day
from settings.settings import load_settings
from sor.commands import source_rotation
from sor.commands.label_renewal import switch_label

_DAY: Final = 86400


class Receiver(StrEnum):
    """Whose sealing key."""

    EVALUATE = keys.EVALUATE
    ENTRY = keys.ENTRY
    BOTH = "both"

    @property
    def names(self) -> tuple[str, ...]:
        """The folders."""
        return (keys.EVALUATE, keys.ENTRY) if self is Receiver.BOTH else (self.value,)


_RECEIVER = Annotated[Receiver, typer.Argument(help="Whose sealing key.")]


def add(group: typer.Typer) -> None:
    """Add both to ``sor keys``."""
    rotate = typer.Typer(no_args_is_help=True, help="Make the next key, while everything runs.")
    switch = typer.Typer(no_args_is_help=True, help="Put the next key in use.")
    for name, command in (("sealing", sealing), ("scalar", scalar), ("label", label)):
        rotate.command(name)(command)
    for name, switching in (("sealing", switch_sealing), ("scalar", switch_scalar), ("label", switch_label)):
        switch.command(name)(switching)
    retire = typer.Typer(no_args_is_help=True, help="Leave out what was followed, when nothing hangs on it.")
    source_rotation.add(rotate, switch, retire)
    group.add_typer(retire, name="retire")
    group.add_typer(rotate, name="rotate")
    group.add_typer(switch, name="switch")


def sealing(
    receiver: _RECEIVER = Receiver.BOTH,
    ahead: Annotated[int, typer.Option(min=0, help="Days from now on which sources begin to use it.")] = 7,
) -> None:
    """Make the next sealing key and publish it ahead. Receivers hold it at once; sources use it from its moment on."""
    guard()
    folder, now = load_settings().keys, int(time.time())
    for name in receiver.names:
        made = rotation.publish_sealing(folder, name, ahead=ahead * _DAY, at=now)
        typer.echo(f"{name}: {made.key} is published and counts from {day(made.counts_from)} on.")
    typer.echo(f"Give every source {folder}/public/keys.json before that. Then: `sor keys switch sealing`.")


def switch_sealing(receiver: _RECEIVER = Receiver.BOTH) -> None:
    """Put the next sealing key in the place of the current one; the former keeps opening what was sealed to it."""
    guard()
    folder, now = load_settings().keys, int(time.time())
    for name in receiver.names:
        done = rotation.switch_sealing(folder, name, at=now)
        typer.echo(f"{name}: {done.key} is the current one.")
    typer.echo("The former key goes when its last records are kept no more: `sor keys list`, `sor keys destroy`.")


def scalar() -> None:
    """Make the next scalar k of evaluate; its step for entry lies sealed in the public file. Pseudonyms stay."""
    guard()
    folder = load_settings().keys
    made = rotation.prepare_scalar(folder, at=int(time.time()))
    typer.echo(f"{made.key} is prepared. Entry must see {folder}/public/keys.json; then `sor keys switch scalar`.")


def switch_scalar(
    entry_has_it: Annotated[
        bool, typer.Option("--entry-has-it", help="The public folder is where entry reads it (its keys are not here).")
    ] = False,
) -> None:
    """Evaluate multiplies with the next scalar from now on; entry takes the step back to the first one."""
    guard()
    done = rotation.switch_scalar(load_settings().keys, at=int(time.time()), entry_has_it=entry_has_it)
    typer.echo(f"{done.key} is in use. In a minute `sor keys destroy` takes the former one away.")


def label() -> None:
    """Make the secret of the next epoch of pseudonyms. It is not in use until the log was renewed."""
    guard()
    epoch = label_epochs.prepare_label(load_settings().keys, at=int(time.time()))
    typer.echo(f"The secret of epoch {epoch} is made and not in use. Keep a copy of the folder entry as you do now.")
    typer.echo("`sor keys switch label` leads everything that is stored to it, and puts it in use.")


def destroyed(folder: Path, key: Key, now: int) -> None:
    """Destroy a former key that may go."""
    if key.what == keys.SEALING:
        rotation.destroy_sealing(folder, key.part, key.id, at=now)
    elif key.part == keys.EVALUATE:
        rotation.destroy_scalar(folder, at=now)
    else:
        rotation.destroy_step(folder, key.id, at=now)
