"""The formats of the field that are read, and the kind of delivery that each brings. Help, messages and pages list
them from here; ``connectors/delivery/recognise.py`` knows a message by it.
"""

from __future__ import annotations

from typing import Final

#: Name in the field -> kind of delivery.
FORMATS: Final[dict[str, str]] = {
    "JW301": "assignment",
    "JW305": "start",
    "JW306": "return",
    "JW307": "stop",
    "JW308": "return",
    "JW323": "declaration",
    "JW325": "return",
    "RAP": "score",
    "CEM+": "cem",
    "BergOp": "cem",
    "CBS": "cbs",
}
#: Those that are iJw messages.
IJW_MESSAGES: Final = tuple(name for name in FORMATS if name.startswith("JW"))


def formats(kind: str) -> tuple[str, ...]:
    """The formats in which a kind of delivery comes."""
    return tuple(name for name, brings in FORMATS.items() if brings == kind)
