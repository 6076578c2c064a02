"""Which pages of other addresses may speak to the intake: those of the portals that the operator named (CORS).

A browser asks first (``OPTIONS``) and obeys. Nothing is allowed by a cookie: who comes shows a token, so that a page
which is not named can do nothing here that its own server could not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

#: So long a browser need not ask again, in seconds.
_REMEMBER: Final = "600"
_HEADERS: Final = "Authorization, Content-Type, Accept"
_METHODS: Final = "GET, POST"
_SHOWN: Final = "Location, Retry-After"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Prepared = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def first(origins: frozenset[str]) -> Middleware:
    """What answers the question of a browser before a request of a named page; all else goes on."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        if asked and request.headers.get(hdrs.ORIGIN) in origins:
            return _answered()
        return await handler(request)

    return answer


def _answered() -> web.Response:
    """The methods and headers; ``allow`` adds whom they are for. Nobody showed a token: the connection is closed."""
    headers = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: _METHODS,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _HEADERS,
        hdrs.ACCESS_CONTROL_MAX_AGE: _REMEMBER,
    }
    answer = web.Response(status=204, headers=headers)
    answer.force_close()
    return answer


def allow(origins: frozenset[str]) -> Prepared:
    """What adds to every answer, refusals and streams too, that the page which asked may read it."""

    async def prepared(request: web.Request, answer: web.StreamResponse) -> None:
        if (origin := request.headers.get(hdrs.ORIGIN)) in origins:
            answer.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            answer.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _SHOWN
            answer.headers[hdrs.VARY] = hdrs.ORIGIN

    return prepared
