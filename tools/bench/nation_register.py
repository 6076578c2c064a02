"""What ``entry`` would tell the register of the lines of the made-up year: the numbers that they use.

Lines of a provider that bear the same identification and day are one message, as in a declaration; each has a place of
its own in it, for two lines in one place would be a clash.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any, Final

from streams.register import Uses

#: Places of a message that one process may give out: those of a second follow.
_PLACES: Final = 512


class Numbers:
    """Key and value of each record for the register; ``process`` is the number of the process that writes them."""

    def __init__(self, process: int) -> None:
        self._uses, self._first = Uses(), _PLACES * process
        self._given: Counter[tuple[str, bytes]] = Counter()

    def __call__(self, key: bytes, event: dict[str, Any]) -> list[tuple[str, bytes]]:
        """Of one event; of a fact that uses no number there are none."""
        named = event["fact"]
        message, provider = named[1].get("bericht"), event["aanbieder"]
        if message is None:
            return []
        place = self._place(provider, message) if "referentie" in named[1] else 1
        envelope: Any = {  # what ``Uses`` looks at
            "sender": provider, "delivery": event["delivery"], "line": event["line"], "lines": 0,
            "published_at": event["published_at"],
        }  # fmt: skip
        content = hashlib.blake2b(key + message + place.to_bytes(4, "big"), digest_size=16).digest()
        return self._uses(envelope, named, content, 0, place, event["line"], key)

    def _place(self, provider: str, message: bytes) -> int:
        self._given[provider, message] += 1
        return self._first + (self._given[provider, message] - 1) % _PLACES + 1
