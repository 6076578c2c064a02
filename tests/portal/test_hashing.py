"""Passwords are checked in turn, and as Django checks them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from settings.settings import Settings


def test_no_more_are_checked_at_once_than_memory_allows(portal: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    from portal.people.hashing import AT_ONCE, Argon2InTurn

    inside, most, lock, full = 0, 0, threading.Lock(), threading.Event()

    def slow(_self: Any, _password: str, _encoded: str) -> bool:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
            if inside == AT_ONCE:
                full.set()
        full.wait(5)
        with lock:
            inside -= 1
        return True

    monkeypatch.setattr(Argon2PasswordHasher, "verify", slow)
    threads = [threading.Thread(target=Argon2InTurn().verify, args=("x", "y")) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == AT_ONCE


def test_a_password_is_kept_by_argon2id_and_known_again(portal: Settings) -> None:
    from django.contrib.auth.hashers import check_password, make_password

    kept = make_password("een lang wachtwoord")
    assert kept.startswith("argon2$argon2id$")
    assert check_password("een lang wachtwoord", kept)
    assert not check_password("een ander wachtwoord", kept)
