"""What a held credential says, by its format: read from the signed text, which was verified."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wallet.credentials.cryptosuites.bbs_2023 import BBS_2023
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.data_integrity.issue import derive_credential
from wallet.credentials.data_integrity.proof import parse_proofs
from wallet.credentials.data_integrity.statement_suite import DisclosureSuite
from wallet.credentials.data_integrity.verify import peek_signed_input
from wallet.credentials.formats import (
    BBS_NYM_FORMAT,
    JWT_VC_FORMAT,
    LDP_VC_FORMAT,
    SD_JWT_VC_FORMAT,
    SUBJECT,
    registered_type,
    specific_type,
)
from wallet.credentials.jose import claim_time
from wallet.credentials.jsonld.seoul import seoul_json_ld
from wallet.credentials.jwt_vc import parse_jwt_vc
from wallet.credentials.sd_jwt import NEVER_DISCLOSABLE, parse_sd_jwt
from wallet.credentials.vcdm.credential import Credential, parse_credential
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.protocols.oid4vci.nym_proof import parse_nym_credential

# What a person is not shown as a claim: it is on the card already, or says nothing to people.
TECHNICAL_CLAIMS: Final = NEVER_DISCLOSABLE | frozenset(("iat",))
# The suites whose base proof is for the holder alone.
DISCLOSURE_SUITES: Final[Mapping[str, DisclosureSuite[Any]]] = {
    ECDSA_SD_2023.name: ECDSA_SD_2023,
    BBS_2023.name: BBS_2023,
}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a credential says. Times are unix seconds; `claims` are those of its person.

    `type` is the one by which its issuer is accredited. `signed_input` is what the issuer signed
    and anchored, None where nothing is.
    """

    type: str
    issuer: str
    claims: JsonObject = field(repr=False)
    not_before: int | None
    expires_at: int | None
    signed_input: Callable[[], bytes] | None = field(repr=False)


def contents_of(format_: str, text: str) -> Contents:
    """Return the contents of a credential's text. Raises what the parser of its format raises."""
    return _READERS[format_](text)


def plain_claims(claims: Mapping[str, Any]) -> JsonObject:
    """Return the claims that mean something to people."""
    return {name: value for name, value in claims.items() if name not in TECHNICAL_CLAIMS}


def claims_of_person(document: Mapping[str, Any]) -> JsonObject:
    """Return what a W3C credential says of its subject, without the subject's id."""
    subject = document.get(SUBJECT)
    claims = subject if type(subject) is dict else {}
    return {name: value for name, value in claims.items() if name != "id"}


def suite_of(document: JsonObject) -> str:
    """Return the cryptosuite of a document's first proof. Raises what `parse_proofs` raises."""
    return parse_proofs(document)[0].cryptosuite


def derive_shown(document: JsonObject, pointers: list[str]) -> JsonObject:
    """Return what is shown of a Data Integrity credential: parts, if its suite can do that.

    `pointers` (RFC 6901) select what is shown besides what always is. Raises as
    `derive_credential` does.
    """
    suite = DISCLOSURE_SUITES.get(suite_of(document))
    if suite is None:
        return document
    return derive_credential(document, pointers, suite, json_ld=seoul_json_ld())


def all_pointers(document: JsonObject) -> list[str]:
    """Return pointers that together select a whole credential."""
    rest = document.keys() - {"@context", "id", "type", "proof"}
    return [pointer((name,)) for name in sorted(rest)]


def pointer(path: tuple[str | int, ...]) -> str:
    """Return the JSON pointer of a place (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _sd_jwt(text: str) -> Contents:
    parsed = parse_sd_jwt(text)
    claims = parsed.process(parsed.jws.peek_claims()).claims
    return Contents(
        claims["vct"],
        claims["iss"],
        plain_claims(claims),
        claim_time(claims, "nbf"),
        claim_time(claims, "exp"),
        lambda: parsed.jws.signing_input,
    )


def _jwt_vc(text: str) -> Contents:
    parsed = parse_jwt_vc(text)
    return _w3c(parsed.credential, lambda: parsed.jws.signing_input)


def _ldp_vc(text: str) -> Contents:
    document = parse_json_object(text.encode())
    return _w3c(parse_credential(document), lambda: signed_input_of(document))


def signed_input_of(document: JsonObject) -> bytes:
    """Return the bytes that the issuer signed. Raises what canonicalization raises."""
    shown = derive_shown(document, all_pointers(document))
    return peek_signed_input(shown, json_ld=seoul_json_ld())


def _w3c(credential: Credential, signed_input: Callable[[], bytes]) -> Contents:
    return Contents(
        registered_type(specific_type(credential.types)),
        credential.issuer,
        claims_of_person(credential.document),
        credential.valid_from,
        credential.valid_until,
        signed_input,
    )


def _nym(text: str) -> Contents:
    message = parse_nym_credential(parse_json_object(text.encode()))
    return Contents(message.vct, message.issuer, dict(message.claims), None, None, None)


_READERS: Final[Mapping[str, Callable[[str], Contents]]] = {
    SD_JWT_VC_FORMAT: _sd_jwt,
    JWT_VC_FORMAT: _jwt_vc,
    LDP_VC_FORMAT: _ldp_vc,
    BBS_NYM_FORMAT: _nym,
}
FORMATS: Final = frozenset(_READERS)
