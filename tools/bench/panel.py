"""Every question of the pages of results over millions of rows while others arrive, as the users that Grafana has.

Of *Uitkomsten* three readers: one who chose nothing, one who chose a cluster, one who chose a provider; then
*Resultaten aanbieder*, and *Cluster en gemeente* over what was released. A page is all its questions one after the
other, which is more than a reader waits.
"""

from __future__ import annotations

import re
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client

from domain.indicators.catalogue import INDICATORS
from local.clickhouse.gateway import Gateway
from local.ports import free_port
from results.dashboards import audience_pages, outcomes, provider
from results.dashboards.panels import TIMEZONE, Json
from sinks import clickhouse
from sinks.access import Access
from sinks.schema import audience_tables, migrate
from sinks.schema.audiences import AUDIENCES, of_cluster, of_providers
from tools.bench import panel_rows
from tools.bench.figures import Figure, Tell

_CLUSTER: Final = "Amsterdam"
_PROVIDER: Final = "90000123"
_RELEASED: Final = of_cluster(_CLUSTER)


class View(NamedTuple):
    """A page, what its reader chose at the top by name of the variable, which tables it asks, and as which user.

    ``most`` and ``page_most``: seconds of a question (19 of 20) and of all questions, where there is a target.
    """

    build: Callable[[], Json]
    chosen: Mapping[str, str] = MappingProxyType({})
    over: str = "sor.trajecten"
    user: str = "grafana"
    most: float | None = None
    page_most: float | None = None


_PLACE: Final = {
    "plaats": _CLUSTER, "soort": "vier_kwartalen", "peildatum": "2025-K4", "uitsplitsing": "aanbieder en leeftijd",
}  # fmt: skip
VIEWS: Final[Mapping[str, View]] = {
    "everything": View(outcomes.build, page_most=2.0),
    "one cluster": View(outcomes.build, {"cluster": "Zaanstreek-Waterland"}),
    "one provider": View(outcomes.build, {"aanbieder": _PROVIDER}, most=0.1),
    "own page of a provider": View(provider.build, {"aanbieder": _PROVIDER, "cluster": _CLUSTER}, most=0.1),
    "average on it": View(
        provider.build, {"aanbieder": _PROVIDER, "cluster": _CLUSTER}, of_providers(_CLUSTER), most=0.05
    ),
    "released": View(audience_pages.place, _PLACE, "FROM cijfers", _RELEASED, most=0.05),
}
_PERIOD: Final = (date(2025, 1, 1), date(2025, 12, 31))
#: Rows that arrive are of trajecten that began in this year or later, about a quarter of all; older years have settled.
_RECENT: Final = 2024
_SETTLE: Final = 120.0
#: Beside the rows that a folder keeps: what they were made by.
_MARK: Final = "rows.txt"
Times = dict[str, dict[str, list[float]]]


class PanelSizes(NamedTuple):
    """Trajecten, how often every page is asked, trajecten per second that arrive meanwhile with their metingen and
    scores, and released figures of a cluster.
    """

    rows: int
    times: int
    arriving: int
    released: int


def panel(sizes: PanelSizes, tell: Tell, folder: Path | None = None) -> list[Figure]:
    """Every question of the pages, in turn. ``folder`` keeps the rows for a next run of the same sizes."""
    with ExitStack() as stack:
        home = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sor-bench-")))
        passwords = {user: secrets.token_hex(16) for user in ("admin", "grafana", _RELEASED)}
        url = stack.enter_context(Gateway(home, free_port(), passwords)).url
        accesses = {user: Access(url, user, password) for user, password in passwords.items()}
        writer = clickhouse.connect(_made(home, accesses["admin"], sizes, tell))
        tell("asking every panel")
        return _figures(sizes, _ask(accesses, sizes, writer))


def _made(home: Path, admin: Access, sizes: PanelSizes, tell: Tell) -> Access:
    """The administrator, once the tables hold the rows. What a folder has of another kind is taken away first."""
    mark, made_by = home / _MARK, f"{sizes.rows} {sizes.released} {panel_rows.fingerprint()}"
    client = clickhouse.connect(admin, in_database=False)
    if not mark.exists() or mark.read_text("utf-8") != made_by:
        for database in (admin.database, *AUDIENCES):
            client.command(f"DROP DATABASE IF EXISTS {database} SYNC")
        migrate.apply(admin, lambda _sentence: None)
        audience_tables.lay(client)
        panel_rows.make(client, sizes.rows, tell)
        for database in (_RELEASED, of_providers(_CLUSTER)):
            panel_rows.release(client, AUDIENCES[database], tuple(INDICATORS), sizes.released)
        mark.write_text(made_by, "utf-8")
    migrate.apply(admin, lambda _sentence: None)
    return admin


