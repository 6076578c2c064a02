"""The fold gives the rows of the second reading (``tests.oracle``), for histories of every kind.

A thousand histories each run; with ``SOR_NIGHTLY=1`` a hundred thousand.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.facts import Event, Prestatie, Start, Stop
from tests.oracle.compare import as_rows, difference, numbers, of_log, of_set
from tests.oracle.expected import Rows, expected
from tests.oracle.histories import histories

EXAMPLES = 100_000 if os.environ.get("SOR_NIGHTLY") else 1_000


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.lists(st.integers(0, 40), max_size=4))
def test_the_fold_agrees_with_the_second_reading(history: list[Event], cuts: list[int]) -> None:
    table = of_set(history)
    assert difference(table, history) == ""
    assert dict(of_log(history, [cut for cut in cuts if cut < len(history)])) == dict(table)


@settings(max_examples=EXAMPLES // 10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(most=8), st.data())
def test_one_message_with_two_contents_is_one_of_the_two(history: list[Event], data: st.DataObject) -> None:
    """TR056: which one is arbitrary, but the same in every order of arrival."""
    messages = [event for event in history if isinstance(event.fact, Start | Stop | Prestatie)]
    if not messages:
        return
    event = data.draw(st.sampled_from(messages))
    assert isinstance(event.fact, Start | Stop | Prestatie)
    other: dict[str, Any] = {"dagtekening": event.fact.dagtekening + data.draw(st.sampled_from((-1, 1)))}
    if isinstance(event.fact, Start):
        other["leeftijd"] = data.draw(st.sampled_from((None, 3)))
    elif isinstance(event.fact, Stop):
        other["einddatum"] = event.fact.einddatum + data.draw(st.integers(0, 31))
    changed = msgspec.structs.replace(event, fact=msgspec.structs.replace(event.fact, **other))
    swapped = [changed if each.fact == event.fact and each.aanbieder == event.aanbieder else each for each in history]
    table = of_set([*history, changed])
    assert as_rows(of_set([changed, *reversed(history)])) == as_rows(table)
    assert as_rows(table) in (expected(history, numbers(table)), expected(swapped, numbers(table)))


def _any(table: str, **fields: Any) -> Callable[[Rows], bool]:
    wanted = set(fields.items())
    return lambda rows: any(wanted <= {pair for pair in row if pair[0] in fields} for row in getattr(rows, table))


REACHED = {
    **{status: _any("trajecten", status=status) for status in ("lopend", "gepauzeerd", "beeindigd", "wacht_op_start")},
    "chain": _any("trajecten", status="beeindigd", leveringen=3),
    "resumed, then waiting again": _any("trajecten", status="gepauzeerd", leveringen=2),
    "flags": _any("trajecten", vlaggen=("TR074", "TR415")),
    "declarations": _any("trajecten", declaraties=2),
    "goals": _any("trajecten", gas_gescoord=2),
    "problem": _any("scores", doel=0, gemeente="0363"),
    "at the end": _any("metingen", soort="einde", telt=True),
    "an older meting": _any("metingen", gemeente="0363", telt=False),
    "while running": _any("metingen", soort="duurzaam", telt=True),
    "outside the window": _any("metingen", soort="einde", traject=None),
    "score without traject": _any("scores", traject=None),
}


def test_the_histories_reach_every_state() -> None:
    """A test over histories that never get anywhere would prove nothing."""
    missing = set(REACHED)

    @settings(max_examples=1_000, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(histories())
    def search(history: list[Event]) -> None:
        if missing:
            rows = expected(history, {})
            missing.difference_update([name for name in missing if REACHED[name](rows)])

    search()
    assert not missing
