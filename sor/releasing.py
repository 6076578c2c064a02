"""Releases as the month that closes by itself asks for them (``results.reports.closing.Releasing``)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Final

from clickhouse_connect.driver.client import Client

from crypto import release_key
from crypto.memory import guard
from results.release import making, publishing, states, store
from settings.access import clickhouse_access
from settings.settings import Settings
from sinks import clickhouse
from sinks.schema.users import ClickHouseUser

#: Rows behind figures are many: an answer may take its time.
_SECONDS: Final = 600
#: Rows that a release counts, by table.
_COUNTED: Final = {"trajecten": "einddatum IS NOT NULL", "metingen": "traject != ''"}
#: Of the gate: a month has a night for it, and what a block cannot show by then stays out.
GATE_MINUTES: Final = 120


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
        client = self._client("release")
        waiting = (one for one in releases if one.state == "goedgekeurd" and one.basis == standing and one.day >= since)
        whole = (one.number for one in waiting if not store.forgotten(client, self._database, one.number))
        return max(whole, default=0)

    def refused(self, since: date) -> int:
        """Number of the newest that its gate refused, when one of today would be built from the same: on the same
        published release, and from rows of the same definitions. 0 = none.
        """
        releases = self._known()
        standing = states.standing(releases)
        newest = max((one for one in releases if one.state == "geweigerd" and one.day >= since), default=None)
        if newest is None or newest.basis != standing or newest.version != self._version():
            return 0
        return newest.number

    def _version(self) -> int:
        """The version of the definitions that the newest rows were made with, as a release takes it."""
        each = (
            f"SELECT max(definitie_versie) FROM {self._database}.{table} WHERE NOT verwijderd AND {counted}"  # noqa: S608
            for table, counted in _COUNTED.items()
        )
        return max(int(version) for (version,) in clickhouse.select(self._client("release"), " UNION ALL ".join(each)))

    def build(self, on: date) -> int:
        """Build one; its number."""
        built = making.build_release(self._client("release"), self._database, self._key(), on=on)
        return built.known.number

    def audit(self, number: int) -> bool:
        """Ask the gate; whether it approves."""
        from results.gate.audit import audit as gate  # a solver: loaded by who audits

        return making.audit_release(
            self._client("release"),
            self._database,
            self._key(),
            number,
            partial(gate, begin=guard, deadline=GATE_MINUTES * 60.0),
        ).passed

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
