"""Who looks: the user behind a request, what the tables are asked as, and a line in the log of what was seen."""

from __future__ import annotations

from typing import Any, Final, cast

import structlog
from django.conf import settings as of_django
from django.http import HttpRequest

from faults import OperatorFault
from portal.people.models import Gebruiker
from settings.access import clickhouse_access, clickhouse_url
from settings.secrets import read_secret
from settings.settings import Settings
from sinks.access import Access
from sinks.schema.providers import LIST, load
from sinks.schema.users import ClickHouseUser

_LOG: Final = structlog.get_logger(__name__)
Context = dict[str, Any]


class NoResultsYet(OperatorFault):
    """A provider asks for its results, and the region has not put it on the list of those who see them."""


def house() -> Settings:
    """The settings of the house."""
    return cast(Settings, of_django.SOR)  # type: ignore[misc]  # of no module that is checked


def gebruiker(request: HttpRequest) -> Gebruiker:
    """Who is logged in; the doorman lets nobody else through."""
    if not isinstance(request.user, Gebruiker):
        raise TypeError("a page was opened without the doorman")
    return request.user


def as_task(name: ClickHouseUser) -> Access:
    """ClickHouse as the user of a task. ``SettingsError`` when it is not there."""
    return clickhouse_access(house(), name)


def as_audience(database: str) -> Access:
    """ClickHouse as the user of one audience, who reads released figures of that alone. ``SettingsError``."""
    settings = house()
    return Access(clickhouse_url(settings), database, read_secret(settings.secrets_dir / database), database)


def as_provider(agb: str) -> tuple[Access, tuple[str, ...]]:
    """ClickHouse as the user of one provider, who reads the views of that alone, and the clusters that it sees the
    averages of. The portal has no right to rows: who is not on the list (``sor providers``) has no results here.

    Raises:
        NoResultsYet: the provider is not on the list.
        SettingsError: its password, or ClickHouse, is not there. ProvidersError: the list cannot be read.
    """
    settings = house()
    found = next((one for one in load(settings.home / LIST) if one.active and one.agb == agb), None)
    if found is None:
        raise NoResultsYet(f"Provider {agb} is not on the list of those who see their own results.")
    password = read_secret(settings.secrets_dir / found.database)
    return Access(clickhouse_url(settings), found.database, password, found.database), found.clusters


def note_seen(request: HttpRequest, what: str) -> None:
    """Who saw which figures, without the figures."""
    user = gebruiker(request)
    _LOG.info("figures shown", page=what, user=user.pk, organization=user.organisatie.code)
