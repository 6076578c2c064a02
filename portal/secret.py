"""The secret by which the portal signs sessions and invitations, and the folder in which it keeps its own."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from settings.secrets import read_secret
from settings.settings import Settings


def folder(settings: Settings) -> Path:
    """The portal's folder, for this user alone; made where it is not there."""
    place = settings.home / "portal"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def ensure_secret(settings: Settings) -> str:
    """The secret of the settings; made at the first start, and the same for every process of the portal.

    Raises:
        SettingsError: others may read the file.
    """
    folder(settings)
    place = settings.portal_secret_file
    try:
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64) + "\n")
    except FileExistsError:
        pass
    return read_secret(place)
