"""The settings of Django as the type checker reads them (``pyproject.toml``): of a folder that is not kept."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from portal.settings import django_settings
from settings.settings import load_settings

_HOME = Path(tempfile.mkdtemp(prefix="sor-typed-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
globals().update(django_settings(load_settings(home=_HOME)))
