"""``sor rejected``: records that could not be read: look at them, have them read again, or leave them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client

from connectors import masking
from operations.orders import REREADS, Orders, Why, kept_until, oldest_kept
from schemas.orders import Place
from sinks import clickhouse
from sor.commands.options import AsJson, Reason
from sor.commands.ordering import connected, ordering

_GONE = 1
_COLUMNS: Final = (
    *("record", "stage", "code", "reason", "delivery", "line", "sender", "source"),
    *("rejected_at", "handled", "topic"),
)
#: What was done counts until the record is refused again: its coordinates stay the same.
_WAITING: Final = """
FROM rejected AS r FINAL
LEFT JOIN (
    SELECT topic, partition, offset, argMax(actie, afhandelingen.op) AS actie, max(afhandelingen.op) AS op
    FROM afhandelingen GROUP BY ALL
) AS h ON r.topic = h.topic AND r.partition = h.partition AND r.offset = h.offset
"""
_HANDLED: Final = "if(h.op >= r.rejected_at, h.actie, '')"
_LIST: Final = f"""
SELECT concat(r.topic, '/', toString(r.partition), '/', toString(r.offset)) AS record, r.stage, r.code, r.reason,
       r.delivery, r.line, r.sender, r.source, toUnixTimestamp64Milli(r.rejected_at), {_HANDLED} AS handled, r.topic
{_WAITING}
WHERE ({{all:UInt8}} OR handled = '') AND ({{record:String}} = '' OR record = {{record:String}})
ORDER BY r.rejected_at DESC, record LIMIT {{most:UInt32}}
"""
_ASIDE: Final = f"""
SELECT r.source, count(), toString(min(r.rejected_at)), toString(max(r.rejected_at)) {_WAITING}
WHERE r.code = 'K06' AND {_HANDLED} = '' GROUP BY r.source ORDER BY r.source
"""
_OF_SOURCE: Final = f"""
SELECT r.topic, r.partition, r.offset {_WAITING}
WHERE r.source = {{source:String}} AND r.source != '' AND {_HANDLED} = ''
  AND toUnixTimestamp64Milli(r.rejected_at) > {{since:Int64}} ORDER BY r.topic, r.partition, r.offset
"""
_HISTORY: Final = """
SELECT actie, reden, door, toString(op) FROM afhandelingen
WHERE topic = {topic:String} AND partition = {partition:Int32} AND offset = {offset:Int64} ORDER BY op
"""
Records = Annotated[list[str] | None, typer.Argument(help="topic/partition/offset, as `sor rejected list` shows.")]


def register(app: typer.Typer) -> None:
    """Add ``sor rejected``."""
    group = typer.Typer(no_args_is_help=True, help="Records that could not be read, and sources set aside.")
    commands: dict[str, Callable[..., None]] = {
        "list": list_,
        "show": show,
        "requeue": requeue,
        "drop": drop,
        "aside": aside,
        "release": release,
    }
    for name, command in commands.items():
        group.command(name)(command)
    app.add_typer(group, name="rejected")


def list_(
    everything: Annotated[bool, typer.Option("--all", help="Handled ones too.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="At most so many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what could not be read and was not handled yet. Ends with 0, also when there is nothing."""
    rows = connected(lambda client: _rows(client, everything=everything, record="", most=most))
    if as_json:
        typer.echo(masking.json_text(rows))
        return
    for row in rows:
        handled = f" [{row['handled']}]" if row["handled"] else ""
        line = f"{row['record']}  {row['rejected_at']}  {row['stage']} {row['code']}{handled}: {row['reason']}"
        typer.echo(masking.plain(line))
    typer.echo(f"{len(rows)} record(s). sor rejected show RECORD tells more." if rows else "Nothing is waiting.")


def show(record: Annotated[str, typer.Argument(help="topic/partition/offset")], as_json: AsJson = False) -> None:
    """Show coordinates, reason and what was done; never content: it is sealed, and nobody here may read it."""
    place = _places([record])[0]

    def look(client: Client) -> dict[str, Any]:
        rows = _rows(client, everything=True, record=str(place), most=1)
        if not rows:
            raise typer.Exit(_missing([place]))
        done = clickhouse.select(client, _HISTORY, place._asdict())
        history = [dict(zip(("action", "reason", "by", "at"), row, strict=True)) for row in done]
        return rows[0] | {"history": history}

    found = connected(look)
    if as_json:
        typer.echo(masking.json_text(found))
        return
    for name, value in found.items():
        typer.echo(masking.plain(f"{name:12} {value}"))
    if not found["kept"]:
        typer.echo("The record itself has passed its retention: it can no longer be read again.")


