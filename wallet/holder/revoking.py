"""Having an issuer revoke one copy of a credential, by showing possession of the copy's key.

The issuer learns that this copy is no longer wanted, and not why: it may be a delegation that was
taken back, a lost device, or a card that was put away.
"""

from __future__ import annotations

from typing import Final

from wallet.credentials.sd_jwt import bind_to_key, present_sd_jwt
from wallet.encoding.json import to_json
from wallet.errors import ConflictError
from wallet.holder.answers import AnswerUnexpected, check_reachable, json_answer, refusal_of
from wallet.holder.cards import HeldCredential
from wallet.holder.issuers import IssuerReader
from wallet.holder.signing import HeldSigningKey
from wallet.ports.holder import HolderTransport, KeyStore
from wallet.protocols.oid4vci.token import parse_nonce_response

REVOCATION_PATH: Final = "/revocations"
MAX_NONCE_BYTES: Final = 16 * 1024


class RevocationRefused(ConflictError):
    """The issuer did not revoke the copy. `error` is its code."""

    code = "revocation_refused"

    def __init__(self, error: str) -> None:
        super().__init__(f"the issuer refused: {error[:64]}")
        self.error = error


def revoke_copy(
    copy: HeldCredential,
    keys: KeyStore,
    transport: HolderTransport,
    now: int,
    issuers: IssuerReader,
) -> None:
    """Return when the issuer has revoked `copy`, now or before.

    Raises `RevocationRefused`, `PeerUnreachable`, `AnswerUnexpected`, `HeldKeyUnknown`, and as
    reading the issuer's metadata does.
    """
    issuer = copy.credential_issuer
    metadata, _ = issuers.metadata_of(issuer)
    if metadata.nonce_endpoint is None:
        raise RevocationRefused("no_nonce_endpoint")
    answer = transport.post(metadata.nonce_endpoint)
    nonce = json_answer(answer, what="the nonce request", max_bytes=MAX_NONCE_BYTES)
    parsed = copy.parsed()
    bound = bind_to_key(
        present_sd_jwt(parsed, frozenset()),
        HeldSigningKey(keys, keys.find(copy.key_handle)),
        audience=issuer,
        nonce=parse_nonce_response(nonce),
        issued_at=now,
        hash_name=parsed.jws.peek_claims().get("_sd_alg", "sha-256"),
    )
    answer = transport.post_body(
        issuer.rstrip("/") + REVOCATION_PATH,
        to_json({"presentation": bound}),
        content_type="application/json",
        headers={},
    )
    check_reachable(answer, what="the revocation")
    refusal = refusal_of(answer)
    if refusal is not None:
        raise RevocationRefused(refusal.error)
    if answer.status != 204:
        raise AnswerUnexpected(f"the revocation was answered with status {answer.status}")
