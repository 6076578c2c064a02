"""What a check takes for proven while events come in and stages lag: without a broker, attempt by attempt."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from operations.audit import check
from operations.audit.check import TRIES, Checker, Outcome
from operations.audit.comparison import Difference
from operations.audit.levels import Level
from operations.audit.lives import Buckets, Life
from operations.audit.states import StateDifference
from operations.log_reader import Log, Span

STILL, MOVES = b"still", b"moves"
BUCKET = {STILL: 1, MOVES: 2}
LEVEL = Level("", proven=True, at={0: 10})


class Names:
    """Clients whose buckets are known; a row calls a client by its own name."""

    def bucket(self, client: bytes) -> int:
        return BUCKET[client]


class Lives:
    """Two clients of one partition; each reading on says who moved, as the test has it."""

    moved: Iterator[set[bytes]]
    split = False

    def __init__(self, *_given: Any) -> None:
        self.ends = {0: 10}
        self.all = {STILL: Life(0, 1, [b""], 0, 5), MOVES: Life(0, 2, [b""], 0, 9, split=self.split)}

    def read(self, _log: Log) -> set[bytes]:
        return next(self.moved)

    def names_at(self, clients: set[bytes], provider: str) -> set[str]:
        return {f"{client.decode()} at {provider}" for client in clients}


class Scripted(Checker):
    """A checker whose comparisons and levels are given."""

    def __init__(self, found: list[list[Any]], levels: list[Level]) -> None:
        self._found, self._given = iter(found), iter(levels)
        self.scopes: list[Buckets] = []
        self.world: Any = SimpleNamespace(cluster=None, names=Names())
        self._reader = self._tell = None  # type: ignore[assignment]
        self._patience, self._pause = 0.0, lambda _seconds: None
        self._levels: Any = SimpleNamespace(wait=lambda *_given: next(self._given))
        self._yield: Any = SimpleNamespace(forgetting=lambda *_given: False)

    def _compare(self, lives: Any, scope: Buckets, outcome: Outcome, *, first: bool) -> Any:
        del lives, outcome, first
        self.scopes.append(scope)
        found = next(self._found)
        rows = [one for one in found if isinstance(one, Difference)]
        return check._Differing(rows, [one for one in found if isinstance(one, StateDifference)])


def missing(client: bytes) -> Difference:
    return Difference("scores", f"1|0363|2025|{client.decode()}", "missing", BUCKET[client], client=client)


def checked(
    monkeypatch: pytest.MonkeyPatch, found: list[list[Any]], moved: list[set[bytes]], levels: list[Level] | None = None
) -> tuple[Outcome, list[Buckets]]:
    monkeypatch.setattr(Lives, "moved", iter([set(), *moved]), raising=False)
    monkeypatch.setattr(check, "Lives", Lives)
    monkeypatch.setattr(check, "log_ends", lambda _cluster: Log({0: Span(0, 10)}))
    checker = Scripted(found, levels or [LEVEL] * len(found))
    return checker.check(None, skips=SimpleNamespace()), checker.scopes  # type: ignore[arg-type]


def test_a_client_that_did_not_move_is_proven_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateDifference("changelog", 0, STILL, "facts")
    outcome, scopes = checked(monkeypatch, [[missing(STILL), state]], [{MOVES}])
    assert (outcome.rows, outcome.states, outcome.unsettled) == ([missing(STILL)], [state], 0)
    assert scopes == [None]


def test_who_moved_is_compared_again_in_its_bucket_and_may_turn_out_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, scopes = checked(monkeypatch, [[missing(STILL), missing(MOVES)], []], [{MOVES}, set()])
    assert (outcome.rows, outcome.unsettled) == ([missing(STILL)], 0)
    assert scopes == [None, frozenset({2})]


def test_who_moved_and_differs_still_is_proven_then(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _ = checked(monkeypatch, [[missing(MOVES)], [missing(MOVES)]], [{MOVES}, set()])
    assert outcome.rows == [missing(MOVES)]


def test_a_row_of_a_client_that_came_meanwhile_is_none_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody expected it when the log was read; by its name it is of the client that moved."""
    new = Difference("scores", "1|0363|2025|x", "extra", 2, name="moves at 1")
    others = Difference("scores", "1|0363|2025|y", "extra", 1, name="nobody at 1")
    outcome, scopes = checked(monkeypatch, [[new, others], []], [{MOVES}, set()])
    assert outcome.rows == [others]
    assert scopes == [None, frozenset({2})]


def test_who_never_stands_still_is_no_difference_and_no_equality(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, scopes = checked(monkeypatch, [[missing(MOVES)]] * TRIES, [{MOVES}] * TRIES)
    assert (outcome.rows, outcome.unsettled, len(scopes)) == ([], 1, TRIES)


def test_who_stands_in_two_partitions_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is being laid out anew: its offsets in two partitions do not order its rows."""
    monkeypatch.setattr(Lives, "split", True)
    outcome, _ = checked(monkeypatch, [[missing(MOVES)]] * TRIES, [set()] * TRIES)
    assert (outcome.rows, outcome.unsettled) == ([], 1)


def test_a_sink_that_lags_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = Level("sink: 3 records to go", proven=False, at={0: 10})
    outcome, scopes = checked(monkeypatch, [[missing(STILL)]], [set()], [behind])
    assert (outcome.proven, outcome.behind, len(scopes)) == (False, behind.words, 1)


def test_where_the_stage_lags_only_who_is_through_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = Level("trajectories: 2 records to go", proven=True, at={0: 8})
    outcome, scopes = checked(monkeypatch, [[missing(STILL), missing(MOVES)]], [set()], [behind])
    assert (outcome.rows, outcome.unsettled, outcome.proven) == ([missing(STILL)], 1, True)
    assert len(scopes) == 1, "waiting once was enough"
