"""The ledger ports on every chain adapter: what is written is read back once it is final."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.chains import LedgerStack, ledger_stack
from wallet.adapters.evm.deployment import (
    ANCHOR,
    REGISTRY,
    ContractPin,
    Deployment,
    DeploymentMismatch,
    parse_deployment,
)
from wallet.adapters.evm.endpoints import FinalityUnknown
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import LedgerRefused
from wallet.trust.directory import DirectoryEntry
from wallet.trust.events import (
    AccreditorRevoked,
    BatchWithdrawn,
    IssuerRevoked,
    LedgerEvent,
)
from wallet.trust.facts import AccreditorScope, BatchFact, IssuerScope, StatusFact

ISSUER, SCHEMA, ROOT, LIST = (bytes([n]) * 32 for n in (1, 2, 3, 4))
MANIFEST, DIGEST = b"\x05" * 32, b"\x06" * 32


@pytest.fixture(
    params=[
        "eth-tester",
        pytest.param("anvil", marks=[pytest.mark.anvil, pytest.mark.loopback]),
    ]
)
def stack(request: pytest.FixtureRequest) -> Iterator[LedgerStack]:
    with ledger_stack(request.param) as made:
        yield made


def accredit(stack: LedgerStack) -> int:
    until = stack.now() + 100_000
    stack.root.accredit_accreditor(stack.accreditor_address, SCHEMA, until)
    stack.accreditor.accredit_issuer(ISSUER, stack.controller_address, SCHEMA, until)
    return until


def everything(stack: LedgerStack) -> list[LedgerEvent]:
    """What happened since the contracts were listed."""
    stack.finalize()
    head = stack.reader.finalized_head()
    events = stack.reader.events(stack.deployment.first_block, head.number)
    return [event for event in events if not isinstance(event, DirectoryEntry)]


def test_every_act_is_read_back_in_order(stack: LedgerStack) -> None:
    until = accredit(stack)
    stack.writer.anchor_batch(ISSUER, SCHEMA, ROOT, 64, MANIFEST)
    stack.writer.publish_status(ISSUER, LIST, DIGEST, 1, until)
    stack.writer.revoke_batch(ISSUER, ROOT)
    stack.accreditor.revoke_issuer(ISSUER, SCHEMA)
    stack.root.revoke_accreditor(stack.accreditor_address, SCHEMA)
    above, scope, batch, status, withdrawn, ended, expelled = everything(stack)
    assert isinstance(above, AccreditorScope)
    assert (above.accreditor, above.schema_id) == (stack.accreditor_address, SCHEMA)
    assert isinstance(scope, IssuerScope)
    assert (scope.issuer_id, scope.accreditor, scope.valid_until) == (
        ISSUER,
        stack.accreditor_address,
        until,
    )
    assert isinstance(batch, BatchFact)
    assert (batch.root, batch.size, batch.manifest_digest) == (ROOT, 64, MANIFEST)
    assert scope.valid_from <= batch.anchored_at <= stack.now()
    assert isinstance(status, StatusFact)
    assert (status.version, status.digest) == (1, DIGEST)
    assert isinstance(withdrawn, BatchWithdrawn)
    assert withdrawn.root == ROOT
    assert isinstance(ended, IssuerRevoked)
    assert ended.effective_at >= batch.anchored_at
    assert isinstance(expelled, AccreditorRevoked)


def test_anchoring_and_publishing_the_same_again_is_no_error_and_no_event(
    stack: LedgerStack,
) -> None:
    until = accredit(stack)
    for _ in range(2):
        stack.writer.anchor_batch(ISSUER, SCHEMA, ROOT, 64, MANIFEST)
        stack.writer.publish_status(ISSUER, LIST, DIGEST, 1, until)
    assert len(everything(stack)) == 4


def test_what_the_contract_refuses_is_a_typed_error_that_names_the_rule(
    stack: LedgerStack,
) -> None:
    with pytest.raises(LedgerRefused, match="NotController"):
        stack.writer.anchor_batch(ISSUER, SCHEMA, ROOT, 64, MANIFEST)
    until = accredit(stack)
    with pytest.raises(LedgerRefused, match="VersionNotNext"):
        stack.writer.publish_status(ISSUER, LIST, DIGEST, 2, until)
    with pytest.raises(LedgerRefused, match="UnknownBatch"):
        stack.writer.revoke_batch(ISSUER, ROOT)
    assert len(everything(stack)) == 2


def test_a_silent_node_is_unavailable_and_not_an_answer(stack: LedgerStack) -> None:
    accredit(stack)
    stack.silence()
    with pytest.raises(ChainUnavailable):
        stack.reader.finalized_head()
    with pytest.raises(ChainUnavailable):
        stack.reader.events(0, 1)
    with pytest.raises(ChainUnavailable):
        stack.writer.revoke_batch(ISSUER, ROOT)


def test_a_deployment_that_is_not_there_ends_the_start(stack: LedgerStack) -> None:
    there = stack.deployment
    pin = there.contracts[REGISTRY]
    EvmLedgerReader(stack.nodes, there).check_deployment()

    def refuse(deployment: Deployment, reason: str) -> None:
        with pytest.raises(DeploymentMismatch, match=reason):
            EvmLedgerReader(stack.nodes, deployment).check_deployment()

    def with_registry(changed: ContractPin) -> Deployment:
        return replace(there, contracts={**there.contracts, REGISTRY: changed})

    refuse(with_registry(replace(pin, address="0x" + "11" * 20)), "no contract")
    refuse(with_registry(replace(pin, code_hash=bytes(32))), "not the pinned code")
    refuse(replace(there, chain_id=there.chain_id + 1), "another chain")
    assert parse_deployment(there.to_json()) == there


def test_an_unknown_finality_mode_is_refused(stack: LedgerStack) -> None:
    for mode in ("", "latest", "depth:", "depth:-1", "depth:99999"):
        with pytest.raises(FinalityUnknown):
            EvmLedgerReader(stack.nodes, stack.deployment, finality=mode)
    head = stack.reader.finalized_head().number
    stack.finalize()
    deep = EvmLedgerReader(stack.nodes, stack.deployment, finality="depth:2")
    assert deep.finalized_head().number <= stack.w3.eth.block_number - 2
    assert head >= 0


PIN = {"address": "0x" + "11" * 20, "code_hash": "0x" + "22" * 32}


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": "1"},
        {"chain_id": True},
        {"first_block": -1},
        {"contracts": {REGISTRY: PIN}},
        {"contracts": {REGISTRY: PIN, ANCHOR: {**PIN, "address": "0x1"}}},
        {"contracts": {REGISTRY: PIN, ANCHOR: {"address": PIN["address"]}}},
        {"contracts": {REGISTRY: PIN, ANCHOR: None}},
        {"contracts": {REGISTRY: PIN, ANCHOR: PIN, "../Elsewhere": PIN}},
    ],
)
def test_a_deployment_file_of_another_form_is_refused(change: dict[str, object]) -> None:
    good = {"chain_id": 1, "first_block": 0, "contracts": {REGISTRY: PIN, ANCHOR: PIN}}
    assert parse_deployment(dict(good)).chain_id == 1
    with pytest.raises(DeploymentMismatch):
        parse_deployment({**good, **change})
