"""The command `anchor rehearse`: one huge batch from leaves to checked receipts, measured."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from sqlalchemy import Engine

from seoul_wallet.anvil import AnvilMissing
from seoul_wallet.chain import LocalChain, anvil_chain, in_process_chain
from seoul_wallet.progress import progress_bar
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.follower import Follower
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.adapters.sql.replica import SqlReplica
from wallet.crypto.merkle import MerkleTree, leaf_hash, verify_inclusion
from wallet.ports.outbox import TransactionState
from wallet.trust.facts import BatchFact
from wallet.trust.identifiers import issuer_id, schema_id

DID: Final = "did:web:rehearsal.example"
CREDENTIAL_TYPE: Final = "urn:example:rehearsal:1"
MAX_LEAVES: Final = 10_000_000
FINAL_WAIT_S: Final = 60
_STEP: Final = 10_000
_POLL_S: Final = 0.2
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How long each part took, in seconds, and the process's largest memory so far, in bytes.

    `processor_s` is what tree and receipts took of one processor, which others' work does not
    lengthen.
    """

    leaves: int
    tree_s: float
    anchored_s: float
    receipts_s: float
    processor_s: float
    peak_memory_bytes: int


def synthetic_leaves(count: int) -> Iterator[bytes]:
    """Return the leaf hashes of made-up credentials, each with a salt of its own, one by one."""
    for number in range(count):
        digest = sha256(b"synthetic credential %d" % number).digest()
        yield leaf_hash(secrets.token_bytes(32) + digest)


def check_receipts(tree: MerkleTree, batch: BatchFact, tell: Tell) -> None:
    """Take every receipt out of the tree and check it against the anchored root.

    Raises `InclusionProofInvalid`.
    """
    for index in range(tree.size):
        path = tree.inclusion_path(index)
        verify_inclusion(tree.leaf(index), index, batch.size, path, batch.root)
        if index % _STEP == 0:
            tell("receipts", index, tree.size)


def rehearse_batch(chain: LocalChain, engine: Engine, count: int, tell: Tell) -> Rehearsal:
    """Anchor `count` synthetic leaves on a chain, follow it, and check every receipt.

    Raises what the chain, its follower and the receipts raise.
    """
    clock = SystemClock()
    replica = SqlReplica(engine)
    follower = Follower(chain.reader(), replica, clock)
    writer = chain.writer(SqlTransactionJournal(engine), clock)
    chain.accredit(DID, (CREDENTIAL_TYPE,))
    chain.run()
    started, tree_began = time.perf_counter(), time.thread_time()
    tree = MerkleTree(_counted(synthetic_leaves(count), count, tell))
    built, processor_s = time.perf_counter(), time.thread_time() - tree_began
    place = issuer_id(DID), schema_id(CREDENTIAL_TYPE), tree.root
    manifest = sha256(b"manifest of the rehearsal").digest()
    state = writer.anchor_batch(*place, tree.size, manifest)
    ends_at = time.monotonic() + FINAL_WAIT_S
    batch = None
    while batch is None and time.monotonic() < ends_at:
        if state is TransactionState.SUBMITTED:
            writer.advance()
        follower.run_once()
        batch = replica.anchor_facts(*place, None).value.batch
        if batch is None:
            time.sleep(_POLL_S)
    if batch is None:
        raise click.ClickException(f"the batch was not final within {FINAL_WAIT_S} s")
    anchored, checking_began = time.perf_counter(), time.thread_time()
    check_receipts(tree, batch, tell)
    checked = time.perf_counter()
    processor_s += time.thread_time() - checking_began
    return Rehearsal(
        count,
        built - started,
        anchored - built,
        checked - anchored,
        processor_s,
        peak_memory_bytes(),
    )


def _counted(leaves: Iterator[bytes], count: int, tell: Tell) -> Iterator[bytes]:
    for number, leaf in enumerate(leaves):
        if number % _STEP == 0:
            tell("tree", number, count)
        yield leaf


def peak_memory_bytes() -> int:
    """Return the largest memory that this process has held so far."""
    import resource  # not on every system that runs the other commands

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@click.command("rehearse")
@click.option("--leaves", type=click.IntRange(1, MAX_LEAVES), default=1_000_000, show_default=True)
@click.option(
    "--chain",
    "kind",
    type=click.Choice(["auto", "anvil", "in-process"]),
    default="auto",
    show_default=True,
    help="auto takes anvil if it is installed (make node).",
)
def rehearse(leaves: int, kind: str) -> None:
    """Build, anchor and follow one batch of synthetic leaves on a throw-away chain, produce and
    check every receipt, and say how long it took and how much memory.

    The tree takes 64 bytes a leaf; nothing else grows with the batch.
    """
    with TemporaryDirectory(prefix="seoul-wallet-rehearsal-") as folder:
        engine = open_engine(sqlite_url(Path(folder) / "rehearsal.db"))
        for schema in ("replica", "outbox"):
            migrate(engine, schema)
        chain = _start(kind)
        try:
            with _progress() as tell:
                done = rehearse_batch(chain, engine, leaves, tell)
        finally:
            chain.stop()
            engine.dispose()
    total = done.tree_s + done.receipts_s
    click.echo(
        f"{done.leaves:,} leaves: tree {done.tree_s:.1f} s, anchored and final"
        f" {done.anchored_s:.1f} s, receipts produced and checked {done.receipts_s:.1f} s;"
        f" tree and receipts {total:.1f} s ({done.processor_s:.1f} s of one processor),"
        f" peak memory {done.peak_memory_bytes / 2**20:.0f} MiB"
    )


def _start(kind: str) -> LocalChain:
    if kind == "in-process":
        return in_process_chain()
    try:
        return anvil_chain()
    except AnvilMissing:
        if kind == "anvil":
            raise
        return in_process_chain()


@contextmanager
def _progress() -> Iterator[Tell]:
    with progress_bar() as progress:
        tasks = {name: progress.add_task(name, total=None) for name in ("tree", "receipts")}

        def tell(name: str, done: int, total: int) -> None:
            progress.update(tasks[name], completed=done, total=total)

        yield tell
