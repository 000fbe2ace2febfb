"""`ports.ledger.LedgerReader` over nodes that are not trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wallet.adapters.evm.blocks import Header, Log
from wallet.adapters.evm.deployment import Deployment
from wallet.adapters.evm.endpoints import Endpoint, Finality
from wallet.adapters.evm.events import Context, DecodedLog, decode_log, translate
from wallet.adapters.evm.log_chain import (
    EMPTY_LOG_HEAD,
    LogsWithheld,
    extend_log_head,
    watched_contracts,
)
from wallet.adapters.evm.proofs import ProofInvalid
from wallet.adapters.evm.quorum import Agreement, NodeQuorum
from wallet.ports.facts import ChainUnavailable
from wallet.trust.events import LedgerEvent
from wallet.trust.facts import AccreditorScope, Assurance, BlockRef

MAX_LOGS_PER_STEP: Final = 100_000


class MandateUnknown(ChainUnavailable):
    """An accreditation names a mandate that was never given in the logs so far."""

    code = "mandate_unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """Everything that happened up to and including the block `head`, and the log heads there.

    `log_heads` has an entry for each contract address.
    """

    events: Sequence[LedgerEvent]
    head: BlockRef
    log_heads: Mapping[str, bytes]
    assurance: Assurance


class EvmLedgerReader:
    """Reads finalized facts on which the nodes of a quorum agree.

    `finality` is `tag`, `instant` or `depth:N`: see `endpoints.Finality`. Completeness is proven
    by `read`; `events` alone compares the nodes with each other and no more.
    """

    def __init__(
        self, nodes: NodeQuorum, deployment: Deployment, *, finality: str = "tag"
    ) -> None:
        """Asks nothing yet. Raises `FinalityUnknown`."""
        self.deployment = deployment
        self.finality = Finality(finality)
        self._nodes = nodes
        self._contracts = watched_contracts(deployment)
        self._names = {contract.address: contract.name for contract in self._contracts}
        self._addresses = frozenset(self._names)
        self._mandates: dict[int, str] = {}
        self._is_checked = False

    def check_deployment(self) -> frozenset[str]:
        """Hold chain id, code and the directory against the deployment.

        Returns the names of deprecated contracts: what they hold stays good, new records belong
        to their successors. Raises `DeploymentMismatch`, `ChainUnavailable`.
        """
        deprecated = self._nodes.check(self.deployment)
        self._is_checked = True
        return deprecated

    def agree(self) -> Agreement:
        """Return the newest finalized block that the quorum agrees on.

        Raises `ChainUnavailable` and its subclasses.
        """
        if not self._nodes.proves and not self._is_checked:
            # Where there is no proof of it, the code is compared once.
            self.check_deployment()
        return self._nodes.agree(self.deployment.chain_id, self.finality)

    def finalized_head(self) -> BlockRef:
        """Return the newest final block. Raises `ChainUnavailable`."""
        return self.agree().head.ref

    def events(self, first: int, last: int) -> Sequence[LedgerEvent]:
        """Return the contracts' events of finalized blocks `first` to `last`.

        Mandates of blocks that were not read by this object are not known to it. Raises
        `ChainUnavailable`.
        """
        agreed = self.agree()
        if last > agreed.head.number:
            raise ChainUnavailable("the blocks asked for are not final yet")
        found: list[LedgerEvent] = []
        for header, logs in self.blocks(agreed, first, last):
            found += self.translated(logs, header.time, self._mandates.get, self._mandates)
        return found

    def blocks(
        self, agreed: Agreement, first: int, last: int
    ) -> Iterator[tuple[Header, tuple[Log, ...]]]:
        """Yield the blocks from `first` to `last` that hold logs of the contracts, with these.

        In chain order, one block after the other is asked for. That none is missing shows when the
        log heads over them (`log_chain.extend_log_head`) are proven: `prove`. Raises
        `EndpointsDisagree`, `ChainUnavailable`.
        """
        for number in agreed.log_blocks(first, last, self._addresses):
            header = agreed.head if number == agreed.head.number else agreed.header(number)
            yield header, agreed.logs(header, self._addresses)

    def decoded(self, log: Log) -> DecodedLog | None:
        """Return the contract, event and arguments of a log. Raises `NodeAnswerInvalid`."""
        return decode_log(self._names[log.address], log)

    def read(
        self,
        agreed: Agreement,
        first: int,
        log_heads: Mapping[str, bytes],
        accreditor_of: Callable[[int], str | None],
    ) -> Step:
        """Return what happened from block `first` on, proven complete at the step's head.

        `log_heads` are those before `first`; `accreditor_of` knows the mandates given before it.
        The step ends at the agreed head, or earlier once it holds `MAX_LOGS_PER_STEP` logs; a
        node must then have the state of that earlier block. Raises `LogsWithheld`,
        `ProofInvalid`, `EndpointsDisagree`, `ChainUnavailable`.
        """
        heads = {name: log_heads.get(name, EMPTY_LOG_HEAD) for name in sorted(self._addresses)}
        head = agreed.head
        blocks: list[tuple[Header, tuple[Log, ...]]] = []
        size = 0
        for header, logs in self.blocks(agreed, first, head.number):
            blocks.append((header, logs))
            size += len(logs)
            if size >= MAX_LOGS_PER_STEP:
                head = header
                break
        for contract in self._contracts:
            heads[contract.address] = extend_log_head(
                heads[contract.address],
                (log for _, logs in blocks for log in logs if log.address == contract.address),
            )
        if self._nodes.proves:
            self.prove(agreed, head, heads)
        found: list[LedgerEvent] = []
        given: dict[int, str] = {}
        for header, logs in blocks:
            found += self.translated(logs, header.time, accreditor_of, given)
        return Step(
            found,
            head.ref,
            heads,
            Assurance(endpoints=len(agreed.endpoints), proven=self._nodes.proves),
        )

    def prove(self, agreed: Agreement, head: Header, log_heads: Mapping[str, bytes]) -> None:
        """Hold log heads, by contract address, against the contracts' storage at a block.

        The code is compared too. Raises `LogsWithheld`, `ProofInvalid`, `ChainUnavailable`, also
        where the chain gives no proofs.
        """
        for contract in self._contracts:
            slot = agreed.first(lambda node: node.slot(head, contract.address, contract.head_slot))  # noqa: B023
            if slot.code_hash != contract.code_hash:
                agreed.distrust()
                raise ProofInvalid(f"the code of {contract.name} is not the pinned code")
            if slot.value != log_heads[contract.address]:
                agreed.distrust()
                raise LogsWithheld(
                    f"the logs of {contract.name} are not those that its log head is over"
                )

    def logs(self, endpoint: Endpoint, header: Header) -> tuple[Log, ...]:
        """Return the contracts' logs of a block, as one node says. Raises `ChainUnavailable`."""
        return endpoint.logs(header, self._addresses)

    def translated(
        self,
        logs: Sequence[Log],
        time: int,
        accreditor_of: Callable[[int], str | None],
        given: dict[int, str],
    ) -> Sequence[LedgerEvent]:
        """Return the events of a block's logs.

        Mandates that the logs give are added to `given`, which is asked before `accreditor_of`.
        Raises `NodeAnswerInvalid`, `MandateUnknown`.
        """

        def known(mandate_id: int) -> str:
            found = given.get(mandate_id) or accreditor_of(mandate_id)
            if found is None:
                raise MandateUnknown("an accreditation names a mandate that was never given")
            return found

        result = []
        for log in logs:
            event = translate(self._names[log.address], Context(log, time, known))
            if isinstance(event, AccreditorScope):
                given[event.mandate_id] = event.accreditor
            if event is not None:
                result.append(event)
        return result
