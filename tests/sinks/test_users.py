"""The list of ClickHouse's users holds together, and a real engine takes the file that a server gets from it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from operations.audit import TABLES as AUDITED
from operations.replay.scope import CLIENTS
from operations.replay.shadow import SHADOWS
from sinks.schema import migrate
from sinks.schema.providers import COLUMNS, checked
from sinks.schema.server import providers_xml, users_xml
from sinks.schema.users import AUDIENCE_LIMITS, AUDIENCE_USERS, HANDLED, IDENTITY, LIMITS, LOWERED, NAMES, STANDS, USERS
from sinks.tables import TABLES

ROOT = Path(__file__).parents[2]
_ASK = """
import sys
from chdb.state.sqlitelike import Connection
with open(sys.argv[2]) as file:
    text = file.read()
answer = bytes(Connection(sys.argv[1]).query(text, "TSVRaw").bytes())
sys.stdout.buffer.write(answer)
"""


def server() -> Any:
    return etree.fromstring(users_xml().encode())


def test_every_name_is_listed_once() -> None:
    assert tuple(USERS) == NAMES
    assert all(name == user.name for name, user in USERS.items())


RELEASES = {"vrijgaven", "vrijgave_cijfers", "vrijgave_leden"}
REPLAYED = {CLIENTS, *(table.name for table in SHADOWS)}


def test_rights_are_on_tables_that_are_there() -> None:
    tables = {table.name: {*table.columns, "ingevoegd_op", "epoch"} for table in TABLES}
    for user in USERS.values():
        assert {*user.read, *user.insert} <= {*tables, HANDLED, IDENTITY, STANDS, *REPLAYED, *RELEASES}, user.name
        for table, columns in user.columns:
            assert table in user.read
            assert set(columns) <= tables[table], (user.name, table)
    made = " ".join(statement for migration in migrate.load() for statement in migration.statements)
    assert f"CREATE TABLE IF NOT EXISTS {HANDLED}" in made


def test_who_inserts_cannot_read_and_who_reads_cannot_insert() -> None:
    both = {user.name: set(user.read) & set(user.insert) for user in USERS.values()}
    assert {name: tables for name, tables in both.items() if tables} == {
        "rejected": {HANDLED},
        "replay": REPLAYED,
        "sink": {STANDS},
        "repair": set(AUDITED),
        "release": RELEASES,
    }
    assert set(USERS["release"].read) - RELEASES == {"trajecten", "metingen"}
    assert {name: set(user.remove) for name, user in USERS.items() if user.remove} == {"repair": set(AUDITED)}
    assert set(USERS["replay"].read) - REPLAYED == set(AUDITED)
    assert set(USERS["sink"].insert) == {STANDS, *(table.name for table in TABLES)}
    assert set(USERS["sink"].read) == {IDENTITY, STANDS}
    assert USERS["receipts"].read == ("receipts",)
    assert set(USERS["rejected"].read) == {"rejected", HANDLED}
    assert set(USERS["audit"].read) == set(AUDITED)
    assert [user.name for user in USERS.values() if user.profile == "admin"] == ["admin"]


def test_a_client_is_named_to_as_few_as_can_be() -> None:
    """Of those who ask ClickHouse, only the dashboards, the audit, a repair and a replay need to tell clients apart."""
    named = {table.name for table in TABLES if "client" in table.columns}
    seeing = {
        user.name
        for user in USERS.values()
        for table in user.read
        if table in named and "client" in dict(user.columns).get(table, ("client",))
    }
    assert seeing == {"grafana", "audit", "replay", "repair", "reports"}


def test_nobody_who_asks_for_figures_sees_which_rows_went_out_together() -> None:
    """Rows of one child at two providers have one version when they changed in one batch or the log came again."""
    for table in TABLES:
        if "client" in table.columns:
            seen = dict(USERS["grafana"].columns)[table.name]
            assert set(seen) == {*table.columns, "ingevoegd_op"} - {"version"}


def test_the_file_of_a_server_says_the_same() -> None:
    users = server().find("users")
    named = [user.tag for user in users.iterchildren("*") if "remove" not in user.attrib]
    assert named == [*NAMES, *AUDIENCE_USERS]
    for name, declared in {**USERS, **AUDIENCE_USERS}.items():
        user = users.find(name)
        assert user.findtext("profile") == declared.profile
        assert [q.text for q in user.findall("grants/query")] == [f"GRANT {grant}" for grant in declared.grants()]
        assert (user.find("access_management") is not None) == (name == "admin")
    assert users.find("default").get("remove") == "1"


@pytest.mark.parametrize(("profile", "limits"), [("reader", LIMITS), ("audience", AUDIENCE_LIMITS)])
def test_a_reader_cannot_lift_a_limit_of_a_server(profile: str, limits: dict[str, int]) -> None:
    reader = server().find(f"profiles/{profile}")
    assert reader.findtext("readonly") == "1"
    assert {name: int(reader.findtext(name)) for name in limits} == limits
    (changeable,) = reader.find("constraints").iterchildren("*")
    assert changeable.tag == LOWERED
    assert int(changeable.findtext("max")) == limits[LOWERED]
    assert int(changeable.findtext("min")) == 1, "nought would be no limit at all"


PROVIDERS = (checked("90000001", ["DUO"]), checked("90000002", ["Amsterdam"], active=False))


def test_who_sees_figures_only_sees_no_row_about_a_client() -> None:
    """Whatever right such a user were given, its policy leaves no row."""
    users = server().find("users")
    for name in AUDIENCE_USERS:
        seen = {one.tag: one.findtext("filter") for one in users.find(f"{name}/databases/sor").iterchildren("*")}
        assert seen == dict.fromkeys(("trajecten", "metingen", "scores", "vrijgave_leden", "rejected"), "0"), name


def test_the_file_of_the_providers_has_those_that_may_log_in() -> None:
    users = etree.fromstring(providers_xml(PROVIDERS).encode()).find("users")
    assert [user.tag for user in users.iterchildren("*")] == ["eigen_90000001", "eigen_90000001_rijen"]
    reader, owner = users.iterchildren("*")
    assert [query.text for query in reader.findall("grants/query")] == ["GRANT SELECT ON eigen_90000001.*"]
    assert reader.findtext("profile") == reader.findtext("quota") == "audience"
    assert {one.findtext("filter") for one in owner.find("databases/sor").iterchildren("*")} == {
        "aanbieder = '90000001'"
    }
    assert list(owner.find("networks").iterchildren("*")) == []
    assert reader.find("no_password") is None
    tables = {table.name: {*table.columns} for table in TABLES}
    for table, columns in COLUMNS.items():
        assert set(columns) <= tables[table]


@pytest.mark.clickhouse
def test_an_engine_takes_the_file_of_a_server(tmp_path: Path) -> None:
    """With what an engine in a process does not know taken out: a session of its own user, and one flag."""
    document = server()
    for flag in document.iter("changeable_in_readonly"):
        flag.getparent().remove(flag)
    default = document.find("users/default")
    default.attrib.clear()
    for name, value in (("no_password", ""), ("profile", "admin"), ("quota", "default"), ("access_management", "1")):
        etree.SubElement(default, name).text = value
    for user in etree.fromstring(providers_xml(PROVIDERS).encode()).find("users"):
        document.find("users").append(user)
    for name in (*NAMES, *AUDIENCE_USERS, PROVIDERS[0].database):
        etree.SubElement(document.find(f"users/{name}"), "password_sha256_hex").text = "00" * 32
    etree.SubElement(document.find("quotas"), "default")
    etree.SubElement(document.find("profiles"), "default")
    (tmp_path / "users.xml").write_bytes(etree.tostring(document))
    config = tmp_path / "config.xml"
    config.write_text(f"<clickhouse><users_config>{tmp_path}/users.xml</users_config></clickhouse>")
    (tmp_path / "query").write_text("SHOW ACCESS")
    command = [sys.executable, "-c", _ASK, f"{tmp_path}/data?config-file={config}", str(tmp_path / "query")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for user in (*USERS.values(), *AUDIENCE_USERS.values()):
        if user.profile != "admin":
            shown = re.findall(rf"^GRANT (.*) TO {user.name}$", done.stdout, re.MULTILINE)
            assert by_table(shown) == by_table(user.grants()), user.name
    assert "GRANT SELECT ON eigen_90000001.* TO eigen_90000001" in done.stdout
    assert re.search(rf"CREATE USER {PROVIDERS[0].owner} .*HOST NONE", done.stdout)
    assert "FOR SELECT USING aanbieder = '90000001' TO eigen_90000001_rijen" in done.stdout
    assert "ON sor.trajecten FOR SELECT USING 0 TO rel_g0363" in done.stdout


def by_table(grants: Iterable[str]) -> dict[str, set[str]]:
    """Kinds and columns of grants, in whichever order and line they are written."""
    found: dict[str, set[str]] = {}
    for what, _, table in (grant.partition(" ON ") for grant in grants):
        found.setdefault(table, set()).update(re.findall(r"\w+", what))
    return found
