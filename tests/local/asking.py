"""An engine of a test's own with users of the lists, asked over HTTP as anybody may."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlencode

import urllib3

from local.clickhouse.gateway import Gateway
from local.ports import free_port
from sinks.access import Access
from sinks.schema.providers import Provider

_POOL = urllib3.PoolManager()


class Server:
    """The engine and its users, as ``sor up`` makes them; ``@FILE`` in a question is the path of a file beside it."""

    def __init__(self, home: Path, names: Iterable[str], content: str, providers: Sequence[Provider] = ()) -> None:
        self.users = {name: f"{name}-password" for name in (*names, *(one.database for one in providers))}
        self.gateway = Gateway(home, free_port(), self.users, providers=providers)
        self.file = home / "other.csv"
        self.file.write_text(content)

    def access(self, user: str) -> Access:
        return Access(self.gateway.url, user, self.users[user])

    def ask(self, user: str, sql: str, **parameters: str) -> urllib3.BaseHTTPResponse:
        headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": self.users[user]}
        url = f"{self.gateway.url}/?{urlencode(parameters)}"
        return _POOL.request("POST", url, body=sql.replace("@FILE", str(self.file)).encode(), headers=headers)

    def code(self, user: str, sql: str, **parameters: str) -> str:
        """ClickHouse's error code, empty when it worked."""
        return self.ask(user, sql, **parameters).headers.get("X-ClickHouse-Exception-Code", "")
