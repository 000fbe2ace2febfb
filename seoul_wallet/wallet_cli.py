"""`seoul-wallet wallet`: a holder's wallet on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from seoul_wallet.core_dumps import switch_off_core_dumps
from seoul_wallet.decisions_cli import (
    decisions,
    export_receipt,
    request_deletion,
    withdraw,
)
from seoul_wallet.delegation_cli import delegate, delegations
from seoul_wallet.devices_cli import devices, lost, reissue
from seoul_wallet.discovery_cli import apply, programmes
from seoul_wallet.files import write_new_file
from seoul_wallet.history_cli import history, log, top_up
from seoul_wallet.joint_cli import present_together, take_part
from seoul_wallet.language import default_language
from seoul_wallet.offline_cli import show_offline
from seoul_wallet.recovery_cli import export, new_phrase, phrase, restore, shares
from seoul_wallet.typed_errors import IDS_MAY_BEGIN_WITH_A_DASH, TypedErrors
from seoul_wallet.voting_cli import challenge, track, vote
from seoul_wallet.wallet_asking import asking
from seoul_wallet.wallet_views import (
    Session,
    find_account,
    find_card,
    show_cards,
    warn_of,
)
from wallet.app import change_passphrase
from wallet.holder.consent import ConsentRefused
from wallet.holder.issuers import InspectedOffer
from wallet.holder.texts import shown


def _default_file() -> Path:
    return Path(click.get_app_dir("seoul-wallet", force_posix=False)) / "wallet.db"


@click.group(cls=TypedErrors, context_settings={"show_default": True})
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_default_file,
    show_default="in your application folder",
    envvar="SEOUL_WALLET_FILE",
    help="The wallet's file, encrypted as a whole.",
)
@click.option(
    "--lang",
    "language",
    type=click.Choice(["ko", "en"]),
    default=default_language,
    show_default="from LANG",
    help="Language of labels and card names.",
)
@click.option(
    "--trust-issuer",
    "trusted",
    multiple=True,
    metavar="URL",
    help="Take credentials from this issuer only; may be repeated.",
)
@click.option("--ca-file", metavar="PEM", help="Further trust anchors for https.")
@click.option(
    "--verifier-ca",
    metavar="PEM",
    help="Trust anchors for the certificates of verifiers that sign requests.",
)
@click.option(
    "--registry",
    metavar="DATABASE",
    envvar="SEOUL_WALLET_REGISTRY",
    help="A replica of the chain (file or URL), where verifiers are looked up: a registered one "
    "that asks for more than it registered is refused. [env: SEOUL_WALLET_REGISTRY]",
)
@click.option(
    "--require-registration",
    is_flag=True,
    help="Refuse verifiers whose request no registration covers.",
)
@click.option(
    "--city",
    "cities",
    multiple=True,
    metavar="URL",
    envvar="SEOUL_WALLET_CITY",
    help="Where a city that you trust publishes its programmes; may be repeated. "
    "[env: SEOUL_WALLET_CITY]",
)
@click.option("--development", is_flag=True, help="Admit http on localhost, nothing else.")
@click.pass_context
def wallet(
    ctx: click.Context,
    file: Path,
    language: str,
    trusted: tuple[str, ...],
    ca_file: str | None,
    verifier_ca: str | None,
    registry: str | None,
    require_registration: bool,
    cities: tuple[str, ...],
    development: bool,
) -> None:
    """Keep credentials and prove only what is asked.

    The wallet is one encrypted file. Its passphrase is asked for, or taken from
    SEOUL_WALLET_PASSPHRASE. Nothing is sent to anyone before you saw what it is and agreed.

    \b
      seoul-wallet wallet create
      seoul-wallet wallet receive LINK-OF-AN-ISSUER
      seoul-wallet wallet list
      seoul-wallet wallet present LINK-OF-A-VERIFIER
      seoul-wallet wallet --city URL programmes
      seoul-wallet wallet vote URL

    Exit codes: 0 done, 2 the input is not what it should be, 3 checked and refused, 4 right
    request but wrong moment (also: you said no), 5 could not be checked, try again.
    """
    switch_off_core_dumps()
    ctx.obj = Session(
        file,
        language,
        development,
        ca_file,
        verifier_ca,
        frozenset(trusted) or None,
        registry,
        require_registration,
        tuple(url.rstrip("/") for url in cities),
    )


@wallet.command()
@click.pass_obj
def create(session: Session) -> None:
    """Make a new wallet with a passphrase of at least 8 characters.

    A wallet whose passphrase is lost opens only from an export with its recovery phrase: see
    `phrase` and `export`.
    """
    session.open(create=True).close()
    click.echo(f"{session.say('created')}: {session.file}")


@wallet.command()
@click.argument("offer")
@click.option("--tx-code", help="The transaction code, if the issuer sent one another way.")
@click.option("--yes", is_flag=True, help="Do not ask whether to take it.")
@click.pass_obj
def receive(session: Session, offer: str, tx_code: str | None, yes: bool) -> None:
    """Take what an issuer offers by an openid-credential-offer:// link.

    The issuer's host is shown first; its name is its own word for itself.
    """
    with session.open() as holder:
        inspected = holder.inspect_offer(offer)
        click.echo(
            f"{session.say('offer_from')}: {', '.join(inspected.card_names(session.language))}\n"
            f"  {inspected.offer.credential_issuer} "
            f"({inspected.issuer_name(session.language)})\n"
            f"  {_vouched(session, inspected)}"
        )
        warn_of(session, inspected.issuer_name(session.language))
        if not yes and not click.confirm(session.say("accept"), err=True):
            raise ConsentRefused("the offer was not taken")
        if inspected.tx_code is not None and tx_code is None:
            tx_code = click.prompt(session.say("tx_code"), err=True)
        cards = holder.receive(inspected, tx_code=tx_code)
        show_cards(session, "received", cards)


def _vouched(session: Session, inspected: InspectedOffer) -> str:
    """Return the line that says whether the issuer's key vouches for what it says of itself."""
    if inspected.metadata_signer is None:
        return session.say("metadata_unsigned")
    return f"{session.say('metadata_signed')}: {inspected.metadata_signer}"


