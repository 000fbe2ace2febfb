"""The follower: copies finalized facts of the contracts into the local replica."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wallet.adapters.evm.quorum import Agreement, EndpointBehind
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.recent import RecentBlocks
from wallet.ports.clock import Clock
from wallet.ports.facts import ReplicaDiverged
from wallet.ports.ledger import ReplicaStore
from wallet.trust.events import LedgerEvent
from wallet.trust.facts import BlockRef


class Follower:
    """Moves a replica forward, a bounded number of logs at a time."""

    def __init__(self, reader: EvmLedgerReader, store: ReplicaStore, clock: Clock) -> None:
        """Bind `store` to the deployment. Raises `ReplicaMismatch` if it copies another one."""
        store.bind(reader.deployment.identity)
        self._reader = reader
        self._store = store
        self._clock = clock
        self._recent = RecentBlocks(reader.logs)

    def run_once(self) -> BlockRef:
        """Follow up to the present finalized head and return it.

        Nothing of a step is applied before all of it is agreed and proven. Raises
        `ChainUnavailable` and its subclasses (the replica stays as it is, with its own time) and
        `ReplicaDiverged`, from then on at every run until an operator starts the replica anew.
        """
        alarm = self._store.alarm()
        if alarm is not None:
            raise ReplicaDiverged(alarm)
        observed_at = self._clock.now()
        agreed = self._reader.agree()
        known, log_heads = self._store.position()
        if known is not None:
            self._compare(known, agreed)
        self._apply(agreed, known, log_heads, observed_at)
        if not self._reader.finality.is_instant:
            self._recent.follow(agreed.endpoints[0], agreed.head)
        return agreed.head.ref

    def _compare(self, known: BlockRef, agreed: Agreement) -> None:
        head = agreed.head
        # Asked also when the nodes are behind: a chain that became shorter may be another one.
        there = head if head.number == known.number else agreed.header(known.number)
        if there.hash != known.hash:
            reason = "a finalized block was replaced"
            self._store.raise_alarm(reason)
            raise ReplicaDiverged(reason)
        if head.number < known.number:
            raise EndpointBehind("the nodes' finalized block is older than the replica's")

    def _apply(
        self,
        agreed: Agreement,
        known: BlockRef | None,
        log_heads: Mapping[str, bytes],
        observed_at: int,
    ) -> None:
        first = self._reader.deployment.first_block if known is None else known.number + 1
        # The head that is known already is applied again too, with the new time.
        while True:
            step = self._reader.read(agreed, first, log_heads, self._store.accreditor_of)
            self._store.apply(
                step.events,
                step.head,
                observed_at,
                log_heads=step.log_heads,
                assurance=step.assurance,
            )
            if step.head.number >= agreed.head.number:
                return
            first, log_heads = step.head.number + 1, step.log_heads

    def provisional_events(self) -> Sequence[LedgerEvent]:
        """Return what the last run saw above the finalized mark, in order; never a fact.

        One node says so and a reorganisation may undo it. Raises `NodeAnswerInvalid`,
        `MandateUnknown`, `StorageUnavailable`.
        """
        given: dict[int, str] = {}
        return [
            event
            for block in self._recent.blocks
            for event in self._reader.translated(
                block.logs, block.header.time, self._store.accreditor_of, given
            )
        ]
