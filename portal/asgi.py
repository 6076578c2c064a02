"""The portal as uvicorn runs it: ``uvicorn portal.asgi:application --factory``."""

from __future__ import annotations

import warnings
from typing import Any

from crypto.memory import guard
from monitoring import logs
from portal.settings import configure
from settings.settings import load_settings


def application() -> Any:
    """One process of the portal, by the settings of the house."""
    guard()
    settings = load_settings()
    logs.configure(settings.log_level, "portal")
    logs.quiet("CRITICAL", "django.request", "django.security", "django.security.csrf")  # ours says what matters
    logs.quiet("WARNING", "asyncio", "uvicorn", "fido2")  # names of passkeys are somebody's
    warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous")  # of static files: short ones
    configure(settings)
    from django.core.asgi import get_asgi_application  # after the settings

    return get_asgi_application()
