"""An agency's append-only log of decisions, withdrawals and deletions (RFC 9162 §2.1).

A leaf is that of a batch: SHA-256(00 || salt32 || SHA-256(signed input)), so heads and proofs tell
nothing. A head (typ `agency-log-head+jwt`) is the agency's signature under size and root; heads
are anchored with the receipts, and every later head extends every earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wallet.credentials.jose import sign_jws
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.crypto.merkle import MAX_TREE_SIZE, verify_consistency, verify_inclusion
from wallet.did.document import DidDocument
from wallet.eligibility.receipts import members
from wallet.eligibility.receipts.signed import agency_claims
from wallet.encoding import base64url

HEAD_TYPE: Final = "agency-log-head+jwt"
_CLAIMS: Final = frozenset(("iss", "iat", "size", "root"))


@dataclass(frozen=True, slots=True)
class LogHead:
    """A head whose signature was verified: the log's size and root at a time, unix seconds."""

    token: str
    issuer: str
    at: int
    size: int
    root: bytes

    @property
    def signing_input(self) -> bytes:
        """What the agency signed: what is anchored."""
        return self.token.rpartition(".")[0].encode("ascii")


def issue_log_head(
    key: SigningKey, *, issuer: str, verification_method: str, size: int, root: bytes, now: int
) -> str:
    """Return the signed head of a log."""
    claims = {"iss": issuer, "iat": now, "size": size, "root": base64url.encode(root)}
    return sign_jws(key, {"typ": HEAD_TYPE, "kid": verification_method}, claims)


def verify_log_head(token: str, *, issuer: str, keys: DidDocument | PublicKey) -> LogHead:
    """Return the head that `issuer` signed.

    Raises `JwsMalformed`, `SignatureInvalid`, `KeyNotAuthorized`, `ReceiptIssuerMismatch`,
    `DecisionReceiptMalformed` and the errors of the encodings. That it is the newest, or anchored,
    is not checked.
    """
    claims = agency_claims(token, typ=HEAD_TYPE, issuer=issuer, keys=keys, names=_CLAIMS)
    return LogHead(
        token,
        issuer,
        members.moment(claims["iat"], "iat"),
        members.number(claims["size"], "size", MAX_TREE_SIZE),
        members.octets(claims["root"], "root"),
    )


def verify_entry(head: LogHead, leaf: bytes, index: int, path: Sequence[bytes]) -> None:
    """Return if the log of `head` has `leaf` at `index`. Raises `InclusionProofInvalid`."""
    verify_inclusion(leaf, index, head.size, path, head.root)


def verify_extension(old: LogHead, new: LogHead, path: Sequence[bytes]) -> None:
    """Return if the log only grew from `old` to `new`. Raises `ConsistencyProofInvalid`."""
    verify_consistency(old.size, old.root, new.size, new.root, path)
