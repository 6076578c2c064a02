"""``deploy/clickhouse/users.xml``: the users of a ClickHouse server, from the one list in ``sinks.schema.users``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.schema.users import AUDIENCE_LIMITS, AUDIENCE_USERS, LIMITS, LOWERED, SILENT, USERS, DatabaseUser, Profile

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
"""
_READS: Final = """\
    <{profile}>
      <profile>sor</profile>
      <readonly>1</readonly>
{limits}      <constraints>
        <!-- The Grafana plugin sends this one with each question; a reader can change nothing else. -->
        <{lowered}>
          <min>1</min>
          <max>{most}</max>
          <changeable_in_readonly/>
        </{lowered}>
      </constraints>
    </{profile}>
"""
#: Of one user in an hour: more than any page asks, and fewer than it takes to feel out what is not shown.
QUESTIONS: Final = 20_000
_QUOTAS: Final = f"""\
  </profiles>
  <quotas>
    <audience>
      <interval><duration>3600</duration><queries>{QUESTIONS}</queries></interval>
    </audience>
  </quotas>
  <users>
    <default remove="1"/>
"""
_FOOT: Final = "  </users>\n</clickhouse>\n"
#: What a profile gives beside its settings.
_MORE: Final[dict[Profile, str]] = {"admin": "      <access_management>1</access_management>\n"}


def users_xml() -> str:
    """The whole file."""
    readers = _reader("reader", LIMITS) + _reader("audience", AUDIENCE_LIMITS | SILENT)
    users = (*USERS.values(), *AUDIENCE_USERS.values())
    return _HEAD + readers + _QUOTAS + "".join(map(_user, users)) + _FOOT


def _reader(profile: Profile, bounds: Mapping[str, int]) -> str:
    limits = "".join(f"      <{name}>{limit}</{name}>\n" for name, limit in bounds.items())
    return _READS.format(profile=profile, limits=limits, lowered=LOWERED, most=bounds[LOWERED])


def _user(user: DatabaseUser) -> str:
    return "".join(_lines(user))


def _lines(user: DatabaseUser) -> Iterator[str]:
    yield f"    <!-- {user.name}: {user.task.replace('`', '')} -->\n"
    yield f"    <{user.name}>\n"
    yield f"      <profile>{user.profile}</profile>\n"
    yield f"      <quota>{'audience' if user.profile == 'audience' else 'default'}</quota>\n"
    yield "      <networks><ip>::/0</ip></networks>\n"
    yield _MORE.get(user.profile, "")
    if grants := user.grants():
        yield "      <grants>\n"
        yield from (f"        <query>GRANT {grant}</query>\n" for grant in grants)
        yield "      </grants>\n"
    yield f"    </{user.name}>\n"
