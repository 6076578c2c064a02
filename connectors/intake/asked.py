"""What a request asks for, read strictly: an unknown or wrong parameter is a 400 and not a guess."""

from __future__ import annotations

import re
import warnings
from collections.abc import Set
from datetime import datetime
from typing import Final

from aiohttp import content_disposition_filename, parse_content_disposition, web

from connectors.intake.documents import uncursor
from connectors.intake.index import STATUSES, Wanted
from connectors.intake.problems import invalid
from schemas.topics import IN_TOPIC

#: Longest file name in bytes, as file systems have it.
LONGEST_NAME: Final = 255
MOST_PER_PAGE: Final = 200
_TRUTH: Final = {"true": True, "false": False}
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,2}")
_LINES: Final = re.compile(r"[1-9][0-9]{0,6}")
_AGB: Final = re.compile(r"[0-9]{8}")


def only(request: web.Request, names: Set[str]) -> dict[str, str]:
    """The query, each parameter at most once and none that is not known."""
    unknown = request.query.keys() - names
    if unknown or len(request.query) != len(set(request.query)):
        raise invalid(f"Onbekende of dubbele parameter. Bekend: {', '.join(sorted(names)) or 'geen'}.")
    return dict(request.query)


def truth(query: dict[str, str], name: str) -> bool | None:
    """A parameter that is true, false or absent."""
    text = query.get(name)
    if text is None:
        return None
    if text not in _TRUTH:
        raise invalid(f"'{name}' is true of false.")
    return _TRUTH[text]


def file_name(request: web.Request, query: dict[str, str]) -> str:
    """The name of the file, from ``Content-Disposition`` (preferred: addresses end up in logs) or from ``naam``."""
    with warnings.catch_warnings(
        action="ignore"
    ):  # aiohttp warns with the header in its text, and a log keeps warnings
        _, parameters = parse_content_disposition(request.headers.get("Content-Disposition"))
    name = content_disposition_filename(parameters, "filename") or query.get("naam", "")
    name = name.replace("\\", "/").rpartition("/")[2]
    try:
        long = len(name.encode()) > LONGEST_NAME
    except UnicodeEncodeError:
        raise invalid("De bestandsnaam is geen geldige tekst.") from None
    if long:
        raise invalid(f"De bestandsnaam is langer dan {LONGEST_NAME} bytes.")
    return name


def which(query: dict[str, str]) -> tuple[int, str]:
    """Of deliveries with one id: how many records it has, and of which provider; 0 and "" when that is not said."""
    lines = query.get("records", "0")
    if "records" in query and not _LINES.fullmatch(lines):
        raise invalid("'records' is het aantal records van de aanlevering.")
    return int(lines), _sender(query)


def _sender(query: dict[str, str]) -> str:
    sender = query.get("aanbieder", "")
    if "aanbieder" in query and not _AGB.fullmatch(sender):
        raise invalid("'aanbieder' is een AGB-code van acht cijfers.")
    return sender


def wanted(query: dict[str, str]) -> Wanted:
    """A search."""
    status, kind, limit = query.get("status", ""), query.get("soort", ""), query.get("aantal", "50")
    if "status" in query and status not in STATUSES:
        raise invalid(f"'status' is een van: {', '.join(STATUSES)}.")
    if "soort" in query and kind not in IN_TOPIC:
        raise invalid(f"'soort' is een van: {', '.join(IN_TOPIC)}.")
    if not _NUMBER.fullmatch(limit) or int(limit) > MOST_PER_PAGE:
        raise invalid(f"'aantal' is een getal van 1 tot en met {MOST_PER_PAGE}.")
    before = uncursor(query["na"]) if "na" in query else None
    return Wanted(status, _since(query), kind, truth(query, "test"), before, int(limit), _sender(query))


def _since(query: dict[str, str]) -> int:
    text = query.get("sinds")
    if text is None:
        return 0
    wrong = invalid("'sinds' is een tijdstip met zone, zoals 2026-06-01T00:00:00Z.")
    if not _MOMENT.fullmatch(text):
        raise wrong
    try:
        return int(datetime.fromisoformat(text.upper()).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise wrong from None
