"""The address of a client in a JW301, of which only the area of its postcode goes on.

Of all that Contactgegevens says no more is looked at than ``LOOK``: of each contact its kind, its period and the
postcode of its address. Relations have contacts of their own, and those are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from connectors.formats.ijw.xml_stream import Looked
from domain.field.dates import as_date

_CONTACT: Final = ("Contact",)
_KIND: Final = ("Contact", "Soort")
_POSTCODE: Final = ("Contact", "Adres", "Postcode")
_BEGIN: Final = ("Contact", "Periode", "Begindatum")
_END: Final = ("Contact", "Periode", "Einddatum")
#: Below Contactgegevens, by local name.
LOOK: Final = (_CONTACT, _KIND, _POSTCODE, _BEGIN, _END)
#: Kind of an address -> how soon it counts [P]: that of the register of persons, then one without a kind, then where
#: the client stays. One for letters (02) tells nothing of where somebody lives.
_RANK: Final = {"01": 0, "": 1, "03": 2, "04": 3}


def postcode(looked: Iterable[Looked], on_day: int) -> str:
    """The postcode of the address that counts on a day (day number); empty when there is none."""
    day = as_date(on_day).isoformat()
    found = [
        (_RANK[contact.get(_KIND, "")], place, contact[_POSTCODE])
        for place, contact in enumerate(_contacts(looked))
        if _POSTCODE in contact
        and contact.get(_KIND, "") in _RANK
        and contact.get(_BEGIN, day)[:10] <= day <= contact.get(_END, day)[:10]
    ]
    return min(found)[2] if found else ""


def _contacts(looked: Iterable[Looked]) -> Iterator[dict[tuple[str, ...], str]]:
    """What was looked at, per contact: its end comes behind what stands in it."""
    contact: dict[tuple[str, ...], str] = {}
    for one in looked:
        if one.path == _CONTACT:
            yield contact
            contact = {}
        else:
            contact.setdefault(one.path, one.text)
