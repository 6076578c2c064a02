"""``sor keys rotate source``, ``intermediate`` and ``root``: each is followed by the next one (docs/sources.md)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from connectors import masking
from crypto import authority, files, sign, succession
from crypto.memory import guard
from settings.settings import load_settings

_DAY: Final = 86400


def add(rotate: typer.Typer, switch: typer.Typer, retire: typer.Typer) -> None:
    """Add the commands to the groups of ``sor keys``."""
    rotate.command("source")(source)
    rotate.command("intermediate")(intermediate)
    rotate.command("root")(root)
    switch.command("root")(switch_root)
    retire.command("intermediate")(retire_intermediate)
    retire.command("root")(retire_root)


def source(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="As `sor sources list` names it.")],
    days: Annotated[int | None, typer.Option(min=1, help="For so many days; as long as the one before.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder in which its folder source lies; default <authority>/sources/ID.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="Public key (PEM) of the source: only a certificate is written, ID-SERIAL.pem.")
    ] = None,
) -> None:
    """Give a source its next key and certificate, which say what the newest says; the former one counts beside it."""
    guard()
    settings, now = load_settings(), int(time.time())
    place = out or settings.authority / authority.SOURCES / identifier
    private = Ed25519PrivateKey.generate()
    if public_key is None:
        sign.Signer.load(place, ended=True)  # what is to be replaced, before anything is issued
    public = private.public_key() if public_key is None else sign.read_public_key(public_key)
    seconds = None if days is None else days * _DAY
    made = succession.reissue(settings.authority, settings.keys, identifier, public, seconds, at=now)
    written = place / sign.SOURCE
    if public_key is None:
        kept = sign.replace(place, made.der, private)
        typer.echo(masking.plain(f"The former pair is in {kept}: destroy it when it is revoked."))
    else:
        certificate = x509.load_der_x509_certificate(made.der)
        files.make_folder(place)
        written = place / f"{identifier}-{certificate.serial_number:x}.pem"
        files.write_new(written, certificate.public_bytes(Encoding.PEM), mode=files.PUBLIC)
    typer.echo(masking.plain(f"Wrote {written}: {identifier}, until {_day(made.ends)}."))
    for serial in made.former:
        typer.echo(f"When it is in use: `sor sources revoke {serial:x} --reden replaced`.")


def intermediate() -> None:
    """Make the next intermediate: both count, and short-lived certificates come from the newest."""
    guard()
    settings = load_settings()
    made = authority.intermediate(settings.authority, settings.keys)
    typer.echo(f"Made {made.name}, until {_day(made.ends)}. {_copy(settings.keys)}")
    typer.echo("In a day what the former one issued has ended: `sor keys retire intermediate`.")


def retire_intermediate() -> None:
    """Revoke every intermediate but the newest; refused while it would cut off a source."""
    guard()
    settings = load_settings()
    gone = succession.retire_intermediates(settings.authority, settings.keys, at=int(time.time()))
    for one in gone:
        typer.echo(masking.plain(f"{one.serial:x}  {one.name}: refused from now on."))
    typer.echo(_copy(settings.keys) if gone else "There is no former intermediate that counts.")


def root() -> None:
    """Make the next root; the one that counts vouches for it, so that stages which run believe both."""
    guard()
    settings = load_settings()
    made = succession.prepare_root(settings.authority, settings.keys, at=int(time.time()))
    typer.echo(f"Made {made.name}, which issues nothing yet. {_copy(settings.keys)}")
    typer.echo("When every stage has them: `sor keys switch root`.")


def switch_root() -> None:
    """Let the next root issue from now on; the former one still counts."""
    guard()
    settings = load_settings()
    made = succession.switch_root(settings.authority, settings.keys, at=int(time.time()))
    typer.echo(f"The next root issues from now on, and made {made.name}. {_copy(settings.keys)}")
    typer.echo("Then `sor keys rotate source` for each source of `sor sources list`; then `sor keys retire root`.")


def retire_root() -> None:
    """Leave out the former root and all that it issued; refused while it would cut off a source."""
    guard()
    settings = load_settings()
    name = succession.retire_root(settings.authority, settings.keys, at=int(time.time()))
    typer.echo(f"The former root is left out. {_copy(settings.keys)}")
    typer.echo(f"Its key {settings.authority / name} is of no use any more: destroy it, and every copy.")


def _copy(keys: Path) -> str:
    return f"Copy the files *.pem of {keys}/public to every stage; each reads them within seconds."


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
