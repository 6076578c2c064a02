"""The ``sor`` command. A sub-command is imported when it is asked for: ``sor deliver`` loads no simulator."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final, NamedTuple, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from faults import OperatorFault
from sor import needs


class Entry(NamedTuple):
    """A sub-command: the module below ``sor/commands`` that registers it, and the first paragraph of its help.

    ``extra``: what the processes need that it starts, so that it is looked at before any of them. ``machine``: the
    module that takes its place in a checkout, which knows the stack of this machine as well.
    """

    module: str
    help: str
    extra: str = ""
    machine: str = ""


#: In the order in which ``sor --help`` lists them. The help stands here as well, so that the list imports no module.
COMMANDS: Final[dict[str, Entry]] = {
    "demo": Entry(
        "demo",
        "Start everything, deliver a region's files, check every figure and show the indicators per cluster.",
        "local",
    ),
    "up": Entry(
        "stack",
        "Start Kafka, ClickHouse and the stages on this machine and keep them running. Ctrl-C stops them.",
        "local",
    ),
    "down": Entry("stack", "Stop the stack, in reverse order."),
    "stop": Entry("stack", "Stop one process of the running stack, until sor start or the next sor up."),
    "start": Entry("stack", "Start a process again that sor stop stopped, and wait until it is ready."),
    "status": Entry(
        "stack",
        "Show each process. Ends with 0 when all are up, 1 when some are not, 3 when the stack is not running.",
    ),
    "logs": Entry("stack", "Print the last lines of a process's log, or of all of them."),
    "doctor": Entry(
        "doctor",
        "Look at this machine and at the running system: what is not as it should be, and what to do. Ends with 1 on a "
        "problem.",
        machine="machine",
    ),
    "settings": Entry(
        "settings",
        "Show every setting as it is in force here, or write the page that explains them (docs/settings.md).",
    ),
    "deliver": Entry(
        "deliver",
        "Deliver the field's files (CBS files with a layout) and show what became of them.",
    ),
    "receipts": Entry("receipts", "Show what became of deliveries. Ends with 0; 1 when nothing is found."),
    "deliveries": Entry("deliveries", "Deliveries as they count; take a whole one back."),
    "rejected": Entry("rejected", "Records that could not be read, and sources set aside."),
    "skip": Entry(
        "skip",
        "Have a stage leave out one record, for what nobody foresaw: from its next start on, and in a replay.",
    ),
    "portal": Entry("portal", "The pages for people: who may log in, and the server."),
    "intake": Entry("intake", "Take in files over HTTP, for many sources (docs/intake.md)."),
    "sql": Entry("sql", "Ask ClickHouse. An error is ClickHouse's own sentence, and the command ends with 1."),
    "migrate": Entry("sink", "Bring the tables of ClickHouse up to this release. Running it again does nothing."),
    "indicators": Entry("sink", "Show the figures as they are now (for the third party; small groups stay hidden)."),
    "indicatoren": Entry(
        "indicatoren",
        "Write docs/indicatoren.md and docs/meldingen.md: every figure and every message in words.",
    ),
    "report": Entry("report", "Make one report and say where it is. Sends nothing."),
    "reports": Entry("reports", "All reports of a month: make and send them, see what there is."),
    "schedule": Entry(
        "schedule",
        "Close the month that is due: build, prove and publish a release, then make and send the reports.",
    ),
    "forget": Entry(
        "forget", "Forget clients for good: their facts leave the log, the states, the compacted topics and the tables."
    ),
    "release": Entry(
        "release",
        "Released figures: build, audit, publish, withdraw.",
    ),
    "audit": Entry(
        "audit",
        "Recompute every row and state from the log and compare it with ClickHouse, the changelog and the store.",
    ),
    "backup": Entry(
        "backup",
        "Copy the log and what cannot be recomputed, while the stream runs. Once more in the same folder goes on.",
    ),
    "restore": Entry(
        "backup",
        "Fill an empty broker and an empty database from a backup; on one machine an empty home, while no stack runs.",
        machine="machine",
    ),
    "replay": Entry(
        "replay",
        "Make every row anew from the log, beside those in use, and show what differs: rows, reasons and figures.",
    ),
    "heal": Entry(
        "heal",
        "Show whether log, states and store belong together, and mend it. Ends with 1 when there is something left to "
        "do.",
    ),
    "simulate": Entry(
        "simulate",
        "Write made-up messages, answers, scores, questionnaires and CBS files, with the figures that must come out.",
    ),
    "keys": Entry("keys", "The key folders: public, evaluate, entry, trajectories."),
    "sources": Entry("sources", "Who may deliver: the authority, its certificates, what it revoked."),
    "providers": Entry("providers", "Providers that see their own results in Grafana: who has a login, and its users."),
    "topics": Entry("topics", "Topics as schemas/topics.toml declares them."),
    "rights": Entry(
        "rights",
        "Show who may do what at the broker and in ClickHouse, or write it down (docs/rights.md, users of a server).",
    ),
    "bench": Entry(
        "bench",
        "Measure the stream on this machine: its own broker and engine, real processes, in a temporary folder.",
        "local",
    ),
    "run": Entry(
        "run",
        "Run one process until SIGTERM. Exit 0: stopped; 70: a fault, offset uncommitted; 71, 72, 75: see the log.",
    ),
    "grafana": Entry("grafana", "The Grafana of the audiences: lay it down from the list, show it."),
    "dashboards": Entry(
        "dashboards",
        "Write the Grafana dashboards of the outcomes, the deliveries and the operation, and the page of metrics.",
    ),
}


def load(name: str) -> Any:
    """The real sub-command; imports its module. ``KeyError`` for a name that is none."""
    alone = typer.Typer()
    entry = COMMANDS[name]
    module = entry.machine if entry.machine and needs.in_a_checkout() else entry.module
    importlib.import_module(f"sor.commands.{module}").register(alone)
    alone.callback()(lambda: None)  # a group, also when it is the only one that its module registers
    return get_group(alone).commands[name]


class _Lazy(TyperGroup):
    """Lists stand-ins; what is run, or asked for its own help, is loaded."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, stand_in, rest = super().resolve_command(ctx, args)
        if stand_in is None or name is None:
            return name, None, rest
        if extra := COMMANDS[name].extra:
            needs.require(extra, f"sor {name}")
        return name, load(name), rest


app = typer.Typer(
    name="sor",
    cls=_Lazy,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Sturen op Resultaat: a streaming monitor of what youth care achieves.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Has no options of its own."""


def main() -> None:
    """Run the command line; what an operator can mend is one sentence and its exit code."""
    try:
        app()
    except OperatorFault as problem:
        _end(problem)
    except ModuleNotFoundError as error:
        absent = needs.explained(error, " ".join(["sor", *sys.argv[1:2]]))
        if absent is None:
            raise
        _end(absent)


def _end(problem: OperatorFault) -> NoReturn:
    from connectors.masking import plain  # the list of commands needs nothing of it

    typer.echo(f"sor: {plain(str(problem))}", err=True)  # a path, or what a server said, may be in it
    sys.exit(problem.exit_code)
