"""One database per run, with an organization and a user of every kind; each test leaves it as it was."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from settings.settings import Settings
from tests.portal.site import ready

if TYPE_CHECKING:
    from django.test import Client

PASSWORD = "een lange zin om in te loggen"  # noqa: S105 - made up
SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.fixture(scope="session")
def site() -> Iterator[Settings]:
    """Django with its tables; mail stays in ``django.core.mail.outbox``."""
    settings = ready()
    from django.core.management import call_command
    from django.test.utils import setup_test_environment, teardown_test_environment

    setup_test_environment()
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    yield settings
    teardown_test_environment()


@pytest.fixture(scope="session")
def people(site: Settings) -> dict[str, Any]:
    """Key -> user: one of every role, and a second one of other organizations (``other_…``)."""
    from tests.portal.people import make

    return make(PASSWORD, SECRET)


@pytest.fixture
def portal(site: Settings, people: dict[str, Any]) -> Iterator[Settings]:
    """The portal, with whatever a test does to its database undone."""
    from django.core import mail
    from django.core.cache import cache
    from django.db import transaction

    mail.outbox.clear()
    with transaction.atomic():
        point = transaction.savepoint()
        yield site
        transaction.savepoint_rollback(point)
    cache.clear()


@pytest.fixture
def logged_in(portal: Settings, people: dict[str, Any]) -> Callable[..., Client]:
    """A browser in which somebody has logged in, as a moment ago; ``csrf``: it must show the token of a form."""

    def enter(name: str, *, csrf: bool = False, fresh: bool = True) -> Client:
        return session_of(people[name], csrf=csrf, fresh=fresh)

    return enter


def session_of(user: Any, *, csrf: bool = False, fresh: bool = True) -> Client:
    """A browser in which this user has logged in."""
    from django.test import Client

    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    session = client.session
    at = time.time() if fresh else time.time() - 3600
    record = {"method": "password", "at": at, "email": user.email, "reauthenticated": True}
    session["account_authentication_methods"] = [record]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client
