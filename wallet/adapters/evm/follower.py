"""The follower: copies finalized facts of the contracts into the local replica."""

from __future__ import annotations

from typing import Final, Protocol

from wallet.adapters.evm.node import Deployment
from wallet.errors import UnavailableError
from wallet.ports.clock import Clock
from wallet.ports.ledger import LedgerReader, ReplicaStore
from wallet.trust.facts import BlockRef

MAX_BLOCKS_PER_STEP: Final = 5_000


class ReplicaDiverged(UnavailableError):
    """The chain no longer has a block that was final: a person must look; nothing is repaired."""

    code = "replica_diverged"


class BlockReader(LedgerReader, Protocol):
    """A ledger reader that can also name the block at a height."""

    def block(self, number: int) -> BlockRef:
        """Return the block at `number`."""


class Follower:
    """Moves a replica forward, a bounded number of blocks at a time."""

    def __init__(
        self, reader: BlockReader, store: ReplicaStore, clock: Clock, deployment: Deployment
    ) -> None:
        """Bind `store` to the deployment. Raises `ReplicaMismatch` if it copies another one."""
        store.bind(deployment.identity)
        self._reader = reader
        self._store = store
        self._clock = clock
        self._first_block = deployment.first_block

    def run_once(self) -> BlockRef:
        """Follow up to the present finalized head and return it.

        Raises `ChainUnavailable` (the replica stays as it is, with its own time) and
        `ReplicaDiverged`.
        """
        observed_at = self._clock.now()
        head = self._reader.finalized_head()
        known = self._store.head()
        if known is not None:
            if head.number < known.number:
                raise ReplicaDiverged("the finalized head went backwards")
            if self._reader.block(known.number).hash != known.hash:
                raise ReplicaDiverged("a finalized block was replaced")
        first = self._first_block if known is None else known.number + 1
        while first <= head.number:
            last = min(first + MAX_BLOCKS_PER_STEP - 1, head.number)
            upto = head if last == head.number else self._reader.block(last)
            self._store.apply(self._reader.events(first, last), upto, observed_at)
            first = last + 1
        if known is not None and head.number == known.number:
            self._store.apply((), head, observed_at)
        return head
