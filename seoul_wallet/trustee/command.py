"""The command `seoul-wallet trustee`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from seoul_wallet.language import default_language
from seoul_wallet.progress import progress_bar
from seoul_wallet.trustee.folder import KeyFolder, read_public
from seoul_wallet.trustee.office import TrusteeOffice
from seoul_wallet.trustee.standing import Place, Standing, Step
from seoul_wallet.trustee.texts import ERRORS_KO, TEXTS
from seoul_wallet.typed_errors import exit_code, fail
from wallet.adapters.clock import SystemClock
from wallet.adapters.compute.processes import ProcessPool
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport
from wallet.errors import RejectedError, SeoulWalletError, UnavailableError
from wallet.recount import Tell

PASSPHRASE_VARIABLE: Final = "SEOUL_WALLET_TRUSTEE_PASSPHRASE"  # noqa: S105
DEADLINE_S: Final = 60.0
_IN_CEREMONY: Final = (Step.MESSAGE_DUE, Step.ROUND_WAITS, Step.KEY_WAITS)


class TrusteeOutOfCeremony(RejectedError):
    """This trustee is out of the key ceremony, for the reason that its messages give."""

    code = "trustee_out_of_ceremony"


@dataclass(frozen=True, slots=True)
class Desk:
    """What every command is given."""

    language: str
    development: bool
    ca_file: str | None

    def say(self, key: str, **values: object) -> str:
        return TEXTS[self.language][key].format(**values)

    def passphrase(self, *, is_new: bool = False) -> str:
        given = os.environ.get(PASSPHRASE_VARIABLE)
        if given:
            return given
        prompt = self.say("repeat") if is_new else False
        text: str = click.prompt(
            self.say("new_passphrase" if is_new else "passphrase"),
            hide_input=True,
            confirmation_prompt=prompt,
            err=True,
        )
        return text

    def office(self, folder: Path, box_url: str | None = None) -> TrusteeOffice:
        """Open a key folder."""
        http = GuardedClient(
            allow_loopback_http=self.development, ca_file=self.ca_file, deadline_s=DEADLINE_S
        )
        opened = KeyFolder.open(folder, self.passphrase())
        return TrusteeOffice(opened, HttpHolderTransport(http), SystemClock(), box_url=box_url)

    def show(self, standing: Standing) -> None:
        """Say where a trustee stands and what comes next."""
        if standing.election:
            click.echo(f"{self.say('key')}:\n  {in_groups(standing.election)}")
        click.echo(self.say(standing.step.value, round=standing.round))
        if standing.reason:
            click.echo(f"{self.say('reason')}: {standing.reason}")


class _Told(click.Group):
    """Tells typed errors in the language of the command."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SeoulWalletError as error:
            desk = ctx.obj
            korean = ERRORS_KO.get(error.code)
            if not isinstance(desk, Desk) or desk.language != "ko" or korean is None:
                fail(error)
            click.echo(f"{error.code}: {korean}", err=True)
            raise SystemExit(exit_code(error)) from None


_folder = click.argument("folder", type=click.Path(path_type=Path))
_box = click.option("--box", "box_url", metavar="URL", help="The ballot box, if it moved.")


@click.group("trustee", cls=_Told)
@click.option(
    "--lang",
    "language",
    type=click.Choice(["ko", "en"]),
    default=default_language,
    show_default="from LANG",
)
@click.option("--ca-file", metavar="PEM", help="Further trust anchors for https.")
@click.option("--development", is_flag=True, help="Admit http on localhost, nothing else.")
@click.pass_context
def trustee(ctx: click.Context, language: str, ca_file: str | None, development: bool) -> None:
    """Hold a share of an election's key. 선거 열쇠의 조각을 맡습니다.

    One folder for each trustee and election. Its passphrase is asked for, or taken from
    SEOUL_WALLET_TRUSTEE_PASSPHRASE. Any command may be broken off and started again.

    \b
      seoul-wallet trustee new FOLDER
      seoul-wallet trustee join FOLDER https://box.example
      seoul-wallet trustee status FOLDER
      seoul-wallet trustee decrypt FOLDER
      seoul-wallet trustee nonce FOLDER

    \b
    Exit codes: 0 done, 2 the input is not what it should be, 3 checked and refused,
    4 right request but wrong moment, 5 could not be checked, try again.
    """
    ctx.obj = Desk(language, development, ca_file)


