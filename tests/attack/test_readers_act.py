"""Who reads rows, or events, cannot name a child nor join what two providers know of it."""

from __future__ import annotations

import random

import pytest

from crypto import keys
from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from schemas.codec import Record
from schemas.topics import EVENTS
from streams.trajectories import Trajectories
from tests.attack.attacks import looks
from tests.attack.guesses import named, parts
from tests.attack.parties import records
from tests.attack.readers import Link, every_way, replayed, seen_of
from tests.attack.world import ROWS, A, B, World

#: Children of a region, for the buckets.
_REGION = 25_000


def truth(world: World, names: ClientNames | None = None) -> set[Link]:
    """The links that hold; only the tests know them."""
    names = names or ClientNames(keys.load_trajectories(world.keys))
    number = {bsn: pseudonym for pseudonym, bsn in world.pseudonyms().items()}
    shared = world.clients[A] & world.clients[B]
    return {(names.of(number[bsn], A), names.of(number[bsn], B)) for bsn in shared}


def joins(
    world: World, rows: list[Record], most: int = 1, names: ClientNames | None = None
) -> dict[tuple[str, ...], int]:
    """Ways by which more links are right than chance gives; the bucket, which many children share, is no way."""
    right, found = truth(world, names), dict[tuple[str, ...], int]()
    for columns, links in every_way(rows, most):
        if "emmer" not in columns and len(links & right) > 2 + len(links) // 20:
            found[columns] = len(links & right)
    return found


def replay(world: World, topic: str, names: ClientNames | None = None) -> list[Record]:
    """Rows of the log read again."""
    stage = Trajectories(names or ClientNames(keys.load_trajectories(world.keys)))
    return replayed(world.reads(EVENTS), stage, topic)


@pytest.mark.kafka
@pytest.mark.parametrize("topic", ROWS)
def test_rows_of_two_providers_cannot_be_joined(world: World, topic: str) -> None:
    """By no column and no two of them, in every row that ever came in: who looks often sees also those replaced."""
    assert joins(world, seen_of(topic, records(world.reads(topic), topic)), most=2) == {}


@pytest.mark.kafka
@pytest.mark.parametrize("topic", ROWS)
def test_nor_after_the_log_was_read_again(world: World, topic: str) -> None:
    rows = replay(world, topic)
    assert joins(world, seen_of(topic, rows)) == {}
    assert joins(world, rows)[("version",)] >= 30, "which is why nobody who asks for figures sees the version"


def test_a_bucket_is_coarse() -> None:
    """In a region, whoever takes two clients of one bucket for one child is wrong nineteen times in twenty."""
    names, seed = ClientNames(TrajectoriesKeys(bytes(32), bytes(range(32)))), random.Random(1)
    buckets = [names.bucket(seed.randbytes(16)) for _ in range(_REGION)]
    counts = [buckets.count(bucket) for bucket in range(1024)]
    assert min(counts) >= 5
    assert sum(count * count for count in counts) / _REGION > 20, "a child shares its bucket with so many, on average"


@pytest.mark.kafka
def test_a_reader_of_rows_names_nobody(world: World) -> None:
    assert named(parts(world.reads(*ROWS))) == set()


@pytest.mark.kafka
def test_a_reader_of_events_names_nobody(world: World) -> None:
    assert EVENTS in world.party("trajectories").reads()
    assert looks(world.party("trajectories")) == set()
