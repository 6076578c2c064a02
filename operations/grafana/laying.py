"""Lay down in Grafana what is wanted: look, plan, do, one organization after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from operations.grafana.plan import ADMIN, FOLDER, Present, Step, foreign, steps
from operations.grafana.server import MISSING, NOT_MAILED, Server
from operations.grafana.wanted import Wanted

#: The one that Grafana begins with, in which nothing of ours stands.
FIRST: Final = 1
#: Organizations of one answer: the most that Grafana gives.
_AT_ONCE: Final = 1000


@dataclass
class Laid:
    """What was done, by kind of step; ``foreign``: what is there and was declared by nobody, which stays."""

    done: Counter[str] = field(default_factory=Counter)
    not_mailed: int = 0
    foreign: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether something was not as wanted, as far as can be seen: a password cannot be read back."""
        return bool(self.foreign) or any(many for kind, many in self.done.items() if kind != "password")


def lay(
    server: Server,
    every: Iterable[Wanted],
    password: Callable[[str], str],
    tell: Callable[[str], None],
    *,
    look: bool = False,
) -> Laid:
    """Make Grafana as wanted; with ``look`` only say what differs. ``password`` of a user of ClickHouse.

    Raises:
        GrafanaError: no answer, or a refusal; what was done stays, and the next run goes on.
        SettingsError: by ``password``.
    """
    laid, numbers = Laid(), _organizations(server)
    for wanted in every:
        number = numbers.pop(wanted.name, 0)
        if not number:
            tell(f"{wanted.name}: new organization")
            laid.done["new"] += 1
            if look:
                continue
            number = _made(server, wanted.name)
        if not _is_in(server, number):
            tell(f"{wanted.name}: the administrator joins")
            laid.done["new"] += 1
            if look:
                continue
            _join(server, number)
        present = _present(server, number, wanted)
        laid.foreign += [f"{wanted.name}: data source {name}" for name in foreign(wanted, present)]
        for step in steps(wanted, present):
            laid.done[step.kind] += 1
            if step.kind != "password":
                tell(f"{wanted.name}: {step.words}")
            if not look:
                laid.not_mailed += _did(server, number, step, password)
    laid.foreign += [f"organization {name}" for name, number in sorted(numbers.items()) if number != FIRST]
    return laid


def _organizations(server: Server) -> dict[str, int]:
    found: dict[str, int] = {}
    page = 0
    while some := server.get(f"/api/orgs?perpage={_AT_ONCE}&page={page}"):
        found |= {one["name"]: int(one["id"]) for one in some}
        page += 1
        if len(some) < _AT_ONCE:
            break
    return found


def _made(server: Server, name: str) -> int:
    status, answer = server.ask("POST", "/api/orgs", {"name": name})
    server.require(status, "to make an organization")
    return int(answer["orgId"])


def _is_in(server: Server, number: int) -> bool:
    """Whether the administrator is a member: who is not, sees nothing in it. Who makes one is."""
    return any(user["login"] == ADMIN for user in server.get(f"/api/orgs/{number}/users") or ())


def _join(server: Server, number: int) -> None:
    status, _ = server.ask("POST", f"/api/orgs/{number}/users", {"loginOrEmail": ADMIN, "role": "Admin"})
    server.require(status, "to join an organization")


def _present(server: Server, number: int, wanted: Wanted) -> Present:
    pages = {page["uid"]: server.get(f"/api/dashboards/uid/{page['uid']}", number) for page in wanted.pages}
    asked = wanted.readers is not None
    return Present(
        number,
        tuple(server.get(f"/api/orgs/{number}/users") or ()) if asked else (),
        tuple(server.get("/api/org/invites", number) or ()) if asked else (),
        tuple(server.get("/api/datasources", number) or ()),
        server.get(f"/api/folders/{FOLDER}", number) is not None,
        {uid: one["dashboard"] for uid, one in pages.items() if one is not None},
    )


def _did(server: Server, number: int, step: Step, password: Callable[[str], str]) -> bool:
    """Make the request; True when it is done but for the mail."""
    body = step.body
    if step.password:
        body = {**(body or {}), "secureJsonData": {"password": password(step.password)}}
    status, _ = server.ask(step.method, step.path, body, number if step.inside else 0)
    if step.kind == "reader" and status == MISSING:  # Grafana does not know that person yet
        status, _ = server.ask("POST", "/api/org/invites", {**(body or {}), "sendEmail": True}, number)
        if status == NOT_MAILED:
            return True
    server.require(status, f"({step.words})")
    return False
