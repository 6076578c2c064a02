"""What Grafana's HTTP API does with the requests that we make, in memory: Grafana itself cannot be had in a test.

After its documentation and ``pkg/api/org_invite.go``: who makes an organization is a member of it, and only a member
may work in it; what is there is refused when it comes again; passwords are kept and never given back.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

PASSWORD = "wachtwoord-van-admin"  # noqa: S105 - of the fake
Answer = tuple[int, Any]


@dataclass
class Inside:
    """One organization."""

    name: str
    users: list[dict[str, Any]] = field(default_factory=list)
    invites: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Grafana:
    """``mails``: it has a mail server. ``dies_after``: so many requests that change something get an answer; the next
    one is done and gets none.
    """

    mails: bool = True
    dies_after: int | None = None
    organizations: dict[int, Inside] = field(default_factory=lambda: {1: Inside("Main Org.", [_admin()])})
    people: dict[str, int] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def named(self, name: str) -> Inside:
        (found,) = (one for one in self.organizations.values() if one.name == name)
        return found

    def answer(self, method: str, path: str, body: Any, number: int) -> Answer:
        parts = urlsplit(path)
        for pattern, serve in _ROUTES.items():
            wanted, _, shape = pattern.partition(" ")
            if method == wanted and (found := re.fullmatch(shape, parts.path)):
                inside = self.organizations.get(number)
                if not shape.startswith("/api/orgs") and (inside is None or not _member(inside, "admin")):
                    return 403, {"message": "no member"}
                return serve(self, inside, body, *found.groups(), **({"query": parts.query} if parts.query else {}))
        return 404, {"message": f"no such path: {method} {path}"}


def _admin() -> dict[str, Any]:
    return {"userId": 1, "login": "admin", "email": "admin@localhost", "role": "Admin"}


def _member(inside: Inside, login: str) -> bool:
    return any(user["login"] == login for user in inside.users)


def _list(grafana: Grafana, _inside: Inside, _body: Any, query: str) -> Answer:
    asked = parse_qs(query)
    size, page = int(asked["perpage"][0]), int(asked["page"][0])
    found = [{"id": number, "name": one.name} for number, one in grafana.organizations.items()]
    return 200, found[page * size : (page + 1) * size]


def _make(grafana: Grafana, _inside: Inside, body: Any) -> Answer:
    if any(one.name == body["name"] for one in grafana.organizations.values()):
        return 409, {"message": "Organization name taken"}
    number = max(grafana.organizations) + 1
    grafana.organizations[number] = Inside(body["name"], [_admin()])
    return 200, {"orgId": number}


def _users(grafana: Grafana, _inside: Inside, _body: Any, number: str) -> Answer:
    return 200, grafana.organizations[int(number)].users


def _add(grafana: Grafana, _inside: Inside, body: Any, number: str) -> Answer:
    who, inside = body["loginOrEmail"], grafana.organizations[int(number)]
    if who == "admin":
        inside.users.append(_admin())
        return 200, {}
    if who not in grafana.people:
        return 404, {"message": "user not found"}
    if _member(inside, who):
        return 409, {"message": "already added"}
    inside.users.append({"userId": grafana.people[who], "login": who, "email": who, "role": body["role"]})
    return 200, {}


def _role(grafana: Grafana, _inside: Inside, body: Any, number: str, user: str) -> Answer:
    for one in grafana.organizations[int(number)].users:
        if one["userId"] == int(user):
            one["role"] = body["role"]
    return 200, {}


def _remove(grafana: Grafana, _inside: Inside, _body: Any, number: str, user: str) -> Answer:
    inside = grafana.organizations[int(number)]
    inside.users = [one for one in inside.users if one["userId"] != int(user)]
    return 200, {}


def _invites(_grafana: Grafana, inside: Inside, _body: Any) -> Answer:
    return 200, inside.invites


def _invite(grafana: Grafana, inside: Inside, body: Any) -> Answer:
    inside.invites.append({"email": body["loginOrEmail"], "role": body["role"], "code": f"c{len(inside.invites)}"})
    return (200, {}) if grafana.mails or not body["sendEmail"] else (412, {"message": "SMTP not configured"})


def _revoke(_grafana: Grafana, inside: Inside, _body: Any, code: str) -> Answer:
    inside.invites = [one for one in inside.invites if one["code"] != code]
    return 200, {}


def _sources(_grafana: Grafana, inside: Inside, _body: Any) -> Answer:
    return 200, list(inside.sources.values())


def _source(_grafana: Grafana, inside: Inside, body: Any, uid: str = "") -> Answer:
    if bool(uid) != (body["uid"] in inside.sources):
        return (404 if uid else 409), {"message": "data source"}
    body = dict(body)
    inside.passwords[body["uid"]] = body.pop("secureJsonData")["password"]
    inside.sources[body["uid"]] = {**body, "id": 7, "readOnly": False, "secureJsonFields": {"password": True}}
    return 200, {}


def _folder(_grafana: Grafana, inside: Inside, _body: Any, uid: str) -> Answer:
    return (200, {"uid": uid}) if uid in inside.folders else (404, {})


def _new_folder(_grafana: Grafana, inside: Inside, body: Any) -> Answer:
    if body["uid"] in inside.folders:
        return 412, {"message": "a folder with that uid"}
    inside.folders[body["uid"]] = body["title"]
    return 200, {}


def _page(_grafana: Grafana, inside: Inside, _body: Any, uid: str) -> Answer:
    return (200, {"dashboard": inside.pages[uid], "meta": {}}) if uid in inside.pages else (404, {})


def _new_page(_grafana: Grafana, inside: Inside, body: Any) -> Answer:
    page = body["dashboard"]
    if body["folderUid"] not in inside.folders or (page["uid"] in inside.pages and not body["overwrite"]):
        return 412, {"message": "folder or version"}
    version = inside.pages.get(page["uid"], {}).get("version", 0) + 1
    inside.pages[page["uid"]] = {**page, "id": 3, "version": version}
    return 200, {}


_ROUTES = {
    "GET /api/orgs": _list,
    "POST /api/orgs": _make,
    r"GET /api/orgs/(\d+)/users": _users,
    r"POST /api/orgs/(\d+)/users": _add,
    r"PATCH /api/orgs/(\d+)/users/(\d+)": _role,
    r"DELETE /api/orgs/(\d+)/users/(\d+)": _remove,
    "GET /api/org/invites": _invites,
    "POST /api/org/invites": _invite,
    r"PATCH /api/org/invites/(\w+)/revoke": _revoke,
    "GET /api/datasources": _sources,
    "POST /api/datasources": _source,
    r"PUT /api/datasources/uid/([\w-]+)": _source,
    r"GET /api/folders/([\w-]+)": _folder,
    "POST /api/folders": _new_folder,
    r"GET /api/dashboards/uid/([\w-]+)": _page,
    "POST /api/dashboards/db": _new_page,
}


@contextmanager
def running(grafana: Grafana) -> Iterator[Grafana]:
    """It answers on a free port, until it dies."""
    known = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            read = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            dies = self.command != "GET" and len(grafana.changes) == grafana.dies_after
            if self.command != "GET":
                grafana.changes.append(f"{self.command} {self.path}")
            number = int(self.headers.get("X-Grafana-Org-Id") or 1)
            status, found = 401, {"message": "Invalid username or password"}
            if self.headers.get("Authorization") == known:
                status, found = grafana.answer(self.command, self.path, json.loads(read or b"null"), number)
            if dies:
                self.close_connection = True
                return
            content = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names of the base class

        def log_message(self, format: str, *args: object) -> None:
            pass

    whole = type("Whole", (Handler,), {"wbufsize": -1})  # head and body of an answer in one piece
    server = ThreadingHTTPServer(("127.0.0.1", 0), whole)
    grafana.port = int(server.server_address[1])
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield grafana
    finally:
        server.shutdown()
        server.server_close()
