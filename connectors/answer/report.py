"""What the sender reads: Dutch, in the words of RAP and of the CEM+ feedback (S0), and the same as JSON.

Of single rows ``rows`` says what is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.answer.rows import FAULT, GOOD, alike, place_of, row_text, rows_of, total_rows
from connectors.delivery.deliveries import Delivery, File
from connectors.formats.model import FileFault
from domain.facts.answer import Receipt
from domain.facts.delivery import NOT_FOLLOWED
from domain.field.dates import dutch_time
from domain.field.messages import option, remark, text
from domain.field.words import (
    KIND_LABELS,
    REMARKS,
    enumerated,
    full_sentence,
    outcome_words,
    waits_told,
)

#: Rows shown in one report; the rest is counted.
MOST: Final = 100
#: Records of one file named at one remark; the rest is counted.
MOST_PLACES: Final = 20
#: Of XML: the only finding whose place is a line of the file, not the number of an element.
_MALFORMED: Final = "B25"


def moment(ms: int) -> str:
    """A time as on the feedback of S0: ``08-05-2023 17:10:39``, in Dutch time wherever this runs."""
    return dutch_time(ms).strftime("%d-%m-%Y %H:%M:%S")


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
    if count.data or not file.fault:  # of a file that is refused at its header nothing was counted
        yield (
            f"    {count.total} regels aangeleverd: {count.empty} leeg, {count.header} kopregel, "
            f"{count.data} gegevensregels; {_number(count.wrong, 'fout')}"
        )
    if count.outside:
        what = "metingen" if kind == "cem" else "regels"
        yield f"    {count.outside} {what} van een niet-deelnemende gemeente weggelaten en niet verzonden"
    wrong = bool(file.fault or count.wrong)
    yield f"    {technical_result(file.refused, file.records, wrong=wrong)}"


def technical_result(refused: int, records: int, *, wrong: bool) -> str:
    """How step 1 ended; what is technically right says as well what is refused for its content, as known so far."""
    if wrong:
        return "Eindresultaat: Afgekeurd"
    more = f"; op inhoud geweigerd: {refused} van {_number(records, 'record')}" if refused else ""
    return f"Eindresultaat: Goedgekeurd{more}"


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
    lines += _listed(delivery, receipt, show_all=show_all)
    return lines + (list(_remarked(delivery, receipt)) if receipt else [])


def _listed(delivery: Delivery, receipt: Receipt | None, *, show_all: bool) -> list[str]:
    rows = rows_of(delivery, receipt, show_all=show_all)[:MOST]
    shown = [row_text(delivery.kind, together) for together in alike(rows)]
    total = total_rows(delivery, receipt, show_all=show_all)
    if total > len(rows):
        shown.append(f"  … en nog {total - len(rows)}")
    return shown


def checked(delivery: Delivery, *, show_all: bool = False) -> list[str]:
    """Of a delivery that is only looked at: what its receipt would show, as far as that is known here."""
    found = foreseen(delivery)
    lines = [
        f"  Inhoud bekeken, niets verzonden: {found.afgekeurd} van {_number(delivery.lines, 'record')} geweigerd",
        *_counts(delivery, found, sent=False),
    ]
    return lines + _listed(delivery, None, show_all=show_all)


def foreseen(delivery: Delivery) -> Receipt:
    """The receipt of a delivery as its files alone tell it: not final, for nothing was sent."""
    refused = sum(file.refused for file in delivery.files)
    codes = sum((file.codes for file in delivery.files), Counter[str]())
    return Receipt(
        delivery=delivery.id,
        kind=delivery.kind,
        sender=delivery.sender,
        test=delivery.test,
        lines=delivery.lines,
        gezien=delivery.lines,
        geaccepteerd=delivery.lines - refused,
        afgekeurd=refused,
        codes=dict(codes),
    )


def _counts(delivery: Delivery, receipt: Receipt | None, *, sent: bool = True) -> Iterator[str]:
    seen = receipt.gezien if receipt else 0
    good, wrong, withdrawn = receipt.sums if receipt else (0, 0, 0)
    done = bool(receipt and receipt.klaar) or not sent
    when = f"aangeleverd {moment(delivery.tijd)}" if sent else "bekeken"
    if delivery.kind == "score":
        yield f"  {'Upload' if sent else 'Bekeken'} {moment(delivery.tijd)}, status {_status(done=done, sent=sent)}"
        read, good = (delivery.lines - seen, good) if sent else (good, 0)
        counts = (("Ingelezen", read), (FAULT, wrong), (GOOD, good), ("Totaal", delivery.lines))
        yield from (f"  {name:<28}{number:>8}" for name, number in counts)
    elif delivery.kind == "cem":
        yield f"  Stap 2, inhoudelijk: {when}"
        yield f"    Gevonden fouten: {wrong or ('geen' if done else 'nog geen')}; {good} metingen geaccepteerd"
    else:
        yield f"  {outcome_words(good, wrong, withdrawn)} van {delivery.lines}"
        if delivery.kind == "cbs" and wrong:
            yield "  Wat in dit bestand ontbreekt telt nog mee tot er een bestand zonder geweigerde regels is."
    if receipt:
        yield from waiting(receipt.wacht)
        yield from (f"  {number:>8} × {code}: {text(code)}" for code, number in sorted(receipt.codes.items()))


def _status(*, done: bool, sent: bool) -> str:
    if not sent:
        return "Niet verzonden"
    return "Verwerkt" if done else "In verwerking"


def remarks(codes: Mapping[str, int]) -> Iterator[str]:
    """What rules between messages say of accepted records: a heading, and a line for each rule. Nothing without."""
    if codes:
        yield f"  {REMARKS}:"
    for code, count in sorted(codes.items()):
        yield f"  {count:>8} × {code}: {remark(code)}" if count else f"  {remark(code)}"


def _remarked(delivery: Delivery, receipt: Receipt) -> Iterator[str]:
    """The remarks, with the records that they are about."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in receipt.opmerkingen:
        file = delivery.file_of(one.line)
        name, place = (file.input.shown, place_of(delivery.kind, file, one.line)) if file else ("hele aanlevering", "")
        found.setdefault((one.code, name), []).append(place)
    yield from remarks(receipt.opmerking_codes)
    for (code, name), places in sorted(found.items()):
        more = [f"nog {len(places) - MOST_PLACES}"] if len(places) > MOST_PLACES else []
        yield f"           {code}: {name} {enumerated([*places[:MOST_PLACES], *more])}".rstrip()


