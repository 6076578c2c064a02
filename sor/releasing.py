"""Releases as the month that closes by itself asks for them (``results.reports.closing.Releasing``)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from clickhouse_connect.driver.client import Client

from crypto import release_key
from results.release import making, publishing, states
from settings.access import clickhouse_access
from settings.settings import Settings
from sinks import clickhouse
from sinks.schema.users import ClickHouseUser

#: Rows behind figures are many: an answer may take its time.
_SECONDS: Final = 600


class Releases:
    """The releases of this installation."""

    def __init__(self, settings: Settings, database: str) -> None:
        self._settings, self._database = settings, database

    def published(self, since: date) -> int:
        """Number of the release that readers see, when it was built on or after a day; 0 = none."""
        releases = self._known()
        number = states.standing(releases)
        return number if number and states.found(releases, number).day >= since else 0

    def approved(self, since: date) -> int:
        """Number of the newest that its gate approved and that can still be published; 0 = none."""
        releases = self._known()
        standing = states.standing(releases)
        waiting = (one for one in releases if one.state == "goedgekeurd" and one.basis == standing and one.day >= since)
        return max((one.number for one in waiting), default=0)

    def build(self, on: date) -> int:
        """Build one; its number."""
        built = making.build_release(self._client("release"), self._database, self._key(), on=on)
        return built.known.number

    def audit(self, number: int) -> bool:
        """Ask the gate; whether it approves."""
        from results.gate.audit import audit as gate  # a solver: loaded by who audits

        return making.audit_release(self._client("release"), self._database, self._key(), number, gate).passed

    def publish(self, number: int) -> None:
        """Show it to its readers."""
        publishing.publish(self._client("admin"), self._database, number)

    def _known(self) -> list[states.Known]:
        return states.known(self._client("release"), self._database)

    def _key(self) -> bytes:
        return release_key.load(self._settings.keys)

    def _client(self, user: ClickHouseUser) -> Client:
        access = replace(clickhouse_access(self._settings, user), database=self._database)
        return clickhouse.connect(access, answer_seconds=_SECONDS)
