"""``sor deliver``: the field's files in, receipts back. What it prints is Dutch: providers read it."""

from __future__ import annotations

import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from connectors import masking
from connectors.answer import report
from connectors.answer.mail import Feedback, MailError
from connectors.delivery.connector import WAIT_SECONDS, Connector
from connectors.delivery.deliveries import Changed, Delivery
from connectors.delivery.recognise import NOT_FOR_US
from connectors.delivery.signers import signers
from connectors.errors import BrokerDown, ConnectorError
from connectors.formats import areas
from connectors.formats import files as input_files
from connectors.formats.cbs.layout import read
from connectors.formats.model import Choices, FileFault
from crypto.memory import guard
from domain.facts.answer import Receipt
from domain.field.formats import FORMATS
from domain.field.words import skipped
from settings.access import intake_endpoint, kafka_cluster
from settings.settings import Settings, load_settings
from sor.feedback import feedback
from sor.options import given, setting
from transport.clients import Cluster

if TYPE_CHECKING:
    from rich.progress import Progress

GOOD, REFUSED, NOTHING, NO_RECEIPT, NO_SERVER, INTERRUPTED = 0, 1, 2, 3, 4, 130
_PERIODE: Final = re.compile(r"20[0-9]{2}-[12]")
_AGB: Final = re.compile(r"[0-9]{8}")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("deliver", help=f"{deliver.__doc__}\n\n    Files are {', '.join(FORMATS)}.")(deliver)


