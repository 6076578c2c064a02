"""The sums of many figures over the same rows as two lists, in which each sum stands once.

Twenty figures have eighty sums, of which half are the same, and a name for each of them in every step of a question.
Of one provider the engine then takes longer to read the question than to answer it (docs/benchmarks.md). So a question
carries two lists from step to step, and names a figure where it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from domain.indicators.query import sums_sql
from domain.indicators.terms import Indicator, Part

#: What the two lists are called: different clients behind sums, and sums.
CLIENTS: Final = "alle_clienten"
SUMS: Final = "alle_sommen"
#: At this place either list has a 0.
NOTHING: Final = 1
_ZERO: Final = "0"


class Places(NamedTuple):
    """Where the sums of a figure stand, from 1: of its clients in the one list, of the others in the other."""

    clients: int
    numerator: int
    denominator: int
    excluded: int


#: Which of a figure's ``Places`` a question asks for, by name.
Asked = Callable[[Indicator], Collection[str]]


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
    figures: Sequence[Indicator],
    clients: str,
    asked: Asked,
    *,
    reference_day: int | str,
    clients_up_to: int | None = None,
) -> Tally:
    """The sums of figures over the same rows; of what is not asked the place is ``NOTHING``. The other arguments are
    those of ``sums_sql``.
    """
    columns = sums_sql(figures, clients, reference_day=reference_day, clients_up_to=clients_up_to)
    sums = iter(column.rpartition(" AS ")[0] for column in columns)
    fours = {one.key: _asked(asked(one), sums) for one in figures}
    behind = list(dict.fromkeys([_ZERO, *(four[0] for four in fours.values())]))
    broken = dict.fromkeys(fours[one.key][1] for one in figures if isinstance(one.numerator.measure, Part))
    whole = dict.fromkeys([_ZERO, *(part for four in fours.values() for part in four[1:] if part not in broken)])
    every = [*whole, *broken]
    # a list of the engine has whole numbers or broken ones, and no quotient of two becomes another by the cast
    text = f"arrayConcat({_cast(whole)}, [{', '.join(broken)}])" if broken else _cast(whole)
    places = {
        key: Places(behind.index(four[0]) + 1, *(every.index(part) + 1 for part in four[1:]))
        for key, four in fours.items()
    }
    return Tally(f"{_cast(behind)} AS {CLIENTS}, {text} AS {SUMS}", places)


def _cast(sums: Iterable[str]) -> str:
    return f"CAST([{', '.join(sums)}], 'Array(Float64)')"


def _asked(names: Collection[str], sums: Iterator[str]) -> list[str]:
    """The four sums of a figure; nothing in the place of those that are not asked for."""
    return [part if name in names else _ZERO for name, part in zip(Places._fields, sums, strict=False)]
