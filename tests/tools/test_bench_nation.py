"""The made-up year: the same facts however it is shared out, numbers that do not clash, and what lies where."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

from local.errors import StackError
from schemas.codec import Codec
from schemas.topics import EVENTS, LINES, REGISTER
from streams.engine.stage import Record
from streams.register import Register
from tools.bench import nation, nation_stream
from tools.bench.nation import Lives
from tools.bench.nation_register import Numbers
from tools.bench.nation_stream import NationSizes, sized
from tools.bench.nation_watch import SOURCES, by_part, topic_of, used


class Usage(NamedTuple):
    """As ``shutil`` has it."""

    total: int
    used: int
    free: int


def lines(lives: Lives) -> Counter[tuple[bytes, bytes]]:
    """Key and event, without the delivery: its name follows from who stands beside whom."""
    encode = Codec(EVENTS).encode
    return Counter(
        (key, encode({**record, "delivery": "0" * 32, "line": 1})) for key, record in nation.facts(lives)
    )  # fmt: skip


def test_a_year_in_parts_is_the_same_year() -> None:
    whole = lines(Lives(3, 0, 60, 0.5))
    assert whole == lines(Lives(3, 0, 25, 0.5)) + lines(Lives(3, 25, 35, 0.5))
    assert whole != lines(Lives(4, 0, 60, 0.5))


def test_the_share_with_a_second_levering_makes_the_nation() -> None:
    events = sum(1 for _ in nation.facts(Lives(15, 0, 800, nation_stream.AGAIN)))
    assert 10.7e6 < nation_stream.PERSONS * events / 800 < 11.3e6
    assert abs(sum(1 for _ in nation.facts(Lives(1, 0, 800))) / 800 - nation.EVENTS_OF_A_CLIENT) < 0.5


def test_of_further_persons_there_is_one_fact() -> None:
    assert Counter(Counter(key for key, _ in nation.facts(Lives(3, 5, 40, most=1))).values()) == {1: 40}


def test_no_two_numbers_of_the_year_clash() -> None:
    """Two processes write each their half; the register has nothing to say on any line of them."""
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for process in (0, 1):
        numbers = Numbers(process)
        for key, record in nation.facts(Lives(15, 150 * process, 150, nation_stream.AGAIN)):
            for number, use in numbers(key, record):
                found[number].append(use)
    fold = Register()
    assert sum(map(len, found.values())) > 1_000
    for number, told in found.items():
        _, out = fold(number.encode(), None, [Record(offset, one, 0) for offset, one in enumerate(told)])
        assert out == []


def test_a_clash_would_be_seen() -> None:
    """The same reference in another message of the provider."""
    record = next(one for _, one in nation.facts(Lives(15, 0, 5)) if "referentie" in one["fact"][1])
    name, fact = record["fact"]
    again = {**record, "delivery": "f" * 32, "fact": (name, {**fact, "bericht": b"another"})}
    told: defaultdict[str, list[bytes]] = defaultdict(list)
    numbers = Numbers(0)
    for one in (record, again):
        for number, use in numbers(b"p1.jeugd.0.a", one):
            told[number].append(use)
    fold = Register()
    outs = [
        out
        for number, uses in told.items()
        for out in fold(number.encode(), None, [Record(offset, one, 0) for offset, one in enumerate(uses)])[1]
    ]
    assert {out.topic for out in outs} == {LINES, EVENTS}


def test_a_part_of_the_nation_has_its_part_of_the_million() -> None:
    assert sized(450_000) == NationSizes(450_000, 1_000_000)
    assert sized(45_000) == NationSizes(45_000, 100_000)
    assert SOURCES["register"] == [REGISTER]


def test_a_disk_that_is_too_small_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: Usage(0, 0, 20_000_000_000))
    nation_stream.require_room(tmp_path, sized(250_000))
    with pytest.raises(StackError, match=r"takes 34 GB at most, .* has 20 GB free\. .* --persons 250000\.$"):
        nation_stream.require_room(tmp_path, sized(450_000))


def test_what_is_on_disk_is_counted_by_topic(tmp_path: Path) -> None:
    for place, size in (("data/sor.events-0/0.log", 9_000), ("data/sor.events-11/0.log", 5_000), ("data/x", 10)):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    with (tmp_path / "data/sor.events-0/0.index").open("wb") as index:
        index.truncate(10_000_000)  # reserved, not filled
    sizes = by_part(tmp_path, topic_of)
    assert set(sizes) == {"sor.events", ""}
    assert 14_000 <= sizes["sor.events"] < 100_000
    assert used(tmp_path) == sum(sizes.values())
