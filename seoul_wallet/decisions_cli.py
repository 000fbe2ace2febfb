"""`seoul-wallet wallet decisions` and its neighbours: receipts on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from seoul_wallet.files import write_new_file
from seoul_wallet.typed_errors import IDS_MAY_BEGIN_WITH_A_DASH
from seoul_wallet.wallet_views import Session, day_of
from wallet.eligibility.receipts.entry import AgencyEntry
from wallet.eligibility.receipts.statement import DecisionReceipt
from wallet.encoding.json import to_json
from wallet.holder.decision_records import HeldReceipt, NoDecisionReceipt
from wallet.holder.texts import shown
from wallet.holder.wallet import Wallet


@click.command()
@click.option("--refresh", is_flag=True, help="Countersign what is new and fetch the proofs.")
@click.pass_obj
def decisions(session: Session, refresh: bool) -> None:
    """List the decisions on what was presented. Without --refresh asks nobody.

    With it, receipts that did not come are collected: of what was answered without a network, of
    a part in a child's answer, or after an outage.
    """
    with session.open() as holder:
        failed = None
        if refresh:
            errors = (item.error for item in holder.decisions.update())
            failed = next((error for error in errors if error is not None), None)
        rows = [_row(session, holder, held) for held in holder.decisions.all()]
    if rows:
        columns = ("id", "when", "asks", "programme", "applied", "decision", "countersigned")
        session.table("decisions", *columns, rows=rows)
    else:
        click.echo(session.say("no_decisions"))
    if failed is not None:
        raise failed


@click.command("export-receipt", context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("decision_id")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The new file; `seoul-wallet receipt verify` checks it.",
)
@click.pass_obj
def export_receipt(session: Session, decision_id: str, out: Path) -> None:
    """Write one receipt with its proofs as a file to keep. Fetch the proofs first."""
    with session.open() as holder:
        file = holder.decisions.export(_find(holder, decision_id).entry_id)
    write_new_file(out, to_json(file.to_json()) + b"\n")
    click.echo(f"{session.say('written')}: {out}")


@click.command(context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("decision_id")
@click.pass_obj
def withdraw(session: Session, decision_id: str) -> None:
    """Withdraw what was presented, before it is decided. The first characters of the id do."""
    with session.open() as holder:
        entry = holder.decisions.withdraw(_find(holder, decision_id).entry_id)
    click.echo(f"{session.say('withdrawn_at')}: {entry.log_index}")


@click.command("request-deletion", context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("decision_id")
@click.pass_obj
def request_deletion(session: Session, decision_id: str) -> None:
    """Ask an agency to delete what it need not keep; show its signed answer."""
    with session.open() as holder:
        entry = holder.decisions.request_deletion(_find(holder, decision_id).entry_id)
    _show_deletion(session, entry)


def _show_deletion(session: Session, entry: AgencyEntry) -> None:
    click.echo(f"{session.say('deleted')}: {shown(', '.join(entry.deleted))}")
    rows = [
        (
            shown(item.what),
            shown(item.ground.in_language(session.language)),
            session.say("never") if item.until is None else day_of(item.until),
        )
        for item in entry.kept
    ]
    session.table("kept", "kept", "ground", "until", rows=rows)


def _row(session: Session, holder: Wallet, held: HeldReceipt) -> tuple[str, ...]:
    programme, applied, decision = "-", "-", session.say("not_yet")
    if held.is_verified:
        receipt = holder.decisions.receipt(held.entry_id)
        programme = shown(receipt.programme)
        applied = session.say(_applied(receipt, held.expected.holder))
        decision = session.say(receipt.outcome.value)
    elif held.withdrawal is not None:
        decision = session.say("withdrawn")
    return (
        held.entry_id[:8],
        day_of(held.expected.sent_at),
        shown(held.expected.issuer),
        programme,
        applied,
        decision,
        session.say("yes" if held.delivered else "no"),
    )


def _applied(receipt: DecisionReceipt, holder: str) -> str:
    if receipt.acted_for is None:
        return "by_oneself"
    if not receipt.acted_for.jointly:
        return "for_a_child"
    return "with_a_child" if holder == receipt.guardian else "with_a_guardian"


def _find(holder: Wallet, decision_id: str) -> HeldReceipt:
    found = [
        held
        for held in holder.decisions.all()
        if decision_id and held.entry_id.startswith(decision_id)
    ]
    if len(found) != 1:
        raise NoDecisionReceipt(f"{len(found)} decisions have an id that begins like this")
    return found[0]
