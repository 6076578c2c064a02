"""Rows as weapons: who reads ClickHouse, alone or with a list of pseudonyms, tries to join a child over providers.

The positive control has the keys of ``trajectories``, and joins everybody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable

import pytest

from crypto.client_names import BUCKETS, ClientNames
from crypto.keys import TrajectoriesKeys
from domain.care.trajecten import number_of
from schemas.codec import Codec
from schemas.codec import Record as Row
from schemas.records import event_to_record
from schemas.topics import EVENTS, TRAJECTEN
from streams.engine.stage import Record
from streams.trajectories import Trajectories
from tests.build import AGB, OTHER, by, events, start

NAMES = ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))
CHILDREN = [b"p1.jeugd.0.%022d" % number for number in range(300)]
#: With both providers and in all else alike, so that nothing but names and numbers could tell.
LIFE = [*events([start()]), *by(OTHER, start())]
#: What a row or its key says that could stand for a child.
NAMING = ("client", "traject")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    codec, written, stage = Codec(EVENTS), Codec(TRAJECTEN), Trajectories(NAMES)
    log = [Record(offset, codec.encode(event_to_record(told)), 0) for offset, told in enumerate(LIFE)]
    outs = [out for child in CHILDREN for out in stage(child, None, log)[1] if out.topic == TRAJECTEN]
    return [written.decode(out.value or b"") for out in outs]


def test_a_reader_of_rows_joins_no_child_over_providers(rows: list[Row]) -> None:
    here, there = ([row for row in rows if row["aanbieder"] == aanbieder] for aanbieder in (AGB, OTHER))
    assert len(here) == len(there) == len(CHILDREN)
    values = [{row[column] for row in side for column in NAMING} for side in (here, there)]
    assert not values[0] & values[1]
    assert all(len({row[column] for row in rows}) == len(rows) for column in NAMING)


def test_what_a_bucket_says_is_bounded() -> None:
    """In a region of 25,000 children no bucket is of fewer than a handful, so none points at one child."""
    shared = Counter(NAMES.bucket(b"p1.jeugd.0.%022d" % number) for number in range(25_000))
    assert len(shared) == BUCKETS
    assert min(shared.values()) >= 5


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw[:16]).rstrip(b"=").decode()


#: How a name could be made from a pseudonym and a provider by who has no key.
GUESSES: list[Callable[[bytes, bytes], bytes]] = [
    lambda child, provider: hashlib.sha256(child + b"|" + provider).digest(),
    lambda child, provider: hmac.digest(child, provider, "sha256"),
    lambda child, provider: hmac.digest(provider, child, "sha256"),
    lambda child, provider: hmac.digest(bytes(32), child + b"|" + provider, "sha256"),
]


def test_a_list_of_pseudonyms_beside_the_rows_names_nobody(rows: list[Row]) -> None:
    """Names are guessed; numbers are made anew from every part that stands in the row, as they once could be."""
    names = {row["client"] for row in rows}
    for guess in GUESSES:
        made = {_text(guess(child, aanbieder.encode())) for child in CHILDREN for aanbieder in (AGB, OTHER)}
        assert not made & names
    for row in rows:
        parts = ("traject", row["aanbieder"], row["gemeente"], row["categorie"], row["begindatum"])
        keys = (*CHILDREN, row["client"].encode())
        assert not [key for key in keys if number_of(key, *parts).hex() == row["traject"]]


def test_with_the_keys_of_the_stage_everybody_is_named(rows: list[Row]) -> None:
    wanted = {NAMES.of(child, aanbieder): child for child in CHILDREN for aanbieder in (AGB, OTHER)}
    assert Counter(wanted[row["client"]] for row in rows) == dict.fromkeys(CHILDREN, 2)
    for row in rows:
        parts = ("traject", row["aanbieder"], row["gemeente"], row["categorie"], row["begindatum"])
        assert number_of(NAMES.secret(wanted[row["client"]]), *parts).hex() == row["traject"]
