"""What a presentation needs from outside before it can be decided. Untrusted, pure, bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wallet.credentials.bbs_nym import NymPresentation
from wallet.credentials.data_integrity.verify import peek_signed_input
from wallet.credentials.formats import registered_type, specific_type
from wallet.credentials.jsonld.seoul import seoul_json_ld
from wallet.credentials.jwt_vc import JwtVc
from wallet.credentials.sd_jwt import SdJwt
from wallet.credentials.vcdm.credential import Credential
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.status.token_status_list import parse_status_reference
from wallet.trust.identifiers import issuer_id, schema_id, status_list_id
from wallet.trust.receipt import RECEIPT_CLAIM, parse_receipt
from wallet.verification.bitstring_list import bitstring_entries
from wallet.verification.presented import Presented, PresentedJwtVc, PresentedLdpVc


@dataclass(frozen=True, slots=True)
class Requirements:
    """The outside facts that deciding on one credential takes.

    Read from unverified input: good for fetching, never for deciding. Identifiers are the 32
    bytes of `trust.identifiers`. `certified` tells that the credential carries its issuer's
    certificates.
    """

    issuer: str
    issuer_id: bytes
    schema_id: bytes
    batch_root: bytes | None
    status_list_uri: str | None
    status_list_id: bytes | None
    bitstring_uris: tuple[str, ...] = ()
    certified: bool = False


def requirements(presented: Presented) -> Requirements:
    """Return what deciding on `presented` takes (a `peek`: nothing is verified).

    Raises `JsonMalformed` when the claims are not a JSON object. Members of the wrong form are
    left out here; the check names them.
    """
    if isinstance(presented, SdJwt):
        return _of_sd_jwt(presented)
    if isinstance(presented, NymPresentation):
        return _requirements(presented.issuer, presented.vct)
    credential: Credential | JwtVc = presented.credential
    if isinstance(presented, PresentedJwtVc):
        jwt = presented.credential
        return _requirements(
            jwt.credential.issuer,
            _type_of(jwt.credential),
            _root(presented.named_receipt, lambda: jwt.jws.signing_input),
            jwt.claims.get("status"),
            _bitstring_uris(jwt.credential),
            "x5c" in jwt.jws.header,
        )
    credential = presented.credential
    return _requirements(
        credential.issuer,
        _type_of(credential),
        _root(presented.named_receipt, lambda: _peek_signed(presented)),
        None,
        _bitstring_uris(credential),
    )


def _requirements(
    issuer: object,
    type_: object,
    batch_root: bytes | None = None,
    status: object = None,
    bitstring_uris: tuple[str, ...] = (),
    certified: bool = False,
) -> Requirements:
    issuer = issuer if isinstance(issuer, str) else ""
    uri = None
    if status is not None:
        try:
            uri = parse_status_reference(status).uri
        except MalformedError:
            uri = None
    return Requirements(
        issuer=issuer,
        issuer_id=issuer_id(issuer),
        schema_id=schema_id(type_ if isinstance(type_, str) else ""),
        batch_root=batch_root,
        status_list_uri=uri,
        status_list_id=None if uri is None else status_list_id(uri),
        bitstring_uris=bitstring_uris,
        certified=certified,
    )


def _of_sd_jwt(sd_jwt: SdJwt) -> Requirements:
    claims, binding = sd_jwt.jws.peek_claims(), sd_jwt.key_binding
    return _requirements(
        claims.get("iss"),
        claims.get("vct"),
        None
        if binding is None
        else _root(
            lambda: binding.peek_claims().get(RECEIPT_CLAIM), lambda: sd_jwt.jws.signing_input
        ),
        claims.get("status"),
        certified="x5c" in sd_jwt.jws.header,
    )


def _root(receipt: Callable[[], object], signed_input: Callable[[], bytes]) -> bytes | None:
    try:
        claim = receipt()
        return None if claim is None else parse_receipt(claim).root_for(signed_input())
    except (MalformedError, UnsupportedError, RejectedError):
        return None


def _peek_signed(presented: PresentedLdpVc) -> bytes:
    return peek_signed_input(presented.credential.document, json_ld=seoul_json_ld())


def _type_of(credential: Credential) -> str:
    try:
        return registered_type(specific_type(credential.types))
    except MalformedError:
        return ""


def _bitstring_uris(credential: Credential) -> tuple[str, ...]:
    try:
        entries = bitstring_entries(credential.statuses)
    except (MalformedError, UnsupportedError):
        return ()
    return tuple(dict.fromkeys(entry.list_credential for entry in entries))
