"""What a sender reads as JSON. Dutch names and sentences; numbers of rows and codes, nothing of their content."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from connectors.intake.index import Entry
from connectors.intake.jobs import Denied, Done, Refused
from connectors.intake.problems import Kind, Problem, invalid
from domain.facts.answer import Receipt, withdraws
from domain.field.messages import over_http, remark, text
from domain.field.words import waits_told
from schemas.typed import ReceiptCodec

#: A place in a search: time in ms and id of the last delivery of a page.
CURSOR: Final = "([0-9]{1,13})-([0-9a-f]{32})"


def location(delivery: str) -> str:
    """Where the receipt of a delivery is."""
    return f"/deliveries/{delivery}"


def moment(ms: int) -> str:
    """A time in UTC, RFC 3339."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def accepted(done: Done, *, new: bool) -> dict[str, Any]:
    """The answer to an upload: the first, technical step."""
    names = ("regels", "leeg", "kop", "gegevens", "fouten")
    return {
        "aanlevering": done.id,
        "nieuw": new,
        "soort": done.kind,
        "afzender": done.sender,
        "test": done.test,
        "records": done.lines,
        "afgekeurd_hier": done.refused,
        "codes": _codes(done.codes),
        "geweigerd": found(done.whole) if done.whole else None,
        "technisch": dict(zip(names, done.counts, strict=True)),
        "ontvangst": location(done.id),
    }


def passed_on(done: Done, *, new: bool) -> dict[str, Any]:
    """The answer to a body of sealed lines."""
    return {
        "aanlevering": done.id,
        "nieuw": new,
        "soort": done.kind,
        "afzender": done.sender,
        "test": done.test,
        "records": done.lines,
        "aangenomen": done.published,
        "ontvangst": location(done.id),
    }


def denial(denied: Denied) -> Problem:
    """A body of sealed lines of which nothing was published. Fields are those of the contract."""
    match denied.why:
        case "foreign":
            return Problem(Kind.FOREIGN)
        case "not_trusted":
            return Problem(Kind.NOT_TRUSTED)
        case "too_large":
            return Problem(Kind.TOO_LARGE)
        case _:
            return Problem(Kind.MALFORMED, veld=denied.field, regel=denied.line)


def found(refused: Refused) -> dict[str, Any]:
    """Why a file is refused as a whole."""
    return {
        "code": refused.code,
        "melding": over_http(refused.code),
        "gevonden": [
            {"code": code, "nr": place, "veld": field, "melding": over_http(code)}
            for code, place, field in refused.found
        ],
    }


def refusal(refused: Refused) -> Problem:
    """A file that could not be counted."""
    if refused.code == "B05":
        return Problem(Kind.TOO_LARGE)
    return Problem(Kind.REFUSED, over_http(refused.code), **found(refused))


def _codes(codes: dict[str, int]) -> list[dict[str, Any]]:
    return [{"code": code, "aantal": number, "melding": over_http(code)} for code, number in sorted(codes.items())]


def faults(receipt: Receipt) -> list[dict[str, Any]]:
    """The records that were refused or withdrawn."""
    return [
        {
            "record": f.line,
            "regel": f.regel,
            "regels": f.regels,
            "code": f.code,
            "veld": f.veld,
            "melding": text(f.code),
            "ingetrokken": withdraws(f.code),
        }
        for f in receipt.fouten
    ]


def remarks(receipt: Receipt) -> dict[str, Any]:
    """What rules between messages say of records that count: per rule, and of the first of them which."""
    codes = sorted(receipt.opmerking_codes.items())
    return {
        "opmerkingen": [{"code": code, "aantal": number, "melding": remark(code)} for code, number in codes],
        "opmerkingen_records": [{"record": one.line, "code": one.code} for one in receipt.opmerkingen],
    }


def summary(one: Entry) -> dict[str, Any]:
    """A delivery in a search."""
    return {
        "aanlevering": one.id,
        "soort": one.kind,
        "afzender": one.sender,
        "test": one.test,
        "status": one.status,
        "records": one.lines,
        "gezien": one.seen,
        "geaccepteerd": one.good,
        "afgekeurd": one.bad,
        "klaar": one.final,
        "tijd": moment(one.first),
        "ontvangst": location(one.id),
    }


class Receipts:
    """Receipts as documents; knows the contract they come in."""

    def __init__(self, codec: ReceiptCodec) -> None:
        self._codec = codec

    def document(self, one: Entry) -> dict[str, Any]:
        """Everything that is known of one delivery: the second step, in content."""
        if not one.raw:
            return {**summary(one), "codes": [], "fouten": []}
        receipt = self._codec.decode(one.raw)
        return {
            **summary(one),
            "regels_geaccepteerd": receipt.regels_geaccepteerd,
            "regels_afgekeurd": receipt.regels_afgekeurd,
            "ingetrokken": one.withdrawn,
            "wacht": [{"reden": r, "aantal": n, "melding": waits_told(r)} for r, n in sorted(receipt.wacht.items())],
            "laatste": moment(receipt.laatste),
            "teruggenomen": moment(receipt.teruggenomen) if receipt.teruggenomen else None,
            "codes": _codes(receipt.codes),
            "fouten": faults(receipt),
            **remarks(receipt),
        }


def cursor(place: tuple[int, str]) -> str:
    """The end of a page, as text that stands in an address."""
    return f"{-place[0]}-{place[1]}"


def uncursor(text: str) -> tuple[int, str]:
    """The place that ``cursor`` wrote. ``Problem`` for anything else."""
    read = re.fullmatch(CURSOR, text)
    if read is None:
        raise invalid("De waarde van 'na' is niet die uit een eerder antwoord.")
    return -int(read.group(1)), read.group(2)
