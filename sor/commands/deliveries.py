"""``sor deliveries``: deliveries as they count; take a whole one back. What it prints is Dutch: providers read it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from connectors import masking
from connectors.answer.report import moment
from connectors.delivery.connector import WAIT_SECONDS, Connector
from connectors.delivery.signers import signers
from connectors.delivery.takeback import KIND
from connectors.errors import ConnectorError
from crypto.memory import guard
from domain.facts.answer import Receipt
from domain.field.codes import TAKEBACK_REASONS
from domain.field.messages import text
from domain.field.words import (
    KIND_LABELS,
    NO_DELIVERY,
    NOBODY_TO_ASK,
    NOT_FOUND_TO_TAKE_BACK,
    NOT_TO_TAKE_BACK,
    TAKE_BACK_QUESTION,
    TAKEBACK_WAITS,
    TAKEN_BACK,
    TAKEN_BACK_BEFORE,
    counting_words,
    takeback_refused,
    takeback_sent,
)
from settings.access import intake_endpoint, kafka_cluster
from settings.settings import Settings, load_settings
from sor.commands.receipts import ask
from transport.clients import Cluster

_DONE, _NOT, _NO_RECEIPT = 0, 1, 3
_MOST: Final = 50
Row = dict[str, Any]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Sender = Annotated[str, typer.Option("--sender", help="AGB code of the provider that delivered.")]


def register(app: typer.Typer) -> None:
    """Add ``sor deliveries``."""
    group = typer.Typer(no_args_is_help=True, help="Deliveries as they count; take a whole one back.")
    group.command("list")(list_)
    group.command("withdraw")(withdraw)
    app.add_typer(group, name="deliveries")


def list_(
    sender: Sender = "",
    since: Annotated[str, typer.Option("--since", help="Only what moved since then, such as 2026-05-01.")] = "",
    most: Annotated[int, typer.Option("--most", min=1, help="At most so many, the newest first.")] = _MOST,
    as_json: AsJson = False,
) -> None:
    """Show deliveries, the newest first, and which count. Ends with 0; 1 when there are none.

    With SOR_INTAKE those of this source; else all, from ClickHouse, for the functional manager.
    """
    guard()
    rows = ask(load_settings(), sender, "", [], since, "alle", most)
    shown = masking.json_text(rows) if as_json else "\n".join(masking.plain(_text(row)) for row in rows)
    typer.echo(shown or NO_DELIVERY)
    if not rows:
        raise typer.Exit(_NOT)


def withdraw(
    delivery: Annotated[str, typer.Argument(metavar="ID", help="Id of the delivery, or its beginning.")],
    sender: Sender = "",
    reden: Annotated[str, typer.Option("--reden", help=f"Why: {', '.join(TAKEBACK_REASONS[1:])}.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0.0, help="Seconds to wait for the receipt.")] = WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Take a whole delivery back: it counts as never sent, until the same is delivered again.

    A source takes back its own; the functional manager, with a certificate for all providers, any.

    Ends with 0: taken back, or it was before; 1: refused, or not agreed to; 2: no such delivery; 3: no receipt in time.
    """
    guard()
    settings = load_settings()
    row = _the_one(ask(settings, sender, delivery, [], "", "alle", 2))
    if row["teruggenomen"]:
        _end(row, TAKEN_BACK_BEFORE, _DONE, as_json=as_json)
    if row["soort"] == KIND or row["test"]:
        raise ConnectorError(NOT_TO_TAKE_BACK)
    if not yes:
        _agree(row)
    receipt = _taken_back(settings, row, reden, wait, _told(as_json=as_json))
    code = _NO_RECEIPT if receipt is None or not receipt.klaar else _NOT if receipt.afgekeurd else _DONE
    _end(row, _result(receipt), code, as_json=as_json)


def _the_one(rows: list[Row]) -> Row:
    if len(rows) != 1:
        raise ConnectorError(NOT_FOUND_TO_TAKE_BACK)
    return rows[0]


def _terminal() -> bool:
    return sys.stdin.isatty()


def _agree(row: Row) -> None:
    if not _terminal():
        raise ConnectorError(f"{TAKE_BACK_QUESTION} {NOBODY_TO_ASK}")
    typer.echo(masking.plain(_text(row)), err=True)
    if not typer.confirm(TAKE_BACK_QUESTION, err=True):
        raise typer.Exit(_NOT)


def _told(*, as_json: bool) -> Callable[[str], None]:
    """Says what goes on, beside a JSON document."""
    return lambda sentence: typer.echo(sentence, err=as_json)


def _taken_back(settings: Settings, row: Row, reden: str, wait: float, tell: Callable[[str], None]) -> Receipt | None:
    intake = intake_endpoint(settings)
    cluster = Cluster("") if intake else kafka_cluster(settings)
    of_sender = signers(settings.keys, settings.authority)
    with Connector(settings.keys, cluster, signers=of_sender, intake=intake) as connector:
        made = connector.take_back(row["aanbieder"], row["aanlevering"], row["records"], reden)
        tell(takeback_sent(made.id))
        return connector.receipt(made, wait)


def _result(receipt: Receipt | None) -> str:
    if receipt is None or not receipt.klaar:
        return TAKEBACK_WAITS
    if receipt.afgekeurd:
        return takeback_refused(f"{code}: {text(code)}" for code in sorted(receipt.codes))
    return TAKEN_BACK


def _end(row: Row, sentence: str, code: int, *, as_json: bool) -> None:
    found = {name: row[name] for name in ("aanlevering", "aanbieder", "soort", "records")}
    document = {**found, "teruggenomen": code == _DONE, "melding": sentence, "exit": code}
    typer.echo(masking.json_text(document) if as_json else masking.plain(sentence))
    raise typer.Exit(code)


def _text(row: Row) -> str:
    taken_back = moment(row["teruggenomen"]) if row["teruggenomen"] else ""
    counts = counting_words(row["geaccepteerd"], row["records"], taken_back=taken_back, test=row["test"])
    return f"{row['aanlevering']}  {moment(row['laatste'])}  {row['aanbieder']}  {KIND_LABELS[row['soort']]}: {counts}"
