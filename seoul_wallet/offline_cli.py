"""`seoul-wallet verifier offline-…` and `wallet show-offline`: cards from screen to camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from seoul_wallet.agency import asked_query, keep_session, kept_session
from seoul_wallet.frame_pictures import read_pictures, show_in_terminal, write_pictures
from seoul_wallet.stack_file import call, read_private, read_stack
from seoul_wallet.typed_errors import IDS_MAY_BEGIN_WITH_A_DASH
from seoul_wallet.wallet_asking import asking
from seoul_wallet.wallet_views import Session
from verifier.client import HASH, PREFIXES, REDIRECT_URI
from wallet.encoding.json import JsonObject, to_json
from wallet.holder.consent import ConsentRefused
from wallet.protocols.frames import make_frames, read_frames
from wallet.protocols.oid4vp_offline import MAX_AGE_S
from wallet.protocols.oid4vp_session import Flow

_FOLDER = click.Path(file_okay=False, path_type=Path)
_PICTURES = click.Path(file_okay=False, exists=True, path_type=Path)


@click.command("offline-request")
@click.argument("query")
@click.option(
    "--prefix",
    type=click.Choice([prefix for prefix in PREFIXES if prefix != REDIRECT_URI]),
    default=HASH,
    show_default=True,
    help="Client identifier prefix; a certificate is what wallets can check by themselves.",
)
@click.option("--purpose", help="What the holder is told; a configured query has its own.")
@click.option("--programme", is_flag=True, help="QUERY is a programme to decide on.")
@click.option("--folder", type=_FOLDER, help="Write pictures here instead of showing them.")
def offline_request(
    query: str, prefix: str, purpose: str | None, programme: bool, folder: Path | None
) -> None:
    """Show a request as animated QR codes for a minute; print its session id.

    QUERY as for `request`, or with --programme the id of a programme. The service on this
    machine makes the request and later decides from its own replica; neither the wallet nor this
    machine needs a network.
    """
    stack = read_stack()
    tokens = read_private(Path(stack["tokens"]))
    about = {"programme": query} if programme else asked_query(query)
    asked: JsonObject = {**about, "flow": Flow.FRAMES.value, "client_id_prefix": prefix}
    if purpose is not None:
        asked["purpose"] = purpose
    requests = f"{stack['verifier']}/v1/requests"
    url = f"{stack['verifier']}/v1/eligibility/requests" if programme else requests
    _, opened = call(stack, "POST", url, bearer=tokens["agency"], body=asked)
    keep_session(stack, {"result_uri": f"{requests}/{opened['request_id']}/result", **opened})
    _show(make_frames(opened["request_object"].encode("ascii")), folder)
    click.echo(opened["request_id"])


@click.command("offline-decide", context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("session")
@click.option("--frames", type=_PICTURES, required=True, help="Pictures of the wallet's codes.")
def offline_decide(session: str, frames: Path) -> None:
    """Read the codes that a wallet shows, decide, and print the outcome as JSON.

    It says how old the facts are that it was decided by. Once-only benefits are unknown here.
    """
    message = read_frames(read_pictures(frames))
    stack = read_stack()
    opened = kept_session(stack, session)
    uri, token = opened["result_uri"], opened["result_token"]
    answer: JsonObject = {"data": {"response": message.decode("ascii", "replace")}}
    call(stack, "POST", uri.removesuffix("result") + "response", bearer=token, body=answer)
    _, outcome = call(stack, "GET", uri, bearer=token)
    click.echo(to_json(outcome).decode())


@click.command("show-offline")
@click.argument("frames", type=_PICTURES)
@click.option("--folder", type=_FOLDER, help="Write pictures here instead of showing them.")
@click.option("--yes", is_flag=True, help="Agree without being asked: what is shown is yours.")
@click.option("--card", "cards", multiple=True, metavar="ID", help="Answer with this card.")
@click.option("--include", multiple=True, metavar="NAME", help="Add an optional answer.")
@click.pass_obj
def show_offline(
    session: Session,
    frames: Path,
    folder: Path | None,
    yes: bool,
    cards: tuple[str, ...],
    include: tuple[str, ...],
) -> None:
    """Answer a request in FRAMES, a folder of pictures, with QR codes of one's own.

    Needs no network. Shows who asks and exactly which claims would be shown, then asks. Mind who
    holds the screen that you photograph: codes can be relayed, the consent names the asker.
    """
    with session.open() as holder:
        consent = holder.offline.review(read_pictures(frames), language=session.language)
        agreed = asking(session, holder, yes=yes, cards=cards, include=include)(consent)
        if agreed is None:
            raise ConsentRefused("the holder did not agree")
        answer = holder.offline.answer(agreed)
    _show(answer, folder)
    click.echo(session.say("shown_offline"))


def _show(frames: Sequence[str], folder: Path | None) -> None:
    if folder is None:
        show_in_terminal(frames, seconds=MAX_AGE_S)
    else:
        write_pictures(frames, folder)
