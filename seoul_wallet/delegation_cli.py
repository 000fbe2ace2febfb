"""`seoul-wallet wallet delegate` and `delegations`: letting others show a card, and acting."""

from __future__ import annotations

from typing import Final

import click

from seoul_wallet.typed_errors import IDS_MAY_BEGIN_WITH_A_DASH
from seoul_wallet.wallet_views import Session, day_of, find_card, show_cards
from wallet.credentials.delegation import RELATIONS
from wallet.encoding.names import parse_text
from wallet.errors import MalformedError
from wallet.holder.cards import Card
from wallet.holder.consent import ConsentRefused
from wallet.holder.delegations import DelegationTerms, DelegationUnknown
from wallet.holder.given import GivenDelegation
from wallet.holder.texts import shown

_DAY_S: Final = 86400


class ClaimNotNamed(MalformedError):
    """A claim to delegate is named that the card does not have."""

    code = "claim_not_named"


@click.command(context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("card_id")
@click.argument("invitation")
@click.option("--claim", "claims", multiple=True, metavar="PATH", help="May be shown: a/b/c.")
@click.option("--days", type=click.IntRange(1, 366), default=30, help="For how many days.")
@click.option("--verifier", "audiences", multiple=True, metavar="ID", help="Only to this one.")
@click.option("--programme", "programmes", multiple=True, metavar="NAME", help="Only for this.")
@click.option("--relation", type=click.Choice(RELATIONS), help="What they are to you.")
@click.option("--label", default="", help="Your own note of who it is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delegate(
    session: Session,
    card_id: str,
    invitation: str,
    claims: tuple[str, ...],
    days: int,
    audiences: tuple[str, ...],
    programmes: tuple[str, ...],
    relation: str | None,
    label: str,
    yes: bool,
) -> None:
    """Let somebody else show one of your cards, for a time; print the package for them.

    INVITATION is what their wallet printed with `delegations invite`. Only the claims that you
    name go along. Nobody can vote or log in for another.
    """
    with session.open() as holder:
        card = find_card(holder, card_id)
        paths = tuple(_path(card, claim) for claim in claims)
        invited = holder.delegating.read_invitation(invitation)
        click.echo(
            f"{session.say('delegate_to')}: {invited.name or '-'}\n"
            f"{session.say('card')}: {card.name(session.language)}\n"
            f"{session.say('claims')}: {', '.join(claims) or session.say('only_possession')}\n"
            f"{session.say('days')}: {days}",
            err=True,
        )
        if not yes and not click.confirm(session.say("delegate_ask"), err=True):
            raise ConsentRefused("nothing was delegated")
        terms = DelegationTerms(
            claims=paths,
            ttl_s=days * _DAY_S,
            audiences=audiences or None,
            programmes=programmes or None,
            relation=relation,
            label=parse_text(label).value if label else "",
        )
        given, package = holder.delegate(card.id, invitation, terms)
        click.echo(f"{session.say('delegated')}: {given.id}", err=True)
        click.echo(package)


@click.group(invoke_without_command=True)
@click.pass_context
def delegations(ctx: click.Context) -> None:
    """List what you delegated to others and what others delegated to you."""
    if ctx.invoked_subcommand is not None:
        return
    session: Session = ctx.obj
    with session.open() as holder:
        given = holder.delegations()
        received = [card for card in holder.credentials() if card.is_for_another]
    if given:
        rows = [_row(session, item) for item in given]
        session.table("given", "id", "card", "delegate_to", "expires", "state", rows=rows)
    if received:
        show_cards(session, "acting_for", received)
    if not given and not received:
        click.echo(session.say("no_delegations"))


def _row(session: Session, item: GivenDelegation) -> tuple[str, ...]:
    state = "in_force" if item.is_in_force(session.now()) else "ended"
    return (
        item.id,
        shown(item.card_name),
        item.label or "-",
        day_of(item.expires_at),
        session.say("revoked" if item.revoked_at is not None else state),
    )


@delegations.command()
@click.option("--name", default="", help="What the other will read: who asks.")
@click.pass_obj
def invite(session: Session, name: str) -> None:
    """Print an invitation, to be given to whoever wants to delegate a card to you."""
    with session.open() as holder:
        click.echo(holder.delegating.invite(name=name))


@delegations.command()
@click.argument("package")
@click.pass_obj
def accept(session: Session, package: str) -> None:
    """Take a card that was delegated to you, by the package that you were given."""
    with session.open() as holder:
        show_cards(session, "received", (holder.delegating.accept(package),))


@delegations.command(context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("delegation_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke(session: Session, delegation_id: str, yes: bool) -> None:
    """Take a delegation back, for good. The first characters of its id are enough."""
    with session.open() as holder:
        found = [item for item in holder.delegations() if item.id.startswith(delegation_id)]
        if not delegation_id or len(found) != 1:
            raise DelegationUnknown(f"{len(found)} delegations have an id that begins like this")
        if not yes and not click.confirm(session.say("revoke_ask"), err=True):
            raise ConsentRefused("nothing was revoked")
        holder.revoke_delegation(found[0].id)
        click.echo(session.say("revoked"))


def _path(card: Card, text: str) -> tuple[str, ...]:
    path = tuple(text.split("/"))
    value: object = card.claims
    for part in path:
        if not isinstance(value, dict) or part not in value:
            raise ClaimNotNamed("the card has no claim " + shown(text))
        value = value[part]
    return path
