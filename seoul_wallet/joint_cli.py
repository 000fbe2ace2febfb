"""`seoul-wallet wallet present-together|take-part`: a child of 14 to 18 and its guardian."""

from __future__ import annotations

from pathlib import Path

import click

from seoul_wallet.files import read_file, write_new_file
from seoul_wallet.wallet_asking import agreed_to
from seoul_wallet.wallet_views import Session
from wallet.holder.joint import JointMessageMalformed

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("present-together")
@click.argument("request")
@click.option(
    "--question", type=_FILE, required=True, help="Write here what your guardian is asked."
)
@click.option("--yes", is_flag=True, help="Agree without being asked: what is sent is yours.")
@click.option("--card", "cards", multiple=True, metavar="ID", help="Answer with this card.")
@click.pass_obj
def present_together(
    session: Session, request: str, question: Path, yes: bool, cards: tuple[str, ...]
) -> None:
    """Answer a verifier's openid4vp:// link together with your guardian.

    Writes the question for `take-part` on the guardian's device, waits for the file that it
    writes, and sends both parts as one answer. A request is good for some minutes.
    """
    with session.open() as holder:
        consent = holder.review(request, language=session.language)
        agreed = agreed_to(session, holder, consent, yes=yes, cards=cards)
        asked = holder.joint.ask(agreed)
        write_new_file(question, asked.text.encode("ascii"))
        click.echo(f"{session.say('joint_question')}: {question}", err=True)
        part: Path = click.prompt(session.say("joint_part"), type=_FILE, err=True)
        presented = holder.present(asked.answered(_message(part)))
        click.echo(session.say("sent"))
        if presented.redirect_uri is not None:
            click.echo(f"{session.say('continue_at')}: {presented.redirect_uri}")


@click.command("take-part")
@click.argument("question", type=_FILE)
@click.option("--part", type=_FILE, required=True, help="Write here what your child sends on.")
@click.option("--yes", is_flag=True, help="Agree without being asked: what is sent is yours.")
@click.option("--card", "cards", multiple=True, metavar="ID", help="Answer with this card.")
@click.pass_obj
def take_part(
    session: Session, question: Path, part: Path, yes: bool, cards: tuple[str, ...]
) -> None:
    """Add your right as a guardian to what your child of 14 to 18 answers.

    QUESTION is the file that `present-together` wrote. Shows who asks your child and what of
    yours would be shown, then asks. Only your child's wallet can read the part.
    """
    with session.open() as holder:
        joint = holder.joint.review(_message(question), language=session.language)
        agreed = agreed_to(session, holder, joint.consent, yes=yes, cards=cards)
        write_new_file(part, holder.joint.contribute(joint.agreed(agreed)).encode("ascii"))
        click.echo(f"{session.say('joint_taken')}: {part}")


def _message(path: Path) -> str:
    data = read_file(path)
    if not data.isascii():
        raise JointMessageMalformed("the file is no message of a wallet")
    return data.decode("ascii")
