"""Django for the tests of one process: set up once, in a folder of its own, with a database in memory."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from portal.settings import configure
from settings.settings import Settings, load_settings


@cache
def ready() -> Settings:
    """The settings of the house that the portal of this process has; the first call sets Django up."""
    home = Path(tempfile.mkdtemp(prefix="sor-portal-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    settings = load_settings(home=home, portal_intake="http://127.0.0.1:8480")
    configure(settings)
    from django.contrib.auth.hashers import Argon2PasswordHasher

    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost = 1, 64  # what it costs in production takes long
    return settings
