"""The rows of a delivery as its sender sees them: which are listed, what of them is shown, and in which words.

Only ``masking`` decides what of a row is shown; nothing of it leaves the sender's machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from connectors import masking
from connectors.delivery.deliveries import Delivery, File
from connectors.formats.model import Afwijzing, FileRecord
from connectors.formats.numbers import hint
from connectors.formats.rap import proposal
from domain.facts.answer import Fault, Receipt, withdraws
from domain.field.messages import option, text
from domain.field.words import WITHDRAWN, enumerated

FAULT, GOOD = "Fout en niet geïmporteerd", "Geïmporteerd en gevalideerd"
_MESSAGES: Final = frozenset({"start", "stop", "declaration", "assignment", "return"})
_CELLS: Final = (
    *("meting_id", "beschikkingsnummer", "toewijzingsnummer", "bsn"),
    *("type", "waarde", "vraag", "begindatum", "hulpvorm"),
)
_OF_BSN: Final = ("R01", "C01", "G01")
_READ: Final = "Ingelezen"  # and not yet decided, as RAP says it


def rows_of(delivery: Delivery, receipt: Receipt | None, *, show_all: bool) -> list[dict[str, Any]]:
    """The rows to list, in order of file and line: refused here, refused at the third party, and all if asked."""
    faults = {fault.line: fault for fault in receipt.fouten} if receipt else {}
    rows = [
        _row(delivery, file, record)
        for file in delivery.files
        if not file.fault
        for record in file.shown
        if show_all or isinstance(record.inhoud, Afwijzing)
    ]
    if receipt is None or not receipt.klaar:
        rows = [row if row["code"] else row | {"status": _READ} for row in rows]
    known = {(row["bestand"], row["regel"]) for row in rows}
    for line, fault in sorted(faults.items()):
        found = delivery.file_of(line)
        if found is None or found.fault:
            continue
        number = fault.regel or _number(delivery.kind, found, line, show_all=show_all)
        if (found.input.shown, number) in known:
            _overrule(rows, found, fault, number)
        else:
            rows.append(_fault_row(found, fault, number))
    order = {file.input.shown: place for place, file in enumerate(delivery.files)}
    return sorted(rows, key=lambda row: (order[row["bestand"]], row["regel"] or row["record"]))


def _number(kind: str, file: File, line: int, *, show_all: bool) -> int:
    """Where a record stands in its file; what is told of it after entry does not say so. 0 = not known here: rows of a
    table that were accepted are kept only when they are to be shown.
    """
    number = line - file.first_line + 1
    if kind in _MESSAGES:
        return number
    return file.shown[number - 1].regel if show_all and number <= len(file.shown) else 0


def place_of(kind: str, file: File, line: int) -> str:
    """Where a record stands, in words."""
    return f"{'nr.' if kind in _MESSAGES else 'record'} {line - file.first_line + 1}"


def total_rows(delivery: Delivery, receipt: Receipt | None, *, show_all: bool) -> int:
    """How many rows there are to list."""
    whole = sum(1 for file in delivery.files if file.fault)
    here = sum(file.refused for file in delivery.files)
    told = max(here, receipt.sums.refused) + receipt.sums.withdrawn if receipt else here
    return (delivery.lines if show_all else told) - whole


def _row(delivery: Delivery, file: File, record: FileRecord) -> dict[str, Any]:
    refused = record.inhoud if isinstance(record.inhoud, Afwijzing) else None
    row = {"bestand": file.input.shown, "regel": record.regel, "regels": record.regels}
    row |= shown_cells(delivery.kind, record.cells)
    code, field = (refused.code, refused.veld) if refused else ("", "")
    return row | outcome(code, field, row.get("type", ""), _bsn(delivery.kind, record.cells))


def shown_cells(kind: str, cells: tuple[str, ...]) -> dict[str, str]:
    """What of a row is shown, by name of its column."""
    if kind == "score" and cells:
        bsn, decision, number, type_, value = cells
        return {
            "beschikkingsnummer": masking.number(decision, bsn),
            "toewijzingsnummer": masking.number(number, bsn),
            "bsn": masking.bsn(bsn),
            "type": masking.cell(type_),
            "waarde": masking.cell(value),
        }
    if kind == "cem" and cells:
        meting, bsn, question = cells
        about = {"meting_id": masking.cell(meting), "bsn": masking.bsn(bsn)}
        return about | ({"vraag": masking.cell(question)} if question else {})
    if kind == "cbs" and cells:
        bsn, begin, hulpvorm = cells
        return {"bsn": masking.bsn(bsn), "begindatum": masking.day(begin), "hulpvorm": masking.cell(hulpvorm)}
    return {}


def _bsn(kind: str, cells: tuple[str, ...]) -> str:
    return cells[1 if kind == "cem" else 0] if cells else ""


def outcome(code: str, field: str, type_: Any, bsn: str = "") -> dict[str, str]:
    """Code, field, sentence and status of a row; ``type_`` and ``bsn`` as the row has them, for what may help."""
    more = proposal(type_) if code == "R04" else hint(bsn) if code in _OF_BSN else ""
    return {
        "code": code,
        "veld": field,
        "foutmelding": f"{text(code)}{option(code)} {more}".rstrip() if code else "",
        "status": WITHDRAWN if withdraws(code) else FAULT if code else GOOD,
    }


def _fault_row(file: File, fault: Fault, number: int) -> dict[str, Any]:
    place = {"regel": number, "regels": fault.regels, "record": fault.line - file.first_line + 1}
    return {"bestand": file.input.shown, **place} | outcome(fault.code, fault.veld, "")


def _overrule(rows: list[dict[str, Any]], file: File, fault: Fault, number: int) -> None:
    """A row that was right here, and is refused or withdrawn at the third party."""
    for row in rows:
        if row["bestand"] == file.input.shown and row["regel"] == number and not row["code"]:
            row |= outcome(fault.code, fault.veld, row.get("type", ""))


def row_text(kind: str, together: list[dict[str, Any]]) -> str:
    """One line for one row, or for several that are alike."""
    label, row = "nr." if kind in _MESSAGES else "regel", together[0]
    cells = [f"{name} {row[name] or '-'}" for name in _CELLS if name in row]
    code = f" [{row['code']}{' ' + row['veld'] if row['veld'] else ''}] {row['foutmelding']}" if row["code"] else ""
    places = [f"{label} {one['regel']}" if one["regel"] else f"record {one['record']}" for one in together]
    return f"  {row['bestand']} {enumerated(places)}: {', '.join([*cells, row['status']])}{code}"


def alike(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    """The rows to say at once: an answer of the municipality withdraws all lines of a message for one reason."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for place, row in enumerate(rows):
        name = (row["bestand"], row["code"]) if row["status"] == WITHDRAWN else (place,)
        found.setdefault(name, []).append(row)
    return found.values()
