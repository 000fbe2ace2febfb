"""`seoul-wallet verifier`: ask wallets for presentations, against the stack of `make serve`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click

from seoul_wallet.agency import asked_query, keep_session, kept_session, read_json
from seoul_wallet.offline_cli import offline_decide, offline_request
from seoul_wallet.stack_file import call, read_private, read_stack
from seoul_wallet.typed_errors import IDS_MAY_BEGIN_WITH_A_DASH, TypedErrors
from verifier.client import PREFIXES
from wallet.encoding.json import to_json
from wallet.protocols.oid4vp import ResponseMode, Way

POLL_S: Final = 0.5


@click.group(cls=TypedErrors)
def verifier() -> None:
    """Ask for presentations as the agency of the stack that `seoul-wallet serve` started.

    \b
      seoul-wallet verifier request family-card --prefix x509_hash --response-mode direct_post.jwt
      seoul-wallet verifier result SESSION
    """


@verifier.command("request")
@click.argument("query")
@click.option("--prefix", type=click.Choice(PREFIXES), help="Client identifier prefix.")
@click.option(
    "--response-mode",
    type=click.Choice([mode.value for mode in ResponseMode if mode.way is Way.LINK]),
)
@click.option("--post", is_flag=True, help="Let the wallet fetch the request by POST.")
@click.option(
    "--transaction-data",
    "transaction_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A JSON file: one transaction, or a list of them.",
)
@click.option(
    "--any-key",
    is_flag=True,
    help="With a DCQL query: take several credentials that are bound to different keys.",
)
@click.option("--purpose", help="What the holder is told; a configured query has its own.")
def request(
    query: str,
    prefix: str | None,
    response_mode: str | None,
    post: bool,
    transaction_file: Path | None,
    any_key: bool,
    purpose: str | None,
) -> None:
    """Print an openid4vp:// link and, on the next line, the session id.

    QUERY is the name of a configured query, or a JSON file with a DCQL query.
    """
    stack = read_stack()
    tokens = read_private(Path(stack["tokens"]))
    asked = asked_query(query)
    transactions = None if transaction_file is None else _list(read_json(transaction_file))
    options = {
        "client_id_prefix": prefix,
        "response_mode": response_mode,
        "request_uri_method": "post" if post else None,
        "purpose": purpose,
        "one_holder": False if any_key else None,
        "transaction_data": transactions,
    }
    asked |= {name: value for name, value in options.items() if value is not None}
    url = f"{stack['verifier']}/v1/requests"
    _, opened = call(stack, "POST", url, bearer=tokens["agency"], body=asked)
    keep_session(stack, opened)
    click.echo(opened["link"])
    click.echo(opened["request_id"])


@verifier.command("result", context_settings=IDS_MAY_BEGIN_WITH_A_DASH)
@click.argument("session")
@click.option("--wait", "wait_s", type=click.FloatRange(0, 600), default=0, show_default=True,
              help="Seconds to wait for an answer.")  # fmt: skip
def result(session: str, wait_s: float) -> None:
    """Print the outcome of a session as JSON; the claims are told once."""
    stack = read_stack()
    opened = kept_session(stack, session)
    ends_at = time.monotonic() + wait_s
    while True:
        uri, token = opened["result_uri"], opened["result_token"]
        status, answer = call(stack, "GET", uri, bearer=token)
        if status == 200 or time.monotonic() >= ends_at:
            break
        time.sleep(POLL_S)
    click.echo(to_json(answer).decode())


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


for _command in (offline_request, offline_decide):
    verifier.add_command(_command)
