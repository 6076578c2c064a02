"""``sor forget``: everything of a client leaves the log, the states, the topics and the tables (decisions 0027, 0029).

Who knows a pseudonym does it (``--pseudonym``), as administrator. Who knows a number asks for it (``--bsn``), as a
source; that waits under a pseudonym until the administrator carries it out (``--pending``).
"""

from __future__ import annotations

from typing import Annotated, Final

import typer

from crypto.memory import guard
from settings.settings import load_settings
from sor.commands.options import AsJson, Reason
from sor.commands.pseudonyms import ASK, pseudonyms

_NOTHING: Final = ""


def register(app: typer.Typer) -> None:
    """Add ``sor forget``."""
    app.command("forget")(command)


def command(
    reden: Reason,
    pseudonym: Annotated[
        str, typer.Option(metavar="FILE", help="A file with pseudonyms, one a line; - asks for one (the default).")
    ] = _NOTHING,
    bsn: Annotated[
        str,
        typer.Option(metavar="FILE", help="As a source: ask it for the BSNs in a file, one a line; - asks for one."),
    ] = _NOTHING,
    sender: Annotated[
        str, typer.Option(help="With --bsn: AGB code of the provider in whose name; left out, that of the certificate.")
    ] = _NOTHING,
    pending: Annotated[bool, typer.Option("--pending", help="Show what sources asked, and carry it out.")] = False,
    source: Annotated[str, typer.Option(help="With --pending: only what this source asked.")] = _NOTHING,
    shared: Annotated[
        bool, typer.Option("--shared", help="With --pending: also clients of whom others told than who asks.")
    ] = False,
    decline: Annotated[bool, typer.Option("--decline", help="With --pending: take it off the list instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --pending: do not ask.")] = False,
    patience: Annotated[float, typer.Option(help="Seconds that a stage is waited for.")] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Forget clients for good: their facts leave the log, the states, the compacted topics and the tables.

    By pseudonym, or what sources asked (--pending): it needs the key folder of trajectories, and to be the
    administrator of Kafka and of ClickHouse. Every stage must run. What was published of them before now is refused
    from now on, wherever it comes from; what a source delivers anew counts. The certificate is kept in the folder
    erasures of the home folder. Ends with 1 when something is left that another run removes, or nobody agrees.

    By BSN (--bsn) it is asked of the third party, sealed as a delivery is. Ends with 0: asked; 1: refused; 3: no
    receipt in time.
    """
    guard()
    _one_way(bool(pseudonym), bool(bsn), pending)
    settings = load_settings()
    if bsn:
        from sor.commands import forget_asking  # a source has no packages but those of a connector

        forget_asking.ask(settings, bsn, sender, reden, as_json=as_json)
    from sor.commands import forget_pending, forgetting

    clients = [] if pending else pseudonyms(pseudonym or ASK)
    work = forgetting.opened(settings, reden, patience, as_json=as_json)
    if pending:
        forget_pending.carry_out(work, forget_pending.Choice(source, shared, decline, yes))
    else:
        forgetting.carry_out(work, clients, [])


def _one_way(*given: bool) -> None:
    if sum(given) > 1:
        raise typer.BadParameter("choose one of --pseudonym, --bsn and --pending")
