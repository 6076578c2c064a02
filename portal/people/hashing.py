"""Passwords are checked a few at a time: each check takes 100 MB on purpose, and anybody can ask for one.

Who tries many at once waits; the counts that slow down guessing (``portal.settings``) come before.
"""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Final

from django.contrib.auth.hashers import Argon2PasswordHasher

#: Checks at once in one process.
AT_ONCE: Final = 2
_TURN: Final = BoundedSemaphore(AT_ONCE)


class Argon2InTurn(Argon2PasswordHasher):
    """Argon2id as Django sets it, ``AT_ONCE`` at a time."""

    def encode(self, password: str, salt: str) -> str:
        """The password as it is kept."""
        with _TURN:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Whether it is this password."""
        with _TURN:
            return super().verify(password, encoded)
