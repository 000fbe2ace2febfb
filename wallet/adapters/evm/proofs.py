"""Storage proofs (EIP-1186): what a contract's storage holds at a block, by its state root.

The state root comes from a header whose hash was computed here; every node of a proof is held
against the hash that its parent names, so that a proof is either right or refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import rlp
from eth_utils.crypto import keccak

from wallet.adapters.evm.blocks import HASH_BYTES, octets
from wallet.ports.facts import ChainUnavailable

MAX_PROOF_NODES: Final = 65
MAX_NODE_BYTES: Final = 1024
EMPTY_TRIE_ROOT: Final = keccak(rlp.encode(b""))
_BRANCH_ITEMS: Final = 17
_PATH_ITEMS: Final = 2
_ACCOUNT_ITEMS: Final = 4


class ProofInvalid(ChainUnavailable):
    """A node's storage proof does not fit the finalized block: altered, cut short, of another."""

    code = "storage_proof_invalid"


@dataclass(frozen=True, slots=True)
class ProvenSlot:
    """A storage slot of a contract at a block, with the hash of the code that the contract has."""

    value: bytes
    code_hash: bytes


def verify_storage_proof(
    answer: object, state_root: bytes, address: str, slot: bytes
) -> ProvenSlot:
    """Return what `slot` of `address` holds in the state with `state_root`, and the code's hash.

    `answer` is the result of `eth_getProof` for this one slot; a slot that was never written is
    32 zero bytes. Raises `ProofInvalid`, `NodeAnswerInvalid`.
    """
    if not isinstance(answer, Mapping):
        raise ProofInvalid("expected an account with its proof")
    account = _decode(
        verify_trie_value(
            state_root, bytes.fromhex(address[2:]), _nodes(answer.get("accountProof"))
        )
    )
    if len(account) != _ACCOUNT_ITEMS:
        raise ProofInvalid("the contract has no account in the finalized state")
    storage_root, code_hash = _value(account[2]), _value(account[3])
    proofs = answer.get("storageProof")
    if type(proofs) is not list or len(proofs) != 1 or not isinstance(proofs[0], Mapping):
        raise ProofInvalid("expected the proof of one slot")
    found = verify_trie_value(storage_root, slot, _nodes(proofs[0].get("proof")))
    return ProvenSlot(_slot_value(found).rjust(HASH_BYTES, b"\0"), code_hash)


def verify_trie_value(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes:
    """Return the value of `key` in the secure Merkle Patricia trie with `root`; b"" if absent.

    `nodes` are the RLP of the nodes from the root down. Raises `ProofInvalid`.
    """
    if root == EMPTY_TRIE_ROOT:
        return b""
    path = [digit for octet in keccak(key) for digit in (octet >> 4, octet & 15)]
    remaining = iter(nodes)
    node: object = _open(root, remaining)
    while True:
        if not isinstance(node, list):
            raise ProofInvalid("a node of the proof is not a list")
        if len(node) == _BRANCH_ITEMS:
            if not path:
                return _value(node[-1])
            reference = node[path.pop(0)]
        elif len(node) == _PATH_ITEMS:
            digits, is_leaf = _hex_prefix(node[0])
            if path[: len(digits)] != digits or (is_leaf and len(path) != len(digits)):
                return b""
            del path[: len(digits)]
            if is_leaf:
                return _value(node[1])
            reference = node[1]
        else:
            raise ProofInvalid("a node of the proof has an impossible number of items")
        if reference == b"":
            return b""
        # A child shorter than a hash stands in its parent itself.
        node = reference if isinstance(reference, list) else _open(reference, remaining)


def _open(digest: object, remaining: Iterator[bytes]) -> list[object]:
    encoded = next(remaining, None)
    if encoded is None:
        raise ProofInvalid("the proof ends before its key")
    if keccak(encoded) != digest:
        raise ProofInvalid("a node of the proof does not have the hash that it must have")
    return _decode(encoded)


def _decode(encoded: bytes) -> list[object]:
    value = _decode_item(encoded) if encoded else []
    return list(value) if isinstance(value, list | tuple) else []


def _decode_item(encoded: bytes) -> object:
    # Only what a hash already vouches for is decoded, so that no stranger chooses its depth.
    try:
        return rlp.decode(encoded)
    except rlp.exceptions.RLPException as error:
        raise ProofInvalid("a node of the proof is not RLP") from error


def _value(item: object) -> bytes:
    if not isinstance(item, bytes):
        raise ProofInvalid("a value of the trie is bytes")
    return item


def _slot_value(encoded: bytes) -> bytes:
    value = _decode_item(encoded) if encoded else b""
    if not isinstance(value, bytes) or len(value) > HASH_BYTES:
        raise ProofInvalid("a slot holds at most 32 bytes")
    return value


def _hex_prefix(item: object) -> tuple[list[int], bool]:
    """Return the digits of a compact path (yellow paper, appendix C) and whether a leaf has it."""
    if not isinstance(item, bytes) or not item or item[0] >> 4 > 3:
        raise ProofInvalid("a path of the proof is malformed")
    digits = [digit for octet in item for digit in (octet >> 4, octet & 15)]
    flags = digits[0]
    return digits[1 if flags & 1 else 2 :], bool(flags & 2)


def _nodes(value: object) -> Sequence[bytes]:
    if type(value) is not list or len(value) > MAX_PROOF_NODES:
        raise ProofInvalid("a proof is a list of nodes")
    return [octets(node, max_length=MAX_NODE_BYTES) for node in value]
