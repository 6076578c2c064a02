"""The Grafana of the audiences is laid down from the list: once, again, after a fault; and nothing secret is said.

Against a fake (``grafana_fake``): Grafana itself cannot be had here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from operations.grafana import laying, plan
from operations.grafana.server import Server
from operations.grafana.wanted import GrafanaError, Wanted, readers_of, wanted
from results.dashboards import audiences
from sinks.schema.providers import checked
from sor.commands.grafana import register
from tests.operations.grafana_fake import PASSWORD, Grafana, running

READER, OTHER = "monitor@almere.example", "inkoop@almere.example"


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with running(Grafana()) as one:
        yield one


def secret(user: str) -> str:
    return f"geheim-van-{user}"


def lay(grafana: Grafana, every: list[Wanted] | None = None, **more: Any) -> tuple[laying.Laid, list[str]]:
    said: list[str] = []
    server = Server(grafana.url, PASSWORD)
    try:
        return laying.lay(server, wanted(None) if every is None else every, secret, said.append, **more), said
    finally:
        server.close()


def test_each_organization_gets_what_the_list_says_and_nothing_of_another(grafana: Grafana) -> None:
    lay(grafana)
    names = [one.name for one in audiences.organizations()]
    assert [one.name for one in grafana.organizations.values()] == ["Main Org.", *names]
    for one in audiences.organizations():
        inside = grafana.named(one.name)
        used = {source["jsonData"]["username"] for source in inside.sources.values()}
        assert used == {source.database for source in audiences.sources_of(one)}
        assert {uid: secret(source["jsonData"]["username"]) for uid, source in inside.sources.items()} == (
            inside.passwords
        )
        assert inside.pages
        assert [user["login"] for user in inside.users] == ["admin"]
    first = grafana.organizations[1]
    assert (first.sources, first.pages) == ({}, {})


def test_again_writes_passwords_and_nothing_else(grafana: Grafana) -> None:
    lay(grafana)
    before = len(grafana.changes)
    laid, said = lay(grafana)
    assert set(laid.done) == {"password"}
    assert said == []
    assert not laid.differs
    assert {change.split()[0] for change in grafana.changes[before:]} == {"PUT"}


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5, 40])
def test_it_goes_on_after_grafana_died_at_any_request(after: int) -> None:
    with running(Grafana(dies_after=after)) as grafana:
        with pytest.raises(GrafanaError, match="does not answer"):
            lay(grafana)
        grafana.dies_after = None
        lay(grafana)
        assert not lay(grafana, look=True)[0].differs
        assert {one.name for one in grafana.organizations.values()} >= {one.name for one in audiences.organizations()}


def test_looking_changes_nothing_and_says_what_differs(grafana: Grafana) -> None:
    laid, said = lay(grafana, look=True)
    assert laid.differs
    assert grafana.changes == []
    assert len(said) == len(list(audiences.organizations()))


def test_what_somebody_changed_is_put_back_and_what_nobody_declared_is_named(grafana: Grafana) -> None:
    lay(grafana)
    inside = grafana.named("Gemeente Almere")
    inside.sources["clickhouse"]["jsonData"] = {**inside.sources["clickhouse"]["jsonData"], "username": "rel_g0363"}
    (page,) = inside.pages.values()
    page["title"] = "anders"
    inside.sources["eigen"] = {**inside.sources["clickhouse"], "uid": "eigen", "name": "Van een ander"}
    grafana.organizations[99] = type(inside)("Vreemd")
    laid, said = lay(grafana)
    assert laid.done["changed"] == 2
    assert len(said) == 2
    assert inside.sources["clickhouse"]["jsonData"]["username"] == "rel_g0034"
    assert [page["title"] for page in inside.pages.values()] != ["anders"]
    assert laid.foreign == ["Gemeente Almere: data source Van een ander", "organization Vreemd"]
    assert laid.differs


def test_an_organization_that_the_administrator_is_not_in_is_joined_first(grafana: Grafana) -> None:
    lay(grafana)
    grafana.named("Cluster DUO").users.clear()
    assert lay(grafana)[0].done["new"] == 1
    assert not lay(grafana, look=True)[0].differs


def almere(*addresses: str) -> list[Wanted]:
    return [one for one in wanted({"Gemeente Almere": frozenset(addresses)}) if one.name == "Gemeente Almere"]


def test_readers_come_and_go_with_the_file(grafana: Grafana) -> None:
    lay(grafana, almere(READER))
    inside = grafana.named("Gemeente Almere")
    assert [one["email"] for one in inside.invites] == [READER]
    assert set(lay(grafana, almere(READER))[0].done) == {"password"}, "asked once"
    inside.invites.clear()
    inside.users.append({"userId": 5, "login": "monitor", "email": READER.upper(), "role": "Editor"})
    grafana.people[OTHER] = 6
    laid, _ = lay(grafana, almere(READER, OTHER))
    assert {user["email"]: user["role"] for user in inside.users[1:]} == {READER.upper(): "Viewer", OTHER: "Viewer"}
    assert laid.done["reader"] == 1
    assert inside.invites == [], "whom Grafana knows is not asked"
    inside.invites.append({"email": "weg@almere.example", "role": "Viewer", "code": "c9"})
    laid, _ = lay(grafana, almere(OTHER))
    assert laid.done["gone"] == 2
    assert [user["login"] for user in inside.users] == ["admin", OTHER]
    assert inside.invites == []


def test_a_provider_gets_its_own_page_and_who_was_taken_off_has_no_readers() -> None:
    gone, mine = checked("90000001", ["DUO"], active=False), checked("90000002", ["DUO"])
    *others, own = wanted({"Aanbieder 90000002": frozenset({READER})}, (gone, mine))
    assert [one.name for one in others] == [one.name for one in wanted(None)]
    assert (own.name, own.readers) == ("Aanbieder 90000002", frozenset({READER}))
    assert [source.database for source in own.sources] == [mine.database]
    assert [page["title"] for page in own.pages] == ["Eigen resultaten"]
    with pytest.raises(GrafanaError):
        wanted({"Aanbieder 90000001": frozenset({READER})}, (gone, mine))


def test_a_provider_of_the_list_has_an_organization_and_one_taken_off_is_named(grafana: Grafana) -> None:
    one = checked("90000001", ["DUO"])
    lay(grafana, wanted({"Aanbieder 90000001": frozenset({READER})}, (one,)))
    inside = grafana.named("Aanbieder 90000001")
    assert [source["jsonData"]["username"] for source in inside.sources.values()] == [one.database]
    assert set(inside.passwords.values()) == {secret(one.database)}
    assert [invite["email"] for invite in inside.invites] == [READER]
    laid, _ = lay(grafana, wanted(None, (one._replace(active=False),)))
    assert laid.foreign == ["organization Aanbieder 90000001"]
    with pytest.raises(GrafanaError, match="Aanbieder 90000001"):
        wanted({"Aanbieder 90000001": frozenset({READER})})


def test_without_a_file_readers_stay(grafana: Grafana) -> None:
    lay(grafana, almere(READER))
    lay(grafana)
    assert len(grafana.named("Gemeente Almere").invites) == 1


def test_an_invitation_that_is_not_mailed_is_told_and_is_not_made_again() -> None:
    with running(Grafana(mails=False)) as grafana:
        assert lay(grafana, almere(READER))[0].not_mailed == 1
        assert lay(grafana, almere(READER))[0].not_mailed == 0
        assert len(grafana.named("Gemeente Almere").invites) == 1


def test_nothing_that_is_said_holds_a_password_or_an_address(grafana: Grafana) -> None:
    _, said = lay(grafana, almere(READER))
    with pytest.raises(GrafanaError) as refused:
        Server(grafana.url, "verkeerd").get("/api/orgs?perpage=1&page=0")
    grafana.named("Gemeente Almere").invites.append({"email": OTHER, "role": "Viewer", "code": "geheime/code"})
    with pytest.raises(GrafanaError) as unknown:
        lay(grafana, almere(READER))
    told = "\n".join([*said, str(refused.value), str(unknown.value)])
    assert "404 (an invitation is withdrawn)" in told
    assert not [word for word in (READER, OTHER, PASSWORD, "verkeerd", "geheim-van", "geheime/code") if word in told]


def test_a_step_holds_no_password() -> None:
    for one in wanted(None):
        for step in plan.steps(one, plan.Present(7)):
            assert "secureJsonData" not in (step.body or {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no TOML file with a table"),
        ('[lezers]\n"Gemeente Almere" = "monitor@almere.example"', "no address"),
        ('[lezers]\n"Gemeente Almere" = ["monitor"]', "no address"),
        ('lezers = "x"', "no table"),
    ],
)
def test_a_file_with_readers_that_is_none_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "lezers.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(GrafanaError, match=said):
        readers_of(file)


def test_readers_of_an_organization_that_is_none_are_refused() -> None:
    with pytest.raises(GrafanaError, match="Gemeente Almeer"):
        wanted({"Gemeente Almeer": frozenset({READER})})


def test_the_command_reads_passwords_from_files_and_ends_as_it_says(
    grafana: Grafana, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets, readers = tmp_path / "secrets", tmp_path / "lezers.toml"
    secrets.mkdir()
    readers.write_text(f'[lezers]\n"Gemeente Almere" = ["{READER}"]\n', "utf-8")
    users = {source.database for one in audiences.organizations() for source in audiences.sources_of(one)}
    for name, text in {"grafana_admin": PASSWORD, **{user: secret(user) for user in users}}.items():
        (secrets / name).write_text(f"{text}\n", "utf-8")
        (secrets / name).chmod(0o600)
    for name, value in (("HOME", tmp_path), ("GRAFANA", grafana.url), ("GRAFANA_READERS", readers)):
        monkeypatch.setenv(f"SOR_{name}", str(value))

    app = typer.Typer()
    register(app)

    def run(*words: str) -> tuple[int, str]:
        found = CliRunner().invoke(app, ["grafana", *words])
        return found.exit_code, found.output

    assert run("apply", "--check")[0] == 1
    code, said = run("apply")
    assert code == 0, said
    assert run("apply", "--check")[0] == 0
    assert grafana.named("Gemeente Almere").passwords["clickhouse"] == secret("rel_g0034")
    assert READER not in said
    assert "geheim" not in said
    assert run("list")[1].startswith("Gemeente Amsterdam: rel_g0363")
