"""The fold gives the rows of the second reading (``tests.oracle``), for histories of every kind.

A thousand histories each run; a hundred thousand with ``make nightly``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.facts.fact import Event, Prestatie, Start, Stop
from domain.field.rules import FLAG, FULL, RULES
from tests.oracle.compare import as_rows, disagreement, numbers, of_set
from tests.oracle.expected import expected
from tests.oracle.histories import histories
from tests.oracle.shape import Rows

#: Fewer when a run needs only a smoke test of the oracle (mutation testing).
EXAMPLES = int(os.environ.get("SOR_ORACLE_EXAMPLES", "1000"))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.lists(st.integers(0, 40), max_size=4))
def test_the_fold_agrees_with_the_second_reading(history: list[Event], cuts: list[int]) -> None:
    assert disagreement(history, cuts) == ""


@settings(max_examples=max(1, EXAMPLES // 10), deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def _has(column: str, what: str) -> Callable[[Rows], bool]:
    """Some traject has a flag, or waits for a reason."""
    return lambda rows: any(
        what in (dict(row["wacht"]) if column == "wacht" else row[column]) for row in map(dict, rows.trajecten)
    )


#: Those that facts break; too many facts are no facts (``tests/domain/test_caps.py``).
FLAGS = sorted({code for code, rule in RULES.items() if rule.form == FLAG} - {FULL})
REACHED = {
    **{
        status: _any("trajecten", status=status)
        for status in ("lopend", "gepauzeerd", "beeindigd", "wacht_op_start", "wacht_op_levering")
    },
    **{flag: _has("vlaggen", flag) for flag in FLAGS},
    **{f"waits for {reason}": _has("wacht", reason) for reason in ("toewijzing", "start", "levering")},
    **{
        f"score waits for {reason}": _any("scores", wacht=reason) for reason in ("toewijzing", "beschikking", "traject")
    },
    "chain": _any("trajecten", status="beeindigd", leveringen=3),
    "resumed, then waiting again": _any("trajecten", status="gepauzeerd", leveringen=2),
    "declarations": _any("trajecten", declaraties=2),
    "goals": _any("trajecten", gas_gescoord=2),
    "problem": _any("scores", doel=0, gemeente="0363"),
    "at the end": _any("metingen", soort="einde", telt=True),
    "at the end of one while another runs": _any("trajecten", status="lopend", metingen_einde=1),
    "an older meting": _any("metingen", gemeente="0363", telt=False),
    "while running": _any("metingen", soort="duurzaam", telt=True),
    "outside the window": _any("metingen", soort="einde", traject=None),
    "respons": _any("trajecten", metingen_einde=2),
    "respons of a year": _any("trajecten", metingen_jaren=(2026,)),
    "intensity by product": _any("trajecten", intensiteit="intensief"),
    "intensity by questionnaire": _any("trajecten", intensiteit="duurzaam", code="45A01"),
    "form of help": _any("trajecten", hulpvorm="01"),
    "area of a message": _any("trajecten", bron="ijw", postcodegebied="Noord"),
    "area of a CBS file": _any("trajecten", bron="cbs", postcodegebied="Noord"),
    "a new start": lambda rows: any(dict(row)["nieuwe_start"] for row in rows.trajecten),
    "CBS records as one": _any("trajecten", bron="cbs", leveringen=2, status="beeindigd"),
    "CBS running": _any("trajecten", bron="cbs", status="lopend"),
    "CBS outcomes": _any("metingen", soort="cbs", telt=True),
    "an older CBS outcome": _any("metingen", soort="cbs", telt=False),
}


class EverythingReached(Exception):
    """Nothing is missing any more."""


def test_the_histories_reach_every_state() -> None:
    """A test over histories that never get anywhere would prove nothing."""
    missing = set(REACHED)

    @settings(max_examples=5_000, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(histories())
    def search(history: list[Event]) -> None:
        rows = expected(history, {})
        missing.difference_update([name for name in missing if REACHED[name](rows)])
        if not missing:
            raise EverythingReached

    with contextlib.suppress(EverythingReached):
        search()
    assert not missing
