"""What a verifier is registered to ask, and whether a request stays inside it.

A registration is on the chain as digests (`IVerifierRegistry`): of the verifier's DID, of the
credential type, of the purpose as holders read it, and of the set of claim paths. The verifier
sends the words behind the digests along, in `verifier_info`; the wallet hashes them, looks for the
registration, and compares the request with the words.

  verifier id    = SHA-256(DID)
  service id     = SHA-256(schema id || purpose digest || claims digest)
  claims digest  = SHA-256(JCS of the array of claim paths, sorted by the bytes of their own JCS)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlsplit

from wallet.credentials.sd_jwt import ClaimPattern
from wallet.crypto.hashing import sha256
from wallet.encoding import jcs
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError
from wallet.protocols.claims_path import parse_claims_path
from wallet.protocols.client_id import DidClientId
from wallet.protocols.dcql import MAX_CLAIM_QUERIES, CredentialQuery, DcqlQuery
from wallet.protocols.oid4vp import VerifiedRequest
from wallet.trust.identifiers import schema_id
from wallet.trust.verifiers import RegisteredService

INFO_FORMAT: Final = "urn:seoul-wallet:verifier-registration:1"
MAX_TEXT_CHARACTERS: Final = 512


class RegistrationMalformed(MalformedError):
    """The words of a registration are not of their form."""

    code = "registration_malformed"


class OutsideRegistration(RejectedError):
    """The verifier asks for what it is not registered to ask."""

    code = "outside_registration"


@dataclass(frozen=True, slots=True)
class Registration:
    """The words of one registered service: which claims of a type, for which purpose."""

    credential_type: str
    purpose: str
    claims: tuple[ClaimPattern, ...]

    @property
    def service_id(self) -> bytes:
        """The 32 bytes under which the service stands on the chain."""
        return sha256(
            schema_id(self.credential_type)
            + sha256(self.purpose.encode("utf-8"))
            + claims_digest(self.claims)
        )

    def to_json(self) -> JsonObject:
        """Return the words as they travel."""
        return {
            "credential_type": self.credential_type,
            "purpose": self.purpose,
            "claims": [list(path) for path in self.claims],
        }


def claims_digest(paths: Iterable[ClaimPattern]) -> bytes:
    """Return the digest of a set of claim paths; a path that occurs twice counts once."""
    encoded = {jcs.canonicalize(list(path)): list(path) for path in paths}
    return sha256(jcs.canonicalize([encoded[name] for name in sorted(encoded)]))


def parse_registration(value: object) -> Registration:
    """Return the registration of its JSON form. Raises `RegistrationMalformed`,
    `ClaimsPathMalformed`."""
    if type(value) is not dict:
        raise RegistrationMalformed("a registration is an object")
    type_, purpose = value.get("credential_type"), value.get("purpose")
    for text in (type_, purpose):
        if type(text) is not str or not 0 < len(text) <= MAX_TEXT_CHARACTERS:
            raise RegistrationMalformed("type and purpose are texts of limited length")
    claims = value.get("claims")
    if type(claims) is not list or len(claims) > MAX_CLAIM_QUERIES:
        raise RegistrationMalformed("claims is a list of paths")
    paths = tuple(parse_claims_path(path) for path in claims)
    return Registration(str(type_), str(purpose), paths)


class Standing(StrEnum):
    """How a verifier's request stands to its registrations."""

    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    OUTSIDE = "outside"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class RegistrationReport:
    """What comparing a request with the registry gave. `reason` is for people, in English.

    `outside` are the claims that no registration covers, by query id. `purposes` are the
    registered purposes, by query id. `as_of` is the time of the facts.
    """

    standing: Standing
    reason: str = ""
    outside: Mapping[str, tuple[ClaimPattern, ...]] = field(default_factory=dict)
    purposes: Mapping[str, str] = field(default_factory=dict)
    as_of: int | None = None

    def raise_for_refusal(self) -> None:
        """Raise `OutsideRegistration` for a registered verifier that asks for more."""
        if self.standing is Standing.OUTSIDE:
            raise OutsideRegistration(self.reason)

    def raise_unless_registered(self) -> None:
        """Raise `OutsideRegistration` for whoever has no registration that covers the request."""
        if self.standing is not Standing.REGISTERED:
            raise OutsideRegistration(self.reason)


UNCHECKED: Final = RegistrationReport(Standing.UNCHECKED, "the registry was not asked")


def registrations_of(query: DcqlQuery, purpose: str) -> tuple[Registration, ...]:
    """Return what a verifier has to register so as to ask this query for this purpose."""
    wanted: dict[Registration, None] = {}
    for item in query.credentials.values():
        paths = tuple(dict.fromkeys(claim.path for claim in item.claims))
        for name in item.accepted_types:
            wanted[Registration(name, purpose, paths)] = None
    return tuple(wanted)


