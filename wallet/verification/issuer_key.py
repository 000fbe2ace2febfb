"""Which key an issuer's signature must verify under: one rule for credentials and status lists.

The signed header says how the key is found, the policy says which ways are accepted. There is no
second attempt: a header with certificates is judged by them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from wallet.credentials.issuer_metadata import IssuerMetadata
from wallet.credentials.jose import CompactJws
from wallet.crypto.certificates import TrustAnchors, parse_x5c
from wallet.crypto.keys import PublicKey
from wallet.did.did_ethr import EthrHistory
from wallet.did.document import DidDocument
from wallet.did.ethr_document import keys_at
from wallet.errors import RejectedError


@dataclass(frozen=True, slots=True)
class CarriedCertificates:
    """The issuer's key is to be found in the signed header's own certificates, nowhere else."""


IssuerKeys = DidDocument | EthrHistory | IssuerMetadata | CarriedCertificates | PublicKey


class IssuerMismatch(RejectedError):
    """The key belongs to another issuer than the one that is named."""

    code = "issuer_mismatch"


class KeySourceNotAccepted(RejectedError):
    """The policy does not accept issuer keys that are found in this way."""

    code = "key_source_not_accepted"


class KeySource(StrEnum):
    """How an issuer's key is found."""

    PINNED = "pinned"
    DID = "did"
    METADATA = "jwt_vc_issuer"
    X5C = "x5c"


ALL_KEY_SOURCES = frozenset(KeySource)
# Keys of any other kind were pinned by the caller.
_SOURCES: Final[Mapping[type, KeySource]] = {
    DidDocument: KeySource.DID,
    EthrHistory: KeySource.DID,
    IssuerMetadata: KeySource.METADATA,
    CarriedCertificates: KeySource.X5C,
}
NO_ANCHORS = TrustAnchors()


class KeyHint(NamedTuple):
    """What a signed header says about its key: a name, a chain of certificates, or nothing."""

    kid: str | None
    chain: tuple[bytes, ...] | None


def key_hint(jws: CompactJws) -> KeyHint:
    """Return the hint of a JWS header; `jwk`, `jku` and `x5u` are never followed.

    Raises `JwsMalformed`, `CertificateMalformed`.
    """
    x5c = jws.header.get("x5c")
    return KeyHint(jws.kid, None if x5c is None else parse_x5c(x5c))


def issuer_key(
    hint: KeyHint,
    issuer: object,
    keys: IssuerKeys,
    *,
    anchors: TrustAnchors,
    now: int,
    accepted: frozenset[KeySource] = ALL_KEY_SOURCES,
    signed_by: int | None = None,
) -> PublicKey:
    """Return the key that `issuer` (the name that the signed claims give) must have signed with.

    A pinned key is used as it is. A chain in the header must lead to one of `anchors` at `now`
    and name the issuer; else the key is the one called `kid` in the issuer's DID document or
    metadata. Of a DID whose history is known it is the document of the moment `signed_by`, at
    which the signature was there already: `now` when that is not given.

    Raises `KeySourceNotAccepted`, `IssuerMismatch`, `CertificateNotTrusted`,
    `CertificateMalformed`, `KeyNotAuthorized`, `IssuerKeyUnknown`. Does not compare the issuer
    with the DID of a document: the caller has verified claims for that.
    """
    source = _source(hint, keys)
    if source not in accepted:
        raise KeySourceNotAccepted(f"issuer keys by {source.value} are not accepted")
    if source is KeySource.X5C:
        leaf = anchors.verify_chain(hint.chain or (), now=now)
        if not isinstance(issuer, str) or not leaf.names(issuer):
            raise IssuerMismatch("the certificate does not name the issuer")
        return leaf.key
    if isinstance(keys, EthrHistory):
        keys = keys_at(keys, now if signed_by is None else signed_by)
    if isinstance(keys, DidDocument):
        return keys.key_for(hint.kid, "assertionMethod")
    if isinstance(keys, IssuerMetadata):
        if keys.issuer != issuer:
            raise IssuerMismatch("the metadata is of another issuer")
        return keys.key_for(hint.kid)
    if isinstance(keys, CarriedCertificates):
        raise AssertionError("carried certificates are judged as such")
    return keys


def _source(hint: KeyHint, keys: IssuerKeys) -> KeySource:
    source = _SOURCES.get(type(keys), KeySource.PINNED)
    return source if hint.chain is None or source is KeySource.PINNED else KeySource.X5C
