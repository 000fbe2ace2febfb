"""What the wallet's command line shows: cards, consent and log as tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seoul_wallet.files import make_folder
from seoul_wallet.wallet_texts import TEXTS
from wallet.adapters.clock import SystemClock
from wallet.adapters.sql.engine import open_engine, sqlite_url
from wallet.adapters.sql.replica_records import SqlVerifierRegistry
from wallet.app import open_wallet
from wallet.credentials.account import ACCOUNT_TYPE
from wallet.crypto.certificates import CertificateMalformed, TrustAnchors
from wallet.holder.cards import Card, CardUnknown
from wallet.holder.consent import ConsentRequest
from wallet.holder.counted import Counted
from wallet.holder.decision_records import FollowUp
from wallet.holder.history import HistoryEntry
from wallet.holder.linking import LinkWarning
from wallet.holder.nullifiers import did_of_host
from wallet.holder.texts import may_deceive, shown
from wallet.holder.wallet import Wallet

PASSPHRASE_VARIABLE: Final = "SEOUL_WALLET_PASSPHRASE"  # noqa: S105
# Korea keeps one time all year.
_SEOUL: Final = timezone(timedelta(hours=9), "KST")


@dataclass(frozen=True, slots=True)
class Session:
    """What the options of the group say."""

    file: Path
    language: str
    development: bool
    ca_file: str | None
    verifier_ca: str | None
    trusted_issuers: frozenset[str] | None
    registry: str | None = None
    require_registration: bool = False
    cities: tuple[str, ...] = ()

    def now(self) -> int:
        return SystemClock().now()

    def say(self, key: str) -> str:
        return TEXTS[self.language][key]

    def say_or(self, key: str, otherwise: str) -> str:
        """Say something, or what is given if there are no words for it."""
        return TEXTS[self.language].get(key, otherwise)

    def passphrase(self, key: str = "passphrase", *, confirm: bool = False) -> str:
        given = os.environ.get(PASSPHRASE_VARIABLE)
        if given and key == "passphrase":
            return given
        prompt = self.say("repeat") if confirm else False
        # Without a terminal nothing is echoed, and there is nobody to hide it from.
        hidden = sys.stdin.isatty()
        text: str = click.prompt(
            self.say(key), hide_input=hidden, confirmation_prompt=prompt, err=True
        )
        return text

    def open(self, *, create: bool = False) -> Wallet:
        if create:
            make_folder(self.file)
        return open_wallet(
            self.file,
            self.passphrase(confirm=create),
            create=create,
            development=self.development,
            trusted_issuers=self.trusted_issuers,
            ca_file=self.ca_file,
            verifier_anchors=_anchors(self.verifier_ca),
            registry=self._open_registry(),
            require_registration=self.require_registration,
            catalogue_publishers=frozenset(map(did_of_host, self.cities)),
        )

    def _open_registry(self) -> SqlVerifierRegistry | None:
        if self.registry is None:
            return None
        url = self.registry
        if "://" not in url:
            # Whoever follows the chain makes and writes it; here it is only read.
            if not Path(url).is_file():
                raise click.UsageError("--registry names no database")
            url = sqlite_url(Path(url))
        engine = open_engine(url)
        click.get_current_context().call_on_close(engine.dispose)
        return SqlVerifierRegistry(engine)

    def table(self, title: str, *columns: str, rows: Sequence[Sequence[str]]) -> None:
        table = Table(title=self.say(title) if title else None, title_justify="left")
        for column in columns:
            table.add_column(self.say(column), overflow="fold")
        for row in rows:
            # Text, so that nothing in a stranger's words is taken for markup.
            table.add_row(*(Text(cell) for cell in row))
        Console(highlight=False, emoji=False).print(table)


def find_card(holder: Wallet, card_id: str) -> Card:
    """Return the one card whose id begins with `card_id`. Raises `CardUnknown`."""
    found = [card for card in holder.credentials() if card_id and card.id.startswith(card_id)]
    if len(found) != 1:
        raise CardUnknown(f"{len(found)} cards have an id that begins like this")
    return found[0]


def find_account(holder: Wallet) -> Card:
    """Return the account to log in with, the newest if there are several. Raises `CardUnknown`."""
    found = [card for card in holder.credentials() if card.vct == ACCOUNT_TYPE]
    if not found:
        raise CardUnknown("there is no Seoul Pass account in this wallet")
    return found[-1]


def _anchors(path: str | None) -> TrustAnchors:
    if path is None:
        return TrustAnchors()
    try:
        return TrustAnchors.from_pem(Path(path).read_bytes())
    except OSError:
        raise CertificateMalformed("the file of trust anchors cannot be read") from None


def show_cards(session: Session, title: str, cards: Sequence[Card]) -> None:
    """Show cards, one row each."""
    rows = [
        (
            card.id,
            card.name(session.language) + _whose(session, card),
            card.issuer_name(session.language),
            _expiry(session, card),
            session.say(card.receipt_state.value),
        )
        for card in cards
    ]
    session.table(title, "id", "card", "issuer", "expires", "receipt", rows=rows)


def _whose(session: Session, card: Card) -> str:
    if card.is_for_ward:
        return f" ({session.say('for_child')})"
    return f" ({session.say('for_other')})" if card.is_for_another else ""


def _expiry(session: Session, card: Card) -> str:
    if card.expires_at is None:
        return session.say("never")
    ends = card.expires_at
    if card.delegated is not None:
        ends = min(ends, card.delegated.expires_at)
    date = day_of(ends)
    return f"{date} ({session.say('expired')})" if session.now() >= ends else date


def day_of(at: int) -> str:
    """Return the day in Seoul."""
    return show_time(at).partition(" ")[0]


def show_time(at: int) -> str:
    """Return a time as people in Seoul write it."""
    return datetime.fromtimestamp(at, _SEOUL).strftime("%Y-%m-%d %H:%M")


def show_consent(session: Session, consent: ConsentRequest) -> None:
    """Show who asks, what would leave the wallet, and what is missing."""
    heads = [("asks", shown(consent.verifier)), ("says_it_is", consent.verifier_name)]
    heads += [("answers_to", consent.answers_to), ("purpose", consent.purpose or "-")]
    for key, value in heads:
        click.echo(f"{session.say(key)}: {value}")
    warn_of(session, consent.verifier_name)
    if consent.certificate is not None:
        click.echo(f"{session.say('certificate')}: {consent.certificate}")
    if not consent.authenticated:
        click.echo(session.say("unsigned"))
    else:
        click.echo(session.say(f"registration_{consent.registration.standing.value}"))
    days = consent.retention_days
    kept = session.say("not_said") if days is None else f"{days} {session.say('days_unit')}"
    click.echo(f"{session.say('kept_for')}: {kept}")
    if consent.counted is not None:
        show_counted(session, consent.counted)
    elif consent.is_recognised:
        click.echo(session.say("recognised"))
    for transaction in consent.transactions:
        click.echo(f"{session.say('agrees_to')}: {transaction}")
    rows = []
    for answer in consent.answers:
        for choice in answer.sent:
            whose = _whose(session, choice.card)
            name = f"{choice.card.name(session.language)}{whose} ({choice.card.id})"
            lines = choice.lines(session.language)
            rows += [(name, line.label, line.value) for line in lines]
            if not lines:
                rows.append((name, session.say("only_possession"), ""))
    session.table("discloses", "card", "claim", "value", rows=rows)
    for answer in consent.optional:
        card = answer.choice.card
        name = card.name(session.language)
        click.echo(f"{session.say('optional')}: {answer.query_id} ({name})")
    for missing in consent.missing:
        note = f" ({session.say('outdated')})" if missing.outdated else ""
        types = shown(", ".join(missing.vct_values))
        click.echo(f"{session.say('missing')}: {types}{note}")


def show_counted(session: Session, counted: Counted) -> None:
    """Say that answering counts the holder, how often one may, and who can join what."""
    click.echo(f"{session.say('counts')}:")
    for line in counted.lines(session.language):
        click.echo(f"  - {line}")


def show_links(session: Session, warnings: Sequence[LinkWarning]) -> None:
    """Say by what verifiers could find out that they saw the same person."""
    for warning in warnings:
        text = session.say(f"link_{warning.link.value}")
        claims = f" ({shown(', '.join(warning.claims))})" if warning.claims else ""
        who = f"{warning.verifier_name}, {shown(warning.verifier)}, {show_time(warning.at)}"
        click.echo(f"{text}{claims}: {who}")


def warn_of(session: Session, name: str) -> None:
    """Say so if a name that a stranger chose may look like another one."""
    if may_deceive(name):
        click.echo(session.say("may_deceive"))


def show_log(session: Session, entries: Sequence[HistoryEntry]) -> None:
    """Show what was presented, one row a presentation, with what came after it."""
    rows = [
        (
            item.entry.id[:8],
            show_time(item.entry.at),
            f"{item.entry.verifier_name}\n{shown(item.entry.verifier)}",
            item.entry.purpose or "-",
            ", ".join(
                shown("/".join(map(str, path))) for card in item.entry.cards for path in card.paths
            )
            or session.say("only_possession"),
            session.say(item.entry.outcome.value),
            _followed(session, item.follow_up),
        )
        for item in entries
    ]
    columns = ("id", "when", "asks", "purpose", "claims", "outcome", "followed")
    session.table("log", *columns, rows=rows)


def _followed(session: Session, after: FollowUp) -> str:
    there = {
        "decision_receipt": after.receipt,
        "withdrawal": after.withdrawal,
        "deletion": after.deletion,
    }
    names = [session.say(name) for name, text in there.items() if text is not None]
    return ", ".join(names) or "-"
