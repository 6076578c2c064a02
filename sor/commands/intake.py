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
from rich.table import Table

from connectors.errors import ConnectorError
from faults import EXIT_FAULT, OperatorFault
from monitoring import logs
from settings.access import kafka_cluster
from settings.settings import Settings, load_settings

if TYPE_CHECKING:
    from connectors.intake.config import IntakeConfig, Tls
    from connectors.intake.tokens import TokenFile
    from schemas.codec import IdSource

TokensPath = Annotated[
    Path | None,
    typer.Option("--tokens", envvar="SOR_INTAKE_TOKENS", help="Token file. Default <home>/intake/tokens.json."),
]


def register(app: typer.Typer) -> None:
    """Add ``sor intake`` and ``sor intake token``."""
    group = typer.Typer(invoke_without_command=True, help="Take in files over HTTP, for many senders (docs/intake.md).")
    group.callback()(intake)
    token = typer.Typer(no_args_is_help=True, help="Who may deliver over HTTP.")
    token.command("add")(add)
    token.command("list")(list_)
    token.command("revoke")(revoke)
    group.add_typer(token, name="token")
    app.add_typer(group, name="intake")


def intake(
    context: typer.Context,
    host: Annotated[str, typer.Option(envvar="SOR_INTAKE_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="SOR_INTAKE_PORT", min=0, max=65535, help="0 takes a free one.")] = 8480,
    certificate: Annotated[Path | None, typer.Option(envvar="SOR_INTAKE_CERTIFICATE", help="PEM, for TLS.")] = None,
    key: Annotated[Path | None, typer.Option(envvar="SOR_INTAKE_KEY", help="PEM, of the certificate.")] = None,
    client_ca: Annotated[
        Path | None, typer.Option(envvar="SOR_INTAKE_CLIENT_CA", help="PEM: only clients with a certificate of it.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", envvar="SOR_INTAKE_PLAIN", help="No TLS here: a proxy in front does it.")
    ] = False,
    workers: Annotated[int, typer.Option(envvar="SOR_INTAKE_WORKERS", min=1, help="Processes that seal.")] = 2,
    max_mb: Annotated[int, typer.Option(envvar="SOR_INTAKE_MAX_MB", min=1, help="Largest upload.")] = 32,
    memory_mb: Annotated[int, typer.Option(envvar="SOR_INTAKE_MEMORY_MB", min=1, help="For all uploads.")] = 256,
    per_minute: Annotated[
        int, typer.Option(envvar="SOR_INTAKE_PER_MINUTE", min=1, help="Uploads of one provider.")
    ] = 120,
    tokens: TokensPath = None,
) -> None:
    """Serve until SIGTERM. Ends with 0: stopped; 2: cannot start; 70: a fault, see the log."""
    if context.invoked_subcommand is not None:
        return
    from connectors.intake.config import IntakeConfig, IntakeLimits

    settings = load_settings()
    if (certificate is None) != (key is None) or (client_ca is not None and certificate is None):
        raise ConnectorError("--certificate and --key belong together, and --client-ca needs both.")
    limits = IntakeLimits(
        body_bytes=max_mb * 1_000_000,
        memory_bytes=max(memory_mb, max_mb) * 1_000_000,
        provider_bytes=max(2 * max_mb, memory_mb // 4) * 1_000_000,
        uploads_per_minute=per_minute,
    )
    config = IntakeConfig(
        settings.keys, kafka_cluster(settings), _path(tokens, settings), host, port, workers,
        _tls(certificate, key, client_ca), limits, _ids(settings),
    )  # fmt: skip
    _run(config, settings.log_level, plain=plain)


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


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    from connectors.intake.config import Tls

    return Tls(certificate, key, client_ca) if certificate is not None and key is not None else None


def _ids(settings: Settings) -> IdSource | None:
    from schemas.registry import registry_ids

    return registry_ids(settings.registry) if settings.registry else None


def _path(given: Path | None, settings: Settings) -> Path:
    return given.expanduser() if given else settings.home / "intake" / "tokens.json"


def _file(given: Path | None) -> TokenFile:
    from connectors.intake.tokens import TokenFile

    return TokenFile(_path(given, load_settings()))


def add(
    agb: Annotated[str, typer.Argument(help="AGB code of the provider (8 digits).")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="Valid for so many days.")] = 365,
    note: Annotated[str, typer.Option(help="For your own list, such as the system that uses it. No secrets.")] = "",
    certificate: Annotated[
        Path | None, typer.Option(help="PEM of a client certificate that stands for the provider: no token.")
    ] = None,
    tokens: TokensPath = None,
) -> None:
    """Make a token for one provider. It is shown once; the file keeps a hash of it."""
    file = _file(tokens)
    if certificate is None:
        made, text = file.add(agb, days, note)
    else:
        made, text = file.add_certificate(agb, _der(certificate), days, note), ""
    typer.echo(f"{made.kind} {made.id} for {made.agb}, valid until {_day(made.expires)}", err=True)
    if text:
        typer.echo("Give it to the provider over a safe way; it cannot be shown again:", err=True)
        typer.echo(text)


def _der(path: Path) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(path.read_text("ascii").strip() + "\n")
    except (OSError, ValueError):
        raise ConnectorError(f"{path} holds no certificate in PEM form.") from None


def list_(tokens: TokensPath = None) -> None:
    """Show every token: id, provider, state. Never the token itself."""
    now = datetime.now(UTC).timestamp()
    table = Table("id", "kind", "AGB", "state", "made", "until", "note")
    for one in _file(tokens).read():
        table.add_row(one.id, one.kind, one.agb, one.state(now), _day(one.made), _day(one.expires), one.note)
    Console().print(table)


def revoke(
    name: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")], tokens: TokensPath = None
) -> None:
    """Refuse a token from the next request on."""
    done = _file(tokens).revoke(name)
    typer.echo(f"{done.kind} {done.id} of {done.agb} is revoked.")


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