def requeue(
    reden: Reason,
    records: Records = None,
    source: Annotated[str, typer.Option("--source", help="All that waits of a source, once it is released.")] = "",
) -> None:
    """Have records read again by the stage that refused them. Ends with 1 if one is gone."""
    places = _places(records or [])
    if bool(places) == bool(source):
        raise typer.BadParameter("name the records, or a source with --source")

    def act(client: Client, orders: Orders) -> int:
        asked = _of_source(client, source) if source else places
        there = [place for place in asked if place.topic in REREADS and (source or _kept(client, place))]
        orders.requeue(there, Why.of(reden))
        typer.echo(f"{len(there)} record(s) to be read again. sor rejected list shows whether they are refused again.")
        return _missing(set(asked) - set(there))

    raise typer.Exit(ordering(act))


def drop(records: Records, reden: Reason) -> None:
    """Leave records out for good; the receipt of their delivery keeps counting them as refused."""
    places = _places(records or [])

    def act(client: Client, orders: Orders) -> int:
        known = [p for p in places if _rows(client, everything=True, record=str(p), most=1)]
        orders.drop(known, Why.of(reden))
        typer.echo(f"{len(known)} record(s) dropped.")
        return _missing(set(places) - set(known))

    raise typer.Exit(ordering(act))


def aside(as_json: AsJson = False) -> None:
    """List the sources whose records wait because most of them could not be opened."""
    names = ("source", "records", "first", "last")
    rows = connected(
        lambda client: [dict(zip(names, row, strict=True)) for row in clickhouse.select(client, _ASIDE, {})]
    )
    if as_json:
        typer.echo(masking.json_text(rows))
        return
    for row in rows:
        typer.echo(masking.plain(f"{row['source']}  {row['records']} record(s), {row['first']} to {row['last']}"))
    typer.echo("sor rejected release SOURCE takes one in again." if rows else "No source waits.")


def release(source: Annotated[str, typer.Argument(help="As sor rejected aside shows it.")], reden: Reason) -> None:
    """Take a source in again that was set aside. What waits is put back with: sor rejected requeue --source."""

    def act(client: Client, orders: Orders) -> int:
        waiting = len(_of_source(client, source))
        orders.release(source, Why.of(reden))
        typer.echo(masking.plain(f"{source} is taken in again; {waiting} record(s) of it wait: sor rejected requeue."))
        return 0

    raise typer.Exit(ordering(act))


def _rows(client: Client, *, everything: bool, record: str, most: int) -> list[dict[str, Any]]:
    parameters = {"all": int(everything), "record": record, "most": most}
    return [_shown(dict(zip(_COLUMNS, row, strict=True))) for row in clickhouse.select(client, _LIST, parameters)]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """With times to read, and until when the record itself is there at the most."""
    at = datetime.fromtimestamp(row["rejected_at"] / 1000, UTC)
    topic = row.pop("topic")
    until = kept_until(topic, at) if topic in REREADS else at
    row |= {"rejected_at": f"{at:%Y-%m-%d %H:%M:%S}", "kept_until": f"{until:%Y-%m-%d %H:%M}"}
    return row | {"kept": until > datetime.now(UTC)}


def _of_source(client: Client, source: str) -> list[Place]:
    found = clickhouse.select(client, _OF_SOURCE, {"source": source, "since": oldest_kept()})
    return [Place(*row) for row in found]


def _kept(client: Client, place: Place) -> bool:
    return any(row["kept"] for row in _rows(client, everything=True, record=str(place), most=1))


def _missing(places: Iterable[Place]) -> int:
    gone = sorted(places)
    for place in gone:
        typer.echo(f"sor: {masking.plain(str(place))} is not there: see sor rejected list.", err=True)
    return _GONE if gone else 0


def _places(records: list[str]) -> list[Place]:
    try:
        return list(dict.fromkeys(Place.of(record) for record in records))
    except ValueError:
        raise typer.BadParameter("a record is written topic/partition/offset, such as sor.in.start/0/17") from None
