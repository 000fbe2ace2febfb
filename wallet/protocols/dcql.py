"""DCQL, the query language of OpenID4VP 1.0 §6: queries and their JSON form.

Wallets match credentials with `dcql_match`; verifiers check answers with `dcql_answer`, because
what a wallet was asked to restrict is no evidence of what it sent (§6.4.1).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.formats import (
    BBS_NYM_FORMAT,
    SD_JWT_VC_FORMAT,
    SUBJECT,
    W3C_FORMATS,
    registered_type,
)
from wallet.credentials.sd_jwt import ClaimPattern
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, UnsupportedError
from wallet.protocols.claims_path import parse_claims_path, select_claims

MDOC_FORMAT: Final = "mso_mdoc"
VCT_FORMATS: Final = frozenset((SD_JWT_VC_FORMAT, BBS_NYM_FORMAT))
# Every format of OpenID4VP Appendix B parses; nothing here answers a query for mso_mdoc.
FORMATS: Final = W3C_FORMATS | VCT_FORMATS | {MDOC_FORMAT}
# Of this project, in `meta` of a query for a BBS credential.
PSEUDONYM: Final = "pseudonym"
AKI_AUTHORITY: Final = "aki"
MAX_CREDENTIAL_QUERIES: Final = 32
MAX_CLAIM_QUERIES: Final = 100
MAX_ALTERNATIVES: Final = 32
MAX_VALUES: Final = 100
MAX_STRING_CHARACTERS: Final = 512
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")

ClaimValue = str | int | bool


class DcqlMalformed(MalformedError):
    """Not a DCQL query, or one beyond the limits of this implementation."""

    code = "dcql_malformed"


class UnsupportedFormat(UnsupportedError):
    """A credential format that OpenID4VP 1.0 does not define, or that is not implemented."""

    code = "unsupported_format"


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """Issuers, or those who vouch for them, that the verifier accepts (§6.1.1).

    Of the types, `aki` can be matched here: base64url key identifiers of certificates in the
    chain of the credential.
    """

    type: str
    values: tuple[str, ...]

    def to_json(self) -> JsonObject:
        """Return the authority as it travels."""
        return {"type": self.type, "values": list(self.values)}


@dataclass(frozen=True, slots=True)
class ClaimQuery:
    """One claim that is asked for (§6.3). An empty `values` accepts any value."""

    path: ClaimPattern
    values: tuple[ClaimValue, ...] = ()
    id: str | None = None

    def select(self, claims: JsonObject, *, withheld: bool = False) -> tuple[ClaimPath, ...]:
        """Return the places in `claims` that answer this query, none if nothing does."""
        found = select_claims(claims, self.path, withheld=withheld)
        # True == 1 == 1.0 in Python; type and value must both match.
        accepted = {(type(value), value) for value in self.values}
        return tuple(
            path
            for path, value in found
            if not accepted
            or (type(value) in (str, int, bool) and (type(value), value) in accepted)
        )

    def to_json(self) -> JsonObject:
        """Return the query as it travels."""
        result: JsonObject = {} if self.id is None else {"id": self.id}
        result["path"] = list(self.path)
        if self.values:
            result["values"] = list(self.values)
        return result


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """One credential that is asked for (§6.1).

    `vct_values` are for `dc+sd-jwt` and BBS, `type_values` for the W3C formats: alternatives, each
    a set of types that must all be there. Of `trusted_authorities`, one must have vouched.
    `pseudonym` asks a BBS credential for the holder's pseudonym at this verifier.
    """

    id: str
    format: str
    meta: JsonObject
    vct_values: tuple[str, ...]
    claims: tuple[ClaimQuery, ...] = ()
    claim_sets: tuple[tuple[str, ...], ...] = ()
    multiple: bool = False
    require_holder_binding: bool = True
    trusted_authorities: tuple[TrustedAuthority, ...] = ()
    type_values: tuple[tuple[str, ...], ...] = ()
    pseudonym: bool = False

    @property
    def registered_types(self) -> tuple[str, ...]:
        """The types that are asked for, by the names under which their issuers are accredited."""
        return tuple(dict.fromkeys(registered_type(name) for name in self.accepted_types))

    def claim_of_person(self, path: ClaimPattern) -> ClaimPattern:
        """Return a path as from the claims of the person, which W3C credentials nest deeper."""
        is_inside = self.format in W3C_FORMATS and len(path) > 1 and path[0] == SUBJECT
        return path[1:] if is_inside else path

    @property
    def accepted_types(self) -> tuple[str, ...]:
        """The types that are asked for, one name each, for people to read."""
        return self.vct_values or tuple(names[-1] for names in self.type_values)

    def accepts_type(self, types: Collection[str]) -> bool:
        """Tell whether a credential of these types is asked for; an SD-JWT VC has one, its vct."""
        if self.format in VCT_FORMATS:
            return any(name in types for name in self.vct_values)
        return any(set(names) <= set(types) for names in self.type_values)

    def accepts_authorities(self, key_ids: Collection[bytes]) -> bool:
        """Tell whether one of the authorities asked for is among those of the chain, if any is."""
        if not self.trusted_authorities:
            return True
        known = {base64url.encode(key_id) for key_id in key_ids}
        return any(
            authority.type == AKI_AUTHORITY and not known.isdisjoint(authority.values)
            for authority in self.trusted_authorities
        )

    def alternatives(self) -> tuple[tuple[ClaimQuery, ...], ...]:
        """Return the combinations of claims that answer, the preferred first (§6.4.1)."""
        if not self.claim_sets:
            return (self.claims,)
        by_id = {claim.id: claim for claim in self.claims}
        return tuple(tuple(by_id[name] for name in names) for names in self.claim_sets)

    def to_json(self) -> JsonObject:
        """Return the query as it travels, defaults left out."""
        result: JsonObject = {"id": self.id, "format": self.format, "meta": self.meta}
        if self.claims:
            result["claims"] = [claim.to_json() for claim in self.claims]
        if self.claim_sets:
            result["claim_sets"] = [list(names) for names in self.claim_sets]
        if self.multiple:
            result["multiple"] = True
        if not self.require_holder_binding:
            result["require_cryptographic_holder_binding"] = False
        if self.trusted_authorities:
            result["trusted_authorities"] = [item.to_json() for item in self.trusted_authorities]
        return result


@dataclass(frozen=True, slots=True)
class CredentialSet:
    """Alternatives among the credentials, the preferred first (§6.2)."""

    options: tuple[tuple[str, ...], ...]
    required: bool = True

    def to_json(self) -> JsonObject:
        """Return the set as it travels."""
        result: JsonObject = {"options": [list(option) for option in self.options]}
        return result if self.required else {**result, "required": False}


@dataclass(frozen=True, slots=True)
class DcqlQuery:
    """A whole query. `credentials` is by id, in the order of the query."""

    credentials: Mapping[str, CredentialQuery]
    credential_sets: tuple[CredentialSet, ...] = ()

    def sets(self) -> tuple[CredentialSet, ...]:
        """Return the credential sets; without any, all credentials are one (§6.4.2)."""
        return self.credential_sets or (CredentialSet((tuple(self.credentials),)),)

    def to_json(self) -> JsonObject:
        """Return the query as it travels."""
        result: JsonObject = {
            "credentials": [item.to_json() for item in self.credentials.values()]
        }
        if self.credential_sets:
            result["credential_sets"] = [item.to_json() for item in self.credential_sets]
        return result


def parse_dcql(value: object) -> DcqlQuery:
    """Return the query of its JSON form. Members that OpenID4VP does not define are ignored.

    Raises `DcqlMalformed`, `ClaimsPathMalformed`, `UnsupportedFormat`.
    """
    query = _object(value, "a DCQL query")
    credentials: dict[str, CredentialQuery] = {}
    for item in _list(query, "credentials", MAX_CREDENTIAL_QUERIES):
        credential = _parse_credential(item)
        if credential.id in credentials:
            raise DcqlMalformed("a credential id occurs twice")
        credentials[credential.id] = credential
    if "credential_sets" not in query:
        return DcqlQuery(credentials)
    sets = _list(query, "credential_sets", MAX_CREDENTIAL_QUERIES)
    return DcqlQuery(credentials, tuple(_parse_set(item, credentials) for item in sets))


def _parse_credential(value: object) -> CredentialQuery:
    item = _object(value, "a credential query")
    format_, meta = item.get("format"), _object(item.get("meta"), "meta")
    if type(format_) is not str:
        raise DcqlMalformed("format is a string")
    if format_ not in FORMATS:
        raise UnsupportedFormat("expected a credential format of OpenID4VP 1.0")
    vct_values: tuple[str, ...] = ()
    if format_ in VCT_FORMATS:
        vct_values = tuple(_strings(_list(meta, "vct_values", MAX_ALTERNATIVES), "vct_values"))
    type_values = _type_values(meta) if format_ in W3C_FORMATS else ()
    claims: tuple[ClaimQuery, ...] = ()
    if "claims" in item:
        claims = tuple(_parse_claim(claim) for claim in _list(item, "claims", MAX_CLAIM_QUERIES))
    claim_sets = _parse_claim_sets(item, claims)
    authorities: tuple[TrustedAuthority, ...] = ()
    if "trusted_authorities" in item:
        listed = _list(item, "trusted_authorities", MAX_ALTERNATIVES)
        authorities = tuple(_parse_authority(authority) for authority in listed)
    return CredentialQuery(
        _id(item.get("id")),
        format_,
        meta,
        vct_values,
        claims,
        claim_sets,
        _boolean(item, "multiple", default=False),
        _boolean(item, "require_cryptographic_holder_binding", default=True),
        authorities,
        type_values,
        format_ == BBS_NYM_FORMAT and _boolean(meta, PSEUDONYM, default=False),
    )


def _type_values(meta: JsonObject) -> tuple[tuple[str, ...], ...]:
    alternatives = []
    for names in _list(meta, "type_values", MAX_ALTERNATIVES):
        if type(names) is not list or not 0 < len(names) <= MAX_ALTERNATIVES:
            raise DcqlMalformed("type_values holds lists of types")
        alternatives.append(tuple(_strings(names, "type_values")))
    return tuple(alternatives)


def _parse_authority(value: object) -> TrustedAuthority:
    item = _object(value, "a trusted authority")
    if type(item.get("type")) is not str or len(item["type"]) > MAX_STRING_CHARACTERS:
        raise DcqlMalformed("a trusted authority has a type")
    return TrustedAuthority(
        item["type"], tuple(_strings(_list(item, "values", MAX_VALUES), "values"))
    )


def _parse_claim(value: object) -> ClaimQuery:
    item = _object(value, "a claims query")
    values: list[Any] = _list(item, "values", MAX_VALUES) if "values" in item else []
    for accepted in values:
        is_text = type(accepted) is str and len(accepted) <= MAX_STRING_CHARACTERS
        if not is_text and type(accepted) not in (int, bool):
            raise DcqlMalformed("values are strings, whole numbers or booleans")
    claim_id = _id(item["id"]) if "id" in item else None
    return ClaimQuery(parse_claims_path(item.get("path")), tuple(values), claim_id)


def _parse_claim_sets(
    item: JsonObject, claims: tuple[ClaimQuery, ...]
) -> tuple[tuple[str, ...], ...]:
    ids = [claim.id for claim in claims if claim.id is not None]
    if len(set(ids)) != len(ids):
        raise DcqlMalformed("a claim id occurs twice")
    if "claim_sets" not in item:
        return ()
    if len(ids) != len(claims):
        raise DcqlMalformed("with claim_sets, every claim has an id")
    return _alternatives(_list(item, "claim_sets", MAX_ALTERNATIVES), ids, "claim_sets")


def _parse_set(value: object, credentials: Mapping[str, CredentialQuery]) -> CredentialSet:
    item = _object(value, "a credential set")
    options = _list(item, "options", MAX_ALTERNATIVES)
    return CredentialSet(
        _alternatives(options, credentials, "options"), _boolean(item, "required", default=True)
    )


def _alternatives(
    value: list[Any], known: Sequence[str] | Mapping[str, object], name: str
) -> tuple[tuple[str, ...], ...]:
    result = []
    for option in value:
        if type(option) is not list or not 0 < len(option) <= MAX_CLAIM_QUERIES:
            raise DcqlMalformed(f"{name} holds lists of ids")
        ids = tuple(_id(item) for item in option)
        if any(item not in known for item in ids) or len(set(ids)) != len(ids):
            raise DcqlMalformed(f"{name} names an id that is not there, or one twice")
        result.append(ids)
    return tuple(result)


def _object(value: object, what: str) -> JsonObject:
    if type(value) is not dict:
        raise DcqlMalformed(f"{what} is an object")
    return value


def _list(item: JsonObject, name: str, limit: int) -> list[Any]:
    value = item.get(name)
    if type(value) is not list or not 0 < len(value) <= limit:
        raise DcqlMalformed(f"{name} is a list of 1 to {limit} members")
    return value


def _strings(value: list[Any], name: str) -> list[str]:
    if any(type(item) is not str or len(item) > MAX_STRING_CHARACTERS for item in value):
        raise DcqlMalformed(f"{name} holds strings")
    return value


def _id(value: object) -> str:
    if type(value) is not str or not _ID.match(value):
        raise DcqlMalformed("an id has 1 to 64 letters, digits, _ or -")
    return value


def _boolean(item: JsonObject, name: str, *, default: bool) -> bool:
    value = item.get(name, default)
    if type(value) is not bool:
        raise DcqlMalformed(f"{name} is a boolean")
    return value
