"""``deploy/clickhouse/users.xml``: the users of a ClickHouse server, from the one list in ``sinks.schema.users``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sinks.schema.users import LIMITS, LOWERED, USERS, DatabaseUser, Profile

_HEAD: Final = """\
<!-- Generated from sinks/schema/users.py by `sor rights` with the option write; do not edit.
     Users of ClickHouse and what each may do. Passwords come from the secret clickhouse_passwords, as hashes. -->
<clickhouse>
  <profiles>
    <sor>
      <!-- A key never changes partition: FINAL stays cheap. -->
      <do_not_merge_across_partitions_select_final>1</do_not_merge_across_partitions_select_final>
    </sor>
    <admin><profile>sor</profile></admin>
    <writer>
      <profile>sor</profile>
      <allow_ddl>0</allow_ddl>
      <async_insert>0</async_insert>
    </writer>
    <repairer>
      <profile>sor</profile>
      <async_insert>0</async_insert>
    </repairer>
    <auditor>
      <profile>sor</profile>
      <readonly>1</readonly>
    </auditor>
    <reader>
      <profile>sor</profile>
      <readonly>1</readonly>
"""
_CONSTRAINTS: Final = f"""\
      <constraints>
        <!-- The Grafana plugin sends this one with each question; a reader can change nothing else. -->
        <{LOWERED}>
          <min>1</min>
          <max>{LIMITS[LOWERED]}</max>
          <changeable_in_readonly/>
        </{LOWERED}>
      </constraints>
    </reader>
  </profiles>
  <users>
    <default remove="1"/>
"""
_FOOT: Final = "  </users>\n</clickhouse>\n"
#: What a profile gives beside its settings.
_MORE: Final[dict[Profile, str]] = {"admin": "      <access_management>1</access_management>\n"}


def users_xml() -> str:
    """The whole file."""
    limits = "".join(f"      <{name}>{limit}</{name}>\n" for name, limit in LIMITS.items())
    return _HEAD + limits + _CONSTRAINTS + "".join(_user(user) for user in USERS.values()) + _FOOT


def _user(user: DatabaseUser) -> str:
    return "".join(_lines(user))


def _lines(user: DatabaseUser) -> Iterator[str]:
    yield f"    <!-- {user.name}: {user.task.replace('`', '')} -->\n"
    yield f"    <{user.name}>\n"
    yield f"      <profile>{user.profile}</profile>\n"
    yield "      <quota>default</quota>\n"
    yield "      <networks><ip>::/0</ip></networks>\n"
    yield _MORE.get(user.profile, "")
    if grants := user.grants():
        yield "      <grants>\n"
        yield from (f"        <query>GRANT {grant}</query>\n" for grant in grants)
        yield "      </grants>\n"
    yield f"    </{user.name}>\n"
