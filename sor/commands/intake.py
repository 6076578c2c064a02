"""``sor intake``: the HTTP intake, and the tokens of those who may deliver there."""

from __future__ import annotations

import asyncio
import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.errors import ConnectorError
from connectors.masking import plain as shown
from crypto.memory import guard
from domain.field.dates import dutch_time
from faults import EXIT_FAULT, OperatorFault
from monitoring import logs
from settings.access import kafka_cluster
from settings.settings import Settings, load_settings
from sor.options import given, setting
from transport.health import HealthConfig

if TYPE_CHECKING:
    from connectors.intake.config import IntakeConfig, Tls
    from connectors.intake.tokens import TokenFile

TokensPath = Annotated[Path | None, setting("intake_tokens", "--tokens")]


def register(app: typer.Typer) -> None:
    """Add ``sor intake`` and ``sor intake token``."""
    group = typer.Typer(invoke_without_command=True, help="Take in files over HTTP, for many sources (docs/intake.md).")
    group.callback()(intake)
    token = typer.Typer(no_args_is_help=True, help="Who may deliver over HTTP.")
    token.command("add")(add)
    token.command("list")(list_)
    token.command("revoke")(revoke)
    group.add_typer(token, name="token")
    app.add_typer(group, name="intake")


def intake(
    context: typer.Context,
    host: Annotated[str | None, setting("intake_host")] = None,
    port: Annotated[int | None, setting("intake_port")] = None,
    certificate: Annotated[Path | None, setting("intake_certificate")] = None,
    key: Annotated[Path | None, setting("intake_key")] = None,
    client_ca: Annotated[Path | None, setting("intake_client_ca")] = None,
    plain: Annotated[bool | None, setting("intake_plain", "--plain")] = None,
    workers: Annotated[int | None, setting("intake_workers")] = None,
    max_mb: Annotated[int | None, setting("intake_max_mb")] = None,
    memory_mb: Annotated[int | None, setting("intake_memory_mb")] = None,
    per_minute: Annotated[int | None, setting("intake_per_minute")] = None,
    per_address: Annotated[int | None, setting("intake_per_address")] = None,
    proxies: Annotated[str | None, setting("intake_proxies")] = None,
    visitors: Annotated[Path | None, setting("intake_visitors")] = None,
    origins: Annotated[str | None, setting("intake_origins")] = None,
    metrics_port: Annotated[int | None, setting("intake_metrics_port")] = None,
    tokens: TokensPath = None,
) -> None:
    """Serve until SIGTERM. Ends with 0: stopped; 2: cannot start; 70, 72: a fault, see the log."""
    if context.invoked_subcommand is not None:
        return
    guard()
    options = given(
        intake_host=host,
        intake_port=port,
        intake_certificate=certificate,
        intake_key=key,
        intake_client_ca=client_ca,
        intake_plain=plain,
        intake_workers=workers,
        intake_max_mb=max_mb,
        intake_memory_mb=memory_mb,
        intake_per_minute=per_minute,
        intake_per_address=per_address,
        intake_proxies=proxies,
        intake_visitors=visitors,
        intake_origins=origins,
        intake_metrics_port=metrics_port,
        intake_tokens=tokens,
    )
    settings = load_settings(**options)
    _run(_config(settings), settings.log_level, plain=settings.intake_plain)


