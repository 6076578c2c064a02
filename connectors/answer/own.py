"""The own receipts of a source, as the intake has them, in the form in which ``sor receipts`` shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from connectors.over_intake import Intake, IntakeRefuses, moment_ms

#: Deliveries that one question of the list gives.
_PAGE: Final = 200
_is_whole: Final = re.compile(r"[0-9a-f]{32}").fullmatch


def receipts(
    intake: Intake,
    *,
    aanbieder: str = "",
    delivery: str = "",
    among: Iterable[str] = (),
    since: int = 0,
    status: str = "alle",
    most: int = 50,
) -> list[dict[str, Any]]:
    """At most ``most``, the newest first. ``delivery``: an id or its beginning; ``since``: ms of the last change.

    Raises:
        IntakeRefuses: it does not answer, or not to us.
    """
    found = []
    for known in _known(intake, aanbieder, delivery, tuple(among)):
        row = _row(intake, known, aanbieder)
        if row is not None and row["laatste"] >= since and _fits(row, status):
            found.append(row)
            if len(found) == most:
                break
    return sorted(found, key=lambda row: -row["laatste"])


def _known(intake: Intake, aanbieder: str, delivery: str, among: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Deliveries to look at: an id, and where the list told them the number of records and the provider."""
    if among or _is_whole(delivery):
        yield from ({"aanlevering": name} for name in among or (delivery,) if name.startswith(delivery))
        return
    query: dict[str, object] = {"aantal": _PAGE} | ({"aanbieder": aanbieder} if aanbieder else {})
    while True:
        page = intake.document("/deliveries", **query)
        try:
            yield from (one for one in page["aanleveringen"] if one["aanlevering"].startswith(delivery))
            after = page["volgende"]
        except (KeyError, TypeError, AttributeError):
            raise IntakeRefuses("De intake antwoordt in een andere vorm. Werk dit programma bij.") from None
        if after is None:
            return
        query["na"] = after


def _row(intake: Intake, known: dict[str, Any], aanbieder: str) -> dict[str, Any] | None:
    """One receipt, or None when the intake has none."""
    query: dict[str, object] = {"records": known["records"]} if "records" in known else {}
    if sender := known.get("afzender", aanbieder):
        query["aanbieder"] = sender
    try:
        told = intake.document(f"/deliveries/{known['aanlevering']}", **query)
    except KeyError:
        return None
    try:
        return {
            "aanlevering": told["aanlevering"], "soort": told["soort"], "aanbieder": told["afzender"],
            "test": told["test"], "records": told["records"], "gezien": told["gezien"],
            "geaccepteerd": told["geaccepteerd"], "afgekeurd": told["afgekeurd"],
            "ingetrokken": told.get("ingetrokken", 0),
            "teruggenomen": moment_ms(told["teruggenomen"]) if told.get("teruggenomen") else 0,
            "klaar": told["klaar"], "eerste": moment_ms(told["tijd"]),
            "laatste": moment_ms(told.get("laatste", told["tijd"])),
            "codes": {one["code"]: one["aantal"] for one in told["codes"]}, "wacht": told.get("wacht", []),
            "fouten": told["fouten"], "opmerkingen": told.get("opmerkingen", []),
            "opmerkingen_records": told.get("opmerkingen_records", []),
        }  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise IntakeRefuses("De intake antwoordt in een andere vorm. Werk dit programma bij.") from None


def _fits(row: dict[str, Any], status: str) -> bool:
    match status:
        case "in_verwerking":
            return not row["klaar"]
        case "verwerkt":
            return bool(row["klaar"])
        case "fouten":
            return bool(row["afgekeurd"] > 0)
        case "ingetrokken":
            return bool(row["ingetrokken"] > 0)
        case _:
            return True
