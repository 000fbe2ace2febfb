"""Signed status lists: verify a Status List Token (draft-ietf-oauth-status-list §5.1, §8.3)."""

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
from wallet.crypto.keys import PublicKey
from wallet.did.document import DidDocument
from wallet.errors import RejectedError
from wallet.status.token_status_list import TokenStatusList, parse_status_list_claim

STATUS_LIST_TYPE: Final = "statuslist+jwt"


class StatusListInvalid(RejectedError):
    """The token is signed, but for another list, or by an issuer that may not say."""

    code = "status_list_invalid"


@dataclass(frozen=True, slots=True)
class VerifiedStatusList:
    """A status list whose signature was verified under the issuer's key at hand.

    Times are unix seconds. Whether it is fresh enough is decided on every use.
    """

    uri: str
    issuer: str
    issued_at: int
    expires_at: int | None
    ttl_s: int | None
    entries: TokenStatusList
    digest: bytes


def verify_status_list_token(
    token: bytes, *, uri: str, issuer: str, issuer_keys: DidDocument | PublicKey
) -> VerifiedStatusList:
    """Return the list of a Status List Token that `issuer` signed for `uri`.

    Raises `SignatureInvalid`, `KeyNotAuthorized`, `StatusListInvalid`, `JwsMalformed`,
    `StatusListMalformed` and the errors of the encodings. Does not check age or expiry.
    """
    jws = parse_compact_jws(token, typ=STATUS_LIST_TYPE)
    key = (
        issuer_keys.key_for(jws.kid, "assertionMethod")
        if isinstance(issuer_keys, DidDocument)
        else issuer_keys
    )
    verify_jws(jws, key)
    claims = jws.peek_claims()
    if claim_string(claims, "sub") != uri:
        raise StatusListInvalid("the token is for another list")
    if claims.get("iss", issuer) != issuer:
        raise StatusListInvalid("the token is from another issuer")
    ttl = claims.get("ttl")
    if ttl is not None and (type(ttl) is not int or ttl <= 0):
        raise JwsMalformed("ttl is a positive whole number of seconds")
    issued_at = claim_time(claims, "iat", required=True)
    entries = parse_status_list_claim(claims.get("status_list"))
    return VerifiedStatusList(
        uri,
        issuer,
        issued_at or 0,
        claim_time(claims, "exp"),
        ttl,
        entries,
        entries.digest,
    )
