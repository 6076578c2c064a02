"""``sor sources``: the authority of a region: who may deliver, for whom, and what (docs/sources.md)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from connectors import masking
from crypto import authority, files, ledger, sign
from crypto.authority import AuthorityError, Grant, Issued
from crypto.certificates import ANY
from crypto.grants import check_names
from crypto.keys import KeysError
from crypto.memory import guard
from domain.field.dates import dutch_time
from settings.settings import Settings, load_settings

_DAY, _HOUR = 86400, 3600
_DAYS: Final = 365
#: What ends within so many days is said.
_SOON: Final = 30 * _DAY


def register(app: typer.Typer) -> None:
    """Add ``sor sources``."""
    group = typer.Typer(no_args_is_help=True, help="Who may deliver: the authority, its certificates, what it revoked.")
    for name, command in (("init", init), ("issue", issue), ("revoke", revoke), ("list", list_)):
        group.command(name)(command)
    app.add_typer(group, name="sources")


def init(
    name: Annotated[str, typer.Option(help="Name of the authority, such as that of the region.")] = "",
    development: Annotated[
        bool, typer.Option("--development", help="For this one machine: no production stage ever trusts it.")
    ] = False,
    intermediate: Annotated[
        bool, typer.Option("--intermediate", help="Make the next intermediate of the authority that is there.")
    ] = False,
) -> None:
    """Make an authority, or its next intermediate, and publish it. What is there is never overwritten."""
    guard()
    settings = load_settings()
    if intermediate:
        made = authority.intermediate(settings.authority, settings.keys)
        typer.echo(f"Made {made.name}, until {_day(made.ends)}, and published it in {settings.keys}/public.")
        return
    if not name and not development:
        raise typer.BadParameter("an authority has a name: --name REGION, or --development for this one machine")
    authority.init(settings.authority, settings.keys, name or "one machine", development)
    typer.echo(f"The authority is in {settings.authority}; what the stages read is in {settings.keys}/public.")
    if not development:
        typer.echo("Keep its folder offline, with a copy in a second place: who has root.key decides who may deliver.")


def issue(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Who it is: AGB code, CBS code or a name.")],
    sends_for: Annotated[
        list[str] | None, typer.Option("--for", help="AGB code of a provider that it may send for; more than once.")
    ] = None,
    for_all: Annotated[bool, typer.Option("--for-all", help="It may send for every provider.")] = False,
    kind: Annotated[
        list[str] | None, typer.Option(help="A kind that it may send, or '*' for all; more than once.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="For so many days.")] = _DAYS,
    hours: Annotated[
        int | None, typer.Option(min=1, max=24, help="For so many hours instead, by the intermediate: a browser.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder that it is written into; default <authority>/sources/ID.")
    ] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(help="Public key (PEM) that the source made itself: only a certificate is written, ID.pem."),
    ] = None,
) -> None:
    """Make key and certificate of a source, as a folder ``source`` for its key folder. Keys are never overwritten."""
    guard()
    if for_all == bool(sends_for):
        raise typer.BadParameter("say for whom: --for AGB, more than once for several, or --for-all")
    if not kind:
        raise typer.BadParameter("say what: --kind KIND, more than once for several, or --kind '*'")
    settings, seconds = load_settings(), days * _DAY if hours is None else hours * _HOUR
    grant = Grant(identifier, frozenset([ANY] if for_all else sends_for or ()), frozenset(kind), seconds)
    check_names(grant)  # its name is the name of a folder
    place = _folder(out or settings.authority / authority.SOURCES / identifier)
    if public_key is None:
        written = _with_key(settings, grant, place, short=hours is not None)
    else:
        written = _for_key(settings, grant, place, public_key, short=hours is not None)
    ends = dutch_time(int(time.time() + seconds) * 1000)
    typer.echo(f"Wrote {masking.plain(str(written))}: {identifier}, until {ends:%Y-%m-%d %H:%M} Dutch time.")


def revoke(
    what: Annotated[str, typer.Argument(metavar="ID|SERIAL", help="As `sor sources list` shows.")],
    reden: Annotated[str, typer.Option("--reden", help="Why; kept in the ledger. No personal data.")],
) -> None:
    """Refuse from now on all certificates of a source, or one; of an intermediate: all that it issued.

    What was accepted before stays; a delivery is taken back by its own command.
    """
    guard()
    settings = load_settings()
    found = [one for one in authority.issued(settings.authority) if what in (one.name, f"{one.serial:x}")]
    if not found:
        raise AuthorityError(f"{what} was not issued here; `sor sources list` shows what was.")
    for one in found:
        done = authority.revoke(settings.authority, settings.keys, one.serial, reden)
        typer.echo(masking.plain(f"{done.serial:x}  {done.name}: refused from {_moment(done.revoked or 0)} on."))
    typer.echo(f"Copy {settings.keys}/public/revoked.pem to every stage; each reads it within seconds.")


def list_(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """List all that was issued: by the ledger where the authority is, by the public list everywhere else."""
    guard()
    settings = load_settings()
    there = (settings.authority / ledger.LEDGER).exists()
    rows = [
        _row(one) for one in (authority.issued(settings.authority) if there else authority.published(settings.keys))
    ]
    if as_json:
        typer.echo(masking.json_text(rows))
        return
    for row in rows:
        sends = f"for {' '.join(row['sends_for'])}; {' '.join(row['kinds'])}" if row["sends_for"] else "issues others"
        why = f" ({row['reason']})" if row["reason"] else ""
        line = f"{row['serial']:40}  {row['id']}  {sends}; until {row['ends'][:10]}; {row['state']}{why}"
        typer.echo(masking.plain(line))
    typer.echo(f"{len(rows)} certificate(s). Those that end soon: docs/sources.md says how to renew them.")


def _folder(place: Path) -> Path:
    """Made before anything is issued."""
    try:
        files.make_folder(place)
    except OSError as error:
        raise KeysError(f"{place} cannot be made ({error.strerror}); use --out FOLDER.") from error
    return place


def _with_key(settings: Settings, grant: Grant, place: Path, *, short: bool) -> Path:
    if (place / sign.SOURCE).exists():
        raise KeysError(f"{place / sign.SOURCE} is there already; keys are never overwritten. Use --out FOLDER.")
    private = Ed25519PrivateKey.generate()
    der = authority.issue(settings.authority, settings.keys, grant, private.public_key(), short)
    sign.save(place, der, private)
    return place / sign.SOURCE


def _for_key(settings: Settings, grant: Grant, place: Path, public_key: Path, *, short: bool) -> Path:
    written = place / f"{grant.id}.pem"
    if written.exists():
        raise KeysError(f"{written} is there already; move it away, or use --out FOLDER.")
    der = authority.issue(settings.authority, settings.keys, grant, sign.read_public_key(public_key), short)
    certificate = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    files.write_new(written, certificate, mode=files.PUBLIC)
    return written


def _row(one: Issued) -> dict[str, Any]:
    return {
        "serial": f"{one.serial:x}",
        "id": one.name,
        "sends_for": sorted(one.source.sends_for) if one.source else [],
        "kinds": sorted(one.source.kinds) if one.source else [],
        "begins": _moment(one.begins),
        "ends": _moment(one.ends),
        "revoked": None if one.revoked is None else _moment(one.revoked),
        "reason": one.reason,
        "state": _state(one, int(time.time())),
    }


def _state(one: Issued, now: int) -> str:
    if one.revoked is not None:
        return "revoked"
    if one.ends < now:
        return "ended"
    return "ends soon" if one.ends < now + _SOON else "counts"


def _moment(seconds: int) -> str:
    """For machines and the ledger: UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _day(seconds: int) -> str:
    return f"{dutch_time(seconds * 1000):%Y-%m-%d}"
