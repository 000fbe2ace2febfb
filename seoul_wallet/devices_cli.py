"""`seoul-wallet wallet devices|lost|reissue`: several phones, and a lost one."""

from __future__ import annotations

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from seoul_wallet.typed_errors import IDS_MAY_BEGIN_WITH_A_DASH
from seoul_wallet.wallet_views import Session, find_card, show_time
from wallet.errors import SeoulWalletError
from wallet.holder.consent import ConsentRefused
from wallet.holder.reissue import Devices, DeviceUnknown, Outcome, Reissued, WalletDevice
from wallet.holder.texts import shown
from wallet.holder.wallet import Wallet

_EXIT_REFUSED = 3
_EXIT_WAITING = 4
_SHORT = 8


@click.command()
@click.option("--name", help="Name this device, for the wallet's other devices.")
@click.pass_obj
def devices(session: Session, name: str | None) -> None:
    """List the devices that issuers know of this wallet.

    Each issuer is asked for its part; none learns of the others. A name is sealed so that only
    your devices can read it, and goes to an issuer when it next issues something.
    """
    with session.open() as holder:
        if name is not None:
            holder.devices.name_device(name)
        _show(session, holder.devices.devices())


@click.command(context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("device_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def lost(session: Session, device_id: str, yes: bool) -> None:
    """Report a device as lost: what was issued to it is revoked, and nothing else.

    DEVICE_ID is as `devices` shows it; its first characters are enough.
    """
    with session.open() as holder:
        known = _find(holder, device_id)
        click.echo(f"{session.say('device')}: {known.name or session.say('unnamed')}")
        if known.is_this:
            click.echo(session.say("this_device"))
        if not yes and not click.confirm(session.say("lost_sure"), err=True):
            raise ConsentRefused("nothing was reported")
        failed: SeoulWalletError | None = None
        for issuer, error in holder.devices.lost(known.id):
            said = session.say("lost_done") if error is None else error.code
            click.echo(f"{issuer}: {said}")
            failed = failed or error
        if failed is not None:
            raise failed


@click.command(context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("card_id", required=False)
@click.option("--keep", is_flag=True, help="Keep the other device's copies: one device more.")
@click.option("--again", is_flag=True, help="Also what was issued to this device already.")
@click.pass_obj
def reissue(session: Session, card_id: str | None, keep: bool, again: bool) -> None:
    """Have cards issued to this device on new keys: all of them, or one.

    Do it after `restore`. The copies of the device that had them are revoked. What cannot be
    issued anew is listed with the reason, and stays as it is.
    """
    told: list[Reissued] = []
    with session.open() as holder:
        if card_id is not None:
            found = find_card(holder, card_id)
            told.append(holder.devices.reissue(found.id, keep=keep, again=again))
        else:
            told += _with_progress(session, holder, keep=keep, again=again)
    rows = [
        (
            item.card.id,
            item.card.name(session.language),
            session.say(item.outcome.value),
            _reason(session, item.reason),
        )
        for item in told
    ]
    session.table("reissue", "id", "card", "outcome", "reason", rows=rows)
    outcomes = {item.outcome for item in told}
    if Outcome.NOT_POSSIBLE in outcomes:
        raise SystemExit(_EXIT_REFUSED)
    if Outcome.WAITING in outcomes:
        click.echo(session.say("reissue_waits"))
        raise SystemExit(_EXIT_WAITING)


def _with_progress(
    session: Session, holder: Wallet, *, keep: bool, again: bool
) -> tuple[Reissued, ...]:
    columns = (TextColumn(session.say("reissue")), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reissue", total=len(holder.credentials()))
        return holder.devices.reissue_all(
            keep=keep,
            again=again,
            tell=lambda _, done, total: progress.update(task, completed=done, total=total),
        )


def _reason(session: Session, reason: str | None) -> str:
    if reason is None:
        return ""
    return session.say_or(f"reason_{reason}", shown(reason))


def _find(holder: Wallet, device_id: str) -> WalletDevice:
    found = [
        item
        for item in holder.devices.devices().devices
        if device_id and item.id.startswith(device_id)
    ]
    if len(found) != 1:
        raise DeviceUnknown(f"{len(found)} devices have an id that begins like this")
    return found[0]


def _show(session: Session, known: Devices) -> None:
    rows = [
        (
            item.id[:_SHORT],
            (shown(item.name) or session.say("unnamed"))
            + (f"\n({session.say('this_device')})" if item.is_this else ""),
            session.say("device_lost" if item.is_lost else "device_active"),
            show_time(item.since),
            "\n".join(f"{at.credential_issuer}: {', '.join(at.cards) or '-'}" for at in item.at),
        )
        for item in known.devices
    ]
    session.table("devices", "id", "device", "state", "since", "cards", rows=rows)
    for issuer, error in known.unreachable:
        click.echo(f"{issuer}: {error.code}", err=True)
