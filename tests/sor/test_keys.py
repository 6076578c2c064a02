"""``sor keys``: list, rotate, switch, destroy and verify, as an operator types them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from crypto import key_log, keys, rotation
from schemas import topics
from sor.cli import app
from tests.sor import operator
from tests.sor.operator import Sor, home_with_keys

DAY = 86_400


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return home_with_keys(tmp_path, monkeypatch, "keys", "key_rotation")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Two minutes pass."""

    def pass_by() -> None:
        now = time.time() + 120
        monkeypatch.setattr("sor.commands.key_rotation.time.time", lambda: now)

    return pass_by


@pytest.fixture
def sor(home: Path) -> Sor:
    return partial(operator.sor, "keys")


def listed(state: str) -> list[dict[str, Any]]:
    found = json.loads(CliRunner().invoke(app, ["keys", "list", "--json"]).output)
    return [one for one in found if one["state"] == state]


def secrets_in(home: Path) -> list[str]:
    """Every private value of the key files, as it stands there."""
    found = []
    for part in (keys.EVALUATE, keys.ENTRY, keys.TRAJECTORIES):
        data = json.loads((home / "keys" / part / "keys.json").read_bytes())
        found += [*data.get("sealing", []), *data.get("steps", {}).values(), *data.get("labels", {}).values()]
        found += [data[name] for name in ("scalar", "root", "previous_scalar") if name in data]
    return found


def a_month_ago(home: Path) -> int:
    """Both sealing keys and the scalar were replaced then, and used last the day after."""
    then, folder = int(time.time()) - 40 * DAY, home / "keys"
    old = {one["id"] for one in listed("current") if one["what"] in ("sealing", "scalar")}
    for receiver in (keys.EVALUATE, keys.ENTRY):
        rotation.publish_sealing(folder, receiver, ahead=0, at=then)
        rotation.switch_sealing(folder, receiver, at=then + 60)
    rotation.prepare_scalar(folder, at=then)
    rotation.switch_scalar(folder, at=then + 60)
    for part in (keys.EVALUATE, keys.ENTRY):
        for key in old:
            key_log.append(folder, part, "used", at=then + DAY, what="sealing", key=key, process=f"{part}-0", count=3)
    return then


def test_a_sealing_key_from_made_to_destroyed(home: Path, sor: Sor, later: Callable[[], None]) -> None:
    said = sor("rotate", "sealing", "entry", "--ahead", "0")
    (made,) = listed("next")
    assert made["id"] in said
    assert (made["part"], made["age_days"]) == ("entry", 0)
    assert f"entry {made['id']} counts from" in sor("show")
    assert "counts from" in sor("switch", "sealing", "entry", code=2)
    later()
    assert f"{made['id']} is the current one" in sor("switch", "sealing", "entry")
    (former,) = listed("former")
    assert "too early" in sor("destroy", former["id"], code=2)
    assert "No key may be destroyed yet" in sor("destroy")
    assert "too early" in sor("destroy", former["id"], "--unseen", code=2), "the retention has not passed"


def test_what_may_be_destroyed_is_asked_for_and_gone(home: Path, sor: Sor) -> None:
    a_month_ago(home)
    before, former = secrets_in(home), listed("former")
    assert [(one["part"], one["what"]) for one in former] == [
        ("evaluate", "sealing"), ("evaluate", "scalar"), ("entry", "sealing"), ("entry", "scalar"),
    ]  # fmt: skip
    assert "Aborted" in sor("destroy", typed="n\n", code=1)
    assert secrets_in(home) == before
    assert "4 destroyed here" in sor("destroy", typed="y\n")
    assert not listed("former")
    gone = set(before) - set(secrets_in(home))
    assert len(gone) == 4
    left = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file()).decode()
    assert not [one for one in gone if one in left]
    keys.load_evaluate(home / "keys")
    keys.load_entry(home / "keys")


def test_the_raw_retention_is_that_of_the_declared_topics(
    home: Path, sor: Sor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic that is kept for a year keeps the key for a year; one that is kept for ever keeps it for ever."""
    a_month_ago(home)
    declared = topics.topics()
    for days, says in ((365, "may be destroyed from"), (None, "stays: its records are kept for ever")):
        kept = -1 if days is None else days * DAY * 1000
        longer = declared["sor.in.cem"]._replace(config={"retention.ms": str(kept)})
        monkeypatch.setattr("operations.doctor.held.topics", lambda longer=longer: {**declared, "sor.in.cem": longer})
        assert says in sor("list")
        (key,) = (one["id"] for one in listed("former") if (one["part"], one["what"]) == ("evaluate", "sealing"))
        assert "too early" in sor("destroy", key, code=2)


def test_the_scalar(home: Path, sor: Sor, later: Callable[[], None]) -> None:
    assert "No next scalar" in sor("switch", "scalar", code=2)
    assert "is prepared" in sor("rotate", "scalar")
    before = keys.load_evaluate(home / "keys").scalar
    assert "60 seconds later" in sor("switch", "scalar", code=2)
    later()
    assert "is in use" in sor("switch", "scalar")
    assert keys.load_evaluate(home / "keys").scalar != before
    assert "The scalar of evaluate is the published one" in sor("show")


def test_the_label(home: Path, sor: Sor) -> None:
    assert "epoch 1 is made and not in use" in sor("rotate", "label")
    assert [one["what"] for one in listed("next")] == ["label"]
    assert keys.load_entry(home / "keys").epoch == 0


def test_a_list_shows_no_secret(home: Path, sor: Sor) -> None:
    a_month_ago(home)
    sor("rotate", "label")
    said = sor("list") + sor("list", "--json") + sor("show") + sor("verify")
    for secret in secrets_in(home):
        assert secret not in said
    assert "11 key(s)" in said


def test_a_deleted_line_and_a_cut_end_are_found(home: Path, sor: Sor) -> None:
    a_month_ago(home)
    said = sor("verify")
    head = next(one for one in said.split() if one.startswith("entry:"))
    assert "NOT WHOLE" not in sor("verify", "--head", head)
    place = home / "keys" / "log" / "entry" / key_log.FILE
    lines = place.read_bytes().splitlines(keepends=True)
    place.write_bytes(b"".join(lines[:3] + lines[4:]))
    assert "NOT WHOLE: line 4 does not follow" in sor("verify", code=1)
    place.write_bytes(b"".join(lines[:-1]))
    assert "its end was cut off" in sor("verify", code=1)
    (home / "keys" / "public" / key_log.HEADS).unlink()
    assert "its end was cut off" in sor("verify", "--head", head, code=1)
    assert "PART:COUNT:HASH" in sor("verify", "--head", "entry", code=2)


def test_keys_of_a_release_before_have_no_ages_and_can_be_rotated(
    home: Path, sor: Sor, later: Callable[[], None]
) -> None:
    for part in (keys.EVALUATE, keys.ENTRY, keys.TRAJECTORIES):
        place = home / "keys" / part / "keys.json"
        data = json.loads(place.read_bytes())
        del data["made"]
        place.write_text(json.dumps(data))
    assert sor("list").count("age unknown") == 5
    sor("rotate", "sealing", "--ahead", "0")
    later()
    sor("switch", "sealing")
    assert {one["state"]: one["age_days"] for one in listed("former")} == {"former": None}
