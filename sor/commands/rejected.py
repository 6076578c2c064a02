"""``sor rejected``: records that could not be read: look at them, put them back, or leave them out, with a reason."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client

from connectors import masking
from operations import requeue
from operations.requeue import Place
from schemas.registry import registry_ids
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings, load_settings
from sinks import clickhouse
from sinks.access import Access

_GONE = 1
_COLUMNS: Final = ("record", "stage", "code", "reason", "delivery", "line", "sender", "rejected_at", "handled")
_LIST: Final = """
SELECT concat(topic, '/', toString(partition), '/', toString(offset)) AS record, stage, code, reason, delivery, line,
       sender, toString(rejected_at) AS at, h.actie AS handled
FROM rejected FINAL
LEFT JOIN (SELECT topic, partition, offset, argMax(actie, op) AS actie FROM afhandelingen GROUP BY ALL) AS h
    USING (topic, partition, offset)
WHERE ({all:UInt8} OR h.actie = '') AND ({record:String} = '' OR record = {record:String})
ORDER BY rejected_at DESC, record LIMIT {most:UInt32}
"""
_HISTORY: Final = """
SELECT actie, reden, door, toString(op) FROM afhandelingen
WHERE topic = {topic:String} AND partition = {partition:Int32} AND offset = {offset:Int64} ORDER BY op
"""
Records = Annotated[list[str], typer.Argument(help="topic/partition/offset, as `sor rejected list` shows.")]
Reason = Annotated[str, typer.Option("--reden", help="Why; kept in the audit trail. No personal data.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add ``sor rejected``."""
    group = typer.Typer(no_args_is_help=True, help="Records that could not be read: list, show, requeue, drop.")
    for name, command in (("list", list_), ("show", show), ("requeue", requeue_), ("drop", drop)):
        group.command(name)(command)
    app.add_typer(group, name="rejected")


def list_(
    everything: Annotated[bool, typer.Option("--all", help="Handled ones too.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="At most so many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what could not be read and was not handled yet. Ends with 0, also when there is nothing."""
    rows = _connected(lambda client, _s: _rows(client, everything=everything, record="", most=most))
    if as_json:
        typer.echo(masking.json_text(rows))
        return
    for row in rows:
        handled = f" [{row['handled']}]" if row["handled"] else ""
        line = f"{row['record']}  {row['rejected_at']}  {row['stage']} {row['code']}{handled}: {row['reason']}"
        typer.echo(masking.plain(line))
    typer.echo(f"{len(rows)} record(s). sor rejected show RECORD tells more." if rows else "Nothing is waiting.")


def show(record: Annotated[str, typer.Argument(help="topic/partition/offset")], as_json: AsJson = False) -> None:
    """Show coordinates, reason and what was done; never content: it is sealed, and stays so."""
    place = _places([record])[0]

    def look(client: Client, settings: Settings) -> dict[str, Any]:
        rows = _rows(client, everything=True, record=str(place), most=1)
        if not rows:
            raise typer.Exit(_missing([place]))
        kept = next(requeue.letters(kafka_cluster(settings), [place], _ids(settings)), None)
        done = clickhouse.select(client, _HISTORY, place._asdict())
        history = [dict(zip(("action", "reason", "by", "at"), row, strict=True)) for row in done]
        return rows[0] | {"kept_bytes": len(kept.value) if kept else 0, "history": history}

    found = _connected(look)
    if as_json:
        typer.echo(masking.json_text(found))
        return
    for name, value in found.items():
        typer.echo(masking.plain(f"{name:12} {value}"))
    if not found["kept_bytes"]:
        typer.echo("The record itself has passed its retention: it can no longer be put back.")


def requeue_(records: Records, reden: Reason) -> None:
    """Put records back into the topic they came from: they go the same way as any other. Ends with 1 if one is gone."""
    places = _places(records)

    def act(client: Client, settings: Settings) -> int:
        cluster = kafka_cluster(settings)
        found = list(requeue.letters(cluster, places, _ids(settings)))
        _note(client, [letter.place for letter in found], "requeue", reden)  # first: an act without a trace is worse
        count = requeue.put_back(cluster, found)
        typer.echo(f"{count} record(s) put back. sor rejected list shows whether they are refused again.")
        return _missing(set(places) - {letter.place for letter in found})

    raise typer.Exit(_connected(act))


def drop(records: Records, reden: Reason) -> None:
    """Leave records out for good; the receipt of their delivery keeps counting them as refused."""
    places = _places(records)

    def act(client: Client, _settings: Settings) -> int:
        known = [p for p in places if _rows(client, everything=True, record=str(p), most=1)]
        _note(client, known, "drop", reden)
        typer.echo(f"{len(known)} record(s) dropped.")
        return _missing(set(places) - set(known))

    raise typer.Exit(_connected(act))


def _rows(client: Client, *, everything: bool, record: str, most: int) -> list[dict[str, Any]]:
    parameters = {"all": int(everything), "record": record, "most": most}
    return [dict(zip(_COLUMNS, row, strict=True)) for row in clickhouse.select(client, _LIST, parameters)]


def _note(client: Client, places: list[Place], action: str, reason: str) -> None:
    rows = [(*place, action, reason, getpass.getuser()) for place in places]
    if rows:
        with clickhouse.told_apart("Writing the audit trail"):
            client.insert("afhandelingen", rows, ["topic", "partition", "offset", "actie", "reden", "door"])


def _missing(places: Any) -> int:
    for place in sorted(places):
        typer.echo(f"sor: {masking.plain(str(place))} is not there: see sor rejected list.", err=True)
    return _GONE if places else 0


def _places(records: list[str]) -> list[Place]:
    try:
        return list(dict.fromkeys(Place.of(record) for record in records))
    except ValueError:
        raise typer.BadParameter("a record is written topic/partition/offset, such as sor.in.start/0/17") from None


def _ids(settings: Settings) -> Any:
    return registry_ids(settings.registry) if settings.registry else None


def _connected(work: Callable[[Client, Settings], Any]) -> Any:
    settings = load_settings()
    found = clickhouse_access(settings, "rejected")
    return work(clickhouse.connect(Access(found.url, found.user, found.password, "sor")), settings)
