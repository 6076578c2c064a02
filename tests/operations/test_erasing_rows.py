"""Rows of a forgotten client leave the tables, of all versions, and no file of the server names them any more."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from operations.erasing_rows import Removed, remove
from operations.replay import shadow
from operations.replay.scope import CLIENTS
from operations.segments import files_with
from sinks import clickhouse
from sinks.access import Access
from sinks.tables import SCORES, TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.sinks import database
from tests.sinks.rows import score, traject

pytestmark = pytest.mark.clickhouse
NAMES = ClientNames(TrajectoriesKeys(b"e" * 32, b"b" * 32))
CLIENT, OTHER = b"p1.jeugd.0.DDDDDDDDDDDDDDDDDDDDDD", b"p1.jeugd.0.EEEEEEEEEEEEEEEEEEEEEE"
PROVIDER = str(traject(1, 1)["aanbieder"])


@pytest.fixture
def access(gateway: RunningGateway) -> Iterator[Access]:
    with database.fresh(gateway) as found:
        yield found


def test_every_version_of_a_row_goes_and_others_stay(access: Access, gateway: RunningGateway) -> None:
    own, other = NAMES.of(CLIENT, PROVIDER), NAMES.of(OTHER, PROVIDER)
    writer = Writer(access)
    for version in (1, 2):
        writer.insert(TRAJECTEN, [traject(1, version, client=own), traject(2, version, client=other)])
    writer.insert(SCORES, [score(1, 3, client=own)])
    writer.insert(TRAJECTEN, [traject(4, 900, client=own)])
    writer.close()
    client = clickhouse.connect(access)
    try:
        assert gateway.home is None or files_with(gateway.home, [own.encode()]), "the control"
        done = remove(client, NAMES, [CLIENT], highest=100)
        assert Removed("scores", 1, 0, 0) in done
        assert Removed("trajecten", 2, 0, 0) in done
        assert Removed("metingen", 0, 0, 0) in done
        left = clickhouse.select(client, "SELECT client, version FROM trajecten ORDER BY version")
        assert left == [(other, 1), (other, 2), (own, 900)], "what was published since stays"
        assert Removed("trajecten", 1, 0, 0) in remove(client, NAMES, [CLIENT], highest=1_000)
        assert all(one.rows == 0 for one in remove(client, NAMES, [CLIENT], highest=1_000)), "once more: nothing"
        assert clickhouse.select(client, "SELECT count() FROM trajecten") == [(2,)]
    finally:
        client.close()
    if gateway.home is not None:
        until = time.monotonic() + 10
        while files_with(gateway.home, [own.encode()]) and time.monotonic() < until:
            time.sleep(0.2)
        assert files_with(gateway.home, [own.encode()]) == [], "no part, no mutation, no log of queries"


def test_the_list_of_the_clients_of_a_replay_forgets_too(access: Access) -> None:
    """It has no versions, and is beside every replay of some clients until its tables are dropped."""
    own, other = NAMES.of(CLIENT, PROVIDER), NAMES.of(OTHER, PROVIDER)
    client = clickhouse.connect(access)
    try:
        shadow.make(client, access.database)
        client.insert(CLIENTS, [[PROVIDER, own], [PROVIDER, other]], ["aanbieder", "client"])
        assert Removed(CLIENTS, 1, 0, 0) in remove(client, NAMES, [CLIENT], highest=1)
        assert clickhouse.select(client, f"SELECT client FROM {CLIENTS}") == [(other,)]
    finally:
        client.close()