def deliver(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or zip files.", show_default=False)],
    sender: Annotated[str, typer.Option("--as", help="AGB code of the provider (8 digits).")] = "",
    test: Annotated[bool, typer.Option("--test", help="A test: a receipt, and nothing in the figures.")] = False,
    wait: Annotated[
        float, typer.Option("--wait", min=0.0, help="Seconds to wait for a receipt while nothing moves.")
    ] = WAIT_SECONDS,
    check_only: Annotated[bool, typer.Option("--check", help="Look at the files only; publish nothing.")] = False,
    show_all: Annotated[bool, typer.Option("--all", help="List accepted rows as well.")] = False,
    layout: Annotated[Path | None, setting("cbs_layout", "--layout")] = None,
    periode: Annotated[str, typer.Option("--periode", help="Half year of a CBS file, such as 2026-1.")] = "",
    max_mb: Annotated[int | None, setting("max_file_mb", "--max-mb")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Deliver the field's files (CBS files with a layout) and show what became of them.

    A folder may hold files of every kind.

    Ends with 0: all accepted; 1: something refused; 2: nothing to deliver; 3: no receipt in time; 4: no broker; 130:
    interrupted. The same command again finishes what was not finished, and nothing counts twice.
    """
    guard()
    if sender and not _AGB.fullmatch(sender):
        raise ConnectorError("--as is een AGB-code van acht cijfers.")
    settings = load_settings(**given(max_file_mb=max_mb, cbs_layout=layout))
    choices = _choices(settings, periode)
    limits = input_files.Limits(file_bytes=settings.max_file_mb * 1_000_000)
    show = Show(as_json=as_json, show_all=show_all)
    intake = None if check_only else intake_endpoint(settings)
    with Connector(
        settings.keys,
        Cluster("") if check_only or intake else kafka_cluster(settings),
        limits=limits,
        journal=settings.journal,
        choices=choices,
        signers=signers(settings.keys, settings.authority),
        intake=intake,
    ) as connector:
        options = Options(sender, test, wait, check_only, None if check_only else feedback(settings))
        code = run(connector, paths, limits, show, options)
    raise typer.Exit(code)


def _choices(settings: Settings, periode: str) -> Choices:
    if periode and not _PERIODE.fullmatch(periode):
        raise ConnectorError("--periode is een halfjaar, zoals 2026-1 of 2026-2.")
    layout = read(settings.cbs_layout) if settings.cbs_layout else None
    found = areas.read(settings.postcodegebieden) if settings.postcodegebieden else None
    return Choices(frozenset(settings.bergop_gemeenten), layout, periode, found)


class Options:
    """What was asked for."""

    def __init__(
        self,
        sender: str = "",
        test: bool = False,
        wait: float = WAIT_SECONDS,
        check_only: bool = False,
        mail: Feedback | None = None,
    ) -> None:
        self.sender, self.test, self.wait, self.check_only, self.mail = sender, test, wait, check_only, mail


class Show:
    """Prints as it goes, or gathers one JSON document; a bar on a terminal."""

    def __init__(self, *, as_json: bool, show_all: bool) -> None:
        self.as_json, self.show_all = as_json, show_all
        self.document: dict[str, Any] = {"aanleveringen": [], "niet_aangeleverd": []}
        self.exit = GOOD
        self._skipped = Counter[str]()
        self._moving = not as_json and sys.stderr.isatty()  # without a terminal nothing of rich is imported

    def text(self, lines: list[str]) -> None:
        """Lines for a reader."""
        if not self.as_json:
            typer.echo("\n".join(map(masking.plain, lines)))

    def refused(self, fault: FileFault) -> None:
        """A file that is not delivered; what is not for the monitor is counted, and nothing is wrong with it."""
        if fault.code == NOT_FOR_US:
            self._skipped[fault.veld] += 1
            return
        self.worse(REFUSED)
        self.document["niet_aangeleverd"].append(report.refused_json(fault))
        self.text([report.refused_file(fault)])

    def result(self, delivery: Delivery, receipt: Receipt | None) -> None:
        """One delivery with its receipt."""
        self.document["aanleveringen"].append(report.as_json(delivery, receipt, show_all=self.show_all))
        self.text(report.final_step(delivery, receipt, show_all=self.show_all))

    def problem(self, code: int, sentence: str) -> None:
        """What stopped the work."""
        self.worse(code)
        self.document["probleem"] = sentence
        typer.echo(f"sor: {masking.plain(sentence)}", err=True)

    def mailed(self, mail: Feedback | None, delivery: Delivery, receipt: Receipt | None = None) -> None:
        """Feedback by mail where it is asked for; without it the delivery goes on."""
        if mail is None:
            return
        try:
            mail.checked(delivery) if receipt is None else mail.decided(delivery, receipt)
        except MailError as problem:
            typer.echo(f"sor: {masking.plain(str(problem))}", err=True)

    def worse(self, code: int) -> None:
        """The exit code is the worst of what happened: interrupted, no broker, no receipt, refused."""
        order = (GOOD, REFUSED, NOTHING, NO_RECEIPT, NO_SERVER, INTERRUPTED)
        self.exit = max(self.exit, code, key=order.index)

    def skipped(self) -> None:
        """One line for all that is not for the monitor."""
        if self._skipped:
            self.text([skipped(self._skipped)])
        self.document["overgeslagen"] = dict(self._skipped)

    def checking(self, deliveries: Iterator[Delivery]) -> Delivery | None:
        """The next delivery that is checked, with a sign of life on a terminal meanwhile."""
        if not self._moving:
            return next(deliveries, None)
        from rich.console import Console

        with Console(stderr=True).status("Controleren"):
            return next(deliveries, None)

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Progress | None]:
        """A bar while one delivery is worked on."""
        if not self._moving:
            yield None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            progress.add_task(what, total=total)
            yield progress

    def end(self) -> int:
        """The exit code; prints the document when that was asked for."""
        self.document["exit"] = self.exit
        if self.as_json:
            typer.echo(masking.json_text(self.document))
        return self.exit


class Interruption:
    """Ctrl-C as a flag while Kafka's client works: raised inside its callbacks it would be lost or break the client.

    ``check`` raises it at a safe place, leaving does so too, and a second Ctrl-C is raised at once.
    """

    def __init__(self) -> None:
        self._asked = False

    def __enter__(self) -> Interruption:
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)
        if kind is None:
            self.check()

    def _ask(self, _number: int, _frame: object) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def check(self) -> None:
        """Raise what was asked for."""
        if self._asked:
            raise KeyboardInterrupt


def run(connector: Connector, paths: list[Path], limits: input_files.Limits, show: Show, options: Options) -> int:
    """Publish everything below the paths, then show one receipt after the other; the exit code."""
    made, sent = 0, []
    try:
        if not options.check_only:
            connector.connect()
        found = input_files.find(paths, limits, show.refused)
        plan = connector.run(options.sender, test=options.test, keep_accepted=show.show_all)
        deliveries = connector.deliveries(found, plan, show.refused)
        while (delivery := show.checking(deliveries)) is not None:
            made += 1
            show.text(report.first_step(delivery))
            if _publish(connector, delivery, show, options):
                sent.append(delivery)
                show.mailed(options.mail, delivery)
        show.skipped()
        for delivery in sent:
            _receipt(connector, delivery, show, options)
    except BrokerDown as error:
        show.problem(NO_SERVER, str(error))
    except KeyboardInterrupt:
        show.problem(INTERRUPTED, "Onderbroken. Hetzelfde commando maakt het werk later af; niets telt dubbel.")
    else:
        if not made:
            show.problem(NOTHING, "Er is niets aan te leveren.")
    return show.end()


def _publish(connector: Connector, delivery: Delivery, show: Show, options: Options) -> bool:
    """Whether the whole delivery is at the broker."""
    if any(file.refused for file in delivery.files):
        show.worse(REFUSED)
    if options.check_only:
        found = report.foreseen(delivery)
        show.document["aanleveringen"].append(report.as_json(delivery, found, show_all=show.show_all))
        show.text(report.checked(delivery, show_all=show.show_all))
        return False
    with Interruption() as interruption, show.bar("Aanleveren", delivery.lines) as bar:

        def sent(number: int) -> None:
            interruption.check()
            if bar:
                bar.advance(bar.task_ids[0], number)

        try:
            connector.publish(delivery, sent)
        except Changed as error:
            show.refused(error.fault)
            return False
    return True


def _receipt(connector: Connector, delivery: Delivery, show: Show, options: Options) -> None:
    with Interruption() as interruption, show.bar("Verwerken", delivery.lines) as bar:

        def seen(receipt: Receipt) -> None:
            if bar:
                bar.update(bar.task_ids[0], completed=receipt.gezien)

        receipt = connector.receipt(delivery, options.wait, seen, interruption.check)
    if receipt is None or not receipt.klaar:
        show.worse(NO_RECEIPT)
    elif receipt.sums.refused:
        show.worse(REFUSED)
    show.result(delivery, receipt)
    show.mailed(options.mail, delivery, receipt)
