"""The sums of many figures over the same rows as two lists, in which each sum stands once.

Twenty figures have eighty sums, of which half are the same, and a name for each of them in every step of a question.
Of one provider the engine then takes longer to read the question than to answer it (docs/benchmarks.md). So a question
carries two lists from step to step, and names a figure where it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from domain.indicators.query import sums_sql
from domain.indicators.terms import Indicator, Part

#: What the two lists are called: different clients behind sums (whole numbers), and sums (with a fraction).
CLIENTS: Final = "alle_clienten"
SUMS: Final = "alle_sommen"


class Places(NamedTuple):
    """Where the sums of a figure stand, from 1: of its clients in the one list, of the others in the other."""

    clients: int
    numerator: int
    denominator: int
    excluded: int


class Tally(NamedTuple):
    """Both lists as SQL with their names, and the places of every figure by its key."""

    sql: str
    places: Mapping[str, Places]

    def clients(self, keys: Iterable[str]) -> str:
        """The clients of these figures, as a list."""
        return picked(CLIENTS, [self.places[key].clients for key in keys])

    def sums(self, name: str, keys: Iterable[str]) -> str:
        """The sums of these figures that ``Places`` calls so, as a list."""
        return picked(SUMS, [getattr(self.places[key], name) for key in keys])


def picked(values: str, places: Sequence[int]) -> str:
    """What stands at these places of a list."""
    return f"arrayMap(plek -> {values}[plek], {list(places)})"


def tally(
    figures: Sequence[Indicator], clients: str, *, reference_day: int | str, clients_up_to: int | None = None
) -> Tally:
    """The sums of figures over the same rows; the arguments are those of ``sums_sql``."""
    columns = sums_sql(figures, clients, reference_day=reference_day, clients_up_to=clients_up_to)
    sums = [column.rpartition(" AS ")[0] for column in columns]
    fours = list(zip(*[iter(sums)] * len(Places._fields), strict=True))
    behind = list(dict.fromkeys(four[0] for four in fours))
    broken = dict.fromkeys(four[1] for one, four in zip(figures, fours, strict=True) if _in_parts(one))
    whole = list(dict.fromkeys(part for four in fours for part in four[1:] if part not in broken))
    every = [*whole, *broken]
    # the engine has no list of whole numbers beside broken ones, and no quotient becomes another by the cast
    text = f"CAST([{', '.join(whole)}], 'Array(Float64)')"
    text = f"arrayConcat({text}, [{', '.join(broken)}])" if broken else text
    places = {
        one.key: Places(behind.index(four[0]) + 1, *(every.index(part) + 1 for part in four[1:]))
        for one, four in zip(figures, fours, strict=True)
    }
    return Tally(f"[{', '.join(behind)}] AS {CLIENTS}, {text} AS {SUMS}", places)


def _in_parts(one: Indicator) -> bool:
    """Whether rows add up to a fraction."""
    return isinstance(one.numerator.measure, Part)
