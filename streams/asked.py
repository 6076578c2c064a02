"""What a source asks to be forgotten: it waits under a pseudonym until the third party carries it out (decision 0029).

``entry`` lets it in as any line. It is no event: nothing is removed by it, and its receipt says no more than that it
came. One that is older than the last time that this client was forgotten was carried out then (``streams.erased``).
"""

from __future__ import annotations

from typing import Final

from domain.facts.checks import Finding
from domain.facts.fact import Wisverzoek
from schemas.asked import Asked
from schemas.structs import Evaluated

#: Between its publishing and its arrival: what is sent once more later, by whoever has a copy, is refused [P].
MOST_UNDERWAY_MS: Final = 86_400_000


def late(envelope: Evaluated, at: int) -> Finding | None:
    """Why it is refused when it arrived (ms) so long after it was published."""
    return Finding("K11", "") if at - envelope["published_at"] > MOST_UNDERWAY_MS else None


def waiting(envelope: Evaluated, fact: Wisverzoek, handle: str, pseudonym: bytes, source: str) -> tuple[bytes, Asked]:
    """Key and record. The same line gives the same key, so that what is handled once more stands there once."""
    asked = Asked(
        pseudonym=pseudonym.decode(),
        sender=envelope["sender"],
        door=source,
        tijd=envelope["published_at"],
        reden=fact.reden,
    )
    return f"{handle}/{envelope['line']}".encode(), asked
