"""Who may ask what: users with a hash of their password, and the profile that bounds each of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, get_args

from local.clickhouse.wire import QueryFault
from local.errors import StackError
from sinks.schema.providers import Owner, Provider, owner, reader
from sinks.schema.users import AUDIENCE_LIMITS, AUDIENCE_USERS, LIMITS, LOWERED, REMOVING, SILENT, USERS, DatabaseUser

ProfileName = Literal["admin", "writer", "readonly"]
_OWNER = "owner"
"""What an entry says in the place of a profile when it is the owner of views."""

BASE_SETTINGS = {
    "compatibility": "26.8",  # the engine is newer than the server in production: take that one's defaults
    "do_not_merge_across_partitions_select_final": "1",  # a key never changes partition: FINAL stays cheap
    "implicit_select": "0",  # the next two are on in the embedded engine and off in a server
    "allow_introspection_functions": "0",
}
"""Settings of every session, as the users' profiles on a server have them."""

_WRITER_SETTINGS = {
    "allow_ddl": "0",
    # Values are data, not expressions: an expression could call functions that read files of this machine
    "input_format_values_interpret_expressions": "0",
    "input_format_values_deduce_templates_of_expressions": "0",
}
_PROFILES: Mapping[str, ProfileName] = {
    "writer": "writer", "repairer": "writer", "reader": "readonly", "auditor": "readonly", "audience": "readonly"
}  # fmt: skip
"""What the profiles of the list of users are here; of those that read, the auditor alone has no limits."""

