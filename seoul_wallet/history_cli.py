"""`seoul-wallet wallet history`, `log` and `top-up`: what was shown, and fresh copies to show."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from seoul_wallet.wallet_views import Session, show_log
from wallet.eligibility.days import SEOUL
from wallet.errors import SeoulWalletError
from wallet.holder.renewals import NotRenewable
from wallet.holder.texts import shown


@click.command()
@click.option("--search", default="", metavar="WORDS", help="Only with all of these words in it.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only from this day on.")
@click.option(
    "--export",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to a new file instead, in the clear.",
)
@click.pass_obj
def history(session: Session, search: str, since: datetime | None, file: Path | None) -> None:
    """Show what was presented to whom, and what came after: receipts, withdrawals, deletions.

    Words are looked for in verifier, purpose, card type, claims and outcome. Values of claims are
    not kept, only which claims.
    """
    with session.open() as holder:
        if file is not None:
            click.echo(f"{session.say('exported')}: {holder.history.export(file, search)}")
            return
        start = None if since is None else int(since.replace(tzinfo=SEOUL).timestamp())
        entries = holder.history.entries(search, since=start)
    if entries:
        show_log(session, entries)
    else:
        click.echo(session.say("nothing_found" if search or since else "no_log"))


@click.command()
@click.pass_obj
def log(session: Session) -> None:
    """Show what was presented to whom. The same as `history` without a search."""
    with session.open() as holder:
        entries = holder.history.entries()
    if not entries:
        click.echo(session.say("no_log"))
        return
    show_log(session, entries)


@click.command("top-up")
@click.pass_obj
def top_up(session: Session) -> None:
    """Get fresh single-use copies of the cards that have none left to show next.

    Not right after a presentation: the issuer would learn when there was one.
    """
    failed: SeoulWalletError | None = None
    with session.open() as holder:
        for card in holder.credentials():
            if card.is_for_another and not card.is_for_ward:
                continue
            try:
                came = holder.top_up(card.id)
            except NotRenewable:
                continue
            except SeoulWalletError as error:
                failed = failed or error
                continue
            click.echo(f"{shown(card.name(session.language))} ({card.id}): +{came}")
    if failed is not None:
        raise failed
