"""``sor receipts``: what became of deliveries: list, filter, search. What it prints is Dutch: providers read it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from getpass import getpass
from typing import Annotated, Any, Final

import typer

from connectors import masking
from connectors.answer import own
from connectors.answer.journal import Journal, Place
from connectors.answer.report import moment, remarks
from connectors.errors import ConnectorError
from connectors.over_intake import Intake
from crypto.keys import connector_secret
from crypto.memory import guard
from domain.facts.answer import TOO_MANY, TOO_OFTEN, sums, withdraws
from domain.field.bsn import elfproef
from domain.field.dates import moment_ms
from domain.field.messages import remark, text
from domain.field.words import KIND_LABELS, NO_DELIVERY, WITHDRAWN, outcome_words, waits_told
from settings.access import clickhouse_access, intake_endpoint
from settings.settings import Settings, load_settings

_NOTHING = 1
#: Stands for a number that is asked for.
ASK: Final = "-"
_LONGEST: Final = 100
_ON_THE_LINE: Final = (
    "Dit nummer kan een BSN zijn, en iedereen op deze machine kan een opdrachtregel lezen. "
    f"Geef --zoek {ASK} en typ het nummer als erom wordt gevraagd."
)
STATUSES: Final = ("alle", "in_verwerking", "verwerkt", "fouten", "ingetrokken")
_QUERY: Final = """
SELECT delivery, kind, sender, test, lines, gezien, geaccepteerd, afgekeurd, ingetrokken, klaar,
       toUnixTimestamp64Milli(eerste) AS eerste_ms, toUnixTimestamp64Milli(laatste) AS laatste_ms, codes,
       wacht, toUnixTimestamp64Milli(teruggenomen) AS terug_ms,
       arrayMap(f -> (f.line, f.regel, f.regels, f.code, f.veld), fouten) AS lijst,
       opmerking_codes, arrayMap(o -> (o.line, o.code), opmerkingen) AS records_met_opmerking,
       least(ingetrokken, codes[{too_many:String}] + codes[{too_often:String}]) AS later_afgekeurd
FROM receipts FINAL
WHERE ({sender:String} = '' OR sender = {sender:String})
  AND ({delivery:String} = '' OR startsWith(delivery, {delivery:String}))
  AND (empty({among:Array(String)}) OR has({among:Array(String)}, delivery))
  AND toUnixTimestamp64Milli(laatste) >= {since:Int64}
  AND ({status:String} = 'alle' OR ({status:String} = 'in_verwerking' AND NOT klaar)
    OR ({status:String} = 'verwerkt' AND klaar) OR ({status:String} = 'fouten' AND afgekeurd + later_afgekeurd > 0)
    OR ({status:String} = 'ingetrokken' AND ingetrokken > later_afgekeurd))
