"""What is still to be done in an organization of Grafana: what is wanted, less what is there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from operations.grafana.wanted import Wanted, WantedSource
from results.dashboards.panels import Json

#: Who lays it down: the administrator of the server, who has to be a member of an organization to work in it.
ADMIN: Final = "admin"
#: The folder of the pages: uid and title.
FOLDER: Final = "sturen-op-resultaat"
_TITLE: Final = "Sturen op Resultaat"
#: What Grafana numbers itself.
_ITS_OWN: Final = frozenset({"id", "version"})
Kind = Literal["new", "changed", "password", "reader", "gone"]


class Present(NamedTuple):
    """What an organization holds. ``pages`` by uid; sources, users and invitations as Grafana's API gives them."""

    number: int
    users: tuple[Json, ...] = ()
    invites: tuple[Json, ...] = ()
    sources: tuple[Json, ...] = ()
    folder: bool = False
    pages: Mapping[str, Json] = {}


class Step(NamedTuple):
    """One request. ``inside``: it is made within the organization. ``password``: the user of ClickHouse whose password
    goes into ``body``, which holds none. ``words`` say what it does and name nobody, as ``path`` and ``body`` may.
    """

    kind: Kind
    words: str
    method: str
    path: str
    body: Json | None = None
    inside: bool = True
    password: str = ""


def steps(wanted: Wanted, present: Present) -> Iterator[Step]:
    """The requests, in the order in which they are made. What nobody declared stays (``foreign``), but for readers who
    are no longer in the file.
    """
    for source in wanted.sources:
        yield _source(source, present)
    if not present.folder:
        yield Step("new", "folder", "POST", "/api/folders", {"uid": FOLDER, "title": _TITLE})
    for page in wanted.pages:
        yield from _page(page, present)
    if wanted.readers is not None:
        yield from _readers(wanted.readers, present)


def foreign(wanted: Wanted, present: Present) -> list[str]:
    """Data sources that nobody declared, by name: through each of them a reader may ask what it gives."""
    known = {source.body["uid"] for source in wanted.sources}
    return sorted(str(source["name"]) for source in present.sources if source["uid"] not in known)


def _source(wanted: WantedSource, present: Present) -> Step:
    """A password cannot be read back, so a source that is there is always written."""
    name, uid = wanted.body["name"], wanted.body["uid"]
    there = next((one for one in present.sources if one["uid"] == uid), None)
    if there is None:
        return Step("new", f"data source {name}", "POST", "/api/datasources", wanted.body, password=wanted.database)
    kind: Kind = "password" if holds(there, wanted.body) else "changed"
    path = f"/api/datasources/uid/{uid}"
    return Step(kind, f"data source {name}", "PUT", path, wanted.body, password=wanted.database)


def _page(page: Json, present: Present) -> Iterator[Step]:
    there = present.pages.get(page["uid"])
    if there is not None and holds(there, page):
        return
    body = {"dashboard": {**page, "id": None}, "folderUid": FOLDER, "overwrite": True}
    kind: Kind = "new" if there is None else "changed"
    yield Step(kind, f"page {page['title']}", "POST", "/api/dashboards/db", body)


def _readers(readers: frozenset[str], present: Present) -> Iterator[Step]:
    """Who is in the file is a reader or is asked to be one; who is not, is none."""
    members = {str(user["email"]).lower(): user for user in present.users if user["login"] != ADMIN}
    asked = {str(invite["email"]).lower(): invite for invite in present.invites}
    for address in sorted(readers - set(members) - set(asked)):
        body = {"loginOrEmail": address, "role": "Viewer"}
        yield Step("reader", "a reader is asked", "POST", f"/api/orgs/{present.number}/users", body, inside=False)
    for address, user in sorted(members.items()):
        path = f"/api/orgs/{present.number}/users/{user['userId']}"
        if address not in readers:
            yield Step("gone", "a reader leaves", "DELETE", path, inside=False)
        elif user["role"] != "Viewer":
            yield Step("changed", "a reader reads only", "PATCH", path, {"role": "Viewer"}, inside=False)
    for address in sorted(set(asked) - readers):
        path = f"/api/org/invites/{asked[address]['code']}/revoke"
        yield Step("gone", "an invitation is withdrawn", "PATCH", path)


def holds(there: Any, wanted: Any) -> bool:
    """Whether what Grafana has says all that is wanted; it adds fields of its own."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(
            name in there and holds(there[name], value) for name, value in wanted.items() if name not in _ITS_OWN
        )
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(holds, there, wanted))
    return bool(there == wanted)
