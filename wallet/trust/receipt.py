"""Anchor receipts: where a credential's leaf is in a batch whose root is on the chain.

leaf data = salt32 || SHA-256(signed input), so leaf hash = SHA-256(0x00 || salt || digest). The
salt keeps the leaf from being recognised by whoever holds the signed bytes but not the receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallet.crypto.hashing import sha256
from wallet.crypto.merkle import HASH_BYTES, MAX_TREE_SIZE, leaf_hash, root_from_path
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError

SALT_BYTES: Final = 32
MAX_PATH_NODES: Final = 40
RECEIPT_CLAIM: Final = "anchor_receipt"
_STRINGS: Final = frozenset((str,))
_LENGTHS: Final = frozenset((base64url.encoded_length(HASH_BYTES),))


class ReceiptMalformed(MalformedError):
    """An anchor receipt that is not of its form."""

    code = "receipt_malformed"


def batch_leaf(salt: bytes, signed_input: bytes) -> bytes:
    """Return the leaf hash of a credential: SHA-256(0x00 || salt32 || SHA-256(signed input))."""
    if len(salt) != SALT_BYTES:
        raise ReceiptMalformed(f"a salt has {SALT_BYTES} bytes")
    return leaf_hash(salt + sha256(signed_input))


@dataclass(frozen=True, slots=True)
class AnchorReceipt:
    """The inclusion proof of one credential: RFC 9162 index, size, path, and the leaf's salt."""

    index: int
    size: int
    path: tuple[bytes, ...]
    salt: bytes

    def root_for(self, signed_input: bytes) -> bytes:
        """Return the batch root that this receipt claims for the signed bytes.

        Raises `InclusionProofInvalid`. Whether that root is anchored is for the caller to check.
        """
        return root_from_path(
            batch_leaf(self.salt, signed_input), self.index, self.size, self.path
        )

    def to_json(self) -> JsonObject:
        """Return the form in which receipts travel."""
        return {
            "index": self.index,
            "size": self.size,
            "path": [base64url.encode(node) for node in self.path],
            "salt": base64url.encode(self.salt),
        }


def parse_receipt(value: object) -> AnchorReceipt:
    """Return the receipt of its JSON form. Raises `ReceiptMalformed`, `Base64urlMalformed`."""
    if not isinstance(value, dict):
        raise ReceiptMalformed("a receipt is an object")
    index, size = value.get("index"), value.get("size")
    path, salt = value.get("path"), value.get("salt")
    if type(index) is not int or type(size) is not int or not 0 <= index < size <= MAX_TREE_SIZE:
        raise ReceiptMalformed("a receipt needs 0 <= index < size")
    if type(salt) is not str or type(path) is not list or len(path) > MAX_PATH_NODES:
        raise ReceiptMalformed("a receipt needs a salt and a path of limited length")
    texts = [*path, salt]
    if not _STRINGS.issuperset(map(type, texts)) or not _LENGTHS.issuperset(map(len, texts)):
        raise ReceiptMalformed(f"salt and hashes are {HASH_BYTES} bytes in base64url")
    *nodes, salt_bytes = base64url.decode_each(texts, HASH_BYTES)
    return AnchorReceipt(index, size, tuple(nodes), salt_bytes)