ORDER BY laatste DESC, delivery, sender, lines LIMIT {most:UInt32}
"""
_COLUMNS: Final = (
    *("aanlevering", "soort", "aanbieder", "test", "records", "gezien", "geaccepteerd", "afgekeurd", "ingetrokken"),
    *("klaar", "eerste", "laatste", "codes", "wacht", "teruggenomen", "fouten", "opmerkingen", "opmerkingen_records"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("receipts")(receipts)


def receipts(
    delivery: Annotated[str, typer.Argument(help="Id of one delivery, or its beginning: shows its lines.")] = "",
    aanbieder: Annotated[str, typer.Option("--aanbieder", help="AGB code of the provider.")] = "",
    since: Annotated[str, typer.Option("--since", help="Only what moved since then, such as 2026-05-01.")] = "",
    status: Annotated[str, typer.Option("--status", help=f"One of {', '.join(STATUSES)}.")] = "alle",
    search: Annotated[
        str,
        typer.Option(
            "--zoek", help="A number delivered from this machine; - asks for it, and so must be done for a BSN."
        ),
    ] = "",
    journal: Annotated[
        bool, typer.Option("--journaal", help="With --zoek: only where it was delivered; asks no ClickHouse.")
    ] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="At most so many, the newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what became of deliveries. Ends with 0; 1 when nothing is found.

    With SOR_INTAKE those of this source, as the intake has them; else all, from ClickHouse, for the third party.

    A number is searched in the journal of this machine's own deliveries, which holds keyed hashes only. Everybody on
    this machine can read a command line: what may be a BSN is asked on the terminal, or read from standard input.
    """
    guard()
    if status not in STATUSES:
        raise typer.BadParameter(f"--status is one of {', '.join(STATUSES)}")
    if _may_be_bsn(search) or elfproef(delivery):
        raise ConnectorError(_ON_THE_LINE)
    settings = load_settings()
    found = _journal(settings).search(_asked() if search == ASK else search) if search else []
    if journal:
        _show([place._asdict() for place in found], map(_place_text, found), as_json=as_json)
        return
    among = sorted({place.delivery for place in found})
    rows = [] if search and not among else ask(settings, aanbieder, delivery, among, since, status, most)
    for row in rows:
        row["gezocht"] = [_line(row, place) for place in found if place.delivery == row["aanlevering"]]
    _show(rows, _text(rows, lines=bool(delivery)), as_json=as_json)


def _may_be_bsn(text: str) -> bool:
    """Whether somebody may have written a BSN here: with points or spaces in it, or without the zero at its front."""
    numbers = {*re.findall("[0-9]+", text), re.sub(r"[^\w]", "", text)}
    return any(len(number) in (8, 9) and elfproef(number.zfill(9)) for number in numbers)


def _asked() -> str:
    """A number from the terminal, where it is not shown, or the first line of standard input."""
    if sys.stdin.isatty():
        number = getpass("Nummer (wordt niet getoond): ")
    else:
        number = sys.stdin.buffer.readline(_LONGEST).decode("ascii", "replace")
    if not number.strip():
        raise ConnectorError("Er is geen nummer gegeven.")
    return number.strip()


def _journal(settings: Settings) -> Journal:
    return Journal(settings.journal, connector_secret(settings.keys))


def _show(rows: list[dict[str, Any]], lines: Iterable[str], *, as_json: bool) -> None:
    shown = masking.json_text(rows) if as_json else "\n".join(map(masking.plain, lines))
    typer.echo(shown or NO_DELIVERY)
    if not rows:
        raise typer.Exit(_NOTHING)


def _place_text(place: Place) -> str:
    return f"{place.delivery}  regel {place.row} (record {place.record})"


