"""What is audited, as the installation has it: keys, definitions in force, who was forgotten, the epoch."""

from __future__ import annotations

from contextlib import closing

from crypto.client_names import ClientNames
from crypto.keys import load_trajectories
from domain.field.definitions import Definitions
from operations.audit.check import World
from operations.log_reader import LogMoved
from schemas.codec import IdSource
from schemas.topics import groups
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings
from settings.tables import definitions_in_force
from sinks import clickhouse
from sinks.schema.users import ClickHouseUser
from streams.definitions import DefinitionsLog
from streams.epochs import note_of
from streams.erased import Ledger
from transport.notes import Note


class Opening:
    """Makes the world of an audit anew whenever it is called, for what is in force may change. ``user``: of ClickHouse.

    Raises:
        KeysError, SettingsError, TopicError: as what is opened.
        KafkaException: the broker does not answer.
    """

    def __init__(self, settings: Settings, user: ClickHouseUser, ids: IdSource | None = None) -> None:
        self._settings, self._ids = settings, ids
        self.names, self.cluster = ClientNames(load_trajectories(settings.keys)), kafka_cluster(settings)
        self.access = clickhouse_access(settings, user)
        self._ledger: Ledger | None = None

    def __call__(self) -> World:
        """The world as it is now, with a connection of its own. ``UnavailableError`` when ClickHouse is away;
        ``LogMoved`` while the pseudonyms of the log are renewed.
        """
        if self._ledger is None:
            self._ledger = Ledger.opened(self.cluster, self._settings.keys, self._ids)
        epoch = epoch_in(note_of(self.cluster, groups()["trajectories"]))
        definitions = self._definitions()
        client = clickhouse.connect(self.access)
        home = self._settings.home
        return World(self.cluster, client, self.names, definitions, self._ids, epoch, home, self._ledger)

    def _definitions(self) -> Definitions:
        """What was handed over to the stage is in force above the settings (decision 0022)."""
        with closing(DefinitionsLog(self.cluster, self._ids)) as spoken:
            return spoken.read().in_force or definitions_in_force(self._settings)


def epoch_in(noted: Note) -> int:
    """The epoch of rows that is noted of *trajectories*; ``LogMoved`` while names of two epochs stand in the log."""
    if "renewing" in noted:
        raise LogMoved("The pseudonyms are being renewed: let `sor keys switch label` end, then do the same again.")
    return int(noted.get("epoch", 0))
