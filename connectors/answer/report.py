"""What the sender reads: Dutch, in the words of RAP and of the CEM+ feedback (S0), and the same as JSON.

Only ``masking`` decides what of a row is shown; nothing of it leaves the sender's machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from connectors import masking
from connectors.delivery.deliveries import Delivery, File
from connectors.formats.model import Afwijzing, FileFault, FileRecord
from connectors.formats.numbers import hint
from connectors.formats.rap import proposal
from domain.facts.answer import Fault, Receipt
from domain.facts.delivery import NOT_FOLLOWED
from domain.field.messages import option, text
from domain.field.words import KIND_LABELS, ONLY_ZEROS, full_sentence, waits_sentence

#: Rows shown in one report; the rest is counted.
MOST: Final = 100
_MESSAGES: Final = frozenset({"start", "stop", "declaration", "assignment", "return"})
_CELLS: Final = (
    *("meting_id", "beschikkingsnummer", "toewijzingsnummer", "bsn"),
    *("type", "waarde", "vraag", "begindatum", "hulpvorm"),
)
_OF_BSN: Final = ("R01", "C01", "G01")
_READ: Final = "Ingelezen"  # and not yet decided, as RAP says it
#: Of XML: the only finding whose place is a line of the file, not the number of an element.
_MALFORMED: Final = "B25"
_FAULT, _GOOD = "Fout en niet geïmporteerd", "Geïmporteerd en gevalideerd"


def moment(ms: int) -> str:
    """A time as on the feedback of S0: ``08-05-2023 17:10:39``, in the time of this machine."""
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%d-%m-%Y %H:%M:%S")


def refused_file(fault: FileFault) -> str:
    """One line for a file that could not be delivered at all."""
    where = f" Regel {fault.row}, {fault.veld}." if fault.code == _MALFORMED else ""
    return f"{fault.file}: niet aangeleverd. {text(fault.code)}{option(fault.code)}{where} [{fault.code}]"


def first_step(delivery: Delivery) -> list[str]:
    """Before publishing: what was found in the files, with the technical counts of CEM+."""
    test = " (TEST)" if delivery.test else ""
    head = f"{KIND_LABELS[delivery.kind]} van {delivery.sender}{test}: {_number(len(delivery.files), 'bestand')}, "
    lines = [f"{head}{_number(delivery.lines, 'record')}, aanlevering {delivery.id}"]
    if delivery.kind in ("cem", "cbs"):
        lines += [line for file in delivery.files for line in _technical(file, delivery.kind)]
    return lines + [line for file in delivery.files if file.fault for line in _findings(file.fault)]


def _technical(file: File, kind: str) -> Iterator[str]:
    count = file.context.tally
    yield f"  Stap 1, technisch: {file.input.shown}"
    yield (
        f"    {count.total} regels aangeleverd: {count.empty} leeg, {count.header} kopregel, "
        f"{count.data} gegevensregels; {_number(count.wrong, 'fout')}"
    )
    if count.outside:
        what = "metingen" if kind == "cem" else "regels"
        yield f"    {count.outside} {what} van een niet-deelnemende gemeente weggelaten en niet verzonden"
    yield f"    Eindresultaat: {'Afgekeurd' if file.fault or count.wrong else 'Goedgekeurd'}"


def _findings(fault: FileFault) -> Iterator[str]:
    yield f"  {fault.file}: het hele bestand is geweigerd."
    for code, place, field in fault.found:
        label = "regel" if code == _MALFORMED else "nr."
        where = f", {label} {place}" if place else ""
        yield f"    {code}{where}{', ' + field if field else ''}: {text(code)}{option(code)}"


def final_step(delivery: Delivery, receipt: Receipt | None, *, show_all: bool = False) -> list[str]:
    """After the receipt: counts in the words of the format, and the rows."""
    lines = list(_counts(delivery, receipt))
    if receipt is None or not receipt.klaar:
        seen = receipt.gezien if receipt else 0
        lines.append(
            f"  Nog niet alles verwerkt: {seen} van {delivery.lines}. Geef later hetzelfde commando; niets telt dubbel."
        )
    return lines + _listed(delivery, receipt, show_all=show_all)


def _listed(delivery: Delivery, receipt: Receipt | None, *, show_all: bool) -> list[str]:
    rows = _rows(delivery, receipt, show_all=show_all)
    shown = [_row_text(delivery.kind, row) for row in rows[:MOST]]
    total = _total_rows(delivery, receipt, show_all=show_all)
    if total > len(shown):
        shown.append(f"  … en nog {total - len(shown)}")
    return shown


def checked(delivery: Delivery, *, show_all: bool = False) -> list[str]:
    """Of a delivery that is only looked at: what is wrong with its content, as the receipt would show it."""
    refused = sum(file.refused for file in delivery.files)
    lines = [f"  Inhoud bekeken, niets verzonden: {refused} van {_number(delivery.lines, 'record')} geweigerd"]
    return lines + _listed(delivery, None, show_all=show_all)


def _counts(delivery: Delivery, receipt: Receipt | None) -> Iterator[str]:
    seen = receipt.gezien if receipt else 0
    good, wrong = (receipt.geaccepteerd, receipt.afgekeurd) if receipt else (0, 0)
    done = bool(receipt and receipt.klaar)
    if delivery.kind == "score":
        yield f"  Upload {moment(delivery.tijd)}, status {'Verwerkt' if done else 'In verwerking'}"
        counts = (("Ingelezen", delivery.lines - seen), (_FAULT, wrong), (_GOOD, good), ("Totaal", delivery.lines))
        yield from (f"  {name:<28}{number:>8}" for name, number in counts)
    elif delivery.kind == "cem":
        yield f"  Stap 2, inhoudelijk: aangeleverd {moment(delivery.tijd)}"
        yield f"    Gevonden fouten: {wrong or ('geen' if done else 'nog geen')}; {good} metingen geaccepteerd"
    else:
        yield f"  {good} geaccepteerd, {wrong} geweigerd van {delivery.lines}"
        if delivery.kind == "cbs" and wrong:
            yield "  Wat in dit bestand ontbreekt telt nog mee tot er een bestand zonder geweigerde regels is."
    if receipt:
        yield from waiting(receipt.wacht)
    if receipt and receipt.codes:
        yield from (f"  {number:>8} × {code}: {text(code)}" for code, number in sorted(receipt.codes.items()))


def waiting(waits: Mapping[str, int]) -> Iterator[str]:
    """Accepted records that wait: a line for each reason."""
    for reden, count in sorted(waits.items()):
        if reden == NOT_FOLLOWED:
            yield f"  {full_sentence(waits_sentence(reden))}"
        else:
            yield f"  {count:>8} geaccepteerd, {waits_sentence(reden)}"
        if reden == "beschikking":
            yield f"           {ONLY_ZEROS}"


def _rows(delivery: Delivery, receipt: Receipt | None, *, show_all: bool) -> list[dict[str, Any]]:
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
        if (found.input.shown, fault.regel) in known:
            _overrule(rows, found, fault)
        else:
            rows.append(_fault_row(found, fault))
    order = {file.input.shown: place for place, file in enumerate(delivery.files)}
    return sorted(rows, key=lambda row: (order[row["bestand"]], row["regel"]))


def _total_rows(delivery: Delivery, receipt: Receipt | None, *, show_all: bool) -> int:
    whole = sum(1 for file in delivery.files if file.fault)
    refused = max(sum(file.refused for file in delivery.files), receipt.afgekeurd if receipt else 0)
    return (delivery.lines if show_all else refused) - whole


def _row(delivery: Delivery, file: File, record: FileRecord) -> dict[str, Any]:
    refused = record.inhoud if isinstance(record.inhoud, Afwijzing) else None
    row = {"bestand": file.input.shown, "regel": record.regel, "regels": record.regels}
    row |= _shown_cells(delivery.kind, record.cells)
    code, field = (refused.code, refused.veld) if refused else ("", "")
    return row | _outcome(code, field, row.get("type", ""), _bsn(delivery.kind, record.cells))


def _shown_cells(kind: str, cells: tuple[str, ...]) -> dict[str, str]:
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


def _outcome(code: str, field: str, type_: Any, bsn: str = "") -> dict[str, str]:
    more = proposal(type_) if code == "R04" else hint(bsn) if code in _OF_BSN else ""
    return {
        "code": code,
        "veld": field,
        "foutmelding": f"{text(code)}{option(code)} {more}".rstrip() if code else "",
        "status": _FAULT if code else _GOOD,
    }


def _fault_row(file: File, fault: Fault) -> dict[str, Any]:
    row = {"bestand": file.input.shown, "regel": fault.regel, "regels": fault.regels}
    return row | _outcome(fault.code, fault.veld, "")


def _overrule(rows: list[dict[str, Any]], file: File, fault: Fault) -> None:
    """A row that was right here and refused at the third party."""
    for row in rows:
        if row["bestand"] == file.input.shown and row["regel"] == fault.regel and not row["code"]:
            row |= _outcome(fault.code, fault.veld, row.get("type", ""))


def _row_text(kind: str, row: dict[str, Any]) -> str:
    label = "nr." if kind in _MESSAGES else "regel"
    cells = [f"{name} {row[name] or '-'}" for name in _CELLS if name in row]
    about = f" [{row['code']}{' ' + row['veld'] if row['veld'] else ''}] {row['foutmelding']}" if row["code"] else ""
    return f"  {row['bestand']} {label} {row['regel']}: {', '.join([*cells, row['status']])}{about}"


def as_json(delivery: Delivery, receipt: Receipt | None, *, show_all: bool = False) -> dict[str, Any]:
    """Everything of one delivery, machine readable; the receipt's counts are zero as long as there is none."""
    counts = {
        name: getattr(receipt, name, 0)
        for name in ("gezien", "geaccepteerd", "afgekeurd", "regels_geaccepteerd", "regels_afgekeurd")
    }
    return {
        "aanlevering": delivery.id,
        "soort": delivery.kind,
        "afzender": delivery.sender,
        "test": delivery.test,
        "tijd": delivery.tijd,
        "records": delivery.lines,
        "klaar": bool(receipt and receipt.klaar),
        **counts,
        "codes": receipt.codes if receipt else {},
        "ingetrokken": receipt.ingetrokken if receipt else 0,
        "wacht": receipt.wacht if receipt else {},
        "bestanden": [_file_json(file) for file in delivery.files],
        "regels": _rows(delivery, receipt, show_all=show_all),
        "regels_totaal": _total_rows(delivery, receipt, show_all=show_all),
    }


def _file_json(file: File) -> dict[str, Any]:
    count = file.context.tally
    return {
        "naam": file.input.shown,
        "records": file.records,
        "afgekeurd_hier": file.refused,
        "geweigerd": refused_json(file.fault) if file.fault else None,
        "technisch": {
            "regels": count.total,
            "leeg": count.empty,
            "kop": count.header,
            "gegevens": count.data,
            "fouten": count.wrong,
            "buiten_gemeente": count.outside,
        },
    }


def refused_json(fault: FileFault) -> dict[str, Any]:
    """A file that is refused as a whole."""
    found = [{"code": code, "nr": place, "veld": field, "melding": text(code)} for code, place, field in fault.found]
    return {"bestand": fault.file, "code": fault.code, "melding": text(fault.code), "gevonden": found}


def _number(count: int, what: str) -> str:
    plural = {"bestand": "bestanden", "record": "records", "fout": "fouten"}
    return f"{count} {what if count == 1 else plural[what]}"
