"""`seoul-wallet wallet vote|challenge|track`: a resident's vote from the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from seoul_wallet.wallet_views import Session, show_time
from wallet.encoding.json import to_json
from wallet.errors import MalformedError, UnavailableError
from wallet.holder.ballot_box import BallotNotAccepted
from wallet.holder.ballot_words import ballot_lines, broken_rules, rule_sentences, said
from wallet.holder.texts import shown
from wallet.holder.tracking import BoardBallot, NothingCast, Standing, Tracking
from wallet.holder.votes import CastBallot
from wallet.holder.voting import OpenElection, PreparedVote
from wallet.holder.wallet import Wallet
from wallet.voting.acceptance import BallotSequenceNotNext
from wallet.voting.layout import ChoicesInvalid
from wallet.voting.manifest import Manifest

CAST: Final = "cast"
CHALLENGE: Final = "challenge"
STOP: Final = "stop"
MAX_CHOICE_CHARACTERS: Final = 8
_DIGEST_CHARACTERS: Final = 64


class ChoiceMalformed(MalformedError):
    """A choice is an id of the ballot, or an id, an equals sign and a number."""

    code = "choice_malformed"


class FileUnavailable(UnavailableError):
    """The file for the opened ballot or the evidence cannot be written."""

    code = "file_unavailable"


_BOX: Final = click.argument("box")
_CHOOSE: Final = click.option(
    "--choose",
    "chosen",
    multiple=True,
    metavar="ID[=VALUE]",
    help="A project, with points or a place if the ballot has them; may be repeated.",
)
_BLANK: Final = click.option("--blank", is_flag=True, help="Choose nothing on purpose.")
_DIGEST: Final = click.option(
    "--fingerprint",
    metavar="HEX",
    help="The manifest's digest as the organiser published it elsewhere.",
)


@click.command()
@_BOX
@_CHOOSE
@_BLANK
@_DIGEST
@click.option("--yes", is_flag=True, help="Cast without asking: what is sent is yours.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("challenge.json"),
    help="Where a challenged ballot is opened to.",
)
@click.pass_obj
def vote(
    session: Session,
    box: str,
    chosen: tuple[str, ...],
    blank: bool,
    fingerprint: str | None,
    yes: bool,
    out: Path,
) -> None:
    """Vote at the ballot box with the URL BOX.

    The election is checked before it is shown. You see your choice, what would be sent, and the
    tracking code, and then cast the ballot, challenge it to see that this device is honest, or
    stop. Voting again replaces your ballot before.
    """
    with session.open() as holder:
        election, prepared = _prepared(session, holder, box, chosen, blank, fingerprint)
        decision = CAST if yes else _asked(session)
        if decision == CHALLENGE:
            _open(session, holder, prepared, out)
        elif decision == CAST:
            try:
                _show_cast(session, election, holder.vote(prepared))
            except BallotNotAccepted as refused:
                if refused.reason == BallotSequenceNotNext.code:
                    click.echo(session.say("sequence_steps"), err=True)
                raise
        else:
            click.echo(session.say("nothing_sent"))


@click.command()
@_BOX
@_CHOOSE
@_BLANK
@_DIGEST
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to open the ballot to. It tells the choice.",
)
@click.pass_obj
def challenge(
    session: Session,
    box: str,
    chosen: tuple[str, ...],
    blank: bool,
    fingerprint: str | None,
    out: Path,
) -> None:
    """Make a ballot, and open it instead of casting it, to see that this device is honest.

    Another device makes the same ballot from the file and compares the tracking code. Nothing is
    sent, and the ballot can never be cast.
    """
    with session.open() as holder:
        _, prepared = _prepared(session, holder, box, chosen, blank, fingerprint)
        _open(session, holder, prepared, out)


@click.command()
@_BOX
@click.option("--search", is_flag=True, help="Read the whole board for ballots by your secret.")
@click.option(
    "--evidence",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write acceptance and receipt to this new file.",
)
@click.pass_obj
def track(session: Session, box: str, search: bool, evidence: Path | None) -> None:
    """Look your ballot up on the board of BOX, and keep its receipt.

    Sends first what an interrupted vote left. Tells what to do if the ballot is missing.
    """
    with session.open() as holder:
        try:
            found = holder.track(box, search=search)
        except NothingCast:
            if not search:
                raise
            # Cast by another device with the same secret, or before this wallet was restored.
            _show_strangers(session, holder.voting.find_own(box))
            return
    _show_tracking(session, found)
    if evidence is not None:
        _write(evidence, to_json(found.evidence()))
        click.echo(f"{session.say('evidence_written')}: {evidence}")


def parse_choices(words: tuple[str, ...]) -> dict[str, int]:
    """Return project ids and values of `id` and `id=value`. Raises `ChoiceMalformed`."""
    choices: dict[str, int] = {}
    for word in words:
        name, _, value = word.partition("=")
        text = value or "1"
        if not name or name in choices or not (text.isascii() and text.isdecimal()):
            raise ChoiceMalformed("a choice is an id once, or id=value with a whole number")
        if len(text) > MAX_CHOICE_CHARACTERS:
            raise ChoiceMalformed("the value of a choice is too long")
        choices[name] = int(text)
    return choices


def _prepared(
    session: Session,
    holder: Wallet,
    box: str,
    chosen: tuple[str, ...],
    blank: bool,
    fingerprint: str | None,
) -> tuple[OpenElection, PreparedVote]:
    digest = None if fingerprint is None else _parse_digest(fingerprint)
    election = holder.voting.look(box, manifest_digest=digest)
    manifest = election.election.manifest
    _show_election(session, election, is_published=digest is not None)
    if not chosen and not blank:
        chosen = tuple(click.prompt(session.say("choose"), err=True, default="").split())
    choices = parse_choices(chosen)
    broken = broken_rules(manifest, choices, session.language)
    if broken:
        for sentence in broken:
            click.echo(f"{session.say('broken')}: {shown(sentence)}", err=True)
        raise ChoicesInvalid("the choices break a rule of the ballot")
    prepared = holder.voting.prepare(election, choices)
    _show_choice(session, manifest, choices)
    click.echo(session.say("what_is_sent"))
    click.echo(f"{session.say('code')}: {prepared.tracking_code}")
    return election, prepared


def _parse_digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(text) != _DIGEST_CHARACTERS or len(digest) != _DIGEST_CHARACTERS // 2:
        raise ChoiceMalformed("a fingerprint has 64 hexadecimal digits")
    return digest


def _asked(session: Session) -> str:
    options = click.Choice([CAST, CHALLENGE, STOP])
    answer: str = click.prompt(session.say("decide"), type=options, default=STOP, err=True)
    return answer


def _open(session: Session, holder: Wallet, prepared: PreparedVote, out: Path) -> None:
    # A new file first: an opening that cannot be written would waste the ballot.
    _write(out, b"")
    opened = holder.challenge(prepared)
    out.write_bytes(opened.octets)
    box = prepared.vote.base_url
    click.echo(f"{session.say('opened')}: {out}")
    click.echo(f"{session.say('check_with')}:")
    click.echo(f"  curl -o board/manifest.json {box}/manifest.json")
    click.echo(f"  curl -o board/log.bin '{box}/log?count=100'")
    click.echo(f"  mvote-verify board --challenge {out} --ballot {opened.tracking_code}")


def _write(path: Path, octets: bytes) -> None:
    """Write a new file that only its owner may read."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
    except OSError as error:
        raise FileUnavailable(f"the file cannot be written: {error.strerror}") from None


