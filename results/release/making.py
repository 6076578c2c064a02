"""One release from the rows to the gate: build it, audit it, and note what became of it.

The month's own job (``sor schedule``) and ``sor release`` call these; publishing is in ``results.release.publishing``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple, Protocol

from clickhouse_connect.driver.client import Client

from results.release import evidence as of_gate
from results.release import states, store
from results.release.build import Release, build, without
from results.release.cube import cells
from results.release.names import FIGURES, MEMBERS
from results.release.reading import read
from results.release.region import as_figure, sums
from results.release.rules import RULES, Rules
from results.release.states import FiguresError, Known


class Verdict(Protocol):
    """What the gate says (``results.gate.audit.Verdict``)."""

    @property
    def passed(self) -> bool:
        """Whether the release may be published, without what is withheld."""
        ...

    @property
    def withheld(self) -> tuple[int, ...]:
        """Places of figures that are left out."""
        ...

    @property
    def report(self) -> dict[str, Any]:
        """What was found."""
        ...


Audit = Callable[..., Verdict]


class Built(NamedTuple):
    """A release that was built: what became of it so far, and what it says."""

    known: Known
    release: Release


def build_release(
    client: Client, database: str, key: bytes, *, on: date, reason: str = "", rules: Rules = RULES
) -> Built:
    """Build the release of a day from the rows as they are now, and keep it. ``reason``: of a revision.

    Raises:
        FiguresError: another is built at the same moment, or rows went meanwhile: build another one.
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    releases = states.known(client, database)
    standing = states.standing(releases)
    one = states.begun(client, database, (FIGURES, MEMBERS), on=on, basis=standing)
    number, before = one.number, store.replaced(client, database)
    former = store.former(client, database, states.seen(releases), standing)
    tables = list(read(client, database, on=on))
    version = max(rows.version for rows in tables)
    release = build(tables, on, key, number=number, version=version, former=former, rules=rules)
    one = one._replace(state="gebouwd", version=version, reason=reason)
    store.write(client, database, release)
    if store.without_rows(client, database, number) or store.replaced(client, database) != before:
        raise FiguresError(
            f"Rows behind release {number} went while it was built: somebody was forgotten, or a replay took over. "
            "Build another one."
        )
    # Last: a release that is not noted was not built, and its number is not used again.
    states.note(client, database, one, "gebouwd", reason=reason, rules=rules._asdict())
    return Built(one, release)


def audit_release(
    client: Client, database: str, key: bytes, number: int, audit: Audit, *, rules: Rules = RULES
) -> Verdict:
    """Put a release before the gate, with all that was ever shown; take out what it withholds, and note its report.

    Raises:
        FiguresError: it was published, withdrawn or refused before, another came out since, or a client behind it was
            forgotten.
    """
    releases = states.known(client, database)
    one = states.found(releases, number)
    if one.state not in ("gebouwd", "goedgekeurd"):
        raise FiguresError(f"Release {number} is {one.state}: only one that was just built is audited.")
    states.require_newest(one, states.standing(releases))
    states.require_nobody_forgotten(number, forgotten=store.forgotten(client, database, number))
    before = store.replaced(client, database)
    stated = store.stated(client, database, number)
    release = Release(number, one.day, one.version, tuple(stated))
    shown = of_gate.evidence(stated, store.history(client, database, states.seen(releases)))
    figures = [*shown.figures, *map(as_figure, sums(release))]
    small = [cell for rows in read(client, database, on=one.day) for cell in cells(rows, one.day, rules, small=True)]
    verdict = audit(
        figures,
        rows=shown.rows,
        hidden=of_gate.hidden(small),
        joints=shown.joints,
        remake=of_gate.remake(key, one.version, rules),
    )
    if store.replaced(client, database) != before:
        raise FiguresError(f"Somebody was forgotten while the gate looked at release {number}: audit it again.")
    if verdict.passed:
        left = without(release, of_gate.places_of(figures, verdict.withheld))
        store.rewrite(client, database, number, [now for now in left.stated if now.hidden == "poort"])
        store.write_sums(client, database, number, sums(left))
    states.note(client, database, one, "goedgekeurd" if verdict.passed else "geweigerd", report=verdict.report)
    return verdict


def described(found: Mapping[str, Any]) -> str:
    """The report of the gate in one line, for an operator."""
    withheld = len(found.get("ingehouden", ()))
    many = found.get("aantallen", {})
    coarser = "".join(
        f", {many[key]} {name}"
        for key, name in (("sneden", "cuts"), ("blokken", "whole blocks"), ("bevroren", "of them frozen"))
        if many.get(key)
    )
    return f"{found.get('cijfers', '?')} figures, {withheld} withheld{coarser}, {found.get('seconden', '?')} s"


def blocks(found: Mapping[str, Any]) -> Iterator[str]:
    """What the gate took out of each block (a cluster and a family) beyond single figures, for an operator."""
    for one in found.get("delen", ()):
        what = [f"cut {cut}" for cut in one["sneden"]]
        if one["geheel"]:
            what.append(f"everything new ({one['nieuw']} figures)")
        if one["bevroren"]:
            held = ", ".join(f"{rule} {many}" for rule, many in one["bevroren"].items())
            what.append(f"frozen: older figures alone give it away ({held})")
        if one["niet_af"]:
            what.append("was not finished")
        if what:
            yield f"{one['blok']}: {'; '.join(what)}"