@trustee.command("new")
@_folder
@click.pass_obj
def new(desk: Desk, folder: Path) -> None:
    """Make a key FOLDER, and print the public keys for the organiser's manifest."""
    made = KeyFolder.create(folder, desk.passphrase(is_new=True))
    click.echo(desk.say("created"), err=True)
    click.echo(desk.say("send_keys"), err=True)
    click.echo(json.dumps(made.public))


@trustee.command("keys")
@_folder
def keys(folder: Path) -> None:
    """Print the public keys of FOLDER again; needs no passphrase."""
    click.echo(json.dumps(dict(read_public(folder))))


@trustee.command("join")
@_folder
@click.argument("box_url", metavar="BOX")
@click.option("--manifest-digest", metavar="HEX", help="As the organiser announced it.")
@click.option("--once", is_flag=True, help="Do what is due now; do not wait for the others.")
@click.option("--every", "every_s", type=click.FloatRange(0.1, 3600), default=5.0)
@click.pass_obj
def join(
    desk: Desk,
    folder: Path,
    box_url: str,
    manifest_digest: str | None,
    once: bool,
    every_s: float,
) -> None:
    """Take part in the key ceremony of the election at BOX, up to the election's key.

    Without --manifest-digest the digest is shown, for you to compare and agree.
    """
    office = desk.office(folder, box_url)
    found = office.look(box_url)
    _show_place(desk, found)
    digest = _digest(manifest_digest)
    if digest is None and not click.confirm(desk.say("same")):
        click.echo(desk.say("not_same"), err=True)
        raise SystemExit(4)
    office.join(found, manifest_digest=digest)
    click.echo(desk.say("joined"))
    shown = None
    while True:
        standing = _advance(office)
        if standing != shown and standing is not None:
            desk.show(standing)
            shown = standing
        if standing is not None and standing.step is Step.OUT:
            raise TrusteeOutOfCeremony("this trustee is out of the key ceremony")
        if once or (standing is not None and standing.step not in _IN_CEREMONY):
            return
        time.sleep(every_s)


@trustee.command("status")
@_folder
@_box
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def status(desk: Desk, folder: Path, box_url: str | None, as_json: bool) -> None:
    """Say where FOLDER stands and what comes next."""
    standing = desk.office(folder, box_url).standing()
    if as_json:
        click.echo(
            json.dumps(
                {
                    "step": standing.step.value,
                    "round": standing.round,
                    "reason": standing.reason,
                    "election": standing.election,
                }
            )
        )
    else:
        desk.show(standing)


@trustee.command("decrypt")
@_folder
@_box
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; all processors if unset.")
@click.pass_obj
def decrypt(desk: Desk, folder: Path, box_url: str | None, workers: int | None) -> None:
    """Check the closed board, and send this trustee's share of its one aggregate.

    The board is copied into FOLDER and checked whole, every proof of it. Broken off, it goes on
    where it was. Another board than the first is refused for ever.
    """
    office = desk.office(folder, box_url)
    with ProcessPool(workers) as pool, _progress(desk.say("checking")) as tell:
        office.decrypt(pool, tell)
    click.echo(desk.say("decrypted"))


@trustee.command("nonce")
@_folder
@_box
@click.pass_obj
def nonce(desk: Desk, folder: Path, box_url: str | None) -> None:
    """Reveal this trustee's nonce for the tie-break, once its block is there."""
    desk.office(folder, box_url).reveal_nonce()
    click.echo(desk.say("nonce_sent"))


def in_groups(digest: str) -> str:
    """A digest as it is read aloud: groups of eight."""
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def _advance(office: TrusteeOffice) -> Standing | None:
    """One step; None if the ballot box does not answer just now."""
    try:
        return office.advance()
    except UnavailableError:
        return None


def _show_place(desk: Desk, found: Place) -> None:
    manifest = found.manifest
    name = manifest.trustees[found.trustee - 1].name
    title = manifest.title
    click.echo(f"{desk.say('election')}: {title.ko if desk.language == 'ko' else title.en}")
    spoken = name.ko if desk.language == "ko" else name.en
    click.echo(f"{desk.say('trustee')}: {found.trustee} {spoken}")
    click.echo(f"{desk.say('digest')}:\n  {in_groups(manifest.digest.hex())}")


def _digest(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.UsageError("the digest is in hexadecimal") from None


@contextmanager
def _progress(name: str) -> Iterator[Tell]:
    with progress_bar() as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
