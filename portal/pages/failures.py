"""What people see when something is wrong: that it is, and nothing else."""

from __future__ import annotations

from typing import Any, Final

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

_LOG: Final = structlog.get_logger(__name__)


def _page(status: int) -> HttpResponse:
    """Without the request: no name, no menu, no query."""
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


def csrf(_request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form of another site, or of a session that is over."""
    _LOG.info("form refused", reason=reason.partition(".")[0])
    return _page(403)


def bad_request(_request: HttpRequest, **_given: Any) -> HttpResponse:
    """400."""
    return _page(400)


def forbidden(_request: HttpRequest, **_given: Any) -> HttpResponse:
    """403."""
    return _page(403)


def not_found(_request: HttpRequest, **_given: Any) -> HttpResponse:
    """404."""
    return _page(404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; the log says which page and where in the code, without a value."""
    match = request.resolver_match
    _LOG.error("page failed", page=match.view_name if match else "", exc_info=True)
    return _page(500)
