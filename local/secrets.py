"""Password files: made once, readable by their owner only, never in the environment or on a command line."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Final

from connectors.intake.tokens import ANY, Gate, TokenFile
from local.clickhouse.users import provider_entries, user_entry
from settings.access import INTAKE_TOKEN
from settings.settings import Settings
from sinks.schema.providers import LIST, is_owner, load
from sinks.schema.users import AUDIENCE_USERS

#: Who delivers on this machine, as the intake calls it.
_HUB: Final = "this-machine"
_DAYS: Final = 365


def ensure_secrets(settings: Settings) -> Path:
    """Make a random password for each ClickHouse user that has none; returns the users file of the engine.

    ``<home>/secrets`` gets mode 0700 and each file 0600. The users file names the password files, not the passwords.
    """
    folder = settings.secrets_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    providers = provider_entries(load(settings.home / LIST))
    readers = [name for name in providers if not is_owner(name)]
    names = (*settings.clickhouse_users, *AUDIENCE_USERS, *readers)
    for user in names:
        if not (folder / user).exists():
            _write(folder / user, secrets.token_urlsafe(24))
    entries = {user: providers[user] if user in providers else user_entry(user) for user in names}
    users = providers | {user: entry | {"password_file": str(folder / user)} for user, entry in entries.items()}
    _write(folder / "users.json", json.dumps(users, indent=2) + "\n")
    return folder / "users.json"


def ensure_intake_token(settings: Settings) -> Path:
    """Make a token of a hub for any provider, for who delivers on this machine; returns the file that holds it.

    Made anew when the intake does not know it, or not any more: it is revoked, has expired, or its list is another.
    """
    path = settings.secrets_dir.absolute() / INTAKE_TOKEN
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    if not path.exists() or Gate(settings.intake_tokens).who("token", path.read_bytes().strip()) is None:
        _write(path, TokenFile(settings.intake_tokens).add(_HUB, _DAYS, "made by sor up", (ANY,))[1])
    return path


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    scratch.replace(path)
