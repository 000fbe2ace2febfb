"""Ballot boxes in processes of their own, killed before a step.

`python -m tests.support.ballot_box_process` forks one for each order: see `forks`. A box accepts a
ballot, makes the checkpoint that is due, or puts the board on the chain.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from ballotbox.app import board_name, build_ballot_box
from tests.support.clock import SettableClock
from tests.support.forks import ForkServer, serve
from tests.support.publisher_process import dying_at
from tests.support.voting import signing_key
from wallet.adapters.evm.board import EvmBoardWriter
from wallet.adapters.evm.deployment import parse_deployment
from wallet.adapters.evm.fees import FeeLimits
from wallet.adapters.evm.node import connect
from wallet.adapters.evm.publisher import Publisher, PublisherStep
from wallet.adapters.evm.quorum import open_quorum
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.sql.engine import migrate, open_engine
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.encoding.json import JsonObject
from wallet.voting.manifest import parse_manifest

MAX_ROUNDS = 20
NOT_DONE = 3


def die_before(stop: int) -> None:
    """Kill this process, without warning, at its `stop`-th database step from now on."""
    steps = iter(range(sys.maxsize))

    def step(*_: object) -> None:
        if next(steps) == stop:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, step)


def work(order: JsonObject) -> int:
    """Do what an order says."""
    if order["verb"] == "anchor":
        return anchor(order)
    manifest = parse_manifest(bytes.fromhex(order["manifest"]))
    clock = SettableClock(order["now"])
    running = build_ballot_box(manifest, signing_key("board"), order["url"], clock)
    die_before(order["stop"])
    if order["verb"] == "cast":
        running.box.accept(Path(order["ballot"]).read_bytes())
    else:
        running.box.work()
    return 0


def anchor(order: JsonObject) -> int:
    """Work, a block a round, until every checkpoint is final."""
    deployment = parse_deployment(order["deployment"])
    clock = SettableClock(order["now"])
    w3, nodes = connect(order["node"]), open_quorum([order["node"]], required=1, development=True)
    reader = EvmLedgerReader(nodes, deployment)
    engine = open_engine(order["url"])
    migrate(engine, "outbox")
    publisher = Publisher.from_secret(
        w3,
        bytes.fromhex(order["secret"]),
        chain_id=deployment.chain_id,
        journal=SqlTransactionJournal(engine),
        clock=clock,
        finalized=reader.finalized_head,
        after_step=dying_at(order["step"], 1),
    )
    manifest = parse_manifest(bytes.fromhex(order["manifest"]))
    running = build_ballot_box(
        manifest,
        signing_key("board"),
        order["url"],
        clock,
        writer=EvmBoardWriter(w3, reader, publisher, board_name(manifest)),
    )
    assert running.chain is not None
    for _ in range(MAX_ROUNDS):
        running.box.work()
        running.chain.work()
        if running.publication.state().opened and not running.publication.not_anchored(1):
            return 0
        if order["is_stuck"]:
            # No block comes, and the offer is raised.
            clock.set(clock.now() + FeeLimits().raise_after_s)
        else:
            w3.provider.make_request("anvil_mine", ["0x1"])  # type: ignore[arg-type]
    return NOT_DONE


class BallotBoxProcesses(ForkServer):
    """Starts ballot boxes and waits for them."""

    module = "tests.support.ballot_box_process"

    def cast(self, url: str, manifest: bytes, now: int, stop: int, ballot: Path) -> int:
        """Accept the ballot in a file, killed before the `stop`-th step; return the status."""
        return self._run("cast", url, manifest, now, stop=stop, ballot=str(ballot))

    def checkpoint(self, url: str, manifest: bytes, now: int, stop: int) -> int:
        """Make the checkpoint that is due, likewise."""
        return self._run("checkpoint", url, manifest, now, stop=stop)

    def anchor(
        self, url: str, manifest: bytes, now: int, step: PublisherStep | None, **place: object
    ) -> int:
        """Put the board on the chain, killed at a step of a transaction."""
        return self._run("anchor", url, manifest, now, step=step, **place)

    def _run(self, verb: str, url: str, manifest: bytes, now: int, **more: object) -> int:
        order = {"verb": verb, "url": url, "manifest": manifest.hex(), "now": now, **more}
        return self.wait(self.begin(order))


if __name__ == "__main__":
    serve(work)
