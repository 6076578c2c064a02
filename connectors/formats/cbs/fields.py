"""The fields of a CBS record: codes, dates, places and outcomes, each checked and brought into the form of the fact."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from connectors.formats.cbs.layout import Layout
from domain.field import codes
from domain.field.dates import age, as_date, day
from domain.field.geography import current_code
from domain.field.questionnaires import is_unanswered
from faults import SenderFault

POSTCODE: Final = re.compile(r"([1-9][0-9]{3}) ?([A-Z]{2})")
_DIGITS: Final = re.compile(r"[0-9]+")
CODE_LISTS: Final = {
    "hulpvorm": codes.HULPVORMEN,
    "verwijzer": {"": "", **codes.VERWIJZERS},
    "crisis": {"": "", **codes.CRISIS},
    "reden": {"": "", **codes.CBS_REDENEN},
}
_UNKNOWN: Final = "00000000"
YEARS_OLD: Final = 120


class Fault(SenderFault):
    """A line is refused: code of ``domain.field.messages`` and field, never content."""

    def __init__(self, code: str, veld: str) -> None:
        super().__init__(code, veld)
        self.code, self.veld = code, veld


def half_years(today: int) -> tuple[str, str]:
    """The half year of a day and the one before: only these are processed [F CBS]."""
    d = as_date(today)
    return (f"{d.year}-2", f"{d.year}-1") if d.month > 6 else (f"{d.year}-1", f"{d.year - 1}-2")


def bounds(periode: str) -> tuple[int, int]:
    """First and last day of a half year such as ``2026-1``."""
    year = int(periode[:4])
    if periode.endswith("-1"):
        return day(date(year, 1, 1)), day(date(year, 6, 30))
    return day(date(year, 7, 1)), day(date(year, 12, 31))


def _day(text: str) -> int | None:
    if len(text) != 8 or not _DIGITS.fullmatch(text):
        return None
    try:
        return day(date(int(text[:4]), int(text[4:6]), int(text[6:])))
    except ValueError:
        return None


def day_of(text: str, today: int, veld: str) -> int:
    """Day number of JJJJMMDD, not in the future."""
    found = _day(text)
    if found is None or found > today or as_date(found).year < 1900:
        raise Fault("G06", veld)
    return found


def leeftijd(text: str, on_day: int, today: int, *, unborn: bool) -> tuple[int | None, bool]:
    """Completed years on a day, and whether they are of a partial date: JJJJMM00 or JJJJ0000 [F].

    Zeros are the date of an unborn child, in eight positions or nine, as the protocol prints; of anybody else they are
    an unknown date [P].
    """
    if text in (_UNKNOWN, _UNKNOWN + "0"):
        return (0, True) if unborn else (None, False)
    known = text
    if len(text) == 8 and text.endswith("0000"):
        known = f"{text[:4]}0101"
    elif len(text) == 8 and text.endswith("00"):
        known = f"{text[:6]}01"
    found = _day(known)
    if found is None or (found > today and not unborn):
        raise Fault("G02", "geboortedatum")
    birth, on = as_date(found), as_date(on_day)
    years = max(0, on.year - birth.year) if text.endswith("0000") else age(birth, on)
    if years > YEARS_OLD:
        raise Fault("G02", "geboortedatum")
    return years, known != text


def geslacht(text: str) -> str:
    """V, M or O as COD046."""
    found = codes.CBS_GESLACHT.get(text.upper())
    if found is None:
        raise Fault("G03", "geslacht")
    return found


def gemeente(text: str, layout: Layout) -> tuple[str, str]:
    """Municipality (empty = none of the layout's) and the postcode or code as it stands in the fallback key."""
    found = POSTCODE.fullmatch(text.upper())
    if found:
        return layout.gemeente_of(int(found.group(1))), found.group(1) + found.group(2)
    if not (_DIGITS.fullmatch(text) and text.isascii() and len(text) <= 4):
        raise Fault("G04", "postcode")
    code = text.zfill(4)
    return (code if current_code(code) in layout.gemeenten else ""), code


def code(texts: dict[str, str], veld: str) -> str:
    """A code of two digits; a spreadsheet may have lost its leading zero [P]."""
    text = texts.get(veld, "")
    found = text.zfill(2) if text else ""
    if found not in CODE_LISTS[veld]:
        raise Fault("G05", veld)
    return found


def _integer(texts: dict[str, str], veld: str, highest: int) -> int | None:
    text = texts.get(veld, "")
    if is_unanswered(text):
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= highest):
        raise Fault("G08", veld)
    return int(text)


def outcomes(texts: dict[str, str], informanten: dict[str, str]) -> dict[str, int | None]:
    """Nut (CBS 4.3) and zonder hulp verder (CBS 4.4) of the youth and of the parent, by field of the fact; at most one
    meting of each [F].
    """
    found: dict[str, int | None] = {
        f"{name}_{who}": _integer(texts, f"{name}_{who}", highest)
        for name, highest in (("nut", 10), ("zonder_hulp", 4))
        for who in ("jeugdige", "ouder")
    }
    for number in (1, 2):
        nut, zonder_hulp = _integer(texts, f"nut_{number}", 10), _integer(texts, f"zonder_hulp_{number}", 4)
        if nut is None and zonder_hulp is None:
            continue
        who = informanten.get(texts.get(f"informant_{number}", ""), "")
        if not who or found[f"nut_{who}"] is not None or found[f"zonder_hulp_{who}"] is not None:
            raise Fault("G11", f"informant_{number}")
        found[f"nut_{who}"], found[f"zonder_hulp_{who}"] = nut, zonder_hulp
    return found


def fallback_key(texts: dict[str, str], postcode: str, hulpvorm: str) -> str:
    """The key of a client without BSN: sex, birth date, postcode, first day, form of help [F], and the number of a twin
    where the file has one [P]. ASCII.
    """
    twin = texts.get("meerling", "")
    if twin and not (twin.isascii() and twin.isdigit() and len(twin) <= 2):
        raise Fault("G05", "meerling")
    birth = texts["geboortedatum"][:8]
    parts = [texts["geslacht"].upper(), birth, postcode, texts["begindatum"], hulpvorm]
    if twin and int(twin) > 1:
        parts.append(f"m{int(twin)}")
    return "|".join(parts)
