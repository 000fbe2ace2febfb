"""The checks of an audit, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from web3 import Web3

from seoul_wallet.audit.difference import AuditDifference, expect, require
from seoul_wallet.audit.issuer_records import IssuerUnderAudit
from seoul_wallet.audit.replay import Replay
from seoul_wallet.audit.replicas import ReplicaExpectation, ReplicaUnderAudit, expectation
from seoul_wallet.audit.views import Views, comparisons
from wallet.adapters.evm.blocks import HASH_BYTES, Header
from wallet.adapters.evm.deployment import DIRECTORY, Deployment
from wallet.adapters.evm.endpoints import Finality
from wallet.adapters.evm.log_chain import (
    EMPTY_LOG_HEAD,
    LogsWithheld,
    extend_log_head,
    watched_contracts,
)
from wallet.adapters.evm.proofs import ProvenSlot
from wallet.adapters.evm.quorum import Agreement, EndpointBehind, NodeQuorum
from wallet.trust.directory import directory_name

_ANY_SLOT = bytes(HASH_BYTES)
# Told how many of how many steps of a check are done.
Tell = Callable[[str, int, int], None]


class CheckState(StrEnum):
    """How a check ended. A check that finds a difference raises instead."""

    PASSED = "passed"
    NOT_ASKED = "not asked for"
    COULD_NOT_RUN = "could not run"


@dataclass(frozen=True, slots=True)
class Check:
    """A check and what it went over."""

    name: str
    state: CheckState
    went_over: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The checks of an audit that found no difference, as of the block `head`."""

    head: Header
    checks: Sequence[Check]

    @property
    def is_complete(self) -> bool:
        """Whether every check that was asked for ran."""
        return all(check.state is not CheckState.COULD_NOT_RUN for check in self.checks)


