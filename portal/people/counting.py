"""Counts what browsers asked and how people logged in (``monitoring.metrics``); of nobody in particular."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from monitoring import metrics

Answer = Callable[[HttpRequest], HttpResponse]
#: Pages on which somebody shows a second factor: shown anew it was wrong.
_FACTOR: Final = frozenset({"mfa_authenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"})
_LIMITED, _DOWN = 429, 503


class Counted:
    """Every request that ``/ready`` is not."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer, counted."""
        response = self._answer(request)
        said = said_of(response.status_code)
        metrics.PORTAL_ANSWERED.labels(answer=said).inc()
        match = request.resolver_match
        if request.method == "POST" and match is not None:
            _posted(match.view_name or "", response.status_code, said)
        return response


def said_of(status: int) -> str:
    """What an HTTP status says, as ``PORTAL_ANSWERS``."""
    if status < 400:
        return "given"
    if status == _LIMITED:
        return "limited"
    if status == _DOWN:
        return "down"
    return "refused" if status < 500 else "fault"


def _posted(name: str, status: int, said: str) -> None:
    if name == "aanleveren-certificaat":
        metrics.PORTAL_CERTIFICATES.labels(answer=said).inc()
    elif name in _FACTOR and status in {200, _LIMITED}:
        metrics.PORTAL_LOGINS.labels(login="factor" if status != _LIMITED else "locked").inc()


def logged_in(**_given: Any) -> None:
    """Somebody logged in, with all that it takes."""
    metrics.PORTAL_LOGINS.labels(login="accepted").inc()


@contextmanager
def mailing() -> Iterator[None]:
    """A mail is sent; whatever keeps it from that is counted and goes on."""
    try:
        yield
    except Exception:
        metrics.PORTAL_MAIL_FAILURES.inc()
        raise
    metrics.PORTAL_MAILS.inc()


def prepare() -> None:
    """Every counter at zero: one that first appears with a value shows no increase."""
    for answer in metrics.PORTAL_ANSWERS:
        metrics.PORTAL_ANSWERED.labels(answer=answer)
        metrics.PORTAL_CERTIFICATES.labels(answer=answer)
    for login in metrics.PORTAL_LOGINS_ENDED:
        metrics.PORTAL_LOGINS.labels(login=login)