def waiting(waits: Mapping[str, int]) -> Iterator[str]:
    """Accepted records that wait: a line for each reason."""
    for reden, count in sorted(waits.items()):
        if reden == NOT_FOLLOWED:
            yield f"  {full_sentence(waits_told(reden))}"
        else:
            yield f"  {count:>8} geaccepteerd, {waits_told(reden)}"


def as_json(delivery: Delivery, receipt: Receipt | None, *, show_all: bool = False) -> dict[str, Any]:
    """Everything of one delivery, machine readable; the receipt's counts are zero as long as there is none."""
    good, wrong, withdrawn = receipt.sums if receipt else (0, 0, 0)
    rows = {name: getattr(receipt, name, 0) for name in ("regels_geaccepteerd", "regels_afgekeurd")}
    return {
        "aanlevering": delivery.id,
        "soort": delivery.kind,
        "afzender": delivery.sender,
        "test": delivery.test,
        "tijd": delivery.tijd,
        "records": delivery.lines,
        "klaar": bool(receipt and receipt.klaar),
        "gezien": receipt.gezien if receipt else 0,
        "geaccepteerd": good,
        "afgekeurd": wrong,
        **rows,
        "codes": receipt.codes if receipt else {},
        "ingetrokken": withdrawn,
        "wacht": receipt.wacht if receipt else {},
        "opmerkingen": receipt.opmerking_codes if receipt else {},
        "opmerkingen_records": list(_remarks_json(delivery, receipt)) if receipt else [],
        "bestanden": [_file_json(file) for file in delivery.files],
        "regels": rows_of(delivery, receipt, show_all=show_all),
        "regels_totaal": total_rows(delivery, receipt, show_all=show_all),
    }


def _remarks_json(delivery: Delivery, receipt: Receipt) -> Iterator[dict[str, Any]]:
    for one in receipt.opmerkingen:
        file = delivery.file_of(one.line)
        place = {"bestand": file.input.shown, "record": one.line - file.first_line + 1} if file else {}
        yield {**place, "code": one.code, "melding": remark(one.code)}


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
