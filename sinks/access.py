"""How to reach ClickHouse; apart from the client, so that a command which only names it loads none."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Access:
    """How to reach ClickHouse: URL of its HTTP protocol, user, password, database."""

    url: str
    user: str
    password: str = field(repr=False)
    database: str = "sor"
