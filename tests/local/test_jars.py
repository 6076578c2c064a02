"""Only the locked bytes are used, fetched or cached; a broken download leaves nothing behind."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import pytest

from local.errors import StackError
from local.kafka.jars import KAFKA_VERSION, Jar, ensure_jars, locked_jars

GOOD = b"the locked bytes"
JAR = Jar("org.example", "example", "1.0", hashlib.sha256(GOOD).hexdigest())


def _silent(_done: int, _total: int, _name: str) -> None:
    pass


def _fetching(content: bytes):  # type: ignore[no-untyped-def]
    def fetch(jar: Jar, scratch: Path) -> Path:
        path = scratch / jar.filename
        path.write_bytes(content)
        return path

    return fetch


def _no_fetch(_jar: Jar, _scratch: Path) -> Path:
    raise AssertionError("nothing should be fetched")


def test_a_fetched_jar_is_cached_and_not_fetched_again(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    first = ensure_jars(tmp_path, lambda *told: seen.append(told), [JAR], _fetching(GOOD))
    assert ensure_jars(tmp_path, _silent, [JAR], _no_fetch) == first
    assert first[0].read_bytes() == GOOD
    assert seen == [(1, 1, "example-1.0.jar")]


def test_a_fetched_jar_with_other_bytes_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"not the jar that kafka\.lock names"):
        ensure_jars(tmp_path, _silent, [JAR], _fetching(b"other bytes"))
    assert not list(tmp_path.rglob("*.jar"))


def test_a_cached_jar_with_other_bytes_is_refused(tmp_path: Path) -> None:
    [path] = ensure_jars(tmp_path, _silent, [JAR], _fetching(GOOD))
    path.write_bytes(b"changed later")
    with pytest.raises(StackError, match="Nothing was started"):
        ensure_jars(tmp_path, _silent, [JAR], _no_fetch)


def test_the_lock_holds_one_version_of_kafka_and_names_no_place() -> None:
    jars = locked_jars()
    kafka = {jar.version for jar in jars if jar.group == "org.apache.kafka"}
    assert kafka == {KAFKA_VERSION}
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert "://" not in resources.files("local.kafka").joinpath("kafka.lock").read_text("utf-8")
