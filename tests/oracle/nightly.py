"""A hundred thousand histories, fold against oracle: ``make nightly``.

Or ``python -m tests.oracle.nightly [cases] [seed]``. Runs a thousand at a time, each with a seed of its own: memory
stays bounded and every thousand tells how far it is. A disagreement ends it with the shortest history that shows it.
"""

from __future__ import annotations

import sys
import time

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from domain.facts.fact import Event
from domain.field.definitions import SHIPPED
from tests.oracle.compare import disagreement
from tests.oracle.histories import histories
from tests.oracle.others import OTHERS
from tests.oracle.texts import AS_SHIPPED, texts_of

BATCH = 1_000


def batch(number: int, examples: int) -> None:
    """One batch of histories; ``AssertionError`` with a falsifying example when fold and oracle disagree. One of four
    is under other definitions than those that are shipped.
    """
    definitions = (SHIPPED, SHIPPED, SHIPPED, OTHERS[number // 4 % len(OTHERS)])[number % 4]
    texts = AS_SHIPPED if definitions is SHIPPED else texts_of(definitions)

    @seed(number)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(histories(), st.lists(st.integers(0, 40), max_size=4))
    def agree(history: list[Event], cuts: list[int]) -> None:
        assert disagreement(history, cuts, definitions, texts) == ""

    agree()


def main(cases: int = 100_000, first: int | None = None) -> None:
    """Print a line per thousand histories."""
    first = int(time.time()) if first is None else first
    began = time.monotonic()
    print(f"{cases:,} histories, first seed {first}", flush=True)  # noqa: T201
    for done in range(0, cases, BATCH):
        batch(first + done // BATCH, min(BATCH, cases - done))
        print(f"{min(done + BATCH, cases):>9,} histories agree, {time.monotonic() - began:7.1f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
