"""The rights of the users as roles of the embedded engine, which keeps to them as a server does.

Every session of the engine is its one user ``default``. It owns all roles, and a request of somebody else begins with
``SET ROLE``: from then on the engine refuses every table, column and table function that the role has no right to.
The owners of the views of providers are users beside it, for whom nobody can log in: what they may read, a view may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from sinks.schema.providers import Owner
from sinks.schema.server import owner_lines

_ADMIN = "alles"
"""The role of whom nothing is refused; no user is called so."""


def write_roles(path: Path, grants: Mapping[str, Sequence[str]], owners: Sequence[Owner] = ()) -> Path:
    """Write the configuration of an engine whose data lie beside it; returns its path. ``grants``: role -> rights."""
    roles = {_ADMIN: ("ALL ON *.*",), **grants}
    users = path.with_name("clickhouse-roles.xml")
    users.write_text(_users(roles, owners), "utf-8")
    path.write_text(f"<clickhouse><users_config>{escape(str(users.absolute()))}</users_config></clickhouse>\n", "utf-8")
    return path


def _users(roles: Mapping[str, Sequence[str]], owners: Sequence[Owner]) -> str:
    rows = ["<clickhouse>", "  <profiles><default/></profiles>", "  <quotas><default/></quotas>", "  <roles>"]
    for role, grants in roles.items():
        queries = "".join(f"<query>GRANT {escape(grant)}</query>" for grant in grants)
        rows.append(f"    <{role}><grants>{queries}</grants></{role}>")
    rows += ["  </roles>", "  <users>", "    <default>", "      <no_password/><networks><ip>::/0</ip></networks>"]
    rows += ["      <profile>default</profile><quota>default</quota>", "      <grants>"]
    rows += [f"        <query>GRANT {role}</query>" for role in roles]
    rows += ["      </grants>", "    </default>", *("".join(owner_lines(one)).rstrip() for one in owners)]
    return "\n".join([*rows, "  </users>", "</clickhouse>", ""])
