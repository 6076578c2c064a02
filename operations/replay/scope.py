"""Whose rows are made anew: everybody's, or those of some clients, one provider or one municipality."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from domain.facts.fact import Event
from domain.field.dates import as_date, dutch_day
from domain.field.geography import GEMEENTEN, current_code
from domain.indicators.terms import text_sql
from operations.replay.errors import ReplayError
from schemas.form import is_sender

#: Table with the clients of a scope that no column of a row says.
CLIENTS: Final = "replay_clienten"


class Scope(NamedTuple):
    """At most one of these; without any it is everybody. A client in the scope is recomputed from all its events."""

    since: int | None = None  # day: clients with an event that was published since then
    provider: str = ""  # AGB: its rows
    municipality: str = ""  # current CBS code: its rows
    pseudonym: bytes = b""  # one client

    @property
    def everything(self) -> bool:
        """Whether it is everybody."""
        return self == Scope()

    @property
    def listed(self) -> bool:
        """Whether its clients must be listed by name: no column of a row says who they are."""
        return self.since is not None or bool(self.pseudonym)

    def wants_key(self, key: bytes) -> bool:
        """Whether the records of a client may be in it, before any is decoded."""
        return not self.pseudonym or key == self.pseudonym

    def wants(self, events: Iterable[Event]) -> bool:
        """Whether a client with these events is in it."""
        if self.since is not None:
            since = self.since
            return any(dutch_day(event.published_at) >= since for event in events)
        if self.provider:
            return any(event.aanbieder == self.provider for event in events)
        if self.municipality:
            return any(current_code(getattr(event.fact, "gemeente", "")) == self.municipality for event in events)
        return True

    def sql(self, database: str) -> str:
        """Which rows of a table are in it; empty for all."""
        if self.provider:
            return f"aanbieder = {text_sql(self.provider)}"
        if self.municipality:
            return f"gemeente = {text_sql(self.municipality)}"
        if self.listed:
            return f"(aanbieder, client) IN (SELECT aanbieder, client FROM {database}.{CLIENTS})"  # noqa: S608
        return ""

    @property
    def words(self) -> str:
        """What it is, for the manifest and for a person; never a pseudonym."""
        if self.since is not None:
            return f"since {as_date(self.since).isoformat()}"
        if self.provider:
            return f"provider {self.provider}"
        if self.municipality:
            return f"municipality {self.municipality}"
        return "one client" if self.pseudonym else "everybody"


def scope_of(*, since: int | None, provider: str, municipality: str, pseudonym: bytes) -> Scope:
    """The scope that was asked for; ``ReplayError`` for more than one, or for what is no provider or municipality."""
    if sum((since is not None, bool(provider), bool(municipality), bool(pseudonym))) > 1:
        raise ReplayError("Give one of --since, --provider, --municipality and --pseudonym.")
    if provider and not is_sender(provider):
        raise ReplayError(f"{provider!r} is no AGB code: eight digits.")
    if municipality and current_code(municipality) not in GEMEENTEN:
        raise ReplayError(f"{municipality!r} is the code of no municipality that the monitor knows.")
    return Scope(since, provider, current_code(municipality) if municipality else "", pseudonym)