def _show_election(session: Session, vote: OpenElection, *, is_published: bool) -> None:
    manifest, language = vote.election.manifest, session.language
    click.echo(shown(said(manifest.title, language)))
    click.echo(f"{session.say('vote_until')}: {show_time(manifest.closes)}")
    click.echo(f"{session.say('vote_group')}: {shown(vote.header.stratum)}")
    if vote.header.district:
        click.echo(f"{session.say('vote_place')}: {shown(vote.header.district)}")
    if vote.is_on_chain:
        click.echo(session.say("on_chain"))
    elif is_published:
        click.echo(session.say("published"))
    else:
        click.echo(f"{session.say('not_on_chain')}: {manifest.digest.hex()}")
    rows = [
        (line.project_id, shown(line.title), shown(line.category), shown(line.district), line.cost)
        for line in ballot_lines(manifest, language)
    ]
    session.table("ballot", "id", "project", "category", "district", "cost", rows=rows)
    click.echo(f"{session.say('rules')}:")
    for sentence in rule_sentences(manifest, language):
        click.echo(f"  - {shown(sentence)}")


def _show_choice(session: Session, manifest: Manifest, choices: Mapping[str, int]) -> None:
    rows = [
        (line.project_id, shown(line.title), str(choices[line.project_id]))
        for line in ballot_lines(manifest, session.language)
        if choices.get(line.project_id)
    ]
    session.table("your_choice", "id", "project", "choice", rows=rows)


def _show_cast(session: Session, vote: OpenElection, cast: CastBallot) -> None:
    click.echo(f"{session.say('cast_done')}: {cast.tracking_code}")
    if cast.sequence > 1:
        click.echo(f"{session.say('replaces')}: {cast.sequence}")
    click.echo(f"{session.say('shown_by')}: {show_time(cast.by)}")
    click.echo(f"{session.say('track_hint')}: seoul-wallet wallet track {vote.base_url}")


def _show_tracking(session: Session, found: Tracking) -> None:
    click.echo(f"{session.say('code')}: {found.ballot.tracking_code}")
    click.echo(session.say(f"standing_{found.standing.value}"))
    if found.index is not None:
        click.echo(f"{session.say('entry')}: {found.index}")
    if found.standing is Standing.AWAITED:
        click.echo(f"{session.say('shown_by')}: {show_time(found.ballot.by)}")
    if found.standing is Standing.ON_BOARD:
        counts = {None: "counts_unknown", True: "counts_yes", False: "counts_no"}[found.counts]
        click.echo(session.say(counts))
    _show_strangers(session, found.strangers)
    if found.refused is not None:
        click.echo(f"{session.say('refused_later')}: {shown(found.refused.reason)}")
    if found.standing is Standing.MISSING:
        click.echo(session.say("missing_steps"))


def _show_strangers(session: Session, strangers: Sequence[BoardBallot]) -> None:
    if strangers:
        click.echo(f"{session.say('strangers')}:")
    for stranger in strangers:
        click.echo(f"  {stranger.tracking_code} ({session.say('entry')} {stranger.index})")
