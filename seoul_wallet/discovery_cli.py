"""`seoul-wallet wallet programmes` and `apply`: what one may have, and applying for it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from seoul_wallet.wallet_views import Session, show_counted
from wallet.eligibility.evidence_types import Text
from wallet.encoding.json import JsonObject
from wallet.holder.consent import ConsentRefused
from wallet.holder.discovery import Applied, CannotApply
from wallet.holder.findings import Finding
from wallet.holder.nullifiers import did_of_host
from wallet.holder.texts import shown
from wallet.holder.wallet import Wallet


@click.command()
@click.pass_obj
def programmes(session: Session) -> None:
    """List what the cities' programmes say about your cards.

    Fetches the public catalogues of --city, which are the same for everybody, and judges them
    here: nothing about you is sent.
    """
    with session.open() as holder:
        found = _findings(session, holder)
    if not found:
        click.echo(session.say("no_programmes"))
        return
    rows = [
        (
            item.programme.id,
            _text(session, item.programme.title) + _whose(session, item),
            session.say(item.outcome.value),
            session.say("no" if item.counted is None else "yes"),
            "\n".join(
                # Several clauses often have one reason.
                dict.fromkeys(
                    [_text(session, reason.text) for reason in item.evaluation.reasons]
                    + [
                        f"{session.say('needs')}: {_text(session, missing.document)}"
                        for missing in item.evaluation.missing
                    ]
                )
            ),
        )
        for item in found
    ]
    columns = ("id", "programme", "probably", "once_only", "reason")
    session.table("programmes", *columns, rows=rows)


@click.command()
@click.argument("programme_ids", nargs=-1, required=True, metavar="PROGRAMME...")
@click.option("--child", metavar="NAME", help="Apply as the guardian of this child.")
@click.option("--yes", is_flag=True, help="Agree beforehand; what is sent is still shown.")
@click.pass_obj
def apply(session: Session, programme_ids: tuple[str, ...], child: str | None, yes: bool) -> None:
    """Apply for programmes, by their ids, with one consent.

    First shows, for each, who would see what, and whether it counts you.
    """
    with session.open() as holder:
        found = [item for item in _findings(session, holder) if item.child == child]
        known = {item.programme.id: item for item in found}
        unknown = [name for name in programme_ids if name not in known]
        if unknown:
            whom = "" if child is None else " that this wallet can apply for, for that child,"
            raise CannotApply(f"no programme in force{whom} is called {shown(unknown[0])}")
        plan = holder.discovery.plan([known[name] for name in dict.fromkeys(programme_ids)])
        for finding in plan.findings:
            _show(session, finding)
        if not yes and not click.confirm(session.say("apply_ask"), err=True):
            raise ConsentRefused("you did not agree; nothing was sent")
        for applied in holder.discovery.apply(plan):
            _tell(session, applied)


def _findings(session: Session, holder: Wallet) -> Sequence[Finding]:
    if not session.cities:
        raise click.UsageError("say whose programmes: seoul-wallet wallet --city URL …")
    for url in session.cities:
        holder.discovery.refresh(url)
    return holder.discovery.findings()


def _show(session: Session, finding: Finding) -> None:
    title = _text(session, finding.programme.title) + _whose(session, finding)
    click.echo(f"{session.say('programme')}: {title}")
    for key, value in (
        ("asks", did_of_host(finding.apply_to)),
        ("answers_to", finding.apply_to),
        ("probably", session.say(finding.outcome.value)),
    ):
        click.echo(f"{session.say(key)}: {shown(value)}")
    if finding.counted is not None:
        show_counted(session, finding.counted)
    rows = []
    for choice in finding.choices.values():
        name = choice.card.name(session.language)
        lines = choice.lines(session.language)
        rows += [(name, line.label, line.value) for line in lines]
        if not lines:
            rows.append((name, session.say("only_possession"), ""))
    session.table("discloses", "card", "claim", "value", rows=rows)


def _whose(session: Session, finding: Finding) -> str:
    return "" if finding.child is None else f" ({session.say('for_child')}: {finding.child})"


def _tell(session: Session, applied: Applied) -> None:
    title = _text(session, applied.finding.programme.title) + _whose(session, applied.finding)
    if applied.decision is None:
        sent = session.say("not_sent" if applied.presented is None else "sent")
        click.echo(f"{title}: {sent} ({applied.code})")
        return
    # The agency's words, as any stranger's.
    outcome = shown(str(applied.decision.get("outcome")))
    click.echo(f"{title}: {session.say_or(outcome, outcome)}")
    for text in dict.fromkeys(
        shown(str(reason.get(session.language))) for reason in _reasons(applied.decision)
    ):
        click.echo(f"  - {text}")


def _reasons(decision: JsonObject) -> list[JsonObject]:
    reasons = decision.get("reasons")
    found = [item.get("text") for item in reasons or () if isinstance(item, dict)]
    return [text for text in found if isinstance(text, dict)]


def _text(session: Session, text: Text) -> str:
    return shown(text.in_language(session.language))
