"""An open election beside a local stack: a ballot box, and trustees whose key folders are at hand.

For development: wallets of the stack vote in it, and once it is over its trustees are played with
`seoul-wallet trustee`. The election is synthetic, the keys are throw-away.
"""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from web3 import Web3

from ballotbox.app import board_name, build_ballot_box
from ballotbox.timing import BoxTimes
from seoul_wallet.rehearsal.election import Times, manifest_json, synthetic_file
from seoul_wallet.server import ThreadedServer, free_port
from seoul_wallet.stack import LocalStack
from seoul_wallet.trustee.folder import KeyFolder
from seoul_wallet.trustee.office import TrusteeOffice
from seoul_wallet.trustee.standing import Step
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.board import EvmBoardWriter
from wallet.adapters.evm.deployment import BOARD
from wallet.adapters.evm.node import ask
from wallet.adapters.evm.publisher import Publisher
from wallet.adapters.evm.sender import Sender
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.crypto.secp256k1 import encode_point, secret_multiple
from wallet.crypto.signing_keys import Es256kSigningKey
from wallet.errors import UnavailableError
from wallet.voting.manifest import Manifest, manifest_of

TRUSTEES: Final = 3
THRESHOLD: Final = 2
# A census needs 20 people; not every sample resident is on the roll.
MIN_RESIDENTS: Final = 60
LEAD_S: Final = 45
EVERY_S: Final = 10
GRACE_S: Final = 60
CEREMONY_TIMEOUT_S: Final = 60
_POLL_S: Final = 0.2
_OPERATOR_WEI: Final = 2 * 10**18


class LocalElectionFailed(UnavailableError):
    """The trustees of a local election did not come to a key in their time."""

    code = "local_election_failed"


@dataclass(frozen=True, slots=True)
class LocalElection:
    """An election whose key is made; the board opens on the chain, then the vote at `opens`."""

    url: str
    manifest: Manifest
    folders: tuple[Path, ...]
    passphrase: str


def start_election(stack: LocalStack, ends: ExitStack, *, open_s: int, tls: bool) -> LocalElection:
    """Start the ballot box of a new election over the stack's chain and electoral roll.

    The vote is open for `open_s` seconds; box and server end with `ends`. Raises
    `LocalElectionFailed`, and what chain and storage raise.
    """
    folder = stack.folder / "election"
    folder.mkdir()
    chain, clock, passphrase = stack.chain, SystemClock(), secrets.token_urlsafe(16)
    operator = Sender.from_secret(chain.w3, secrets.token_bytes(32))
    chain.controller.transfer(Web3.to_checksum_address(operator.address), _OPERATOR_WEI)
    folders = [
        KeyFolder.create(folder / f"trustee-{number}", passphrase)
        for number in range(1, TRUSTEES + 1)
    ]
    key = Es256kSigningKey.generate()
    newest = int(ask(lambda: chain.w3.eth.get_block("latest"))["timestamp"])
    opens = max(clock.now(), newest) + LEAD_S
    times = Times(opens, opens + open_s, GRACE_S, EVERY_S)
    manifest = _manifest(stack, folders, key, operator, times)
    database_url = sqlite_url(folder / "box.db")
    journal = open_engine(database_url)
    ends.callback(journal.dispose)
    migrate(journal, "outbox")
    reader = chain.reader()
    publisher = Publisher(
        chain.w3,
        operator.account,
        chain_id=reader.deployment.chain_id,
        journal=SqlTransactionJournal(journal),
        clock=clock,
        finalized=reader.finalized_head,
    )
    application = build_ballot_box(
        manifest,
        key,
        database_url,
        clock,
        writer=EvmBoardWriter(chain.w3, reader, publisher, board_name(manifest)),
        times=BoxTimes(worker_interval_s=0.5),
    )
    ends.callback(application.close)
    port = free_port()
    context = stack.tls.server_context() if tls else None
    ends.callback(ThreadedServer(application.flask_app, port, tls=context).stop)
    application.run_worker()
    url = f"{'https' if tls else 'http'}://localhost:{port}"
    _make_key(url, folders, manifest, ca_file=str(stack.tls.trust_anchor))
    return LocalElection(url, manifest, tuple(one.path for one in folders), passphrase)


def _manifest(
    stack: LocalStack,
    folders: list[KeyFolder],
    key: Es256kSigningKey,
    operator: Sender,
    times: Times,
) -> Manifest:
    roll = stack.issuer.service.voting
    if roll is None:
        raise LocalElectionFailed("the issuer has no electoral roll")
    chain: dict[str, Any] = {
        "chain_id": stack.chain.deployment.chain_id,
        "contract": stack.chain.deployment.contracts[BOARD].address[2:].lower(),
        "organiser": operator.address[2:].lower(),
    }
    return manifest_of(
        manifest_json(
            synthetic_file(),
            name=f"local-{secrets.token_hex(6)}",
            trustees=[folder.public for folder in folders],
            threshold=THRESHOLD,
            board_key=encode_point(secret_multiple(int.from_bytes(key.secret(), "big"))).hex(),
            electorate=roll.manifest_parts(min_age=14, districts=None),
            chain=chain,
            times=times,
        )
    )


def _make_key(url: str, folders: list[KeyFolder], manifest: Manifest, *, ca_file: str) -> None:
    """All trustees, until every one has its share of the key."""
    http = GuardedClient(allow_loopback_http=True, ca_file=ca_file)
    offices = [TrusteeOffice(one, HttpHolderTransport(http), SystemClock()) for one in folders]
    try:
        for office in offices:
            office.join(office.look(url), manifest_digest=manifest.digest)
        ends_at = time.monotonic() + CEREMONY_TIMEOUT_S
        while {office.advance().step for office in offices} != {Step.VOTE_WAITS}:
            if time.monotonic() > ends_at:
                raise LocalElectionFailed("the key ceremony did not end")
            time.sleep(_POLL_S)
    finally:
        http.close()
