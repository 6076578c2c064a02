"""Who is forgotten leaves what is kept behind released figures too: ids become numbers that lead to nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest

from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from operations import erasing_rows
from operations.erasing_released import DanglingError
from results.gate.audit import audit
from results.release import publishing, states, store
from results.release.build import Stated, as_figures, build
from results.release.cube import Cell
from results.release.evidence import evidence, remake
from results.release.making import Built
from results.release.model import Group
from results.release.noise import as_ids
from results.release.restating import Former, changed
from results.release.rows import CareRows, Counted, row_id
from results.release.states import FiguresError
from settings.settings import load_settings
from sinks import clickhouse
from sinks.schema.audiences import AUDIENCES
from sor.releasing import Releases
from tests.conftest import RunningGateway
from tests.results.release.made import KEY, TODAY, region, rows_of
from tests.results.release.test_engine import NEXT, QUICK, World
from tests.sinks.database import ask, fresh

NAMES = ClientNames(TrajectoriesKeys(b"e" * 32, b"b" * 32))
MANY = 260
HIGHEST = 1_000


def child(number: int) -> bytes:
    return b"p1.jeugd.0.%022d" % number


def rows() -> dict[str, list[dict[str, Any]]]:
    """As ``region``, each traject of a child of its own whose names the keys make; no metingen."""
    tables = region(MANY, gemeenten=("0384",))
    for number, row in enumerate(tables["trajecten"]):
        row |= {"client": NAMES.of(child(number), row["aanbieder"]), "emmer": NAMES.bucket(child(number))}
    return {"trajecten": tables["trajecten"], "metingen": []}


def behind(world: World) -> list[tuple[Any, ...]]:
    """Every group with the rows behind it, as it stands in the table."""
    listed = ", ".join(("vrijgave", "familie", *Group._fields, "leden", "emmers", "waarden", "aanbieders"))
    return ask(world.access, f"SELECT {listed} FROM vrijgave_leden ORDER BY ALL")


def ids_of(found: list[tuple[Any, ...]]) -> set[int]:
    return {number for one in found for number in one[-4]}


def forget(world: World, *numbers: int) -> None:
    done = erasing_rows.remove(world.admin, NAMES, [child(number) for number in numbers], HIGHEST, patience=0)
    assert all(one.left == 0 for one in done)


@pytest.fixture(scope="module")
def world(gateway: RunningGateway) -> Iterator[World]:
    with fresh(gateway) as access:
        yield World(access, gateway)
        client = clickhouse.connect(access)
        for audience in AUDIENCES:
            client.command(f"DROP DATABASE IF EXISTS {audience}")
        client.close()


def out(world: World, number: int) -> None:
    world.audit(number)
    publishing.publish(world.admin, world.name, number)


def _one_child_is_named_nowhere(world: World, numbers: list[int], place: int, before: list[tuple[Any, ...]]) -> int:
    """One child: it is named nowhere, and everything but its id is as it was."""
    forget(world, place)
    after = behind(world)
    assert numbers[place] in ids_of(before)
    assert numbers[place] not in ids_of(after)
    (new,) = ids_of(after) - ids_of(before)
    assert new < 0
    unchanged = [sorted(zip(*one[-4:], strict=True)) for one in before]
    renamed = [
        sorted((numbers[place] if number == new else number, *rest) for number, *rest in zip(*one[-4:], strict=True))
        for one in after
    ]
    assert renamed == unchanged
    assert ask(world.access, f"SELECT count() FROM trajecten WHERE traject = '{numbers[place]:016x}'") == [(0,)]
    return int(new)


def _the_next_release_stands(world: World, first: Built, new: int) -> Built:
    """The next release: one client changed, so all stands, and every figure holds for the gate."""
    shown = {(one.group, one.indicator): one.shown for one in as_figures(first.release)}
    second = world.build(NEXT)
    again = {(one.group, one.indicator): one for one in as_figures(second.release)}
    assert {name: one.shown for name, one in again.items() if name in shown} == {
        name: shown[name] for name in again if name in shown
    }
    known = evidence(store.stated(world.builder, world.name, 2), store.history(world.builder, world.name, [1]))
    for one in known.figures[::17]:
        assert list(one.members) == sorted(set(one.members))
        assert one.low <= sum(known.rows.outcomes[one.indicator][row] for row in one.members) <= one.high
    assert any(new in one.members for one in known.figures)
    return second


def _the_gate_looks_again(
    world: World, second: Built, numbers: list[int], after: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is forgotten while the gate looks: old names and new ones do not belong together."""
    own = {int(number) for one in second.release.stated if one.made_in == 2 for number in one.cell.ids}
    older = next(at for at, number in enumerate(numbers) if number in after - own)
    history = store.history
    with monkeypatch.context() as patch:
        patch.setattr(store, "history", lambda *given: [forget(world, older), history(*given)][1])
        with pytest.raises(FiguresError, match="while the gate looked at release 2: audit it again"):
            world.audit(2)
    world.audit(2)


