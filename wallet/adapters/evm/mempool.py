"""Handing signed transactions to a node, and what nodes say when they do not take one.

JSON-RPC has no error numbers for this, so the words of geth, anvil, besu, nethermind, erigon and
eth-tester are read. Words that nobody knows mean that the node did not take the transaction.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from eth_utils.exceptions import ValidationError
from web3 import Web3
from web3.exceptions import Web3RPCError

from wallet.adapters.evm.node import ask


class Answer(Enum):
    """What a node did with a transaction. `KNOWN` and `TAKEN` are the same success."""

    TAKEN = auto()
    KNOWN = auto()
    NONCE_USED = auto()
    UNDERPRICED = auto()
    UNFUNDED = auto()
    REFUSED = auto()


_WORDS: Final[tuple[tuple[Answer, tuple[str, ...]], ...]] = (
    (Answer.KNOWN, ("already known", "already imported", "known transaction", "alreadyknown")),
    (
        Answer.UNDERPRICED,
        (
            "underpriced",
            "less than block base fee",
            "lower than block's base fee",
            "gas price too low",
            "feetoolow",
            "replacementnotallowed",
            "gas price below",
        ),
    ),
    (Answer.NONCE_USED, ("nonce too low", "nonce_too_low", "oldnonce", "transaction nonce:")),
    (
        Answer.UNFUNDED,
        ("insufficient funds", "insufficientfunds", "upfront cost", "cannot afford"),
    ),
)


def hand_over(w3: Web3, raw: bytes) -> Answer:
    """Send a signed transaction. Raises `ChainUnavailable` when the node gives no answer."""

    def send() -> Answer:
        try:
            w3.eth.send_raw_transaction(raw)
        except (Web3RPCError, ValidationError) as error:
            return _read(str(error))
        return Answer.TAKEN

    return ask(send)


def _read(text: str) -> Answer:
    words = text.lower()
    for answer, phrases in _WORDS:
        if any(phrase in words for phrase in phrases):
            return answer
    return Answer.REFUSED
