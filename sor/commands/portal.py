"""``sor portal``: the pages for people (docs/portal.md)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from crypto.memory import guard
from settings.children import count_together, hand_on
from settings.settings import Settings, SettingsError, load_settings
from sor.commands.portal_recalculate import recalculate
from sor.options import given, setting

if TYPE_CHECKING:
    from portal.people.models import Organisatie

_DIFFERS: Final = 1
_RULES: Final = Path("portal/static/portal/rules.json")
Kind = Annotated[str, typer.Argument(metavar="KIND", help="aanbieder, gemeente, cluster, regio or derde.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="AGB code, CBS code, name of a cluster, or another name.")]


def register(app: typer.Typer) -> None:
    """Add ``sor portal``."""
    group = typer.Typer(no_args_is_help=True, help="The pages for people: who may log in, and the server.")
    group.command("serve")(serve)
    group.command("migrate")(migrate)
    group.command("rules")(rules)
    group.command("recalculate")(recalculate)
    group.command("example")(example)
    users = typer.Typer(no_args_is_help=True, help="Users of the portal.")
    users.command("add")(add_user)
    users.command("list")(list_users)
    organizations = typer.Typer(no_args_is_help=True, help="Organizations of the portal.")
    organizations.command("add")(add_organization)
    organizations.command("list")(list_organizations)
    group.add_typer(users, name="user")
    group.add_typer(organizations, name="organization")
    app.add_typer(group, name="portal")


def serve(
    host: Annotated[str | None, setting("portal_host", "--host")] = None,
    port: Annotated[int | None, setting("portal_port", "--port")] = None,
    workers: Annotated[int | None, setting("portal_workers", "--workers")] = None,
    metrics_port: Annotated[int | None, setting("portal_metrics_port", "--metrics-port")] = None,
) -> None:
    """Serve the portal until SIGTERM. Its database is brought up to this release first."""
    import uvicorn

    guard()
    chosen = given(portal_host=host, portal_port=port, portal_workers=workers, portal_metrics_port=metrics_port)
    settings = _ready(chosen)
    hand_on(**chosen)  # to the workers, which are processes of their own
    _migrated()
    _watched(settings)
    uvicorn.run(
        "portal.asgi:application",
        factory=True,
        host=settings.portal_host,
        port=settings.portal_port,
        workers=settings.portal_workers,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.portal_proxies),
        forwarded_allow_ips=list(settings.portal_proxies),
        timeout_graceful_shutdown=10,
        limit_concurrency=200,
    )


def _watched(settings: Settings) -> None:
    """Serve the page of metrics here, also of workers that are processes of their own."""
    from portal.metrics_page import serve as serve_metrics
    from portal.secret import folder

    counts = folder(settings) / "counts" if settings.portal_workers > 1 else None
    if counts is not None:
        count_together(counts)
    if settings.portal_metrics_port:
        serve_metrics(settings.metrics_host, settings.portal_metrics_port, counts)


def migrate() -> None:
    """Make the database of the portal, or bring it up to this release. Running it again does nothing."""
    guard()
    _ready({})
    _migrated()
    typer.echo("The database of the portal is of this release.")


def rules(
    write: Annotated[bool, typer.Option("--write", help="Write the file that the pages check rows by.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Compare it; ends with 1 when it differs.")] = False,
) -> None:
    """The rules by which a browser checks rows, from the tables of the connector."""
    from portal.rules import document

    made = document()
    if write:
        _RULES.write_bytes(made)
    elif check:
        if not _RULES.exists() or _RULES.read_bytes() != made:
            typer.echo(f"{_RULES} differs. Run: sor portal rules --write", err=True)
            raise typer.Exit(_DIFFERS)
    else:
        sys.stdout.buffer.write(made)


def example(
    agb: Annotated[list[str], typer.Argument(metavar="AGB", help="AGB codes of made-up providers.")],
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Set up an authenticator app for each, and show its secret.")
    ] = False,
) -> None:
    """Make somebody of every role for trying out, and show their passwords, once. Never where real people log in."""
    guard()
    settings = _ready({})
    _migrated()
    from portal.people.example import people
    from portal.settings import origin

    for one in people(agb, second_factor=second_factor):
        typer.echo(f"{one.email:44} {one.password}  {one.role}, {one.organization}  {one.secret}".rstrip())
    typer.echo(f"Log in at {origin(settings)}")


def add_organization(
    kind: Kind,
    code: Code,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    signed: Annotated[
        str, typer.Option("--signed", help="Day on which its agreement was signed, such as 2026-05-01.")
    ] = "",
) -> None:
    """Add an organization. A provider delivers and sees nothing before its agreement is signed."""
    guard()
    _ready({})
    _migrated()
    from django.core.exceptions import ValidationError

    from portal.people.models import Organisatie

    made = Organisatie(soort=kind, code=code, naam=name, verwerkersovereenkomst=signed or None)
    try:
        made.full_clean()
    except ValidationError as problem:
        raise SettingsError(" ".join(problem.messages)) from None
    made.save()
    typer.echo(f"{made.naam} is number {made.pk}.")


def list_organizations() -> None:
    """List the organizations."""
    _ready({})
    from portal.people.models import Organisatie

    for one in Organisatie.objects.all():
        signed = one.verwerkersovereenkomst or ("-" if one.soort != "aanbieder" else "not signed")
        typer.echo(f"{one.soort:10} {one.code:24} {one.naam}  {signed}{'' if one.active else '  not active'}")


def add_user(
    email: Annotated[str, typer.Argument(metavar="ADDRESS", help="The address that somebody logs in with.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call them.")],
    role: Annotated[str, typer.Argument(metavar="ROLE", help="medewerker, beheerder, contractmanager, …")],
    kind: Kind,
    code: Code,
    mail: Annotated[bool, typer.Option("--mail/--no-mail", help="Send the invitation; else it is shown here.")] = True,
) -> None:
    """Add a user of an organization that is there, and invite them."""
    guard()
    settings = _ready({})
    from django.core.exceptions import ValidationError

    from portal.people import invitations
    from portal.people.access import ROLES
    from portal.people.models import Gebruiker
    from portal.settings import origin

    rol = next((one for one in ROLES if one == role), None)
    if rol is None:
        raise SettingsError(f"{role!r} is no role: {', '.join(ROLES)}.")
    try:
        made = Gebruiker.objects.invite(email=email, naam=name, rol=rol, organisatie=_organization(kind, code))
    except ValidationError as problem:
        raise SettingsError(" ".join(problem.messages)) from None
    if mail:
        invitations.invite(made, origin(settings))
        typer.echo(f"The invitation of {made.naam} was sent; it works for three days.")
    else:
        typer.echo(origin(settings) + invitations.invitation(made))


def _organization(kind: str, code: str) -> Organisatie:
    from portal.people.models import Organisatie

    found = Organisatie.objects.filter(soort=kind, code=code).first()
    if found is None:
        raise SettingsError(f"There is no {kind} {code}. Run first: sor portal organization add")
    return found


def list_users() -> None:
    """List the users."""
    _ready({})
    from portal.people.models import Gebruiker

    for one in Gebruiker.objects.select_related("organisatie"):
        state = "invited" if not one.has_usable_password() else "active" if one.is_active else "no access"
        typer.echo(f"{one.email:36} {one.rol:22} {one.organisatie.naam:28} {state}")


def _ready(chosen: dict[str, object]) -> Settings:
    """Django, set up by the settings."""
    from portal.settings import configure

    os.umask(0o077)  # the files of the database are for this user alone
    settings = load_settings(**chosen)
    configure(settings)
    return settings


def _migrated() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    call_command("clearsessions", verbosity=0)
