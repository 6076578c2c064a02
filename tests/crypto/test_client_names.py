"""Names of a client in rows: within one provider, the same every time, and each part under a key of its own."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from crypto.client_names import BUCKETS, ClientNames
from crypto.keys import TrajectoriesKeys

KEYS = TrajectoriesKeys(b"c" * 32, b"b" * 32)
NAMES = ClientNames(KEYS)
PEOPLE = [b"p1.jeugd.0.%022d" % number for number in range(20_000)]
HERE, THERE = "90000001", "90000002"


def test_the_same_keys_give_the_same_names() -> None:
    """Word for word: rows that are out carry them, and another form would make every row anew."""
    assert NAMES.of(PEOPLE[0], HERE) == ClientNames(KEYS).of(PEOPLE[0], HERE) == "TX24Qeao84c1Ylm39XeDCg"
    assert (NAMES.bucket(PEOPLE[0]), NAMES.secret(PEOPLE[0]).hex()[:8], NAMES.id) == (
        539,
        "9f30a22d",
        "6861e4bd4bf8de35",
    )


def test_a_name_is_22_characters_and_differs_by_client_and_provider() -> None:
    names = {NAMES.of(client, provider) for client in PEOPLE[:500] for provider in (HERE, THERE)}
    assert len(names) == 1000
    assert all(re.fullmatch(r"[\w-]{22}", name) for name in names)


def test_buckets_are_shared_evenly() -> None:
    counted = Counter(map(NAMES.bucket, PEOPLE))
    assert set(counted) == set(range(BUCKETS))
    assert max(counted.values()) < 60  # 20 on average


@pytest.mark.parametrize("other", [KEYS._replace(client=b"x" * 32), KEYS._replace(bucket=b"x" * 32)])
def test_each_key_makes_its_own_part(other: TrajectoriesKeys) -> None:
    theirs = ClientNames(other)
    same = other.client == KEYS.client
    assert (theirs.of(PEOPLE[0], HERE) == NAMES.of(PEOPLE[0], HERE)) == same
    assert (theirs.secret(PEOPLE[0]) == NAMES.secret(PEOPLE[0])) == same
    assert (theirs.id == NAMES.id) == same
    assert ([*map(theirs.bucket, PEOPLE[:50])] == [*map(NAMES.bucket, PEOPLE[:50])]) != same
