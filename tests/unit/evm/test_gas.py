"""The gas that the chain inside this process says a transaction needs."""

from collections.abc import Iterator

import pytest
from eth_tester.exceptions import TransactionFailed
from web3 import Web3

from wallet.adapters.evm.artifacts import artifact
from wallet.adapters.evm.development import DevelopmentChain

# Ends well with more than 200,000 gas left at its first step, and reverts with less.
WANTS_MUCH = bytes.fromhex("62030d405a11600c575f5ffd5b00")
REVERTS = bytes.fromhex("5f5ffd")


@pytest.fixture(scope="module")
def w3() -> Iterator[Web3]:
    chain = DevelopmentChain()
    yield chain.w3
    chain.stop()


def used_with_estimate(w3: Web3, code: bytes) -> tuple[int, int]:
    """What was estimated, and what was used of just that; fails if it was not enough."""
    deploys = {"from": w3.eth.accounts[0], "data": Web3.to_hex(code)}
    estimated = w3.eth.estimate_gas(deploys)  # type: ignore[arg-type]
    digest = w3.eth.send_transaction({**deploys, "gas": estimated})  # type: ignore[arg-type, misc]
    receipt = w3.eth.wait_for_transaction_receipt(digest)
    assert receipt["status"] == 1
    return estimated, receipt["gasUsed"]


def test_the_estimate_is_enough_and_little_more_than_is_used(w3: Web3) -> None:
    code = bytes.fromhex(artifact("EthereumDIDRegistry")["bytecode"].removeprefix("0x"))
    estimated, used = used_with_estimate(w3, code)
    assert used <= estimated <= used * 64 // 63 + 1


def test_a_transaction_that_looks_at_its_gas_gets_what_it_wants(w3: Web3) -> None:
    estimated, used = used_with_estimate(w3, WANTS_MUCH)
    assert used < 100_000 < 200_000 < estimated


def test_a_transaction_that_fails_with_any_gas_has_no_estimate(w3: Web3) -> None:
    with pytest.raises(TransactionFailed):
        w3.eth.estimate_gas({"from": w3.eth.accounts[0], "data": Web3.to_hex(REVERTS)})
