"""Grafana's HTTP API as its administrator. What goes over it holds passwords and addresses: no error repeats any."""

from __future__ import annotations

import base64
import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from operations.grafana.plan import ADMIN
from operations.grafana.wanted import GrafanaError

_SECONDS: Final = 30.0
#: Bytes of one answer: the page with most panels has a twentieth of it.
_MOST: Final = 20_000_000
MISSING: Final = 404
#: Also: the invitation is there, and no mail went out because Grafana has no mail server.
NOT_MAILED: Final = 412


class Server:
    """One Grafana, over a connection that is kept."""

    def __init__(self, url: str, password: str) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise GrafanaError(f"{url} is no URL of a server: https://host[:port].")
        made = HTTPSConnection if address.scheme == "https" else HTTPConnection
        self._connection = made(address.hostname, address.port, timeout=_SECONDS)
        self._prefix = address.path.rstrip("/")
        known = base64.b64encode(f"{ADMIN}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {known}", "Content-Type": "application/json"}

    def get(self, path: str, organization: int = 0) -> Any:
        """What stands there; None where nothing does. ``organization`` 0: the one that the administrator is in.

        Raises:
            GrafanaError: there is no answer, or a refusal.
        """
        status, found = self.ask("GET", path, None, organization)
        if status == MISSING:
            return None
        self.require(status, "to look")
        return found

    def ask(self, method: str, path: str, body: Any, organization: int = 0) -> tuple[int, Any]:
        """One request; its status and its answer. ``GrafanaError``: there is no answer."""
        headers = {**self._headers, **({"X-Grafana-Org-Id": str(organization)} if organization else {})}
        content = None if body is None else json.dumps(body).encode()
        try:
            self._connection.request(method, self._prefix + path, content, headers)
            answer = self._connection.getresponse()
            read = answer.read(_MOST + 1)
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise GrafanaError(
                f"Grafana does not answer ({type(error).__name__}); run the same command again."
            ) from None
        if len(read) > _MOST:
            self._connection.close()
            raise GrafanaError("Grafana gives an answer without end.")
        try:
            return answer.status, json.loads(read) if read else None
        except ValueError:
            return answer.status, None

    def require(self, status: int, what: str) -> None:
        """GrafanaError when a request was refused; ``what`` says for what it was."""
        if status == 401:
            raise GrafanaError("Grafana does not know this password of its administrator (SOR_GRAFANA_PASSWORD_FILE).")
        if not 200 <= status < 300:
            raise GrafanaError(f"Grafana answers {status} {what}; its log says why. The same command goes on.")

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()