@contextmanager
def _arriving(writer: Client, sizes: PanelSizes) -> Iterator[None]:
    """A second connection inserts new versions of rows, every second."""
    stop = threading.Event()

    def arrive() -> None:
        version = int(time.time())  # above that of every earlier run over the same rows
        while not stop.wait(1.0):
            version += 1
            panel_rows.fill(writer, (version * 7919) % sizes.rows, 4 * sizes.arriving, version, _RECENT)

    thread = threading.Thread(target=arrive, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_SETTLE)


def _ask(accesses: Mapping[str, Access], sizes: PanelSizes, writer: Client) -> Times:
    """Seconds of every question by reader and title; a first round, in which all is cold, does not count."""
    found: Times = {view: {} for view in VIEWS}
    with ExitStack() as stack:
        asking = {view.user for view in VIEWS.values()}
        readers = {user: stack.enter_context(_reader(accesses[user])) for user in asking}
        stack.enter_context(_arriving(writer, sizes))
        for turn in range(sizes.times + 1):
            for name, view in VIEWS.items():
                for title, query in queries(view.chosen, view.build, view.over):
                    began = time.perf_counter()
                    readers[view.user].query(query)
                    if turn:
                        found[name].setdefault(title, []).append(time.perf_counter() - began)
    return found


@contextmanager
def _reader(access: Access) -> Iterator[Client]:
    """A connection. The database of an audience has the name of its user."""
    within = access.user if access.user in AUDIENCES else access.database
    client = clickhouse.connect(Access(access.url, access.user, access.password, within))
    try:
        yield client
    finally:
        client.close()


def queries(
    chosen: Mapping[str, str] = MappingProxyType({}),
    build: Callable[[], Json] = outcomes.build,
    over: str = "sor.trajecten",
) -> list[tuple[str, str]]:
    """Title and query of every panel that asks ``over`` a table, as Grafana sends it for a year and what was chosen."""
    every: list[dict[str, Any]] = build()["panels"]
    panels = [one for one in every if "rawSql" in one.get("targets", [{}])[0]]
    made = [(str(one["title"]), expanded(one["targets"][0]["rawSql"], chosen)) for one in panels]
    return [(title, query) for title, query in made if over in query]


def expanded(query: str, chosen: Mapping[str, str] = MappingProxyType({})) -> str:
    """A query without Grafana's macros: what was not chosen stands on All, the period is a year by months."""
    while (start := query.find("$__conditionalAll(")) >= 0:
        opening = query.index("(", start)
        end = _closing(query, opening)
        condition, _, variable = query[opening + 1 : end].rpartition(", $")
        value = chosen.get(variable)
        kept = "1=1" if value is None else condition.replace(f"${{{variable}:singlequote}}", f"'{value}'")
        query = query[:start] + kept + query[end + 1 :]
    for name, value in chosen.items():
        query = query.replace(f"${{{name}:singlequote}}", f"'{value}'")
    first, last = _PERIOD
    query = query.replace("${periode:singlequote}", "'month'")
    for bound, at in (("from", f"{first} 00:00:00"), ("to", f"{last} 23:59:59")):
        query = query.replace(f"$__{bound}Time", f"toDateTime('{at}', '{TIMEZONE}')")
    return re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime('{first} 00:00:00')", query)


def _closing(query: str, opening: int) -> int:
    """Place of the parenthesis that closes the one at ``opening``."""
    depth = 0
    for place in range(opening, len(query)):
        depth += {"(": 1, ")": -1}.get(query[place], 0)
        if depth == 0:
            return place
    raise ValueError("a parenthesis of a panel's query is never closed")


def _figures(sizes: PanelSizes, found: Times) -> list[Figure]:
    """Of every page the whole, a question of it, and each question."""
    figures = []
    for name, panels in found.items():
        view, every = VIEWS[name], [seconds for times in panels.values() for seconds in times]
        page = 1000 * statistics.median(sum(times) for times in zip(*panels.values(), strict=True))
        where = f"{len(panels)} questions; {_said(sizes, view)}"
        p50, p95 = _share(every, 0.5), _share(every, 0.95)
        figures += [
            Figure(
                "panel",
                f"the page, {name}",
                page,
                "ms",
                view.page_most and 1000 * view.page_most,
                most=True,
                note=where,
            ),
            Figure("panel", f"a panel, {name}, p50", p50, "ms"),
            Figure("panel", f"a panel, {name}, p95", p95, "ms", view.most and 1000 * view.most, most=True),
        ]
        for title, times in panels.items():
            note = f"p95 {_share(times, 0.95):.0f} ms"
            figures.append(Figure("panel", f"… {name}: {title}", _share(times, 0.5), "ms", note=note))
    return figures


def _share(seconds: Sequence[float], share: float) -> float:
    """Milliseconds in which this share of the answers came."""
    return 1000 * sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)]


def _said(sizes: PanelSizes, view: View) -> str:
    """Over how many rows."""
    if view.over != "sor.trajecten":
        return f"{sizes.released:,} released figures"
    others, each = sizes.rows * (panel_rows.EACH - 1), panel_rows.EACH
    return f"{sizes.rows:,} trajecten, {others:,} metingen and scores, {each * sizes.arriving:,} rows/s arriving"
