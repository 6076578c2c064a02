"""``sor forget --bsn``: a source asks that clients are forgotten. What it prints is Dutch: providers read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

import typer

from connectors import masking
from connectors.delivery.connector import WAIT_SECONDS, Connector
from connectors.delivery.signers import asking
from connectors.errors import ConnectorError
from domain.facts.answer import Receipt
from domain.field.codes import ERASURE_REASONS
from domain.field.messages import text
from domain.field.words import ERASURE_FORM, ERASURE_RECEIVED, ERASURE_WAITS, erasure_refused, erasure_sent
from settings.access import intake_endpoint, kafka_cluster
from settings.settings import Settings
from sor.commands.bsns import bsns
from transport.clients import Cluster

_DONE, _NOT, _NO_RECEIPT = 0, 1, 3
_CODE: Final[dict[str, int]] = {ERASURE_RECEIVED: _DONE, ERASURE_WAITS: _NO_RECEIPT}


def ask(settings: Settings, where: str, sender: str, reden: str, *, as_json: bool) -> NoReturn:
    """Seal it, send it, wait for its receipt, and end the command with what became of it."""
    if reden not in ERASURE_REASONS:
        raise ConnectorError(ERASURE_FORM)
    clients = bsns(where)
    intake = intake_endpoint(settings)
    cluster = Cluster("") if intake else kafka_cluster(settings)
    of_sender = asking(settings.keys, settings.authority)
    with Connector(settings.keys, cluster, signers=of_sender, intake=intake) as connector:
        made = connector.ask_to_forget(clients, sender, reden)
        _told(as_json=as_json)(erasure_sent(made.id, made.lines))
        sentence = _result(connector.receipt(made, WAIT_SECONDS))
    code = _CODE.get(sentence, _NOT)
    document = {"aanlevering": made.id, "aanbieder": made.sender, "records": made.lines, "melding": sentence}
    typer.echo(masking.json_text({**document, "exit": code}) if as_json else masking.plain(sentence))
    raise typer.Exit(code)


def _told(*, as_json: bool) -> Callable[[str], None]:
    """Says what goes on, beside a JSON document."""
    return lambda sentence: typer.echo(masking.plain(sentence), err=as_json)


def _result(receipt: Receipt | None) -> str:
    if receipt is None or not receipt.klaar:
        return ERASURE_WAITS
    if receipt.afgekeurd:
        return erasure_refused(f"{code}: {text(code)}" for code in sorted(receipt.codes))
    return ERASURE_RECEIVED
