"""What became of a transaction: its receipt, and why it reverted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from web3 import Web3
from web3.exceptions import TransactionNotFound

from wallet.adapters.evm.node import ask
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import LedgerRefused
from wallet.ports.outbox import ContractCall, Inclusion


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a transaction was included, and whether it did not revert."""

    inclusion: Inclusion
    succeeded: bool


def find_receipt(w3: Web3, hashes: Sequence[bytes]) -> Receipt | None:
    """Return the receipt of the one of `hashes` that is in the chain, the newest asked first.

    Raises `ChainUnavailable`.
    """
    for transaction_hash in reversed(hashes):
        found = ask(lambda wanted=transaction_hash: _receipt(w3, wanted))  # type: ignore[misc]
        if found is not None:
            return found
    return None


def _receipt(w3: Web3, transaction_hash: bytes) -> Receipt | None:
    try:
        receipt = w3.eth.get_transaction_receipt(transaction_hash)  # type: ignore[arg-type]
    except TransactionNotFound:
        return None
    try:
        if bytes(receipt["transactionHash"]) != transaction_hash:
            raise ValueError("not the receipt that was asked for")
        gas_used = int(receipt["gasUsed"])
        inclusion = Inclusion(
            transaction_hash,
            int(receipt["blockNumber"]),
            bytes(receipt["blockHash"]),
            gas_used,
            gas_used * int(receipt["effectiveGasPrice"]),
        )
        return Receipt(inclusion, receipt["status"] == 1)
    except TypeError as error:
        raise ValueError("a member of the receipt is missing") from error


def revert_reason(w3: Web3, sender: str, call: ContractCall, receipt: Receipt) -> str:
    """Return why an included transaction reverted: the custom error, when it can be found.

    Asks the node to run the call again on the state after its block.
    """
    if receipt.inclusion.gas_used >= call.gas:
        return "the transaction ran out of gas"
    request = {
        "from": sender,
        "to": Web3.to_checksum_address(call.to),
        "data": Web3.to_hex(call.data),
    }
    try:
        ask(lambda: w3.eth.call(request, receipt.inclusion.block_number))  # type: ignore[arg-type]
    except LedgerRefused as error:
        return str(error)
    except ChainUnavailable:
        pass
    return "the transaction reverted"
