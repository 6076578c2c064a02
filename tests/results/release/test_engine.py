"""A release on the real engine: rows as Python counts them, three releases, what audiences see, withdrawal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from domain.field.dates import day
from results.release import comparing, making, publishing, states, store
from results.release.build import as_figures
from results.release.evidence import evidence
from results.release.model import Figure, Group
from results.release.names import FIGURES, MEMBERS
from results.release.reading import read
from results.release.rows import CareRows, of_rows
from results.release.rules import RULES
from results.release.states import FiguresError
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.audiences import AUDIENCES
from sinks.tables import TABLES
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.results.release import made
from tests.results.release.made import KEY, TODAY, region
from tests.sinks.database import ask, fresh

pytestmark = pytest.mark.clickhouse
#: No further back than these rows go.
QUICK = RULES._replace(months_back=4)
NEXT = date(2026, 8, 15)


class Verdict(NamedTuple):
    """What a gate says that looks at nothing."""

    passed: bool
    withheld: tuple[int, ...]
    report: dict[str, Any]


class World:
    """A database with rows, and whoever works in it."""

    def __init__(self, access: Access, gateway: RunningGateway) -> None:
        self.access, self.name = access, access.database
        self._gateway = gateway
        self.admin = clickhouse.connect(access)
        self.builder = clickhouse.connect(Access(access.url, "release", gateway.users["release"], access.database))

    def fill(self, tables: made.Tables) -> None:
        writer = Writer(Access(self.access.url, "sink", self._gateway.users["sink"], self.name))
        writer.check(TABLES)
        for table, rows in zip(TABLES, (tables["trajecten"], tables["metingen"]), strict=False):
            writer.insert(table, rows)
        writer.close()

    def build(self, on: date, reason: str = "") -> making.Built:
        return making.build_release(self.builder, self.name, KEY, on=on, reason=reason, rules=QUICK)

    def audit(self, number: int, *, passed: bool = True, withheld: tuple[int, ...] = ()) -> list[Any]:
        given: list[Any] = []

        def gate(figures: Any, **more: Any) -> Verdict:
            given.extend([figures, more])
            return Verdict(passed, withheld, {"geslaagd": passed, "cijfers": len(figures), "ingehouden": [*withheld]})

        making.audit_release(self.builder, self.name, KEY, number, gate, rules=QUICK)
        return given

    def seen(self, audience: str, columns: str = "count()", table: str = "cijfers") -> list[tuple[Any, ...]]:
        return ask(self.access, f"SELECT {columns} FROM {audience}.{table} ORDER BY ALL")


@pytest.fixture(scope="module")
def world(gateway: RunningGateway) -> Iterator[World]:
    with fresh(gateway) as access:
        yield World(access, gateway)
        client: Client = clickhouse.connect(access)
        for audience in AUDIENCES:
            client.command(f"DROP DATABASE IF EXISTS {audience}")
        client.close()


def rows_equal(one: CareRows, other: CareRows) -> None:
    for part in ("ids", "emmers", "days", "providers"):
        assert (getattr(one, part) == getattr(other, part)).all(), part
    for name, labels in one.labels.items():
        assert labels.values == other.labels[name].values, name
        assert (labels.codes == other.labels[name].codes).all(), name
    for family, counted in one.counted.items():
        assert (counted.inside == other.counted[family].inside).all(), family
        assert (counted.left_out == other.counted[family].left_out).all(), family
        inside = counted.inside
        assert (counted.value[inside] == other.counted[family].value[inside]).all(), family


def care() -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[dict[str, Any]]]]:
    """Rows of messages, and those with the rows of CBS files of Almere behind them."""
    tables = region(450)
    almere = region(60, seed=2, gemeenten=("0034",))
    for number, row in enumerate(almere["trajecten"]):
        row |= {"bron": "cbs", "traject": f"{10**9 + number:016x}", "client": made.named(10**9 + number)}
    for number, row in enumerate(almere["metingen"]):
        row |= {"soort": "cbs", "meting": f"{10**9 + number:016x}", "groep": "jeugdige"}
        row["traject"] = f"{10**9 + int(row['traject'], 16):016x}"
    for number, row in enumerate(tables["metingen"][:100]):  # the youth's, of the same day
        tables["metingen"].append(row | {"meting": f"{2 * 10**9 + number:016x}", "groep": "jeugdige", "nut": 3})
    return tables, {name: [*tables[name], *almere[name]] for name in tables}


def what_the_gate_is_given(world: World, shown: Mapping[tuple[Group, str], Figure]) -> None:
    """Every figure of the first release, with rows from which it can be made again."""
    figures, more = world.audit(1)
    given = {(one.group, one.indicator): one for one in figures if one.group.snede != "regio"}
    assert given == shown
    assert more["rows"].clients.keys() >= set(figures[0].members)
    for one in figures[::50]:
        numerators = [more["rows"].outcomes[one.indicator][row] for row in one.members]
        assert one.low <= sum(numerators) <= one.high
        assert more["remake"](one, sum(numerators)) == one.shown
    assert all(len(group.members) < 60 for group in more["hidden"])


def what_readers_see(world: World, shown: Mapping[tuple[Group, str], Figure]) -> None:
    """Each audience its own figures of the release that is out, as they are shown."""
    for audience in AUDIENCES:
        mine = [one for one in shown.values() if audience in one.audiences]
        assert world.seen(audience) == [(len(mine),)]
    columns = "snede, periode_soort, periode, gemeente, aanbieder, indicator, noemer, teller, teller_vorm, percentage"
    total = [row for row in world.seen("rel_c_duo", columns) if row[5] == "uitval" and row[0] == "cluster"]
    for row in total:
        figure = next(one for one in shown.values() if one.indicator == "uitval" and one.group[:3] == row[:3])
        assert row[6:10] == (figure.shown.noemer, figure.shown.teller, figure.shown.vorm, figure.shown.percentage)
    assert {row[0] for row in world.seen("rel_c_duo", "bevestigd")} == {True, False}


def test_three_releases_from_the_rows_to_the_reader(world: World) -> None:
    tables, both = care()
    world.fill(both)

    # SQL and Python count the same rows alike.
    origins = [(table, origin) for origin in ("ijw", "cbs") for table in ("trajecten", "metingen")]
    for (table, origin), found in zip(origins, read(world.builder, world.name, on=TODAY), strict=True):
        assert len(found.ids) > 10
        rows_equal(found, of_rows(both, table, origin, reference_day=day(TODAY)))  # type: ignore[arg-type]

    first = world.build(TODAY)
    with pytest.raises(FiguresError, match="is gebouwd"):
        publishing.publish(world.admin, world.name, 1)
    shown = {(one.group, one.indicator): one for one in as_figures(first.release)}
    what_the_gate_is_given(world, shown)
    assert publishing.publish(world.admin, world.name, 1) == sum(len(one.audiences) for one in shown.values())
    what_readers_see(world, shown)

    # A month later, other rows: nine trajecten changed, and the next one is refused by its gate.
    june = [row for row in tables["trajecten"] if row["einddatum"] >= day(date(2026, 6, 1))
            and row["uitval_klasse"] == "gepland"][:9]  # fmt: skip
    world.fill({"trajecten": [row | {"uitval_klasse": "client", "version": 2} for row in june], "metingen": []})
    second = world.build(NEXT)
    before = {(one.group, one.indicator): one.shown for one in shown.values()}
    again = {(one.group, one.indicator): one for one in as_figures(second.release)}
    assert {name: one.shown for name, one in again.items() if name in before} == {
        name: before[name] for name in again if name in before
    }
    world.audit(2, passed=False)
    with pytest.raises(FiguresError, match="is geweigerd"):
        publishing.publish(world.admin, world.name, 2)
    assert publishing.publish(world.admin, world.name, 1) > 0  # once more is the same again

    # Enough of them: the third one restates, and its gate withholds one figure.
    more_rows = [row | {"uitval_klasse": "client", "version": 3} for row in tables["trajecten"][:200]]
    world.fill({"trajecten": more_rows, "metingen": []})
    third = world.build(NEXT, "een aanbieder stuurde redenen opnieuw")
    place = [(one.made_in, one.cell.group) for one in third.release.stated if one.cell.family == "uitval" and one.seen]
    assert {made_in for made_in, _ in place} >= {3}
    figures, _ = world.audit(3)
    withheld = next(at for at, one in enumerate(figures) if one.indicator == "uitval" and one.release == 3)
    world.audit(3, withheld=(withheld,))
    publishing.publish(world.admin, world.name, 3)
    gone = figures[withheld]
    audience = next(iter(gone.audiences))
    keys = ", ".join((*Group._fields, "indicator"))
    assert (*gone.group, "uitval") not in world.seen(audience, keys)
    assert world.seen(audience, "vrijgave, status, reden", "vrijgaven") == [
        (1, "gepubliceerd", ""),
        (3, "gepubliceerd", "een aanbieder stuurde redenen opnieuw"),
    ]

    # What a row said before stands beside what it says now: another row to the gate, of the same client.
    releases = states.known(world.builder, world.name)
    old = store.history(world.builder, world.name, states.seen(releases))
    known = evidence(store.stated(world.builder, world.name, 3), old)
    for one in known.figures[::97]:
        assert one.low <= sum(known.rows.outcomes[one.indicator][row] for row in one.members) <= one.high

    # A build that broke off halfway leaves its number behind.
    store.write(world.builder, world.name, third.release._replace(number=4, stated=third.release.stated[:1]))
    assert states.next_number(world.builder, world.name, (FIGURES, MEMBERS)) == 5

    found = comparing.differences(
        store.stated(world.builder, world.name, 1), store.stated(world.builder, world.name, 3)
    )
    told = comparing.counted(found)
    assert told["herzien"] > 0
    assert told["poort"] == 1

    with pytest.raises(FiguresError, match="not what readers see"):
        publishing.withdraw(world.admin, world.name, 1, "x")
    publishing.withdraw(world.admin, world.name, 3, "fout in een levering")
    assert world.seen("rel_c_duo") == [(len([one for one in shown.values() if "rel_c_duo" in one.audiences]),)]
    assert world.seen("rel_c_duo", "vrijgave, status, reden", "vrijgaven")[-1] == (
        3, "ingetrokken", "fout in een levering",
    )  # fmt: skip
    assert states.standing(states.known(world.builder, world.name)) == 1
