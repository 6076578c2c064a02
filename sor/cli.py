"""The ``sor`` command: every sub-command registers itself from ``sor/commands``."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import typer

from connectors.errors import ConnectorError
from crypto.keys import KeyProblem
from sor.settings import SettingsError
from sor.stack.errors import StackError
from transport.publisher import NotDelivered
from transport.topics import TopicProblem

app = typer.Typer(
    name="sor",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Sturen op Resultaat: a streaming monitor of what youth care achieves.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
#: In the order in which ``sor --help`` lists them.
COMMANDS: Final = (
    "demo",
    "stack",
    "deliver",
    "sql",
    "sink",
    "audit",
    "simulate",
    "keys",
    "topics",
    "bench",
    "run",
    "dashboards",
)
for _name in COMMANDS:
    importlib.import_module(f"sor.commands.{_name}").register(app)


def main() -> None:
    """Run the command line; what an operator can mend is one sentence and exit code 2."""
    try:
        app()
    except (SettingsError, StackError, KeyProblem, TopicProblem, NotDelivered, ConnectorError) as problem:
        typer.echo(f"sor: {problem}", err=True)
        sys.exit(2)
