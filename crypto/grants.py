"""What a source asks of the authority, and whether that can be given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509

from crypto.certificates import DEVELOPMENT, SHORT_SECONDS, span, uris
from crypto.ledger import AuthorityError


class Grant(NamedTuple):
    """What a source asks for: who it is, for whom it may send, which kinds, for how long."""

    id: str
    sends_for: frozenset[str]
    kinds: frozenset[str]
    seconds: int


def check_names(grant: Grant) -> None:
    """``AuthorityError`` when a source, provider or kind is named in a form that is none."""
    try:
        uris(grant.id, grant.sends_for, grant.kinds)
    except ValueError as error:
        raise AuthorityError(
            f"{error}. A source is named by 1 to 40 letters, digits, dots, dashes and underscores, the first a "
            "letter or digit; it sends for AGB codes of eight digits, and kinds in small letters."
        ) from error
    if grant.id.upper().startswith(DEVELOPMENT):
        raise AuthorityError(f"{DEVELOPMENT} is the word of a development authority; take another name.")


def check(grant: Grant, issuer: x509.Certificate, now: int, *, short: bool) -> None:
    """``AuthorityError`` when this issuer cannot give it; ``short``: an intermediate."""
    check_names(grant)
    if grant.seconds <= 0:
        raise AuthorityError("A certificate counts for some time; choose more days.")
    if short and grant.seconds > SHORT_SECONDS:
        raise AuthorityError(f"An intermediate issues for {SHORT_SECONDS // 3600} hours at most; choose fewer.")
    if now + grant.seconds > span(issuer)[1]:
        ends = datetime.fromtimestamp(span(issuer)[1], UTC)
        raise AuthorityError(f"The authority itself ends on {ends:%Y-%m-%d}; choose fewer days, or make the next one.")