class Audit:
    """One audit of a deployment. Reads only."""

    def __init__(
        self,
        nodes: NodeQuorum,
        w3: Web3,
        deployment: Deployment,
        *,
        finality: str,
        tell: Tell,
        replicas: Sequence[ReplicaUnderAudit] = (),
        issuer: IssuerUnderAudit | None = None,
    ) -> None:
        """`w3` answers for the contracts' views. Raises `FinalityUnknown`."""
        self._nodes = nodes
        self._w3 = w3
        self._deployment = deployment
        self._finality = Finality(finality)
        self._tell = tell
        self._replicas = sorted(replicas, key=lambda replica: replica.block_number)
        self._issuer = issuer
        self._contracts = watched_contracts(deployment)
        self._checks: list[Check] = []

    def run(self) -> AuditReport:
        """Run every check.

        Raises `AuditDifference` for the first difference, `LogsWithheld`, `ProofInvalid`,
        `DeploymentMismatch`, `ChainUnavailable`, `AuditIncomplete`, `StorageUnavailable`.
        """
        self._nodes.check(self._deployment, listing=False)
        agreed = self._nodes.agree(self._deployment.chain_id, self._finality)
        count = len(agreed.endpoints)
        self._passed("finalized block", f"block {agreed.head.number}, agreed by {count} node(s)")
        self._passed("code of the contracts", f"{len(self._contracts)} contracts")
        replay = self._replay(agreed)
        self._compare_views(replay, agreed.head)
        self._compare_directory(replay, agreed)
        self._compare_issuer(replay)
        return AuditReport(agreed.head, self._checks)

    def _passed(self, name: str, went_over: str) -> None:
        self._checks.append(Check(name, CheckState.PASSED, went_over))

    def _replay(self, agreed: Agreement) -> Replay:
        """Replay every log; compare log heads, then what each replica holds at its own block.

        A log that is missing may look like a broken rule: what is wrong with the events counts
        only once it is proven that they are all of them.
        """
        head, waiting = agreed.head, list(self._replicas)
        if waiting and waiting[-1].block_number > head.number:
            raise EndpointBehind("the nodes' finalized block is older than the replica's")
        replay = Replay(self._deployment)
        heads = {contract.address: EMPTY_LOG_HEAD for contract in self._contracts}
        broken: AuditDifference | None = None
        expectations: list[tuple[ReplicaUnderAudit, ReplicaExpectation]] = []
        name = "events against the rules"
        numbers = agreed.log_blocks(self._deployment.first_block, head.number, heads.keys())
        for number in (*numbers, head.number + 1):
            while waiting and waiting[0].block_number < number:
                expected = self._expectation(waiting[0].block_number, replay, heads, agreed)
                expectations.append((waiting.pop(0), expected))
            if number > head.number:
                break
            header = agreed.header(number)
            for log in agreed.logs(header, heads.keys()):
                heads[log.address] = extend_log_head(heads[log.address], (log,))
                try:
                    if broken is None:
                        replay.apply(log, header)
                except AuditDifference as error:
                    broken = error
            self._tell(name, number, head.number)
        self._prove(agreed, heads)
        if broken is not None:
            raise broken
        total = sum(replay.counts.values())
        self._passed(name, f"{total} events of {len(replay.counts)} kinds")
        for replica, expected in expectations:
            facts = replica.compare(expected)
            self._passed(replica.name, f"{facts} facts as of block {replica.block_number}")
        if not expectations:
            self._checks.append(Check("local replica", CheckState.NOT_ASKED, ""))
        return replay

    def _expectation(
        self, number: int, replay: Replay, heads: Mapping[str, bytes], agreed: Agreement
    ) -> ReplicaExpectation:
        block = agreed.head if number == agreed.head.number else agreed.header(number)
        return expectation(self._deployment.identity, block.hash, replay, heads)

    def _prove(self, agreed: Agreement, log_heads: Mapping[str, bytes]) -> None:
        name = "log heads against the state root"
        if not self._nodes.proves:
            self._checks.append(
                Check(name, CheckState.COULD_NOT_RUN, "this chain gives no storage proofs")
            )
            return
        for contract in self._contracts:
            slot = _slot(agreed, contract.address, contract.head_slot)
            expect(
                contract.name, "the proven hash of its code", slot.code_hash, contract.code_hash
            )
            if slot.value != log_heads[contract.address]:
                raise LogsWithheld(
                    f"the logs of {contract.name} are not those that its log head is over"
                )
        self._passed(name, f"{len(self._contracts)} proofs")

    def _compare_views(self, replay: Replay, head: Header) -> None:
        name = "views of the contracts"
        views = Views(self._w3, self._deployment, head)
        todo = comparisons(views, replay)
        for done, compare in enumerate(todo):
            self._tell(name, done, len(todo))
            compare()
        self._tell(name, len(todo), len(todo))
        self._passed(name, f"{len(todo)} answers")
        lists = list(replay.anchor.statuses.values())
        over = sum(versions[-1].expires_at <= head.time for versions in lists)
        self._passed("status digests", f"{len(lists)} lists, {over} of them run out")

    def _compare_directory(self, replay: Replay, agreed: Agreement) -> None:
        name = "directory against the deployment"
        if DIRECTORY not in self._deployment.contracts:
            self._checks.append(Check(name, CheckState.NOT_ASKED, "the deployment has none"))
            return
        entries = replay.directory.entries
        for contract in self._contracts:
            if contract.name == DIRECTORY:
                continue
            versions = entries.get(directory_name(contract.name), [])
            listed = {(entry.location, entry.code_hash) for entry in versions}
            is_listed = (contract.address, contract.code_hash) in listed
            require(is_listed, contract.name, "the directory does not list it as it is pinned")
        listings = [entry for versions in entries.values() for entry in versions]
        if self._nodes.proves:
            for entry in listings:
                slot = _slot(agreed, entry.location, _ANY_SLOT)
                expect(
                    entry.location, "the code hash listed for it", entry.code_hash, slot.code_hash
                )
        deprecated = sum(entry.deprecated_at != 0 for entry in listings)
        self._passed(name, f"{len(listings)} listings, {deprecated} of them deprecated")

    def _compare_issuer(self, replay: Replay) -> None:
        name = "issuer's database"
        if self._issuer is None:
            self._checks.append(Check(name, CheckState.NOT_ASKED, ""))
            return
        counts = self._issuer.compare(replay, lambda done, total: self._tell(name, done, total))
        self._passed(
            name,
            f"{counts.batches} batches with {counts.leaves} leaves,"
            f" {counts.status_versions} versions of status lists",
        )


def _slot(agreed: Agreement, address: str, slot: bytes) -> ProvenSlot:
    return agreed.first(lambda node: node.slot(agreed.head, address, slot))
