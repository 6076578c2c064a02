"""What may be shown of a group, as a value with pure functions over it (docs/release.md).

Every limit is a proposal [P]: measured on made-up rows, confirmed by no partner.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from results.release.model import Form, Shown


class Rules(NamedTuple):
    """The limits of a release [P]. Clients, unless said otherwise; marks stand on grids of tenths."""

    smallest_group: int = 10
    smallest_denominator: int = 20
    #: Shares of ten marks one by one are shown from so many counted.
    marks_from: int = 100
    #: Numbers are shown as multiples of it.
    step: int = 5
    #: A numerator is moved by at most so much before it is rounded.
    noise: int = 2
    #: A figure that was shown changes only when so many entered, left or changed value.
    changed: int = 10
    #: Fewer than so many may not stand between two shown groups, nor be what is left of one after its parts.
    remainder: int = 10
    #: Counted from -> grid of a mean, in tenths.
    grids: tuple[tuple[int, int], ...] = ((100, 1), (50, 2), (20, 5))
    #: Of a cluster average that providers see: providers in it at least.
    providers: int = 3
    #: No other provider may be more than this part, in percent, of what one provider did not deliver itself.
    dominance: int = 85
    #: So many numbers at least must be possible for the others, to a provider that knows its own.
    candidates: int = 5
    #: Between the largest so many providers pairs are looked at too.
    largest: int = 10
    #: A period is closed so many days after its end.
    closed_days: int = 14
    #: So many months after its end the figures of a period stand for good.
    final_months: int = 12
    #: A first release goes back so many months.
    months_back: int = 24


RULES: Final = Rules()


class Seen(NamedTuple):
    """What a reader sees, and between which numbers the true numerator (or sum) then lies, for who knows the rules."""

    shown: Shown
    low: int
    high: int


def nearest(number: int, step: int) -> int:
    """The nearest multiple of the step; half of it goes up."""
    return step * ((2 * number + step) // (2 * step))


def moved(numerator: int, noise: int, rules: Rules = RULES) -> int:
    """The numerator after noise and rounding, not below nobody."""
    return max(0, rules.step * ((numerator + noise + rules.step // 2) // rules.step))


def share(counted: int, numerator: int, excluded: int, noise: int, rules: Rules = RULES) -> Seen:
    """A percentage of at least ``smallest_denominator`` things counted. ``noise`` lies within the limit of the rules.

    Raises:
        ValueError: noise or numbers that cannot be.
    """
    if abs(noise) > rules.noise or not 0 <= numerator <= counted:
        raise ValueError("noise beyond its limit, or a numerator outside its denominator")
    whole = nearest(counted, rules.step)
    rounded = moved(numerator, noise, rules)
    below = rounded - rules.step // 2 - rules.noise
    above = rounded + (rules.step - 1) // 2 + rules.noise
    form: Form = "="
    teller = rounded
    if rounded == 0:
        form, teller, below = "<=", rules.step, 0
    elif rounded >= whole:
        form, teller, below, above = ">=", whole - rules.step, whole - rules.step // 2 - rules.noise, counted
    percentage = nearest(100 * teller, whole) // whole
    shown = Shown(whole, teller, form, percentage, None, nearest(excluded, rules.step))
    return Seen(shown, max(0, below), min(counted, above))


def mean(counted: int, total: int, excluded: int, rules: Rules = RULES) -> Seen:
    """A mean of marks, on a grid that leaves the sum a window of at least the range of one mark."""
    grid = next(tenths for least, tenths in rules.grids if counted >= least)
    # All in tenths: total / counted, rounded to a multiple of the grid, half of it up.
    shown = grid * ((20 * total + counted * grid) // (2 * counted * grid))
    low = -((-counted * (2 * shown - grid)) // 20)
    high = -((-counted * (2 * shown + grid)) // 20) - 1
    figure = Shown(nearest(counted, rules.step), None, "=", None, shown / 10, nearest(excluded, rules.step))
    return Seen(figure, max(counted, low), min(10 * counted, high))