@wallet.command()
@click.argument("offer")
@click.pass_obj
def authorize(session: Session, offer: str) -> None:
    """Begin what an issuer wants to be agreed to in a browser; print the URL to open there."""
    with session.open() as holder:
        click.echo(holder.authorize(offer))


@wallet.command()
@click.argument("url")
@click.pass_obj
def authorized(session: Session, url: str) -> None:
    """Take what was agreed to; URL is where the browser ended up."""
    with session.open() as holder:
        show_cards(session, "received", holder.finish_authorization(url))


@wallet.command()
@click.option("--forget", is_flag=True, help="Give up instead; what was issued may be lost.")
@click.pass_obj
def resume(session: Session, forget: bool) -> None:
    """Finish receiving what an outage or a crash cut short."""
    with session.open() as holder:
        if forget:
            holder.forget_unfinished()
            click.echo(session.say("forgotten"))
            return
        show_cards(session, "received", holder.resume())


@wallet.command("list")
@click.pass_obj
def list_cards(session: Session) -> None:
    """List the cards. Asks nobody."""
    with session.open() as holder:
        cards = holder.credentials()
        if cards:
            show_cards(session, "cards", cards)
        else:
            click.echo(session.say("no_cards"))
        if holder.unfinished:
            click.echo(session.say("unfinished"), err=True)
        for box in holder.voting.unfinished:
            click.echo(f"{session.say('unfinished_vote')} {box}", err=True)


@wallet.command(context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("card_id", required=False, default="")
@click.option("--account", is_flag=True, help="The Seoul Pass account instead.")
@click.option("--large", is_flag=True, help="Short lines for large type, and nothing else.")
@click.option("--read", is_flag=True, help="Whole sentences, for a screen reader.")
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw it into a file."
)
@click.option("--high-contrast", is_flag=True, help="Draw it in large letters, black on white.")
@click.option("--new-picture", is_flag=True, help="Fetch its issuer's picture again first.")
@click.pass_obj
def show(
    session: Session,
    card_id: str,
    account: bool,
    large: bool,
    read: bool,
    svg: Path | None,
    high_contrast: bool,
    new_picture: bool,
) -> None:
    """Show all claims of one card. The first characters of its id are enough."""
    if account == bool(card_id):
        raise click.UsageError("name either a card or --account")
    with session.open() as holder:
        card = find_account(holder) if account else find_card(holder, card_id)
        if new_picture:
            holder.pictures.update(card.id)
        face = holder.pictures.face(card, session.language, high_contrast=high_contrast)
        if svg is not None:
            write_new_file(svg, face.svg.encode())
        if large or read:
            click.echo("\n".join(face.large_type) if large else face.description)
            return
        show_cards(session, "", (card,))
        lines = card.lines(session.language)
        session.table("", "claim", "value", rows=[(line.label, line.value) for line in lines])
        click.echo(f"{session.say('type')}: {shown(card.vct)}")
        click.echo(f"{session.say('issuer')}: {card.issuer}")


@wallet.command(context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("card_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(session: Session, card_id: str, yes: bool) -> None:
    """Delete a card and destroy its key."""
    with session.open() as holder:
        card = find_card(holder, card_id)
        if not yes and not click.confirm(session.say("remove"), err=True):
            raise ConsentRefused("nothing was deleted")
        holder.remove(card.id)
        click.echo(session.say("removed"))


@wallet.command()
@click.pass_obj
def receipts(session: Session) -> None:
    """Fetch the anchor receipts that are not final yet."""
    with session.open() as holder:
        updates = holder.update_receipts()
        show_cards(session, "cards", [update.card for update in updates])
        failed = next((update.error for update in updates if update.error is not None), None)
        if failed is not None:
            raise failed


@wallet.command()
@click.argument("request")
@click.option("--yes", is_flag=True, help="Agree without being asked: what is sent is yours.")
@click.option("--card", "cards", multiple=True, metavar="ID", help="Answer with this card.")
@click.option("--include", multiple=True, metavar="NAME", help="Add an optional answer.")
@click.pass_obj
def present(
    session: Session, request: str, yes: bool, cards: tuple[str, ...], include: tuple[str, ...]
) -> None:
    """Answer a verifier's openid4vp:// link.

    Shows who asks and exactly which claims would leave the wallet, then asks. Nothing is sent
    before you agree.
    """

    with session.open() as holder:
        ask = asking(session, holder, yes=yes, cards=cards, include=include)
        presented = holder.present(request, ask=ask, language=session.language)
        click.echo(session.say("sent"))
        if presented.redirect_uri is not None:
            click.echo(f"{session.say('continue_at')}: {presented.redirect_uri}")


@wallet.command()
@click.pass_obj
def passphrase(session: Session) -> None:
    """Change the passphrase. Old copies of the file still open with the old one."""
    old = session.passphrase()
    new = session.passphrase("new_passphrase", confirm=True)
    change_passphrase(session.file, old, new)
    click.echo(session.say("passphrase_changed"))


for _command in (
    *(phrase, new_phrase, shares, export, restore),
    *(devices, lost, reissue),
    *(delegate, delegations),
    *(history, log, top_up),
    *(show_offline, present_together, take_part),
    *(vote, challenge, track),
    *(decisions, export_receipt, withdraw, request_deletion),
    *(programmes, apply),
):
    wallet.add_command(_command)
