"""``sor run``: one process of the stream in the foreground, as the supervisor and docker-compose start it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Final

import structlog
import typer
from confluent_kafka import KafkaException

from crypto import keys
from crypto.held import Held, Uses
from crypto.memory import guard
from crypto.sources import Trust
from faults import EXIT_FAULT, OperatorFault
from monitoring import logs, metrics
from schemas.registry import ids_of
from schemas.topics import EVENTS, LINES, RECEIPTS, REGISTER, groups
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings, load_settings
from settings.tables import definitions_in_force
from streams.engine.handing import Changing, swept
from streams.engine.stage import RECORD_LIMIT, Fold, StageConfig
from streams.epochs import settle
from streams.erased import Ledger
from transport.health import HealthConfig
from transport.orders import ordered_epoch, read_orders, read_skips, told_skips
from transport.topics import partitions_of

log = structlog.get_logger("sor")
Runner = Callable[[Settings, str, HealthConfig], int]


def register(app: typer.Typer) -> None:
    """Add ``sor run``."""
    app.command("run")(run)


def run(
    process: Annotated[str, typer.Argument(help="A stage, as sor status names it, or exporter, audit, schedule.")],
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve /ready, /alive, /metrics on SOR_METRICS_HOST.")
    ] = None,
    slot: Annotated[str, typer.Option(help="Static membership: one fixed name per parallel process.")] = "0",
) -> None:
    """Run one process until SIGTERM. Exit 0: stopped; 70: a fault, offset uncommitted; 71, 72, 75: see the log."""
    runner = _RUNNERS.get(process)
    if runner is None:
        raise typer.BadParameter(f"{process} is none of {', '.join(_RUNNERS)}")
    settings = load_settings()
    logs.configure(settings.log_level, process)
    page = HealthConfig(metrics_port, settings.metrics_host, settings.home)
    sys.exit(_guarded(runner, settings, slot, page))


def _guarded(runner: Runner, settings: Settings, slot: str, page: HealthConfig) -> int:
    """The exit code of a process. What an operator can mend is one sentence; a fault of ours shows where it is."""
    try:
        return runner(settings, slot, page)
    except (OperatorFault, KafkaException) as problem:
        log.critical(str(problem))
    except ModuleNotFoundError:
        raise  # perhaps a package of an extra: sor.cli says which
    except Exception:
        # The log shows lines of code and no values. Nothing goes on: the offset is uncommitted.
        log.critical("a fault of this program", exc_info=True)
    return EXIT_FAULT


def _evaluate(settings: Settings, slot: str, page: HealthConfig) -> int:
    guard()
    from streams import evaluate
    from transport.loop import Stop

    cluster, ids = kafka_cluster(settings), ids_of(settings.registry)
    held, trust = Held(settings.keys, keys.EVALUATE, keys.load_evaluate), Trust(settings.keys)
    uses = Uses(settings.keys, keys.EVALUATE, f"evaluate-{slot}")
    config = evaluate.EvaluateConfig(cluster, held.keys, trust, groups()["evaluate"], slot, page, ids, held, uses)
    evaluate.run(config, Stop().listen())
    return 0


def _entry(settings: Settings, slot: str, page: HealthConfig) -> int:
    guard()
    from streams import entry
    from transport.loop import Stop

    cluster, ids = kafka_cluster(settings), ids_of(settings.registry)
    held, trust = Held(settings.keys, keys.ENTRY, keys.load_entry), Trust(settings.keys)
    uses = Uses(settings.keys, keys.ENTRY, f"entry-{slot}")
    ledger = Ledger.opened(cluster, settings.keys, ids)
    config = entry.EntryConfig(cluster, held.keys, trust, groups()["entry"], slot, page, ids, held, uses, ledger)
    entry.run(config, Stop().listen())
    return 0


def _takeback(settings: Settings, slot: str, page: HealthConfig) -> int:
    from streams import takeback
    from transport.loop import Stop

    cluster, ids = kafka_cluster(settings), ids_of(settings.registry)
    skips = read_skips(cluster, takeback.STAGE, ids)
    config = takeback.TakebackConfig(cluster, groups()[takeback.STAGE], slot, page, ids, skips)
    takeback.run(config, Stop().listen())
    return 0


def _stage(
    settings: Settings,
    name: str,
    source: str,
    table: str,
    fold_of: Callable[[int], Fold],
    slot: str,
    page: HealthConfig,
    *,
    outs: Sequence[str],
    names: str = "",
    beside: str = "",
    handed: bool = False,
    changing_of: Callable[[Any], Changing] | None = None,
) -> int:
    """Run a stage of the batch engine. ``fold_of`` makes its fold for the epoch of its versions, which is known when
    its topics are; the others as for ``streams.epochs.settle``. ``changing_of``: of a fold whose definitions may be
    handed over.
    """
    from streams.engine.run import run as run_stage

    cluster = kafka_cluster(settings)
    orders = read_orders(cluster, ids_of(settings.registry))
    config = StageConfig(
        name=groups()[name],
        source=source,
        table=table,
        partitions=partitions_of(cluster, source, settings.partitions),
        bootstrap=cluster.bootstrap,
        datadir=settings.home.absolute() / "state" / f"{name}-{slot}",
        slot=slot,
        client=cluster.security,
        health=page,
        skips=told_skips(name, orders),
        record_limit=RECORD_LIMIT,
    )
    begun = settle(config, names, outs, ordered=ordered_epoch(name, orders), swept=beside, handed=handed)
    metrics.EPOCH.labels(stage=name).set(begun.since)
    fold = fold_of(begun.epoch)
    return run_stage(config, fold, changing=changing_of(fold) if changing_of is not None else None)


def _trajectories(settings: Settings, slot: str, page: HealthConfig) -> int:
    guard()
    import streams.engine.run  # noqa: F401 - first: a missing package is said before a missing key
    from crypto.client_names import ClientNames
    from streams.definitions import ChangingTrajectories, DefinitionsLog
    from streams.trajectories import TABLE, TOPICS, Trajectories

    names = ClientNames(keys.load_trajectories(settings.keys))
    cluster, ids = kafka_cluster(settings), ids_of(settings.registry)
    given, spoken = definitions_in_force(settings), DefinitionsLog(cluster, ids)
    handed = spoken.read().in_force
    definitions = handed or given
    ledger = Ledger.opened(cluster, settings.keys, ids)

    def fold_of(epoch: int) -> Fold:
        return Trajectories(names, ids, epoch, definitions, ledger)

    def changing_of(fold: Trajectories) -> Changing:
        return ChangingTrajectories(spoken, fold, given)

    return _stage(
        settings, "trajectories", EVENTS, TABLE, fold_of, slot, page, outs=TOPICS, changing_of=changing_of,
        names=f"{names.id} {definitions.id}", beside=swept(definitions.id), handed=handed is not None,
    )  # fmt: skip


def _deliveries(settings: Settings, slot: str, page: HealthConfig) -> int:
    from streams.deliveries import TABLE, Deliveries

    fold_of = partial(Deliveries, ids_of(settings.registry))
    return _stage(settings, "deliveries", LINES, TABLE, fold_of, slot, page, outs=(RECEIPTS,))


def _register(settings: Settings, slot: str, page: HealthConfig) -> int:
    from streams.register import TABLE, Register

    ledger = Ledger.opened(kafka_cluster(settings), settings.keys, ids_of(settings.registry))
    fold_of = partial(Register, ids_of(settings.registry), ledger=ledger)
    return _stage(settings, "register", REGISTER, TABLE, fold_of, slot, page, outs=(EVENTS,))


def _sink(settings: Settings, slot: str, page: HealthConfig) -> int:
    from sinks.consumer import SinkConfig
    from sinks.consumer import run as run_sink

    access, cluster, ids = clickhouse_access(settings, "sink"), kafka_cluster(settings), ids_of(settings.registry)
    skips = read_skips(cluster, "sink", ids)
    return run_sink(SinkConfig(cluster, access.url, access.user, access.password, slot, page, ids=ids, skips=skips))


def _exporter(settings: Settings, slot: str, page: HealthConfig) -> int:
    del slot  # it only reads: two of them do no harm
    from operations import exporter
    from transport.loop import Stop

    return exporter.run(settings, page, Stop().listen())


def _audit(settings: Settings, slot: str, page: HealthConfig) -> int:
    del slot  # it only reads: two of them do no harm
    guard()
    from operations.audit import rolling
    from operations.audit.opening import Opening
    from transport.health import Health
    from transport.loop import Stop

    world = Opening(settings, "audit", ids_of(settings.registry))
    health = Health(page, rolling.STAGE, rolling.LONGEST_TURN).start()
    health.ready = True
    try:
        rolling.Rolling(world, settings.home, Stop().listen(), health, 60.0 * settings.audit_round_minutes).run()
    finally:
        health.stop()
    return 0


def _schedule(settings: Settings, slot: str, page: HealthConfig) -> int:
    del slot  # one of it: two would close a month twice
    from operations import daily
    from transport.loop import Stop

    return daily.run(settings, page, Stop().listen())


#: Imports stand in the runners: a process loads what it runs and nothing else.
_RUNNERS: Final[dict[str, Runner]] = {
    "evaluate": _evaluate,
    "entry": _entry,
    "takeback": _takeback,
    "trajectories": _trajectories,
    "deliveries": _deliveries,
    "register": _register,
    "sink": _sink,
    "exporter": _exporter,
    "audit": _audit,
    "schedule": _schedule,
}
