"""The hash-chained log heads of the contracts (contracts/README.md, Log head)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from wallet.adapters.evm.artifacts import artifact
from wallet.adapters.evm.blocks import HASH_BYTES, Log
from wallet.adapters.evm.deployment import Deployment
from wallet.ports.facts import ChainUnavailable

EMPTY_LOG_HEAD: Final = bytes(HASH_BYTES)
_HEAD_VARIABLE: Final = "_logHead"


class LogsWithheld(ChainUnavailable):
    """The logs that nodes returned are not those that the contract's log head is over."""

    code = "logs_withheld"


@dataclass(frozen=True, slots=True)
class WatchedContract:
    """A contract that keeps a log head: where it is and how its chain is recomputed."""

    name: str
    address: str
    code_hash: bytes
    head_slot: bytes


def watched_contracts(deployment: Deployment) -> tuple[WatchedContract, ...]:
    """Return every contract of a deployment with its log head's slot, read from the artifact."""
    return tuple(
        WatchedContract(name, pin.address, pin.code_hash, _head_slot(name))
        for name, pin in deployment.contracts.items()
    )


def _head_slot(name: str) -> bytes:
    storage = artifact(name)["storageLayout"]["storage"]
    (slot,) = (int(entry["slot"]) for entry in storage if entry["label"] == _HEAD_VARIABLE)
    return slot.to_bytes(HASH_BYTES, "big")


def extend_log_head(head: bytes, logs: Iterable[Log]) -> bytes:
    """Return the head after `logs`, which are all of one contract and in chain order."""
    for log in logs:
        head = keccak(head + keccak(b"".join(log.topics) + log.data))
    return head
