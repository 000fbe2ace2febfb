"""The command `seoul-wallet serve`: a development stack on loopback until it is interrupted."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from issuer.calendar import seoul_day
from seoul_wallet.anvil import AnvilMissing
from seoul_wallet.chain import LocalChain, anvil_chain, in_process_chain
from seoul_wallet.local_election import MIN_RESIDENTS, LocalElection, start_election
from seoul_wallet.stack import VERIFIER_REPLICA, LocalStack, start_stack
from seoul_wallet.stack_file import stack_file, write_private
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError, UnavailableError

READY_TIMEOUT_S: Final = 30
WAKE_INTERVAL_S: Final = 0.5
DAY_S: Final = 86_400
TOKENS_FILE: Final = "tokens.json"


@click.command("serve")
@click.option("--households", type=click.IntRange(30, 100_000), default=1000, show_default=True)
@click.option(
    "--residents",
    type=click.IntRange(0, 100_000),
    default=0,
    show_default=True,
    help="People with registers of evidence; with any, the issuer offers evidence.",
)
@click.option(
    "--programmes",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="A folder of programme files instead of the examples; changes are taken up.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same people.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to keep databases and tokens; a temporary folder otherwise.",
)
@click.option(
    "--chain",
    "chain_kind",
    type=click.Choice(["auto", "anvil", "in-process"]),
    default="auto",
    show_default=True,
    help="auto takes anvil if it is installed (make node).",
)
@click.option(
    "--ballot-box",
    "vote_minutes",
    type=click.IntRange(1, 7 * 24 * 60),
    metavar="MINUTES",
    help="Also an election with a ballot box, whose vote is open this long.",
)
@click.option(
    "--tls", "with_tls", is_flag=True, help="Serve https, with a new certificate for localhost."
)
def serve(
    households: int,
    residents: int,
    programmes: Path | None,
    seed: int,
    folder: Path | None,
    chain_kind: str,
    vote_minutes: int | None,
    with_tls: bool,
) -> None:
    """Start issuer, verifier, holder side and chain on loopback, for development.

    Prints one line `READY {...}` when all of them answer: their addresses, the DIDs of the VC-API
    issuers, the file of the trust anchor (of https and of the verifier's certificate), that of
    the operators' and the agency's bearer tokens, a replica of the chain for the wallet's
    --registry, and the file that tells the other commands of this program where the stack is
    (SEOUL_WALLET_STACK names another place). Stops on Ctrl-C. The register is synthetic, the
    keys are throw-away.

    With --ballot-box it is also an election for `seoul-wallet wallet vote`: READY names the box
    and the manifest's digest, and the file of tokens the trustees' key folders and passphrase.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with tempfile.TemporaryDirectory(prefix="seoul-wallet-") as temporary:
        place = Path(temporary) if folder is None else folder
        place.mkdir(parents=True, exist_ok=True)
        try:
            chain = _start_chain(chain_kind)
            # With an election of the day before: a census is taken before the opening.
            now = SystemClock().now()
            day = seoul_day(now if vote_minutes is None else now - DAY_S)
            with (
                start_stack(
                    place,
                    chain,
                    seed=seed,
                    households=households,
                    residents=residents if vote_minutes is None else max(residents, MIN_RESIDENTS),
                    on=day,
                    with_tls=with_tls,
                    programmes=programmes,
                ) as stack,
                ExitStack() as ends,
            ):
                election = None
                if vote_minutes is not None:
                    open_s = 60 * vote_minutes
                    election = start_election(stack, ends, open_s=open_s, tls=with_tls)
                _write_tokens(stack, election)
                _await_answers(stack)
                addresses = _addresses(stack, election)
                write_private(stack_file(), addresses)
                click.echo("READY " + to_json(addresses).decode())
                # With a limit: the signal may be taken by another thread, and its handler runs
                # only when this one wakes.
                while not stopping.wait(WAKE_INTERVAL_S):
                    pass
        except SeoulWalletError as error:
            raise click.ClickException(f"{error.code}: {error}") from error


def _start_chain(kind: str) -> LocalChain:
    if kind == "in-process":
        return in_process_chain()
    try:
        return anvil_chain()
    except AnvilMissing:
        if kind == "anvil":
            raise
        return in_process_chain()


def _write_tokens(stack: LocalStack, election: LocalElection | None) -> None:
    tokens: JsonObject = {"operators": stack.operator_tokens, "agency": stack.agency_token}
    if election is not None:
        tokens["trustees"] = {
            "folders": [str(folder) for folder in election.folders],
            "passphrase": election.passphrase,
        }
    path = stack.folder / TOKENS_FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(to_json(tokens))


def _addresses(stack: LocalStack, election: LocalElection | None) -> JsonObject:
    found: JsonObject = {
        "issuer": stack.issuer_url,
        "verifier": stack.verifier_url,
        "holder": stack.holder_url,
        "dids": stack.development_dids,
        "trust_anchor": str(stack.tls.trust_anchor),
        "tokens": str(stack.folder / TOKENS_FILE),
        "registry": str(stack.folder / VERIFIER_REPLICA),
        "stack": str(stack_file()),
    }
    if election is not None:
        found["ballot_box"] = election.url
        found["manifest_digest"] = election.manifest.digest.hex()
    return found


def _await_answers(stack: LocalStack) -> None:
    ca_file = str(stack.tls.trust_anchor)
    client = GuardedClient(allow_loopback_http=True, ca_file=ca_file)
    ends_at = time.monotonic() + READY_TIMEOUT_S
    urls = (stack.issuer_url, stack.verifier_url, stack.holder_url)
    waiting = [f"{url}/healthz" for url in urls]
    while waiting and time.monotonic() < ends_at:
        try:
            if client.get(waiting[0]).status == 200:
                waiting.pop(0)
                continue
        except UnavailableError:
            pass
        time.sleep(0.05)
    client.close()
    if waiting:
        raise UnavailableError(f"{waiting[0]} did not answer within {READY_TIMEOUT_S} s")
