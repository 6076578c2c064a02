"""Recalculations that the region asked for: taken up by a process of the operator, which says how far it is.

Of all of them one waits and one runs. One that was interrupted is taken up again, and what is done of it stays done.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import DatabaseError, close_old_connections, transaction
from django.utils import timezone

from portal.people.models import Herberekening

OPEN: Final = ("gevraagd", "bezig")
#: One that was begun so often, and never ended, is not begun again.
MOST_TRIES: Final = 3


def answers() -> bool:
    """Whether the database answers, and whoever serves the portal has made its tables. For a process that runs on."""
    close_old_connections()
    try:
        Herberekening.objects.exists()
    except DatabaseError:
        return False
    return True


def take() -> Herberekening | None:
    """The next to do: the one that was interrupted, else the one that waits."""
    with transaction.atomic():
        for found in Herberekening.objects.select_for_update().filter(state__in=OPEN).order_by("state"):
            if found.tries >= MOST_TRIES:
                fail(found, "afgebroken")
                continue
            found.begun = found.begun or timezone.now()
            found.state, found.tries = "bezig", found.tries + 1
            found.save()
            return found
    return None


def tell(number: int, step: str, share: int) -> None:
    """How far it is, in percents of a step. No line of the audit log."""
    Herberekening.objects.filter(pk=number, state="bezig").update(step=step, share=share)


def finish(found: Herberekening, outcome: dict[str, Any]) -> None:
    """It is done, and this is what came of it."""
    found.outcome = outcome
    _end(found, "klaar")


def fail(found: Herberekening, problem: str) -> None:
    """It is not done; ``problem`` of ``REPLAY_PROBLEMS``."""
    found.problem = problem
    _end(found, "mislukt")


def withdraw(number: int) -> bool:
    """Taken back by the region; False when somebody began it meanwhile."""
    with transaction.atomic():
        found = Herberekening.objects.select_for_update().filter(pk=number, state="gevraagd").first()
        if found is None:
            return False
        _end(found, "ingetrokken")
    return True


def _end(found: Herberekening, state: str) -> None:
    found.state, found.step, found.ended = state, "", timezone.now()
    found.save()
