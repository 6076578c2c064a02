"""The settings of Django as the type checker reads them (``pyproject.toml``): of a folder that is not kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

from portal.settings import django_settings
from settings.settings import load_settings

with tempfile.TemporaryDirectory(prefix="sor-typed-") as _home:
    globals().update(django_settings(load_settings(home=Path(_home))))
