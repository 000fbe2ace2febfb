"""Sending a person's transactions from one key: local signing, wait for inclusion.

For acts that somebody does and watches, such as deploying and accrediting. Services write through
`publisher`, which waits for nothing; the two never share a key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from wallet.adapters.evm.node import ask
from wallet.ports.ledger import LedgerRefused

INCLUSION_TIMEOUT_S: Final = 60
_GAS_HEADROOM: Final = 1.25
_POLL_S: Final = 0.05
_TRANSFER_GAS: Final = 21_000


class Sender:
    """Signs and sends with one key. Calls of several threads are sent one after the other."""

    def __init__(self, w3: Web3, account: LocalAccount) -> None:
        self._w3 = w3
        self._account = account
        self._lock = threading.Lock()

    @classmethod
    def from_secret(cls, w3: Web3, secret: bytes) -> Sender:
        """Return the sender of a 32-byte secp256k1 secret."""
        return cls(w3, Account.from_key(secret))

    @property
    def address(self) -> str:
        """The sending address, lower-case hex."""
        return self._account.address.lower()

    @property
    def account(self) -> LocalAccount:
        """The key itself, for whoever writes with it from now on in place of this sender."""
        return self._account

    def send(self, call: Any) -> Any:
        """Send a contract function or constructor and return the receipt once it is included.

        Raises `LedgerRefused` when it reverts (already when estimated: nothing is spent) and
        `ChainUnavailable`.
        """
        with self._lock:
            return self._submit(lambda: call.build_transaction(self._envelope()))

    def transfer(self, to: str, value_wei: int) -> Any:
        """Send ether to a checksum address and return the receipt. Raises as `send` does."""
        with self._lock:
            return self._submit(
                lambda: {**self._envelope(), "to": to, "value": value_wei, "gas": _TRANSFER_GAS}
            )

    def _submit(self, build: Callable[[], Any]) -> Any:
        transaction = ask(build)
        if transaction["gas"] != _TRANSFER_GAS:
            transaction["gas"] = int(transaction["gas"] * _GAS_HEADROOM)
        signed = self._account.sign_transaction(transaction)
        digest = ask(lambda: self._w3.eth.send_raw_transaction(signed.raw_transaction))
        receipt = ask(
            lambda: self._w3.eth.wait_for_transaction_receipt(
                digest, timeout=INCLUSION_TIMEOUT_S, poll_latency=_POLL_S
            )
        )
        if receipt["status"] != 1:
            raise LedgerRefused("the transaction was included and reverted")
        return receipt

    def _envelope(self) -> Any:
        w3 = self._w3
        base_fee = w3.eth.get_block("latest").get("baseFeePerGas", 0)
        tip = w3.to_wei(1, "gwei")
        return {
            "from": self._account.address,
            "nonce": w3.eth.get_transaction_count(self._account.address, "pending"),
            "chainId": w3.eth.chain_id,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": 2 * base_fee + tip,
        }
