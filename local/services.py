"""The processes of the one-machine stack, declared in the order in which they start."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from local.hangs import Sign
from local.health import Check, clickhouse_ready, http_ready, kafka_ready
from local.kafka.broker import Broker
from local.secrets import ensure_intake_token, ensure_secrets
from settings.ports import Ports
from settings.settings import Settings

Tell = Callable[[str], None]
"""Takes a few words about what is going on."""

STAGES = ("evaluate", "entry", "takeback", "register", "trajectories", "deliveries", "sink")

#: Uploads per minute: one person with scripts is no crowd.
_NO_RATE = "60000"

# Seconds without a sign of life after which a process is ended. A pause of eight seconds is survived: whoever waits for
# a process that was only slow loses less than who starts it again.
_STAGE_SILENT = 10.0
#: It says itself that it does not turn, and has measured that: seen twice is enough.
_STAGE_SPOKEN = 2.0
#: From its start to its first answer; its page answers before it restores anything.
_STAGE_START = 60.0
#: Ending the broker costs every group a new beginning, so it may be silent for longer; 30 s leave no more.
_BROKER_SILENT = 12.0
_CLICKHOUSE_SILENT = 10.0
#: All its threads may be busy with questions that are allowed: each takes 60 s at most (``sinks.schema.users.LIMITS``).
_CLICKHOUSE_BUSY = 75.0


@dataclass(frozen=True)
class Service:
    """One entry of the list.

    ``service`` runs until it is stopped and is restarted when it dies; ``step`` runs once and must succeed;
    ``external`` is not ours to start: only its health is watched. A service without one of its ``signs`` for too long
    hangs: it is ended and started again. ``start_limit``: seconds until a sign must have been seen for the first time.
    """

    name: str
    kind: Literal["service", "step", "external"]
    command: Callable[[], list[str]] = list
    check: Check | None = None
    after: tuple[str, ...] = ()
    prepare: Callable[[Tell], None] | None = None
    needed: Callable[[], bool] = lambda: True
    environment: dict[str, str] = field(default_factory=dict)
    stop_seconds: float = 10.0
    address: str = ""
    signs: tuple[Sign, ...] = ()
    start_limit: float | None = None


def plan(settings: Settings, ports: Ports) -> list[Service]:
    """The whole stack for these settings: its two stores, the steps that make them fit, the stages."""
    environment = {"SOR_HOME": str(settings.home.absolute()), "SOR_PORTS": str(ports.base)}
    return [
        _kafka(settings, ports),
        _clickhouse(settings, ports),
        _keys(settings, environment),
        _step(
            "authority",
            ("sources", "init", "--development"),
            ("keys",),
            environment,
            needed=lambda: not (settings.keys / "public" / "authority.pem").exists(),
        ),
        _step("topics", ("topics", "apply", "--yes"), ("kafka",), environment),
        _step("migrate", ("migrate",), ("clickhouse",), environment),
        *(_stage(name, ports.metrics(name), environment) for name in STAGES),
        _stage("exporter", ports.metrics("exporter"), environment),
        _stage("audit", ports.metrics("audit"), environment),
        _intake(settings, ports, environment),
        _portal(ports, environment),
        _recalculate(ports, environment),
    ]


def _keys(settings: Settings, environment: dict[str, str]) -> Service:
    """All key folders; of a home that an earlier release made, only the one that it lacks."""
    word = "complete" if (settings.keys / "public").exists() else "init"

    def needed() -> bool:
        return not all((settings.keys / name).exists() for name in ("public", "trajectories"))

    return _step("keys", ("keys", word), (), environment, needed=needed)


def _kafka(settings: Settings, ports: Ports) -> Service:
    if settings.kafka is not None:
        return Service("kafka", "external", check=kafka_ready(settings), address=settings.kafka)
    broker = Broker(
        settings.home,
        ports.kafka,
        ports.controller,
        settings.cache,
        settings.kafka_heap,
        settings.java_home,
        settings.kafka_home,
    )
    check = kafka_ready(settings)
    return Service(
        "kafka",
        "service",
        command=lambda: broker.command,
        check=check,
        signs=(Sign(check, _BROKER_SILENT),),
        prepare=lambda tell: broker.prepare(lambda done, total, name: tell(f"jar {done} of {total}: {name}")),
        stop_seconds=20.0,
        address=broker.bootstrap,
    )


def _clickhouse(settings: Settings, ports: Ports) -> Service:
    if settings.clickhouse is not None:
        return Service("clickhouse", "external", check=clickhouse_ready(settings), address=settings.clickhouse)
    users = settings.secrets_dir.absolute() / "users.json"
    options = {"--home": settings.home.absolute(), "--port": ports.clickhouse, "--users": users}
    options["--metrics-port"] = ports.metrics("clickhouse")
    command = [sys.executable, "-m", "local.clickhouse.gateway"]
    command += [str(part) for pair in options.items() for part in pair]
    check, address = clickhouse_ready(settings), f"http://127.0.0.1:{ports.clickhouse}"
    return Service(
        "clickhouse",
        "service",
        command=lambda: command,
        check=check,
        signs=(Sign(http_ready(f"{address}/ping"), _CLICKHOUSE_SILENT), Sign(check, _CLICKHOUSE_BUSY)),
        prepare=lambda _tell: _ignore(ensure_secrets(settings)),
        stop_seconds=20.0,
        address=address,
    )


def _step(
    name: str,
    words: tuple[str, ...],
    after: tuple[str, ...],
    environment: dict[str, str],
    needed: Callable[[], bool] = lambda: True,
) -> Service:
    return Service(name, "step", lambda: _sor(*words), after=after, needed=needed, environment=environment)


def _stage(name: str, port: int, environment: dict[str, str]) -> Service:
    return Service(
        name,
        "service",
        command=lambda: _sor("run", name, "--metrics-port", str(port)),
        check=http_ready(f"http://127.0.0.1:{port}/ready"),
        signs=_turning(port),
        start_limit=_STAGE_START,
        after=("keys", "authority", "topics", *(("migrate",) if name in ("sink", "exporter", "audit") else ())),
        environment=environment,
        address=f"http://127.0.0.1:{port}/metrics",
    )


def _intake(settings: Settings, ports: Ports, environment: dict[str, str]) -> Service:
    """The HTTP intake for who delivers on this machine: plain, for nothing of it leaves the machine."""
    words = ("--host", "127.0.0.1", "--port", str(ports.intake), "--metrics-port", str(ports.metrics("intake")))
    unset = dict.fromkeys(("SOR_INTAKE_CERTIFICATE", "SOR_INTAKE_KEY", "SOR_INTAKE_CLIENT_CA"), "")
    return Service(
        "intake",
        "service",
        command=lambda: _sor("intake", *words, "--workers", "1", "--per-minute", _NO_RATE),
        check=http_ready(f"http://127.0.0.1:{ports.metrics('intake')}/ready"),
        signs=_turning(ports.metrics("intake")),
        start_limit=_STAGE_START,
        after=("keys", "authority", "topics"),
        prepare=lambda _tell: _ignore(ensure_intake_token(settings)),
        environment={**environment, **unset, "SOR_INTAKE_ORIGINS": portal_address(ports)},
        address=f"http://127.0.0.1:{ports.intake}",
    )


def portal_address(ports: Ports) -> str:
    """Where people on this machine find the portal: by name, for a passkey belongs to a name."""
    return f"http://localhost:{ports.portal}"


def _portal_environment(ports: Ports, environment: dict[str, str]) -> dict[str, str]:
    """Who opens the database of the portal has the same settings."""
    return {
        **environment,
        "SOR_PORTAL_ORIGIN": portal_address(ports),
        "SOR_PORTAL_INTAKE": f"http://127.0.0.1:{ports.intake}",
        "SOR_PORTAL_DATABASE": "",
        "SOR_PORTAL_OIDC_ISSUER": "",
    }


def _recalculate(ports: Ports, environment: dict[str, str]) -> Service:
    """Does what the region asks in the portal. It has no page: whether it works, the portal's request says."""
    return Service(
        "recalculate",
        "service",
        command=lambda: _sor("portal", "recalculate", "--watch"),
        after=("portal", "topics"),
        environment=_portal_environment(ports, environment),
    )


def _portal(ports: Ports, environment: dict[str, str]) -> Service:
    """The pages for people, on this machine alone."""
    words = ("--host", "127.0.0.1", "--port", str(ports.portal), "--metrics-port", str(ports.metrics("portal")))
    ready = http_ready(f"http://127.0.0.1:{ports.portal}/ready")
    return Service(
        "portal",
        "service",
        command=lambda: _sor("portal", "serve", *words, "--workers", "1"),
        check=ready,
        signs=(Sign(ready, _STAGE_SILENT),),
        start_limit=_STAGE_START,
        after=("keys", "authority", "migrate"),
        environment=_portal_environment(ports, environment),
        address=portal_address(ports),
    )


def _turning(port: int) -> tuple[Sign, ...]:
    return (Sign(http_ready(f"http://127.0.0.1:{port}/alive"), _STAGE_SILENT, _STAGE_SPOKEN),)


def _sor(*words: str) -> list[str]:
    return [sys.executable, "-m", "sor", *words]


def _ignore(_value: Path) -> None:
    """A preparation returns nothing."""


def environment_for(service: Service) -> dict[str, str]:
    """The environment of a child: ours, plus what the service sets."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", **service.environment}
