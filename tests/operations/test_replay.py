"""A replay on a real log and real tables: what it makes, what differs, killed and resumed, caught up, exchanged."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from crypto import keys
from domain.field.dates import iso_day
from domain.field.definitions import SHIPPED, Definitions, identified
from domain.indicators.catalogue import Group
from operations.replay import page
from operations.replay.engine import Progress, Told
from operations.replay.errors import ReplayError
from operations.replay.report import Report
from operations.replay.run import Setup, begun, dropped
from operations.replay.scope import Scope
from sinks.access import Access
from tests.conftest import RunningBroker, RunningGateway
from tests.operations import replay_world as world
from tests.operations.emptied import emptied
from tests.sinks import database
from transport import clients

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]
TOLD = world.records(300)
OTHER = identified(SHIPPED._replace(version=SHIPPED.version + 1, chain_days=0))
TODAY = date(2026, 6, 1)
SILENT = Told(lambda _far: None, lambda _sentence: None)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with keys."""
    found = tmp_path_factory.mktemp("replay")
    keys.init(found / "keys")
    return found


@pytest.fixture(scope="module")
def cluster(broker: RunningBroker) -> clients.Cluster:
    """A log of two partitions with the events of 300 clients."""
    cluster = emptied(broker.bootstrap, 2)
    world.publish(cluster, TOLD)
    return cluster


@pytest.fixture(scope="module")
def access(gateway: RunningGateway, home: Path) -> Iterator[Access]:
    """Tables as the live stage made them of that log."""
    with database.fresh(gateway) as found:
        world.fill(found, world.names_of(home), TOLD)
        yield found


@pytest.fixture
def setup(cluster: clients.Cluster, access: Access, gateway: RunningGateway, home: Path) -> Iterator[Setup]:
    """A replay of everybody under the definitions in use, which spills; afterwards nothing of it is left."""
    yield Setup(
        cluster=cluster,
        admin=access,
        access=Access(gateway.url, "replay", gateway.users["replay"], access.database),
        keys=home / "keys",
        home=home,
        definitions=SHIPPED,
        in_use=SHIPPED,
        scope=Scope(),
        processes=2,
        bucket_records=1_000,
    )
    dropped(access, home)


def made(setup: Setup, *per: Group | None) -> Report:
    """What came of it, with figures by these groups: every group is a dozen questions."""
    with begun(setup, SILENT) as one:
        one.make()
        return one.compare(TODAY, per)


def counts(report: Report) -> dict[str, tuple[int, int, int]]:
    return {one.table: (one.appeared, one.disappeared, one.changed) for one in report.tables}


def expected(home: Path, definitions: Definitions) -> dict[str, tuple[int, int, int]]:
    names = world.names_of(home)
    return world.moved(world.oracle(names, TOLD), world.oracle(names, TOLD, definitions))


def test_under_the_same_definitions_no_row_and_no_figure_differs(setup: Setup) -> None:
    report = made(setup, None, "cluster")
    assert report.same, counts(report)
    assert not any(pair.changes for pair in report.pairs)
    assert (report.events, report.clients) == (len(TOLD), 300)
    assert report.rows == len(world.oracle(world.names_of(setup.home), TOLD)) == sum(one.equal for one in report.tables)
    assert not report.moved_on


def test_under_another_window_the_difference_is_what_the_pure_fold_says(setup: Setup) -> None:
    report = made(setup._replace(definitions=OTHER), None)
    assert counts(report) == expected(setup.home, OTHER)
    assert counts(report)["trajecten"][0] > 0, "the window must make a difference"
    assert any(pair.changes for pair in report.pairs if not pair.per)
    assert "definities versie" in page.whole(report)
    assert str(OTHER.version) in page.whole(report)


def test_killed_and_run_again_it_goes_on_and_gives_the_same(setup: Setup) -> None:
    """The manifest knows what is in ClickHouse; nothing of that is done again, and nothing is lost."""
    setup = setup._replace(bucket_records=200, definitions=OTHER)
    killed: list[int] = []

    def far(_progress: Progress) -> None:
        if not killed and sum(map(len, one.manifest.done.values())) > 2:
            killed.append(one.processes()[0])
            os.kill(killed[0], signal.SIGKILL)

    with begun(setup, Told(far, lambda _sentence: None)) as one, pytest.raises(ReplayError, match="ended with -9"):
        one.make()
    heard: list[str] = []
    with begun(setup, Told(lambda _far: None, heard.append)) as again:
        before = again.manifest.total.events
        assert 0 < before < len(TOLD)
        again.make()
        report = again.compare(TODAY, ())
    assert heard == [f"Going on with an earlier replay: {before} events are done."]
    assert counts(report) == expected(setup.home, OTHER)
    assert (report.events, report.clients) == (len(TOLD), 300)


def test_a_second_one_at_once_is_refused(setup: Setup) -> None:
    with (
        begun(setup, SILENT),
        pytest.raises(ReplayError, match="Another replay is running"),
        begun(setup, SILENT),
    ):
        pass


def test_a_scope_compares_its_own_rows_and_no_other(setup: Setup) -> None:
    names, told = world.names_of(setup.home), world.lives(TOLD)
    rows = world.oracle(names, TOLD, OTHER)
    provider, municipality = next((key.aanbieder, key.gemeente) for key in rows if key.gemeente)
    client = next(iter(told))
    for scope, wanted in (
        (Scope(provider=provider), lambda key: key.aanbieder == provider),
        (Scope(municipality=municipality), lambda key: key.gemeente == municipality),
        (Scope(pseudonym=client), world.oracle(names, [(client, value) for value in told[client]], OTHER).__contains__),
        (Scope(since=iso_day("2100-01-01")), lambda _key: False),
    ):
        report = made(setup._replace(scope=scope, definitions=OTHER, processes=1, bucket_records=10_000))
        here = sum(one.equal + one.changed + one.appeared for one in report.tables)
        assert here == sum(map(wanted, rows)), scope.words  # type: ignore[arg-type]
        assert "p1.jeugd" not in page.whole(report) + str(report.as_json())


def test_what_comes_in_meanwhile_is_caught_up_with_and_the_tables_change_places(
    setup: Setup, cluster: clients.Cluster, access: Access
) -> None:
    """Last, for it changes log and tables."""
    late = world.records(340)[len(TOLD) :]
    with begun(setup._replace(definitions=OTHER), SILENT) as one:
        one.make()
        world.publish(cluster, late)
        one.catch_up()
        one.exchange()
    found = database.ask(
        access, "SELECT count() FROM trajecten FINAL UNION ALL SELECT count() FROM trajecten_before FINAL"
    )
    rows = [
        world.oracle(world.names_of(setup.home), every, what) for every, what in ((TOLD + late, OTHER), (TOLD, SHIPPED))
    ]
    assert sorted(found) == sorted((sum(key.table == 0 for key in every),) for every in rows)