def registration_info(
    registrations: Sequence[Registration], query: DcqlQuery, purpose: str
) -> tuple[JsonObject, ...]:
    """Return the `verifier_info` that tells wallets which registration covers which query."""
    found = []
    for item in query.credentials.values():
        for one in registrations:
            if one.purpose == purpose and _covers(one, item):
                data = {"format": INFO_FORMAT, "data": one.to_json(), "credential_ids": [item.id]}
                found.append(data)
                break
    return tuple(found)


def _covers(registration: Registration, item: CredentialQuery) -> bool:
    is_type = registration.credential_type in item.registered_types
    return is_type and not _beyond(registration, item)


def _beyond(registration: Registration, item: CredentialQuery) -> tuple[ClaimPattern, ...]:
    allowed = registration.claims
    return tuple(
        claim.path
        for claim in item.claims
        if not any(item.claim_of_person(claim.path)[: len(path)] == path for path in allowed)
    )


def check_registration(
    query: DcqlQuery,
    purpose: str | None,
    verifier_info: Sequence[JsonObject],
    services: Sequence[RegisteredService],
    *,
    now: int,
    as_of: int | None = None,
) -> RegistrationReport:
    """Return how a request stands to the registered `services` of the verifier that signed it.

    A claim is covered by a registration in force whose words came in `verifier_info` and hash to
    it, or by one that is word for word what the query asks. A query without claims asks for the
    credential alone. `purpose` is what the verifier tells the holder, and must be the registered
    one. Pure; never raises for what a stranger sent.
    """
    in_force = {item.service_id for item in services if item.in_force(now)}
    if not in_force:
        reason = "this verifier is not registered" + (" any more" if services else "")
        standing = Standing.OUTSIDE if services else Standing.UNREGISTERED
        return RegistrationReport(standing, reason, as_of=as_of)
    outside: dict[str, tuple[ClaimPattern, ...]] = {}
    purposes: dict[str, str] = {}
    reasons = []
    for item in query.credentials.values():
        words = [
            one
            for one in (*_told(item, verifier_info), *_literal(item, purpose))
            if one.service_id in in_force and one.credential_type in item.registered_types
        ]
        covering = next((one for one in words if not _beyond(one, item)), None)
        if covering is None:
            best = min((_beyond(one, item) for one in words), key=len, default=None)
            outside[item.id] = tuple(claim.path for claim in item.claims) if best is None else best
            reasons.append(_reason(item, outside[item.id], best is None))
        elif purpose is not None and purpose != covering.purpose:
            outside[item.id] = ()
            reasons.append(f"{item.id}: the purpose is another than the registered one")
        else:
            purposes[item.id] = covering.purpose
    if outside:
        return RegistrationReport(Standing.OUTSIDE, "; ".join(reasons), outside, purposes, as_of)
    return RegistrationReport(Standing.REGISTERED, purposes=purposes, as_of=as_of)


def _reason(item: CredentialQuery, paths: Sequence[ClaimPattern], is_unknown: bool) -> str:
    if is_unknown:
        return f"{item.id}: no registration for this type, purpose and these claims"
    names = ", ".join("/".join("*" if part is None else str(part) for part in p) for p in paths)
    return f"{item.id}: not registered to ask for {names}"


def _told(item: CredentialQuery, verifier_info: Sequence[JsonObject]) -> list[Registration]:
    found = []
    for info in verifier_info:
        ids: Any = info.get("credential_ids", [item.id])
        if info.get("format") != INFO_FORMAT or type(ids) is not list or item.id not in ids:
            continue
        try:
            found.append(parse_registration(info.get("data")))
        except MalformedError:
            continue
    return found


def _literal(item: CredentialQuery, purpose: str | None) -> list[Registration]:
    if not purpose:
        return []
    paths = tuple(item.claim_of_person(claim.path) for claim in item.claims)
    return [Registration(name, purpose, paths) for name in item.registered_types]


def verifier_dids(verified: VerifiedRequest) -> tuple[str, ...]:
    """Return the DIDs that the signer of a request stands for; none for an unsigned request.

    A DID client is its DID. A certificate stands for the DIDs among its URIs, and for the did:web
    of a DNS name that the answer goes to.
    """
    client, certificate = verified.request.client_id, verified.certificate
    if not verified.authenticated:
        return ()
    if isinstance(client, DidClientId):
        return (str(client.did),)
    if certificate is None:
        return ()
    found = [uri for uri in sorted(certificate.uris) if uri.startswith("did:")]
    there = urlsplit(verified.request.response_uri or verified.origin or "")
    if there.hostname in certificate.dns_names:
        found.append("did:web:" + quote(there.netloc.lower(), safe=""))
    return tuple(found)
