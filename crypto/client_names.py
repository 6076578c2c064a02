"""What a row calls a client: a name within one provider, and a coarse bucket that is the same with every provider.

Rows leave the stage ``trajectories`` without a pseudonym (decision 0015). Who reads them, and even who has a list of
pseudonyms beside them, can follow a client within a provider and no further: two providers' names of one client look
like names of two clients, and about 25 children of the region share a bucket.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from crypto.keys import TrajectoriesKeys
from crypto.pseudonym import prepared_hmac

BUCKETS: Final = 1024
_BYTES: Final = 16
#: The rows of one client are made together: a few thousand names are enough to make each name once.
_REMEMBERED: Final = 4096


class ClientNames:
    """Names and buckets under the keys of ``trajectories``. The same keys give the same names, also to ``audit``."""

    def __init__(self, keys: TrajectoriesKeys) -> None:
        self._client, self._bucket = prepared_hmac(keys.client), prepared_hmac(keys.bucket)
        self._name: Callable[[bytes, str], str] = lru_cache(_REMEMBERED)(self._made_name)
        self._number: Callable[[bytes], int] = lru_cache(_REMEMBERED)(self._made_bucket)

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits that tell two sets of names apart and say nothing about the keys."""
        return self._client(b"id")[:8].hex()

    def secret(self, pseudonym: bytes) -> bytes:
        """32 bytes under which the numbers of a client's rows are hashed. They never leave the process: a number made
        under a pseudonym would be a test of that pseudonym, and join what two providers know.
        """
        return self._client(b"|" + pseudonym)  # a name begins with the pseudonym

    def of(self, pseudonym: bytes, aanbieder: str) -> str:
        """22 characters (base64url) for a client within one provider."""
        return self._name(pseudonym, aanbieder)

    def bucket(self, pseudonym: bytes) -> int:
        """A number below ``BUCKETS``: different buckets are different clients, one bucket may be many."""
        return self._number(pseudonym)

    def _made_name(self, pseudonym: bytes, aanbieder: str) -> str:
        name = self._client(pseudonym + b"|" + aanbieder.encode())[:_BYTES]
        return base64.urlsafe_b64encode(name).rstrip(b"=").decode()

    def _made_bucket(self, pseudonym: bytes) -> int:
        return int.from_bytes(self._bucket(pseudonym)[:2], "big") % BUCKETS
