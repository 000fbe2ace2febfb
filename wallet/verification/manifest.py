"""Batch manifests: what an issuer signs once for every credential of an anchored batch.

The anchor contract keeps the SHA-256 of the signed manifest beside the batch's root. A manifest
that the issuer's assertion key signed says of every leaf under that root what the signature of
each credential says: this came from me.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallet.credentials.jose import (
    JwsMalformed,
    claim_string,
    claim_time,
    parse_compact_jws,
    verify_jws,
)
from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import PublicKey
from wallet.crypto.merkle import HASH_BYTES, MAX_TREE_SIZE
from wallet.did.did_ethr import EthrHistory
from wallet.did.document import DidDocument
from wallet.encoding import base64url
from wallet.errors import RejectedError
from wallet.recent import RecentlyUsed
from wallet.trust.facts import BatchFact
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.issuer_key import NO_ANCHORS, IssuerKeys, issuer_key, key_hint

MANIFEST_TYPE: Final = "anchor-manifest+jwt"
MAX_MANIFEST_BYTES: Final = 16 * 1024
MAX_CHECKED_MANIFESTS: Final = 1024


class BatchManifestInvalid(RejectedError):
    """The manifest is signed, but for another issuer, batch or key."""

    code = "batch_manifest_invalid"


@dataclass(frozen=True, slots=True)
class VerifiedManifest:
    """A manifest whose signature was verified under `key`, and the digest of its signed form.

    Whether `key` is still the issuer's, and the batch anchored, is decided on every use.
    """

    issuer: str
    credential_type: str
    root: bytes
    size: int
    time: int
    digest: bytes
    key: PublicKey

    def is_of(self, batch: BatchFact) -> bool:
        """Tell whether this is the manifest that the chain has for `batch`, member by member."""
        return (
            self.digest == batch.manifest_digest
            and self.root == batch.root
            and self.size == batch.size
            and schema_id(self.credential_type) == batch.schema_id
            and issuer_id(self.issuer) == batch.issuer_id
        )


def verify_manifest(
    signed: bytes,
    *,
    issuer: str,
    issuer_keys: IssuerKeys,
    anchors: TrustAnchors = NO_ANCHORS,
    now: int,
    signed_by: int | None = None,
) -> VerifiedManifest:
    """Return the manifest that `issuer` signed (compact JWS, `typ` anchor-manifest+jwt).

    `signed_by` is when it was anchored, which chooses among the keys of a DID with a history.

    Raises `SignatureInvalid`, `KeyNotAuthorized`, `BatchManifestInvalid`, `JwsMalformed` and the
    errors of `issuer_key` and of the encodings. Does not check that the batch is anchored.
    """
    if len(signed) > MAX_MANIFEST_BYTES:
        raise JwsMalformed(f"a manifest has at most {MAX_MANIFEST_BYTES} bytes")
    if isinstance(issuer_keys, (DidDocument, EthrHistory)) and issuer != str(issuer_keys.did):
        raise BatchManifestInvalid("the keys are of another issuer")
    jws = parse_compact_jws(signed, typ=MANIFEST_TYPE)
    key = issuer_key(
        key_hint(jws), issuer, issuer_keys, anchors=anchors, now=now, signed_by=signed_by
    )
    verify_jws(jws, key)
    claims = jws.peek_claims()
    if claim_string(claims, "issuer") != issuer:
        raise BatchManifestInvalid("the manifest is of another issuer")
    size = claims.get("size")
    if type(size) is not int or not 0 < size <= MAX_TREE_SIZE:
        raise JwsMalformed("size is the number of leaves")
    root = base64url.decode(claim_string(claims, "root"))
    if len(root) != HASH_BYTES:
        raise JwsMalformed(f"root has {HASH_BYTES} bytes")
    return VerifiedManifest(
        issuer,
        claim_string(claims, "schema"),
        root,
        size,
        claim_time(claims, "time", required=True) or 0,
        sha256(signed),
        key,
    )


def checked_manifests(limit: int = MAX_CHECKED_MANIFESTS) -> RecentlyUsed[bytes, VerifiedManifest]:
    """Return a place for manifests that were verified, by digest, so that each is verified once.

    A manifest carries the key that it was verified under: whoever uses one compares that with
    the key the issuer has now.
    """
    return RecentlyUsed(limit)
