"""What a presentation needs from outside before it can be decided. Untrusted, pure, bounded."""

from __future__ import annotations

from dataclasses import dataclass

from wallet.credentials.sd_jwt import SdJwt
from wallet.crypto.merkle import InclusionProofInvalid
from wallet.errors import MalformedError
from wallet.status.token_status_list import parse_status_reference
from wallet.trust.identifiers import issuer_id, schema_id, status_list_id
from wallet.trust.receipt import RECEIPT_CLAIM, parse_receipt


@dataclass(frozen=True, slots=True)
class Requirements:
    """The outside facts that deciding on one credential takes.

    Read from unverified input: good for fetching, never for deciding. Identifiers are the 32
    bytes of `trust.identifiers`.
    """

    issuer: str
    issuer_id: bytes
    schema_id: bytes
    batch_root: bytes | None
    status_list_uri: str | None
    status_list_id: bytes | None


def requirements(sd_jwt: SdJwt) -> Requirements:
    """Return what deciding on `sd_jwt` takes (a `peek`: nothing is verified).

    Raises `JsonMalformed` when the claims are not a JSON object. Members of the wrong form are
    left out here; the check names them.
    """
    claims = sd_jwt.jws.peek_claims()
    issuer, vct = claims.get("iss"), claims.get("vct")
    issuer = issuer if isinstance(issuer, str) else ""
    uri = None
    if "status" in claims:
        try:
            uri = parse_status_reference(claims["status"]).uri
        except MalformedError:
            uri = None
    return Requirements(
        issuer=issuer,
        issuer_id=issuer_id(issuer),
        schema_id=schema_id(vct if isinstance(vct, str) else ""),
        batch_root=_peek_batch_root(sd_jwt),
        status_list_uri=uri,
        status_list_id=None if uri is None else status_list_id(uri),
    )


def _peek_batch_root(sd_jwt: SdJwt) -> bytes | None:
    if sd_jwt.key_binding is None:
        return None
    try:
        claim = sd_jwt.key_binding.peek_claims().get(RECEIPT_CLAIM)
        return None if claim is None else parse_receipt(claim).root_for(sd_jwt.jws.signing_input)
    except (MalformedError, InclusionProofInvalid):
        return None