def _config(settings: Settings) -> IntakeConfig:
    from connectors.intake.config import IntakeConfig, IntakeLimits
    from schemas.registry import ids_of

    most, memory = settings.intake_max_mb, settings.intake_memory_mb
    limits = IntakeLimits(
        body_bytes=most * 1_000_000,
        memory_bytes=max(memory, most) * 1_000_000,
        provider_bytes=max(2 * most, memory // 4) * 1_000_000,
        uploads_per_minute=settings.intake_per_minute,
        address_connections=settings.intake_per_address,
    )
    return IntakeConfig(
        keys=settings.keys,
        authority=settings.authority,
        cluster=kafka_cluster(settings),
        tokens=settings.intake_tokens,
        host=settings.intake_host,
        port=settings.intake_port,
        workers=settings.intake_workers,
        tls=_tls(settings),
        proxies=frozenset(settings.intake_proxies),
        visitors=settings.intake_visitors,
        origins=frozenset(settings.intake_origins),
        health=HealthConfig(settings.intake_metrics_port or None, settings.metrics_host, settings.home),
        limits=limits,
        ids=ids_of(settings.registry),
    )


def _run(config: IntakeConfig, level: str, *, plain: bool) -> None:
    from connectors.intake.server import IntakeBroken, require_safe, serve
    from connectors.intake.work import where

    require_safe(config, plain=plain)
    logs.configure(level, "intake")
    try:
        asyncio.run(serve(config, lambda _port: None))
    except OperatorFault:
        raise
    except IntakeBroken as fault:
        structlog.get_logger().critical("fault", where=str(fault))
    except Exception as error:  # noqa: BLE001 - its text may hold what was sent: type and place say enough
        structlog.get_logger().critical("fault", where=where(error))
    else:
        return
    sys.exit(EXIT_FAULT)


def _tls(settings: Settings) -> Tls | None:
    from connectors.intake.config import Tls

    certificate, key, client_ca = settings.intake_certificate, settings.intake_key, settings.intake_client_ca
    if (certificate is None) != (key is None) or (client_ca is not None and certificate is None):
        raise ConnectorError("--certificate and --key belong together, and --client-ca needs both.")
    return Tls(certificate, key, client_ca) if certificate is not None and key is not None else None


def _file(given_path: Path | None) -> TokenFile:
    from connectors.intake.tokens import TokenFile

    return TokenFile(load_settings(**given(intake_tokens=given_path)).intake_tokens)


def add(
    agb: Annotated[str, typer.Argument(help="AGB code of a provider (8 digits), or with --for the name of a hub.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="Valid for so many days.")] = 365,
    note: Annotated[str, typer.Option(help="For your own list, such as the system that uses it. No secrets.")] = "",
    certificate: Annotated[
        Path | None, typer.Option(help="PEM of a client certificate that stands for the source: no token.")
    ] = None,
    sends_for: Annotated[
        str, typer.Option("--for", help="A hub: the AGB codes that it sends for, with commas between them, or *.")
    ] = "",
    tokens: TokensPath = None,
) -> None:
    """Make a token for one source. It is shown once; the file keeps a hash of it."""
    file, providers = _file(tokens), tuple(one.strip() for one in sends_for.split(",")) if sends_for else ()
    if certificate is None:
        made, text = file.add(agb, days, note, providers)
    else:
        made, text = file.add_certificate(agb, _der(certificate), days, note, providers), ""
    typer.echo(f"{made.kind} {made.id} for {made.agb}, valid until {_day(made.expires)}", err=True)
    if text:
        typer.echo("Give it to the source over a safe way; it cannot be shown again:", err=True)
        typer.echo(text)


def _der(path: Path) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(path.read_text("ascii").strip() + "\n")
    except (OSError, ValueError):
        raise ConnectorError(f"{path} holds no certificate in PEM form.") from None


def list_(tokens: TokensPath = None) -> None:
    """Show every token: id, source, state. Never the token itself."""
    now = datetime.now(UTC).timestamp()
    table = Table("id", "kind", "source", "sends for", "state", "made", "until", "note")
    for one in _file(tokens).read():
        table.add_row(
            one.id,
            one.kind,
            one.agb,
            ", ".join(one.sends_for),
            one.state(now),
            _day(one.made),
            _day(one.expires),
            escape(shown(one.note)),
        )
    Console().print(table)


def revoke(
    name: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")], tokens: TokensPath = None
) -> None:
    """Refuse a token from the next request on."""
    done = _file(tokens).revoke(name)
    typer.echo(f"{done.kind} {done.id} of {done.agb} is revoked.")


def _day(seconds: int) -> str:
    return f"{dutch_time(seconds * 1000):%Y-%m-%d}"
