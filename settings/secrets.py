"""Reading a password file."""

from __future__ import annotations

from pathlib import Path

from settings.settings import SettingsError


def read_secret(path: Path) -> str:
    """The secret in a file, without the newline at its end.

    Raises:
        SettingsError: the file is missing, empty, or others may read it.
    """
    try:
        others = path.stat().st_mode & 0o077
        text = path.read_text("utf-8").rstrip("\r\n")
    except FileNotFoundError:
        raise SettingsError(f"The password file {path} does not exist. sor up makes those of this machine.") from None
    except PermissionError:
        raise SettingsError(f"The password file {path} belongs to another user. Run sor as that user.") from None
    if others:
        raise SettingsError(f"Others may read {path}. Run: chmod 600 {path}")
    if not text:
        raise SettingsError(f"The password file {path} is empty. Remove it and run sor up, or put the password in it.")
    return text