_GRANT = re.compile(r"(?:ALTER )?[A-Za-z]+(?:\([\w, ]+\))?(?:, [A-Za-z]+)* ON (?P<database>\w+\*?)\.(?:\*|\w+)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HARMLESS = frozenset({"max_threads", "max_block_size", "extremes", "date_time_output_format", "join_use_nulls"})


@dataclass(frozen=True)
class User:
    """One user. ``grants`` are rights as ClickHouse writes them (``SELECT ON sor.receipts``); an admin needs none."""

    name: str
    password_sha256: bytes
    profile: ProfileName
    grants: tuple[str, ...] = ()
    limits: tuple[tuple[str, int], ...] = ()

    @property
    def databases(self) -> tuple[str, ...]:
        """Databases of its grants, in their order: names and patterns (``sor_*``)."""
        return tuple(dict.fromkeys(_database(grant) for grant in self.grants))

    @property
    def may_remove(self) -> bool:
        """Whether it has the right to remove rows of a table by a mutation."""
        return any(grant.startswith(REMOVING) for grant in self.grants)

    @property
    def is_silent(self) -> bool:
        """Whether it is not told how many rows were looked at."""
        return any(name in SILENT for name, _ in self.limits)

    def may_enter(self, database: str) -> bool:
        """Whether this user has a right on something in this database."""
        return self.profile == "admin" or any(fnmatchcase(database, pattern) for pattern in self.databases)

    def settings(self, asked: Mapping[str, str]) -> dict[str, str]:
        """Settings of a session of this user: the profile's, then what the request asked for.

        Raises:
            QueryFault: a read-only user asked for a setting that is not on the short list of harmless ones (164), or
                for more than the profile gives (452), as a server refuses it.
        """
        if self.profile == "admin":
            return {**BASE_SETTINGS, **asked}
        if self.profile == "writer":
            # A mutation is a change of a table; the guard lets no other by
            ddl = {"allow_ddl": "1"} if self.may_remove else {}
            return {**BASE_SETTINGS, **asked, **_WRITER_SETTINGS, **ddl}
        limits = dict(self.limits)
        granted = {name: _within(name, value, limits) for name, value in asked.items()}
        return {**BASE_SETTINGS, **{name: str(limit) for name, limit in limits.items()}, **granted}


def _within(name: str, value: str, limits: Mapping[str, int]) -> str:
    """The value, if a server lets a user with these limits set it; below one it could be rounded to 0: no limit."""
    if name in limits:
        try:
            number = float(value)
        except ValueError:
            raise QueryFault(36, "BAD_ARGUMENTS", f"Setting {name} must be a plain number") from None
        if number == limits[name]:
            return value
        if name != LOWERED:
            raise _unchangeable(name)
        if not 1 <= number <= limits[name]:  # "nan" fails it too
            bound = "greater than" if number > limits[name] else "less than"
            text = f"Setting {name} shouldn't be {bound} {limits[name] if number > limits[name] else 1}"
            raise QueryFault(452, "SETTING_CONSTRAINT_VIOLATION", text)
        return value
    if name in _HARMLESS or name.startswith("output_format_"):
        return value
    raise _unchangeable(name)


def _unchangeable(name: str) -> QueryFault:
    return QueryFault(164, "READONLY", f"Cannot modify '{name}' setting in readonly mode")


class Users:
    """All users of this server; asked once per request. ``owners``: whose rights views have; nobody is one of them."""

    def __init__(self, users: Mapping[str, User], owners: Sequence[Owner] = ()) -> None:
        self._users = dict(users)
        self.owners = tuple(owners)

    def roles(self) -> dict[str, tuple[str, ...]]:
        """User -> grants, of everybody but an admin."""
        return {name: user.grants for name, user in self._users.items() if user.profile != "admin"}

    def authenticate(self, headers: Mapping[str, str], parameters: Mapping[str, str]) -> User:
        """The user whose name and password came by basic auth, by ``X-ClickHouse-User``/``-Key`` or in the URL.

        Raises:
            QueryFault: 516 AUTHENTICATION_FAILED, with HTTP status 401 where no password was given at all, else 403.
        """
        credentials = _credentials(headers, parameters)
        name, password = credentials or ("default", "")
        user = self._users.get(name)
        given = hashlib.sha256(password.encode()).digest()
        # Compared for an unknown name as well, so that the time taken does not tell which names exist
        same = hmac.compare_digest(given, user.password_sha256 if user else bytes(32))
        if user is None or not same:
            text = f"{name}: Authentication failed: password is incorrect, or there is no user with such name."
            raise QueryFault(516, "AUTHENTICATION_FAILED", text, status=403 if credentials else 401)
        return user


def _credentials(headers: Mapping[str, str], parameters: Mapping[str, str]) -> tuple[str, str] | None:
    ways = []
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        ways.append((headers.get("X-ClickHouse-User", "default"), headers.get("X-ClickHouse-Key", "")))
    if "Authorization" in headers:
        ways.append(_basic(headers["Authorization"]))
    if "user" in parameters or "password" in parameters:
        ways.append((parameters.get("user", "default"), parameters.get("password", "")))
    if len(ways) > 1:
        text = "Invalid authentication: give user and password in one way only: basic auth, headers or URL"
        raise QueryFault(516, "AUTHENTICATION_FAILED", text)
    return ways[0] if ways else None


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        scheme, name, password = "", "", ""
    if scheme.lower() != "basic":
        raise QueryFault(516, "AUTHENTICATION_FAILED", "Invalid authentication: only the Basic scheme is supported")
    return name, password


def load_users(path: Path) -> Users:
    """Users from a JSON file (mode 0600): name → ``{"profile", "password_file" or "password_sha256", …}``.

    Per user: ``grants``, which all but an admin need, and, for read-only users, ``limits`` (setting → number). A
    ``password_file`` is relative to the folder of the users file; surrounding white space does not count.

    Raises:
        StackError: the file cannot be read, is open to others, or an entry is wrong.
    """
    try:
        entries = json.loads(_read_secret(path))
    except json.JSONDecodeError as error:
        raise StackError(f"The users file {path} is not JSON (line {error.lineno}).") from None
    if not isinstance(entries, dict) or not entries:
        raise StackError(f"The users file {path} must hold one object, user name → profile and password.")
    owners = {name: entry for name, entry in entries.items() if _is_owner(entry)}
    users = {name: _user(name, entry, path) for name, entry in entries.items() if name not in owners}
    return Users(users, [_owner(name, entry, path) for name, entry in owners.items()])


def _is_owner(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("profile") == _OWNER


def _owner(name: str, entry: Mapping[str, object], path: Path) -> Owner:
    grants, rows = entry.get("grants"), entry.get("rows")
    known = set(entry) == {"profile", "grants", "rows"} and _NAME.fullmatch(name)
    if not (known and isinstance(grants, list) and isinstance(rows, dict) and grants and rows):
        raise StackError(f"The owner of views {name} in {path} must have grants, rows and nothing else.")
    return Owner(name, tuple(map(str, grants)), tuple((str(table), str(where)) for table, where in rows.items()))


def _user(name: str, entry: object, path: Path) -> User:
    allowed = {"profile", "password_file", "password_sha256", "grants", "limits"}
    known = isinstance(entry, dict) and set(entry) <= allowed and entry.get("profile") in get_args(ProfileName)
    if not known or not isinstance(entry, dict) or not _NAME.fullmatch(name):
        raise StackError(
            f"User {name} in {path} must be an object with a profile (admin, writer or readonly), "
            "password_file or password_sha256, and at most grants and limits; its name in lower case."
        )
    profile: ProfileName = entry["profile"]
    grants = tuple(entry.get("grants", ()))
    if wrong := [grant for grant in grants if not isinstance(grant, str) or not _GRANT.fullmatch(grant)]:
        raise StackError(f"User {name} in {path}: {wrong[0]!r} is no grant such as SELECT ON sor.receipts.")
    if not grants and profile != "admin":
        raise StackError(f"User {name} in {path} has no grants, and may do nothing.")
    limits = entry.get("limits", {}) if profile == "readonly" else {}
    return User(name, _password(name, entry, path), profile, grants, tuple(sorted(limits.items())))


def _database(grant: str) -> str:
    found = _GRANT.fullmatch(grant)
    return found["database"] if found else ""


def _password(name: str, entry: Mapping[str, object], path: Path) -> bytes:
    if "password_file" in entry:
        password = _read_secret(path.parent / str(entry["password_file"])).strip()
        if not password:
            raise StackError(f"The password file of user {name} is empty: write the password into it.")
        return hashlib.sha256(password).digest()
    try:
        digest = bytes.fromhex(str(entry.get("password_sha256", "")))
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise StackError(f"User {name} in {path} needs password_file, or password_sha256 with 64 hexadecimal digits.")
    return digest


def _read_secret(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise StackError(f"Cannot read {path}: {error.strerror}.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise StackError(f"{path} is open to other users of this machine: run chmod 600 {path}.")
    return content


def users_file(
    path: Path, passwords: Mapping[str, str], more: Mapping[str, Sequence[str]], providers: Sequence[Provider] = ()
) -> None:
    """Write a users file (0600): the rights of the list of users, and what ``more`` grants to each beyond them."""
    own = provider_entries(providers)
    entries = {
        name: (own.pop(name, None) or user_entry(name, more.get(name, ())))
        | {"password_sha256": hashlib.sha256(password.encode()).hexdigest()}
        for name, password in passwords.items()
    }
    entries |= own
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(entries, indent=1))


def user_entry(name: str, more: Sequence[str] = ()) -> dict[str, object]:
    """The entry of a user of the list in a users file, without its password."""
    return _entry(AUDIENCE_USERS.get(name) or USERS[name], more)


def provider_entries(providers: Sequence[Provider]) -> dict[str, dict[str, object]]:
    """The entries of the providers that may log in, without passwords, and of the owners of their views."""
    active = [one for one in providers if one.active]
    readers = {one.database: _entry(reader(one)) for one in active}
    owners: dict[str, dict[str, object]] = {
        one.name: {"profile": _OWNER, "grants": list(one.grants), "rows": dict(one.rows)} for one in map(owner, active)
    }
    return {**readers, **owners}


def _entry(user: DatabaseUser, more: Sequence[str] = ()) -> dict[str, object]:
    if user.profile == "admin":
        return {"profile": "admin"}
    entry: dict[str, object] = {"profile": _PROFILES[user.profile], "grants": [*user.grants(), *more]}
    limits = {"reader": LIMITS, "audience": AUDIENCE_LIMITS | SILENT}.get(user.profile)
    return entry | ({"limits": limits} if limits else {})
