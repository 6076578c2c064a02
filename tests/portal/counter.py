"""A counter at which a browser delivers: the two pages under the policy of the portal, and an intake that opens all.

Two servers of two origins, so that the browser keeps the same rules as beside the real ones. The intake reads and
proves every body, opens its lines with both stages, and answers with the receipt that they make.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import asdict

from connectors.delivery.compact import Head, SealedLine, read
from connectors.formats.cbs.layout import layout_of
from crypto.sign import Checker
from domain.field.messages import text
from portal import rules
from portal.rules_cbs import layout_told
from tests.connectors.support import LAYOUT
from tests.portal.region import SENDER, as_text, certified, opened, public_document, region

PORTAL: Final = Path(rules.__file__).parent
TOKEN: Final = "of-a-test"  # noqa: S105 - opens nothing
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml"}
_WORKER_POLICY: Final = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'"
#: Lines of a delivery that are really opened; of a larger one each line counts as accepted.
_OPENED: Final = 300


def page(name: str) -> str:
    """A template of ``aanleveren`` as the portal would render it, in a frame that has only what the scripts need."""
    content = (PORTAL / "templates" / "aanleveren" / f"{name}.html").read_text("utf-8")
    while found := re.search(r'{% include "(.+?)" %}', content):
        content = content.replace(found.group(), (PORTAL / "templates" / found.group(1)).read_text("utf-8"))
    content = re.sub(r"{% url '(.+?)' %}", r"/\1", content)
    content = re.sub(r"{% static '(.+?)' %}", r"/static/\1", content)
    content = content.replace("{% csrf_token %}", '<input type="hidden" name="csrfmiddlewaretoken" value="csrf">')
    content = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", content)
    links = '<link rel="stylesheet" href="/static/portal/css/nlds.css">'
    size = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    head = f'<head><meta charset="utf-8">{size}<title>{name}</title>{links}</head>'
    return f'<!doctype html><html lang="nl">{head}<body class="utrecht-document"><main>{content}</main></body></html>'


class Counter:
    """What a test looks at, and what it makes go wrong."""

    def __init__(self) -> None:
        self.portal = self.intake = ""
        self.heard: list[bytes] = []  # all that either server was sent
        self.posts = 0
        self.drop = 0  # so many of the next bodies get no answer after they were taken in
        self.busy = 0  # so many of the next bodies get 503
        self.open = Event()  # the intake answers
        self.open.set()
        self.lines: dict[str, dict[int, SealedLine]] = {}
        self.heads: dict[str, Head] = {}

    def take(self, body: bytes) -> Head:
        """One body: read, proved and kept; each line of a delivery once."""
        head, lines = read(io.BytesIO(body))
        Checker(region().trust)(
            head.signed(), head.certificate, head.signature, head.sender, head.kind, round(time.time() * 1000)
        )
        kept = self.lines.setdefault(head.delivery, {})
        self.heads.setdefault(head.delivery, head)
        if head.evaluate_wrapped == self.heads[head.delivery].evaluate_wrapped:
            kept.update({line.line: line for line in lines})
        return head

    def receipt(self, delivery: str, lines: int) -> dict[str, Any] | None:
        """What the intake tells of a delivery."""
        found = self.lines.get(delivery, {})
        if not found:
            return None
        faults = self._faults(self.heads[delivery], found) if lines <= _OPENED else []
        return {
            "aanlevering": delivery, "soort": self.heads[delivery].kind, "test": False, "records": lines,
            "status": "deels_afgekeurd" if faults else "goedgekeurd", "gezien": len(found),
            "geaccepteerd": len(found) - len(faults), "afgekeurd": len(faults), "ingetrokken": 0, "wacht": [],
            "klaar": len(found) == lines, "fouten": faults, "opmerkingen": [], "opmerkingen_records": [],
            "tijd": "2026-11-28T12:00:00.000Z", "teruggenomen": self._taken_back(delivery),
        }  # fmt: skip

    def _faults(self, head: Head, found: dict[int, SealedLine]) -> list[dict[str, Any]]:
        made = []
        for number, line in sorted(found.items()):
            if code := opened(head, line).code:
                told = asdict(opened(head, line).line)
                made.append(
                    {"record": number, "regel": told["regel"], "regels": 1, "code": code, "veld": told["veld"],
                     "melding": text(code), "ingetrokken": False}
                )  # fmt: skip
        return made

    def _taken_back(self, delivery: str) -> str | None:
        """Once anything was taken back, every delivery of scores counts as taken back."""
        back = any(head.kind == "takeback" for head in self.heads.values()) and self.heads[delivery].kind == "score"
        return "2026-11-28T12:00:01.000Z" if back else None


class _Handler(BaseHTTPRequestHandler):
    """What both servers share."""

    counter: Counter
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the screen."""

    def answer(self, status: int, content: bytes, kind: str, **headers: str) -> None:
        """One whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def say(self, told: object, status: int = 200, **headers: str) -> None:
        """An answer in JSON."""
        self.answer(status, json.dumps(told).encode(), "application/json", **headers)

    def body(self) -> bytes:
        """What was sent; also noted for the test."""
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.counter.heard.append(str(self.path).encode() + str(self.headers).encode() + content)
        return content


class Portal(_Handler):
    """Pages, static files and the three answers."""

    def do_GET(self) -> None:
        """Pages and files."""
        self.body()
        name = urlsplit(self.path).path.strip("/")
        if name in ("aanleveren", "aanleveringen"):
            policy = (
                f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' "
                f"{self.counter.intake}; worker-src 'self'; base-uri 'none'; require-trusted-types-for 'script'; "
                "trusted-types sor"
            )
            self.answer(200, page(name).encode(), "text/html; charset=utf-8", Content_Security_Policy=policy)
        elif name == "aanleveren-publiek":
            self.say(public_document(intake=self.counter.intake, cbs=layout_told(layout_of(LAYOUT))))
        elif name == "static/portal/rules.json":
            self.answer(200, rules.document(), "application/json")
        elif (place := PORTAL / name).is_file():
            more = {"Content_Security_Policy": _WORKER_POLICY} if place.name == "worker.js" else {}
            self.answer(200, place.read_bytes(), _TYPES[place.suffix], **more)
        else:
            self.answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        """A certificate, or a token."""
        content, ends = self.body(), int(time.time()) + 900
        if self.headers["X-CSRFToken"] != "csrf":
            self.say({}, 403)
        elif self.path == "/aanleveren-certificaat":
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(json.loads(content)["sleutel"]))
            self.say({"certificaat": as_text(certified(region().home, key)), "tot": ends + 28_000})
        else:
            self.say({"token": TOKEN, "tot": ends})


class Intake(_Handler):
    """Sealed bodies and receipts, for the pages of the portal."""

    def _allow(self) -> dict[str, str]:
        return {
            "Access_Control_Allow_Origin": self.counter.portal,
            "Access_Control_Allow_Headers": "Authorization, Content-Type, Accept",
            "Access_Control_Allow_Methods": "GET, POST",
        }

    def do_OPTIONS(self) -> None:
        """What a browser asks first."""
        self.answer(204, b"", "text/plain", **self._allow())

    def do_POST(self) -> None:
        """A body."""
        content = self.body()
        self.counter.posts += 1
        self.counter.open.wait(20)
        if self.counter.busy:
            self.counter.busy -= 1
            self.say({}, 503, Retry_After="0", **self._allow())
            return
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        head = self.counter.take(content)
        if self.counter.drop:
            self.counter.drop -= 1
            self.close_connection = True
            return
        self.say({"aanlevering": head.delivery, "nieuw": True}, 202, **self._allow())

    def do_GET(self) -> None:
        """A receipt as it comes, or the list."""
        self.body()
        address = urlsplit(self.path)
        parts = address.path.strip("/").split("/")
        if len(parts) == 1:
            found = [self.counter.receipt(one, head.lines) for one, head in self.counter.heads.items()]
            self.say({"aanleveringen": found, "volgende": None}, **self._allow())
            return
        asked = parse_qs(address.query)
        assert asked["aanbieder"] == [SENDER]
        told = self.counter.receipt(parts[1], int(asked["records"][0]))
        if told is None:
            self.say({}, 404, **self._allow())
            return
        if "text/event-stream" not in self.headers.get("Accept", ""):
            self.say(told, **self._allow())
            return
        first = told | {"klaar": False, "gezien": 0, "geaccepteerd": 0, "afgekeurd": 0, "fouten": []}
        events = "".join(f"event: ontvangst\ndata: {json.dumps(one)}\n\n" for one in (first, told))
        self.answer(200, events.encode(), "text/event-stream", **self._allow())


@cache
def _handler(kind: type[_Handler], counter: Counter) -> type[_Handler]:
    return type(kind.__name__, (kind,), {"counter": counter})


class _Server(ThreadingHTTPServer):
    """One that says nothing of a browser that left before the end."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A page was closed; anything else is told as ever."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def counter() -> Iterator[Counter]:
    """Both servers, on free ports of this machine."""
    made = Counter()
    servers = [_Server(("127.0.0.1", 0), _handler(kind, made)) for kind in (Portal, Intake)]
    made.portal, made.intake = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
