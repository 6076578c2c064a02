"""Stored pseudonyms are renewed without any BSN: joins and counts stay, and new events meet the renewed ones."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.pseudonym import Pseudonyms, Renewal

ROOT, FRESH = bytes(32), bytes(range(32))
ELEMENTS = [n.to_bytes(32, "big") for n in range(2000)]


def test_joins_and_counts_stay_and_new_events_meet_renewed_ones() -> None:
    """A log of 2,000 clients with up to five events each, before; the same and new ones, after."""
    before, after = Pseudonyms(ROOT, "jeugd", 0), Pseudonyms(ROOT, "jeugd", 1, [(1, FRESH)])
    log = [before.name(one) for n, one in enumerate(ELEMENTS) for _ in range(1 + n % 5)]
    renew = Renewal(FRESH, "jeugd", 1).renew
    renewed = [renew(one) for one in log]
    assert renewed == [after.name(one) for n, one in enumerate(ELEMENTS) for _ in range(1 + n % 5)]
    assert len(set(renewed)) == len(set(log)) == len(ELEMENTS)
    assert len(set(zip(log, renewed, strict=True))) == len(ELEMENTS)
    assert not set(log) & set(renewed)


def test_two_renewals_are_two_epochs() -> None:
    element, second = ELEMENTS[1], secrets.token_bytes(32)
    stored = Pseudonyms(ROOT, "jeugd", 0).name(element)
    renewed = Renewal(second, "jeugd", 2).renew(Renewal(FRESH, "jeugd", 1).renew(stored))
    assert renewed == Pseudonyms(ROOT, "jeugd", 2, [(1, FRESH), (2, second)]).name(element)


def test_who_has_the_root_alone_cannot_renew() -> None:
    stored = Pseudonyms(ROOT, "jeugd", 0).name(ELEMENTS[1])
    assert Renewal(ROOT, "jeugd", 1).renew(stored) != Renewal(FRESH, "jeugd", 1).renew(stored)


@pytest.mark.parametrize(
    "label",
    [
        b"",
        b"p1.jeugd.1.FXMP9zUy7fbvHkLI12V4Bg",  # it is renewed already
        b"p1.wmo.0.FXMP9zUy7fbvHkLI12V4Bg",
        b"p1.jeugd.0.FXMP9zUy7fbvHkLI12V4",
        b"p1.jeugd.0.FXMP9zUy7fbvHkLI12V4Bg==",
        b"p1.jeugd.0.FXMP9zUy7fbvHkLI12V4Bh",  # another writing of the same 16 bytes
    ],
)
def test_what_is_no_pseudonym_of_the_epoch_before_is_refused(label: bytes) -> None:
    with pytest.raises(ValueError, match="no pseudonym"):
        Renewal(FRESH, "jeugd", 1).renew(label)


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_a_pseudonym(tail: bytes) -> None:
    label = b"p1.jeugd.0." + tail
    try:
        renewed = Renewal(FRESH, "jeugd", 1).renew(label)
    except ValueError:
        return
    assert len(label) == len(renewed) == 33
