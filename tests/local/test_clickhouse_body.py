"""Request bodies: every frame counts, a cut is an error, a bomb is refused."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from itertools import chain

import lz4.frame
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from local.clickhouse.body import decode
from local.clickhouse.wire import QueryFault

LIMIT = 1 << 20
PACK: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": zstd.compress,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "": bytes,
}


@pytest.mark.parametrize("encoding", PACK)
@given(blocks=st.lists(st.binary(min_size=1, max_size=300), max_size=5))
def test_every_frame_is_unpacked(encoding: str, blocks: list[bytes]) -> None:
    packed = b"".join(PACK[encoding](block) for block in blocks)
    assert b"".join(decode(encoding, packed, LIMIT)) == b"".join(blocks)


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "deflate"])
def test_a_body_cut_off_in_its_last_frame_is_an_error(encoding: str) -> None:
    packed = PACK[encoding](b"first" * 99) + PACK[encoding](bytes(range(256)) * 4)[:-3]
    with pytest.raises(QueryFault, match="damaged or cut off") as caught:
        list(decode(encoding, packed, LIMIT))
    assert caught.value.status == 400


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "deflate"])
def test_rubbish_is_an_error(encoding: str) -> None:
    with pytest.raises(QueryFault, match="damaged or cut off"):
        list(decode(encoding, b"this is no compressed data at all", LIMIT))


@pytest.mark.parametrize("encoding", PACK)
def test_more_than_the_limit_is_refused_before_it_is_unpacked(encoding: str) -> None:
    packed = PACK[encoding](bytes(16 << 20))
    unpacked = bytearray()
    with pytest.raises(QueryFault, match="smaller batches") as caught:
        unpacked.extend(chain.from_iterable(decode(encoding, packed, LIMIT)))
    assert caught.value.status == 413
    assert len(unpacked) <= LIMIT


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(QueryFault, match="'br' is not supported"):
        list(decode("br", b"x", LIMIT))
