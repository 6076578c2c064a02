"""The fields of a CBS record: codes, dates, places and outcomes, each checked and brought into the form of the fact."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from connectors.formats.cbs.layout import Indeling
from domain.field import codes
from domain.field.dates import age, as_date, day
from domain.field.geography import huidige_code
from faults import SenderFault

_POSTCODE: Final = re.compile(r"([1-9][0-9]{3}) ?([A-Z]{2})")
_CIJFERS: Final = re.compile(r"[0-9]+")
_LIJSTEN: Final = {
    "hulpvorm": codes.HULPVORMEN,
    "verwijzer": {"": "", **codes.VERWIJZERS},
    "crisis": {"": "", **codes.CRISIS},
    "reden": {"": "", **codes.CBS_REDENEN},
}
_ONBEKEND: Final = "00000000"
_JAREN_OUD: Final = 120
#: nut_jeugdige, nut_ouder, zonder_hulp_jeugdige, zonder_hulp_ouder
Uitkomsten = tuple[int | None, int | None, int | None, int | None]


class Fout(SenderFault):
    """A line is refused: code of ``domain.field.messages`` and field, never content."""

    def __init__(self, code: str, veld: str) -> None:
        super().__init__(code, veld)
        self.code, self.veld = code, veld


def halfjaren(vandaag: int) -> tuple[str, str]:
    """The half year of a day and the one before: only these are processed [F CBS]."""
    today = as_date(vandaag)
    if today.month > 6:
        return f"{today.year}-2", f"{today.year}-1"
    return f"{today.year}-1", f"{today.year - 1}-2"


def grenzen(periode: str) -> tuple[int, int]:
    """First and last day of a half year such as ``2026-1``."""
    year = int(periode[:4])
    if periode.endswith("-1"):
        return day(date(year, 1, 1)), day(date(year, 6, 30))
    return day(date(year, 7, 1)), day(date(year, 12, 31))


def _dag(text: str) -> int | None:
    if len(text) != 8 or not _CIJFERS.fullmatch(text):
        return None
    try:
        return day(date(int(text[:4]), int(text[4:6]), int(text[6:])))
    except ValueError:
        return None


def dag(text: str, vandaag: int, veld: str) -> int:
    """Day number of JJJJMMDD, not in the future."""
    found = _dag(text)
    if found is None or found > vandaag or as_date(found).year < 1900:
        raise Fout("G06", veld)
    return found


def leeftijd(text: str, op: int, vandaag: int, *, unborn: bool) -> tuple[int | None, bool]:
    """Completed years on a day, and whether they are of a partial date: JJJJMM00 or JJJJ0000 [F].

    Zeros are the date of an unborn child, in eight positions or nine, as the protocol prints; of anybody else they are
    an unknown date [P].
    """
    if text in (_ONBEKEND, _ONBEKEND + "0"):
        return (0, True) if unborn else (None, False)
    known = text
    if len(text) == 8 and text.endswith("0000"):
        known = f"{text[:4]}0101"
    elif len(text) == 8 and text.endswith("00"):
        known = f"{text[:6]}01"
    found = _dag(known)
    if found is None or (found > vandaag and not unborn):
        raise Fout("G02", "geboortedatum")
    birth, on = as_date(found), as_date(op)
    years = max(0, on.year - birth.year) if text.endswith("0000") else age(birth, on)
    if years > _JAREN_OUD:
        raise Fout("G02", "geboortedatum")
    return years, known != text


def geslacht(text: str) -> str:
    """V, M or O as COD046."""
    found = codes.CBS_GESLACHT.get(text.upper())
    if found is None:
        raise Fout("G03", "geslacht")
    return found


def gemeente(text: str, layout: Indeling) -> tuple[str, str]:
    """Municipality (empty = none of the layout's) and the postcode or code as it stands in the fallback key."""
    found = _POSTCODE.fullmatch(text.upper())
    if found:
        return layout.gemeente_van(int(found.group(1))), found.group(1) + found.group(2)
    if not (_CIJFERS.fullmatch(text) and text.isascii() and len(text) <= 4):
        raise Fout("G04", "postcode")
    code = text.zfill(4)
    return (code if huidige_code(code) in layout.gemeenten else ""), code


def code(velden: dict[str, str], veld: str) -> str:
    """A code of two digits; a spreadsheet may have lost its leading zero [P]."""
    text = velden.get(veld, "")
    found = text.zfill(2) if text else ""
    if found not in _LIJSTEN[veld]:
        raise Fout("G05", veld)
    return found


def _getal(velden: dict[str, str], veld: str, hoogste: int) -> int | None:
    text = velden.get(veld, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= hoogste):
        raise Fout("G08", veld)
    return int(text)


def uitkomsten(velden: dict[str, str], informanten: dict[str, str]) -> Uitkomsten:
    """Nut (CBS 4.3) and zonder hulp verder (CBS 4.4) of the youth and of the parent; at most one meting of each [F]."""
    found: dict[str, int | None] = {
        f"{naam}_{wie}": _getal(velden, f"{naam}_{wie}", hoogste)
        for naam, hoogste in (("nut", 10), ("zonder_hulp", 4))
        for wie in ("jeugdige", "ouder")
    }
    for nummer in (1, 2):
        nut, zonder = _getal(velden, f"nut_{nummer}", 10), _getal(velden, f"zonder_hulp_{nummer}", 4)
        if nut is None and zonder is None:
            continue
        wie = informanten.get(velden.get(f"informant_{nummer}", ""), "")
        if not wie or found[f"nut_{wie}"] is not None or found[f"zonder_hulp_{wie}"] is not None:
            raise Fout("G11", f"informant_{nummer}")
        found[f"nut_{wie}"], found[f"zonder_hulp_{wie}"] = nut, zonder
    return found["nut_jeugdige"], found["nut_ouder"], found["zonder_hulp_jeugdige"], found["zonder_hulp_ouder"]


def sleutel(velden: dict[str, str], postcode: str, hulpvorm: str) -> str:
    """The key of a client without BSN: sex, birth date, postcode, first day, form of help [F], and the number of a twin
    where the file has one [P]. ASCII.
    """
    meerling = velden.get("meerling", "")
    if meerling and not (meerling.isascii() and meerling.isdigit() and len(meerling) <= 2):
        raise Fout("G05", "meerling")
    birth = velden["geboortedatum"][:8]
    parts = [velden["geslacht"].upper(), birth, postcode, velden["begindatum"], hulpvorm]
    if meerling and int(meerling) > 1:
        parts.append(f"m{int(meerling)}")
    return "|".join(parts)