def _what_was_built_before_is_not_published(
    world: World, second: Built, numbers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was built before somebody was forgotten is not published any more."""
    monkeypatch.setattr(Releases, "_client", lambda *_: world.builder)
    month = Releases(load_settings(), world.name)
    assert month.approved(NEXT) == 2
    fresh_one = next(one for one in second.release.stated if one.made_in == 2 and one.seen)
    forget(world, numbers.index(int(fresh_one.cell.ids[-1])))
    for step in (world.audit, lambda number: publishing.publish(world.admin, world.name, number)):
        with pytest.raises(FiguresError, match="was forgotten since it was built"):
            step(2)

    assert month.approved(NEXT) == 0


def _ten_more_make_it_restated(world: World, first: Built, numbers: list[int]) -> int:
    """Ten more of one group: it is restated without them."""
    largest = max(
        (one for one in first.release.stated if one.cell.family == "uitval"), key=lambda one: len(one.cell.ids)
    )
    left = ids_of(behind(world))
    ten = [numbers.index(int(number)) for number in largest.cell.ids if int(number) in left][:14]
    forget(world, *ten)
    third = world.build(NEXT)
    mine = next(one for one in third.release.stated if one.key == largest.key)
    assert mine.made_in == third.known.number
    assert len(mine.cell.ids) <= len(largest.cell.ids) - len(ten)
    return int(mine.cell.ids[0])


def _what_goes_while_one_is_built_makes_no_release(
    world: World, numbers: list[int], member: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is built: it does not become a release, and the rows behind it go with the next that is published."""
    written, gone = store.write, numbers.index(member)

    def meanwhile(*given: Any) -> None:
        forget(world, gone)
        written(*given)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", meanwhile)
        with pytest.raises(FiguresError, match="went while it was built"):
            world.build(NEXT)
    assert numbers[gone] in ids_of(behind(world))
    last = world.build(NEXT).known.number
    out(world, last)
    assert {one[0] for one in behind(world)} <= {1, last}
    assert numbers[gone] not in ids_of(behind(world))


@pytest.mark.clickhouse
def test_who_is_forgotten_is_named_behind_no_figure_and_the_rules_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = rows()
    world.fill(tables)
    numbers = [row_id(row["traject"]) for row in tables["trajecten"]]
    first = world.build(TODAY)
    out(world, 1)
    before = behind(world)
    place = next(at for at, one in enumerate(numbers) if one in ids_of(before))

    new = _one_child_is_named_nowhere(world, numbers, place, before)
    after = ids_of(behind(world))
    second = _the_next_release_stands(world, first, new)
    _the_gate_looks_again(world, second, numbers, after, monkeypatch)
    _what_was_built_before_is_not_published(world, second, numbers, monkeypatch)
    member = _ten_more_make_it_restated(world, first, numbers)
    _what_goes_while_one_is_built_makes_no_release(world, numbers, member, monkeypatch)
    told = {one.number: one.state for one in states.known(world.builder, world.name)}
    assert told == {1: "gepubliceerd", 2: "goedgekeurd", 3: "gebouwd", 4: "begonnen", 5: "gepubliceerd"}


@pytest.mark.clickhouse
def test_ids_that_no_row_has_any_more_go_by_the_bucket_or_all_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a replay with other definitions, and after the table was put back from a copy."""
    tables = rows()["trajecten"]
    numbers = [row_id(row["traject"]) for row in tables]
    known = ids_of(behind(world))
    alone = Counter(row["emmer"] for row in tables)
    there = [at for at, number in enumerate(numbers) if number in known and alone[tables[at]["emmer"]] == 1]
    gone, late = there[:3], there[3]
    listed = ", ".join(f"'{tables[one]['traject']}'" for one in gone)
    world.admin.command(f"DELETE FROM {world.name}.trajecten WHERE traject IN ({listed})")
    forget(world, gone[0])
    left = ids_of(behind(world))
    assert numbers[gone[0]] not in left
    assert {numbers[one] for one in gone[1:]} <= left

    # A build that writes them after the first look and before the rows are gone.
    removing = erasing_rows._removed

    def meanwhile(client: Any, table: str, *more: Any) -> Any:
        if table == "trajecten":
            client.command(f"INSERT INTO vrijgave_leden (vrijgave, familie, leden) VALUES (9, 'x', [{numbers[late]}])")
        return removing(client, table, *more)

    with monkeypatch.context() as patch:
        patch.setattr(erasing_rows, "_removed", meanwhile)
        forget(world, late)
    assert numbers[late] not in ids_of(behind(world))
    world.admin.command(f"DELETE FROM {world.name}.vrijgave_leden WHERE vrijgave = 9")

    replaced, removed = erasing_rows.unlink(world.admin, patience=0)
    assert (replaced, removed.left) == (2, 0)
    assert not {numbers[one] for one in gone} & ids_of(behind(world))
    world.admin.command(f"TRUNCATE TABLE {world.name}.trajecten")
    with pytest.raises(DanglingError, match="until the tables are full"):
        erasing_rows.unlink(world.admin, patience=0)
    assert {number for number in ids_of(behind(world)) if number >= 0} <= set(numbers)


def renamed(stated: Iterable[Stated], numbers: dict[int, int]) -> list[Stated]:
    """As it is read after some were forgotten: other numbers wherever they stand, in order."""
    found = []
    for one in stated:
        ids = as_ids([numbers.get(int(number), int(number)) for number in one.cell.ids])
        order, parts = np.argsort(ids), (one.cell.emmers, one.cell.values, one.cell.providers)
        emmers, values, providers = (part[order] for part in parts)
        mine = one.cell._replace(ids=ids[order], emmers=emmers, values=values, providers=providers)
        found.append(one._replace(cell=mine))
    return found


def test_the_gate_says_the_same_of_what_was_shown() -> None:
    """A ninth of the children was forgotten: their rows are gone, and figures with them restated where enough were."""
    (rows,) = rows_of(region(260, gemeenten=("0384",)))[:1]
    rows = rows._replace(counted={"uitval": rows.counted["uitval"]})
    first = [one for one in build([rows], TODAY, KEY, rules=QUICK).stated if one.seen]
    gone = sorted({int(number) for one in first for number in one.cell.ids})[::9]
    left = without(rows, gone)
    told = []
    for numbers in ({}, {number: -1 - at * 7919 for at, number in enumerate(gone)}):
        shown = renamed(first, numbers)
        former = [Former(one.cell, one.made_in, one.status, one.version, one.seen, one.audiences) for one in shown]
        again = build([left], date(2026, 10, 15), KEY, number=2, former=former, rules=QUICK)
        known = evidence(again.stated, shown)
        verdict = audit(known.figures, rows=known.rows, joints=known.joints, remake=remake(KEY, 0, QUICK))
        told.append(([(one.group, one.release, one.shown) for one in known.figures], verdict.passed, verdict.withheld))
    assert told[0] == told[1]
    assert {release for _, release, _ in told[0][0]} == {1, 2}
    assert told[0][1]


def without(rows: CareRows, gone: list[int]) -> CareRows:
    """The rows of everybody else."""
    kept = ~np.isin(rows.ids, gone)
    return rows._replace(
        ids=rows.ids[kept], emmers=rows.emmers[kept], days=rows.days[kept], providers=rows.providers[kept],
        labels={name: labels._replace(codes=labels.codes[kept]) for name, labels in rows.labels.items()},
        counted={key: Counted(*(part[kept] for part in counted)) for key, counted in rows.counted.items()},
    )  # fmt: skip


def cell(members: dict[int, tuple[int, int]]) -> Cell:
    """Id -> bucket and value."""
    ids = sorted(members)
    parts = (as_ids([members[one][place] for one in ids]) for place in (0, 1))
    return Cell(Group("cluster", "maand", "2026-06"), "uitval", as_ids(ids), *parts, as_ids(ids), len(ids), 0)


def test_who_was_forgotten_counts_as_one_that_left_and_never_as_two() -> None:
    present = {number: (number, 0) for number in range(20)}
    forgotten = {-7 - number: (100 + number, 1) for number in range(9)}
    former = cell(present | forgotten)
    assert changed(former, cell(present)) == [9] * 4
    assert changed(former, cell(present | {50: (50, 0)})) == [10] * 4
    # One of them is back with the same: another id, and nothing changed.
    assert changed(former, cell(present | {51: (100, 1)})) == [8] * 4
    # Somebody else of that bucket did change.
    other = {3: (100, 0)}
    assert changed(cell(present | forgotten | other), cell({**present, 51: (100, 1), 3: (100, 1)}))[0] == 9
    assert Counter(np.sign(former.ids).tolist())[-1] == 9
