"""Reading everything since the deployment, for whoever recomputes what the contracts say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eth_utils.crypto import keccak

from tests.support.chains import LedgerStack, ledger_stack
from wallet.adapters.evm.blocks import Log
from wallet.adapters.evm.deployment import ANCHOR, DIRECTORY, REGISTRY
from wallet.adapters.evm.log_chain import EMPTY_LOG_HEAD, LogsWithheld, extend_log_head
from wallet.adapters.evm.quorum import Agreement
from wallet.ports.facts import ChainUnavailable

ISSUER, SCHEMA, ROOT, MANIFEST = (bytes([n]) * 32 for n in (1, 2, 3, 5))
LOG_HEAD = keccak(text="logHead()")[:4]


@pytest.fixture(
    params=[
        "eth-tester",
        pytest.param("anvil", marks=[pytest.mark.anvil, pytest.mark.loopback]),
    ]
)
def stack(request: pytest.FixtureRequest) -> Iterator[LedgerStack]:
    with ledger_stack(request.param) as made:
        until = made.now() + 100_000
        made.root.accredit_accreditor(made.accreditor_address, SCHEMA, until)
        made.accreditor.accredit_issuer(ISSUER, made.controller_address, SCHEMA, until)
        made.writer.anchor_batch(ISSUER, SCHEMA, ROOT, 64, MANIFEST)
        made.finalize()
        yield made


def logs_of(stack: LedgerStack, agreed: Agreement) -> list[Log]:
    first = stack.deployment.first_block
    blocks = stack.reader.blocks(agreed, first, agreed.head.number)
    return [log for _, logs in blocks for log in logs]


def heads_over(stack: LedgerStack, logs: list[Log]) -> dict[str, bytes]:
    return {
        pin.address: extend_log_head(
            EMPTY_LOG_HEAD, (log for log in logs if log.address == pin.address)
        )
        for pin in stack.deployment.contracts.values()
    }


def test_every_event_since_the_deployment_is_read_in_order_with_its_arguments(
    stack: LedgerStack,
) -> None:
    agreed = stack.reader.agree()
    decoded = [stack.reader.decoded(log) for log in logs_of(stack, agreed)]
    told = [(entry.contract, entry.event) for entry in decoded if entry is not None]
    assert len(told) == len(decoded)
    # each contract with a root authority begins with whom it is
    assert told[0] == (REGISTRY, "RoleGranted")
    assert told[1] == (DIRECTORY, "RoleGranted")
    assert told[2:6] == [(DIRECTORY, "ContractListed")] * 4
    assert told[6:] == [
        (REGISTRY, "AccreditorAccredited"),
        (REGISTRY, "IssuerAccredited"),
        (ANCHOR, "BatchAnchored"),
    ]
    anchored = decoded[-1]
    assert anchored is not None
    assert (anchored.arguments["root"], anchored.arguments["size"]) == (ROOT, 64)


def test_the_log_heads_over_what_was_read_are_those_of_the_contracts(stack: LedgerStack) -> None:
    agreed = stack.reader.agree()
    for address, head in heads_over(stack, logs_of(stack, agreed)).items():
        said = agreed.first(lambda node: node.call(address, LOG_HEAD, agreed.head))  # noqa: B023
        assert said == head


def test_where_there_are_proofs_a_missing_log_shows(stack: LedgerStack) -> None:
    agreed = stack.reader.agree()
    logs = logs_of(stack, agreed)
    if not stack.nodes.proves:
        with pytest.raises(ChainUnavailable):
            stack.reader.prove(agreed, agreed.head, heads_over(stack, logs))
        return
    stack.reader.prove(agreed, agreed.head, heads_over(stack, logs))
    for place in range(len(logs)):
        with pytest.raises(LogsWithheld):
            stack.reader.prove(
                agreed, agreed.head, heads_over(stack, [*logs[:place], *logs[place + 1 :]])
            )
