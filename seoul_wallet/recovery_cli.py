"""`seoul-wallet wallet phrase|new-phrase|shares|export|restore`: the phrase, and moving on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from seoul_wallet.files import make_folder
from seoul_wallet.wallet_views import Session
from wallet.app import restore_wallet
from wallet.crypto.recovery_phrase import (
    PhraseChecksumWrong,
    PhraseLanguage,
    PhraseWordUnknown,
    RecoveryPhrase,
    parse_recovery_phrase,
)
from wallet.crypto.recovery_shares import (
    RecoveryShare,
    RecoveryShareChecksumWrong,
    RecoverySharesTooFew,
    RecoveryShareWordUnknown,
    ShareGroup,
    parse_share,
    recover_phrase,
    split_secret,
)
from wallet.holder.consent import ConsentRefused
from wallet.holder.phrase_replacement import Told
from wallet.holder.recovery import ExportUnavailable, RecoveryPhraseMissing

_COLUMNS: Final = 4
_GROUP: Final = re.compile(r"(\d{1,2})/(\d{1,2})")
_WORDS_LANGUAGE: Final = click.Choice([language.value for language in PhraseLanguage])


class _Group(click.ParamType[ShareGroup]):
    name = "M/N"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> ShareGroup:
        if isinstance(value, ShareGroup):
            return value
        found = _GROUP.fullmatch(str(value))
        if found is None:
            self.fail("expected how many of how many, such as 2/3", param, ctx)
        return ShareGroup(int(found[1]), int(found[2]))


@click.command()
@click.option("--words", type=_WORDS_LANGUAGE, help="Word list of a new phrase.  [--lang]")
@click.pass_obj
def phrase(session: Session, words: str | None) -> None:
    """Show the 24 words that open the exports of this wallet; make them the first time.

    Write them on paper. Whoever has them and an export has the wallet.
    """
    with session.open() as holder:
        try:
            found = holder.recovery_phrase()
        except RecoveryPhraseMissing:
            language = PhraseLanguage(words or session.language)
            found = holder.create_recovery_phrase(language)
        click.echo(session.say("phrase_keep"))
        _show_words(found.words)


@click.command("new-phrase")
@click.option("--words", type=_WORDS_LANGUAGE, help="Word list of the new phrase.  [--lang]")
@click.option("--typed", is_flag=True, help="Type a phrase that another device was given.")
@click.option("--finish", is_flag=True, help="Tell issuers that could not be told before.")
@click.option("--give-up", metavar="ISSUER", help="Forget the old key of an issuer that is gone.")
@click.option("--yes", is_flag=True, help="Do not ask whether the words are written down.")
@click.pass_obj
def new_phrase(
    session: Session,
    words: str | None,
    typed: bool,
    finish: bool,
    give_up: str | None,
    yes: bool,
) -> None:
    """Put another recovery phrase in the place of the old one.

    Exports are under the new one from then on, and issuers listen to it alone. Keep the old
    words until every issuer was told. Your other devices go on with --typed.
    """
    with session.open() as holder:
        replacing = holder.replacing
        if give_up is not None:
            replacing.give_up(give_up)
        elif finish:
            _tell(session, replacing.finish())
        elif typed:
            _tell(session, replacing.replace(_typed_phrase(session)))
        else:
            holder.recovery_phrase()
            made = replacing.new_phrase(PhraseLanguage(words or session.language))
            click.echo(session.say("phrase_keep"))
            _show_words(made.words)
            if not yes and not click.confirm(session.say("phrase_written"), err=True):
                raise ConsentRefused("the phrase stays as it was")
            _tell(session, replacing.replace(made))


def _tell(session: Session, told: Sequence[Told]) -> None:
    click.echo(session.say("phrase_replaced"))
    for item in told:
        done = session.say("issuer_told") if item.error is None else item.error.code
        click.echo(f"{item.credential_issuer}: {done}")
    failed = next((item.error for item in told if item.error is not None), None)
    if failed is not None:
        click.echo(session.say("phrase_unfinished"), err=True)
        raise failed


@click.command()
@click.option(
    "--group",
    "groups",
    type=_Group(),
    multiple=True,
    default=["2/3"],
    metavar="M/N",
    help="M of N people of a group are needed; may be repeated.",
)
@click.option("--groups-needed", type=int, default=1, help="How many groups are needed.")
@click.pass_obj
def shares(session: Session, groups: tuple[ShareGroup, ...], groups_needed: int) -> None:
    """Split the recovery phrase into shares for your family (SLIP-39).

    Each person keeps one. The words are English ones: SLIP-39 has no other list. Every run
    makes a new set; shares of two sets do not go together.
    """
    with session.open() as holder:
        secret = holder.recovery_phrase().entropy
    click.echo(session.say("shares_keep"))
    for group in split_secret(secret, groups, group_threshold=groups_needed):
        for share in group:
            click.echo(
                f"\n{session.say('share')} {share.group}-{share.member}"
                f" ({session.say('needed')}: {share.member_threshold})"
            )
            _show_words(share.words)


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def export(session: Session, path: Path) -> None:
    """Write the whole wallet to a new file that only the recovery phrase opens."""
    with session.open() as holder:
        count = holder.export(path)
    click.echo(f"{session.say('exported')}: {path} ({count})")


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--shares", "by_shares", is_flag=True, help="Type shares instead of the phrase.")
@click.pass_obj
def restore(session: Session, path: Path, by_shares: bool) -> None:
    """Make a new wallet, at --file, from an export. An existing one is never replaced.

    The phrase or the shares are asked for, then a passphrase for the new wallet.
    """
    if not path.is_file():
        raise ExportUnavailable("there is no file at this path")
    found = _phrase_of_shares(session) if by_shares else _typed_phrase(session)
    passphrase = session.passphrase(confirm=True)
    make_folder(session.file)
    count = restore_wallet(path, found, session.file, passphrase)
    click.echo(f"{session.say('restored')}: {session.file} ({count})")
    click.echo(session.say("restored_renew"))


def _typed_phrase(session: Session) -> RecoveryPhrase:
    text = click.prompt(session.say("type_phrase"), err=True)
    try:
        return parse_recovery_phrase(text)
    except (PhraseWordUnknown, PhraseChecksumWrong) as error:
        _hint(session, error)
        raise


def _phrase_of_shares(session: Session) -> RecoveryPhrase:
    given: list[RecoveryShare] = []
    while True:
        text = click.prompt(f"{session.say('type_share')} {len(given) + 1}", err=True)
        try:
            given.append(parse_share(text))
        except (RecoveryShareWordUnknown, RecoveryShareChecksumWrong) as error:
            _hint(session, error)
            raise
        try:
            return recover_phrase(given, PhraseLanguage(session.language))
        except RecoverySharesTooFew:
            click.echo(session.say("more_shares"), err=True)


def _hint(
    session: Session,
    error: PhraseWordUnknown
    | PhraseChecksumWrong
    | RecoveryShareWordUnknown
    | RecoveryShareChecksumWrong,
) -> None:
    """Tell the person at the terminal, and nobody else, what may have been meant."""
    if isinstance(error, (PhraseWordUnknown, RecoveryShareWordUnknown)):
        for word in error.unknown:
            nearest = ", ".join(word.nearest) or "-"
            click.echo(f"{session.say('nearest')} {word.position}: {nearest}", err=True)
        return
    for first, second in error.perhaps_swapped:
        click.echo(f"{session.say('swapped')}: {first}, {second}", err=True)


def _show_words(words: tuple[str, ...]) -> None:
    for start in range(0, len(words), _COLUMNS):
        line = words[start : start + _COLUMNS]
        click.echo("  ".join(f"{start + at:2}. {word}" for at, word in enumerate(line, start=1)))
