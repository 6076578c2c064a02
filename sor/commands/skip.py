"""``sor skip``: have a stage leave out the one record that it cannot get past."""

from __future__ import annotations

from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client

from connectors import masking
from operations.orders import Orders, Why, reads, stages
from schemas.orders import Place
from sor.commands.options import Reason
from sor.commands.ordering import ordering


def register(app: typer.Typer) -> None:
    """Add ``sor skip``."""
    app.command("skip")(skip)


def skip(
    stage: Annotated[str, typer.Argument(help="The stage that stops, as sor status names it.")],
    record: Annotated[str, typer.Argument(help="topic/partition/offset, as the last line of its log names it.")],
    reden: Reason,
) -> None:
    """Have a stage leave out one record, for what nobody foresaw: from its next start on, and in a replay.

    Only for the record at which the stage stops: one that is in its state already stays there until a replay.
    """
    if stage not in stages():
        raise typer.BadParameter(f"{stage} is none of {', '.join(stages())}")
    try:
        place = Place.of(record)
    except ValueError:
        raise typer.BadParameter("a record is written topic/partition/offset, such as sor.events/0/17") from None
    if place.topic not in reads(stage) or place.partition < 0 or place.offset < 0:
        raise typer.BadParameter(f"{stage} reads {', '.join(reads(stage))}, and no such record")

    def act(_client: Client, orders: Orders) -> None:
        orders.skip(stage, place, Why.of(reden))

    ordering(act)
    typer.echo(masking.plain(f"{stage} leaves out {place} when it is started again, which its supervisor does."))
