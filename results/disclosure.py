"""The disclosure rule: of how few clients, and of how few things counted, nothing is shown. Once, as SQL and Python.

Panels run the SQL; figures on a screen and in a document are decided in Python. A test runs both over the same sums.
The rule is a value: what is released later has one of its own, and a test may give another.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from domain.field.definitions import DEFINITIONS
from domain.field.words import small_groups_sentence
from domain.indicators.terms import Sums, Unit

#: Why a figure is hidden: too few clients, or a percentage of too few things counted; empty = it is not.
Hidden = Literal["", "clienten", "noemer"]
#: ``uniqUpTo`` of ClickHouse counts no further.
_UNIQ_UP_TO_MOST: Final = 100


class Disclosure(NamedTuple):
    """A figure of fewer clients is not shown, nor a percentage of fewer things counted [P].

    Nobody is no small group: then there is no figure (``figure`` is None and a panel stays empty), but nothing is
    hidden either, and a screen that has words for it may say that nothing was counted.
    """

    smallest_group: int
    smallest_denominator: int

    def hidden(self, unit: Unit, sums: Sums) -> Hidden:
        """Why the figure is not shown."""
        if 0 < sums.clients < self.smallest_group:
            return "clienten"
        return "noemer" if unit == "%" and 0 < sums.denominator < self.smallest_denominator else ""

    def shows(self, unit: Unit, sums: Sums) -> bool:
        """Whether enough stand behind the figure."""
        few = unit == "%" and sums.denominator < self.smallest_denominator
        return sums.clients >= self.smallest_group and not few

    def figure(self, unit: Unit, sums: Sums) -> float | None:
        """The figure where it is shown: percentage 0..100, mean or count. ``sql`` says the same."""
        return sums.value(unit) if self.shows(unit, sums) else None

    def counted(self, sums: Sums) -> float | None:
        """The number of things counted behind a figure, where it is shown. ``counted_sql`` says the same."""
        return sums.denominator if sums.clients >= self.smallest_group else None

    def hides_part(self, count: float) -> bool:
        """Whether a count beside a figure, such as of what was left out of it, is too small to be shown."""
        return 0 < count < self.smallest_group

    def sql(self, unit: Unit, prefix: str = "") -> str:
        """``figure`` over the columns ``clienten``, ``teller`` and ``noemer``, each behind the prefix."""
        few = f"{prefix}clienten < {self.smallest_group}"
        if unit == "aantal":
            return f"if({few}, NULL, toFloat64({prefix}teller))"
        if unit == "%":
            few += f" OR {prefix}noemer < {self.smallest_denominator}"
        factor = "100 * " if unit == "%" else ""
        return f"if({few}, NULL, {factor}{prefix}teller / nullIf({prefix}noemer, 0))"

    def counted_sql(self, prefix: str = "") -> str:
        """``counted`` over the same columns."""
        return f"if({prefix}clienten < {self.smallest_group}, NULL, toFloat64({prefix}noemer))"

    @property
    def clients_up_to(self) -> int | None:
        """How far a query must count clients for this rule (``clients_up_to`` of the indicators); None = all."""
        return self.smallest_group if self.smallest_group <= _UNIQ_UP_TO_MOST else None

    @property
    def few(self) -> str:
        """What a screen shows in place of a number that is too small."""
        return f"<{self.smallest_group}"

    def count_text(self, count: float) -> str:
        """A count beside a figure as a screen shows it."""
        return self.few if self.hides_part(count) else f"{count:.0f}"

    @property
    def sentence(self) -> str:
        """The rule for a reader, in Dutch."""
        return small_groups_sentence(*self)


def live() -> Disclosure:
    """The rule of everything that shows figures of the live tables, as the definitions have it now."""
    return Disclosure(DEFINITIONS["kleinste_groep"].value, DEFINITIONS["kleinste_noemer"].value)


def own() -> Disclosure:
    """The rule of a provider's own figures: nothing of its own is hidden from it (decision D6). Who may read them for a
    provider may thus see what a single child answered there.
    """
    return Disclosure(1, 1)


def of_provider() -> Disclosure:
    """The rule of what anybody with the login of a provider may ask of its live rows [P]: figures of groups, so that no
    choice of filters becomes the page of one child (decision 0033).
    """
    return Disclosure(5, 5)
