"""``deploy/clickhouse/users.xml``: the users of a ClickHouse server, from the one list in ``sinks.schema.users``; and
the same of the providers that may log in, which differ by installation (``sinks.schema.providers``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from sinks.schema.providers import Owner, Provider, owner, reader
from sinks.schema.users import (
    AUDIENCE_LIMITS,
    AUDIENCE_USERS,
    DATABASE,
    LIMITS,
    LOWERED,
    SILENT,
    USERS,
    DatabaseUser,
    Profile,
)

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
_OF_PROVIDERS: Final = """\
<!-- Written by sor providers rights from the list of providers; do not edit. It uses the profiles of users.xml. -->
<clickhouse>
  <users>
"""
#: Tables with a row about one client: who reads figures only sees none of them, whatever right it were given.
OF_CLIENTS: Final = ("trajecten", "metingen", "scores", "vrijgave_leden", "rejected")
_NONE: Final = tuple((table, "0") for table in OF_CLIENTS)
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
    if user.profile == "audience":
        yield from _policies(_NONE)
    yield from _grants(user.grants())
    yield f"    </{user.name}>\n"


def _policies(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Which rows of the live tables a user sees, as its rights stand beside it."""
    yield f"      <databases><{DATABASE}>\n"
    yield from (f"        <{table}><filter>{escape(where)}</filter></{table}>\n" for table, where in rows)
    yield f"      </{DATABASE}></databases>\n"


def _grants(grants: Sequence[str]) -> Iterator[str]:
    if grants:
        yield "      <grants>\n"
        yield from (f"        <query>GRANT {grant}</query>\n" for grant in grants)
        yield "      </grants>\n"


def owner_lines(one: Owner, profile: str = "default") -> Iterator[str]:
    """The owner of a provider's views: a user without a password whom no address may log in as."""
    yield f"    <{one.name}>\n"
    yield f"      <no_password/><networks/><profile>{profile}</profile><quota>default</quota>\n"
    yield from _policies(one.rows)
    yield from _grants(one.grants)
    yield f"    </{one.name}>\n"


def providers_xml(providers: Iterable[Provider]) -> str:
    """The users of the providers that may log in, for a file beside ``users.xml``; passwords come as theirs do."""
    active = [one for one in providers if one.active]
    readers = (_user(reader(one)) for one in active)
    owners = ("".join(owner_lines(owner(one), "reader")) for one in active)
    return _OF_PROVIDERS + "".join(readers) + "".join(owners) + _FOOT