def ask(
    settings: Settings, aanbieder: str, delivery: str, among: list[str], since: str, status: str, most: int
) -> list[dict[str, Any]]:
    """Receipts as rows, the newest first: those of this source with SOR_INTAKE, else all."""
    if settings.intake is not None:
        return _own(settings, aanbieder, delivery, among, since, status, most)
    from sinks import clickhouse  # not in a connector, which asks the intake

    parameters = {
        "sender": aanbieder, "delivery": delivery, "among": among, "since": _ms(since), "status": status, "most": most,
        "too_many": TOO_MANY, "too_often": TOO_OFTEN,
    }  # fmt: skip
    client = clickhouse.connect(clickhouse_access(settings, "receipts"))
    rows = clickhouse.select(client, _QUERY, parameters)
    return [_row(dict(zip(_COLUMNS, row[:-1], strict=True))) for row in rows]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the table as its sender reads it; the same as of the intake."""
    good, refused, withdrawn = sums(row["geaccepteerd"], row["afgekeurd"], row["ingetrokken"], row["codes"])
    codes, records = sorted(row["opmerkingen"].items()), row["opmerkingen_records"]
    return row | {
        "geaccepteerd": good,
        "afgekeurd": refused,
        "ingetrokken": withdrawn,
        "wacht": _waits(row["wacht"]),
        "fouten": _faults(row["fouten"]),
        "opmerkingen": [{"code": code, "aantal": number, "melding": remark(code)} for code, number in codes],
        "opmerkingen_records": [{"record": line, "code": code} for line, code in records],
    }


def _own(
    settings: Settings, aanbieder: str, delivery: str, among: list[str], since: str, status: str, most: int
) -> list[dict[str, Any]]:
    """What the intake shows to this source."""
    endpoint = intake_endpoint(settings)
    assert endpoint is not None  # noqa: S101 - it is set
    intake = Intake(endpoint)
    try:
        return own.receipts(
            intake, aanbieder=aanbieder, delivery=delivery, among=among, since=_ms(since), status=status, most=most
        )
    finally:
        intake.close()


def _waits(found: dict[str, int]) -> list[dict[str, Any]]:
    """Accepted records of a delivery that wait, by what they wait for. Which ones they are, a receipt does not say."""
    return [
        {"reden": reason, "aantal": number, "melding": waits_told(reason)} for reason, number in sorted(found.items())
    ]


def _ms(since: str) -> int:
    """A day or moment as milliseconds, in Dutch time unless it names a zone; no text is the beginning of time."""
    try:
        return moment_ms(since) if since else 0
    except ValueError:
        raise typer.BadParameter("--since is a day or a moment, such as 2026-05-01 or 2026-05-01T17:10") from None


def _faults(found: Any) -> list[dict[str, Any]]:
    return [
        {"record": line, "regel": row, "regels": covered, "code": code, "veld": field, "melding": text(code)}
        | {"ingetrokken": withdraws(code)}
        for line, row, covered, code, field in found
    ]


def _line(row: dict[str, Any], place: Place) -> dict[str, Any]:
    """Status of one searched line: the last thing that is known of it."""
    fault = next((f for f in reversed(row["fouten"]) if f["record"] == place.record), None)
    done = row["klaar"] or fault is not None
    waits = ", ".join(f"{w['aantal']} {w['melding']}" for w in row["wacht"])
    accepted = f"geaccepteerd; in deze aanlevering: {waits}" if waits else "geaccepteerd"
    status = (fault["melding"] if fault else accepted) if done else "in verwerking"
    return {"regel": place.row, "record": place.record, "status": status, "code": fault["code"] if fault else ""}


def _fault_text(fault: dict[str, Any]) -> str:
    """A refused record, or one that was withdrawn: what is told of that later does not say in which row it stands."""
    where = f", regel {fault['regel']}" if fault["regel"] else ""
    what = f": {WITHDRAWN}" if withdraws(fault["code"]) else ""
    return f"record {fault['record']}{where}{what} [{' '.join(filter(None, (fault['code'], fault['veld'])))}]"


def _text(rows: list[dict[str, Any]], *, lines: bool) -> list[str]:
    out = []
    for row in rows:
        state = "verwerkt" if row["klaar"] else f"in verwerking, {row['gezien']} van {row['records']}"
        test = " (TEST)" if row["test"] else ""
        counts = outcome_words(row["geaccepteerd"], row["afgekeurd"], row["ingetrokken"])
        out.append(
            f"{row['aanlevering']}  {moment(row['laatste'])}  {row['aanbieder']}  {KIND_LABELS[row['soort']]}{test}: "
            f"{state}; {counts}"
        )
        if row["teruggenomen"]:
            out.append(f"    teruggenomen op {moment(row['teruggenomen'])}: telt niet mee")
        out += [f"    {w['aantal']:>8} geaccepteerd, {w['melding']}" for w in row["wacht"]]
        out += [f"    {number:>8} × {code}: {text(code)}" for code, number in sorted(row["codes"].items())]
        if lines:
            out += [f"    {_fault_text(fault)}" for fault in row["fouten"]]
        out += [f"  {line}" for line in remarks({one["code"]: one["aantal"] for one in row["opmerkingen"]})]
        if lines:
            out += [f"    record {one['record']} [{one['code']}]" for one in row["opmerkingen_records"]]
        out += [f"    gezocht: regel {g['regel']}: {g['status']}" for g in row["gezocht"]]
    return out
