"""DCQL, the query language of OpenID4VP 1.0 §6: parse a query, match credentials, check answers.

Wallets ask `matching_claims` and `select`; verifiers ask `check_answer`, because what a wallet
was asked to restrict is no evidence of what it sent (§6.4.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.sd_jwt import ClaimPattern
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.claims_path import parse_claims_path, select_claims

SD_JWT_VC_FORMAT: Final = "dc+sd-jwt"
# The other formats of OpenID4VP Appendix B: their queries parse, and nothing here answers them.
FOREIGN_FORMATS: Final = frozenset(("mso_mdoc", "jwt_vc_json", "ldp_vc"))
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


class NothingMatches(RejectedError):
    """No credential at hand answers the query. `missing` has the ids without an answer."""

    code = "nothing_matches"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__("no credential at hand answers " + ", ".join(missing))
        self.missing = tuple(missing)


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

    `vct_values` is empty for foreign formats, which nothing here answers. `trusted_authorities`
    is kept as it came: no credential here can show one, so such a query is never matched.
    """

    id: str
    format: str
    meta: JsonObject
    vct_values: tuple[str, ...]
    claims: tuple[ClaimQuery, ...] = ()
    claim_sets: tuple[tuple[str, ...], ...] = ()
    multiple: bool = False
    require_holder_binding: bool = True
    trusted_authorities: tuple[JsonObject, ...] = ()

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
            result["trusted_authorities"] = list(self.trusted_authorities)
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
    if format_ != SD_JWT_VC_FORMAT and format_ not in FOREIGN_FORMATS:
        raise UnsupportedFormat("expected a credential format of OpenID4VP 1.0")
    vct_values: tuple[str, ...] = ()
    if format_ == SD_JWT_VC_FORMAT:
        vct_values = tuple(_strings(_list(meta, "vct_values", MAX_ALTERNATIVES), "vct_values"))
    claims: tuple[ClaimQuery, ...] = ()
    if "claims" in item:
        claims = tuple(_parse_claim(claim) for claim in _list(item, "claims", MAX_CLAIM_QUERIES))
    claim_sets = _parse_claim_sets(item, claims)
    authorities = (
        _list(item, "trusted_authorities", MAX_ALTERNATIVES)
        if "trusted_authorities" in item
        else []
    )
    return CredentialQuery(
        _id(item.get("id")),
        format_,
        meta,
        vct_values,
        claims,
        claim_sets,
        _boolean(item, "multiple", default=False),
        _boolean(item, "require_cryptographic_holder_binding", default=True),
        tuple(_object(authority, "a trusted authority") for authority in authorities),
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


def matching_claims(query: CredentialQuery, claims: JsonObject) -> tuple[ClaimPath, ...] | None:
    """Return the places of the claims to disclose so that a credential answers; None if none do.

    `claims` are all claims of the credential, `vct` included. The first combination that the
    credential can deliver counts (§6.4.1); a query without claims is answered by disclosing
    nothing. Does not check validity, status or holder binding.
    """
    if query.format != SD_JWT_VC_FORMAT or query.trusted_authorities:
        return None
    if claims.get("vct") not in query.vct_values:
        return None
    for alternative in query.alternatives():
        places = [claim.select(claims) for claim in alternative]
        if all(places):
            return tuple(dict.fromkeys(path for found in places for path in found))
    return None


@dataclass(frozen=True, slots=True)
class Match:
    """Credential number `credential` of those given answers by disclosing `paths`."""

    credential: int
    paths: tuple[ClaimPath, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which credentials answer which query, by query id.

    `required` are the ids to answer (the first option of each required set that can be
    answered), `optional` those that may be added with the holder's consent.
    """

    matches: Mapping[str, tuple[Match, ...]]
    required: tuple[str, ...]
    optional: tuple[str, ...]


def select(query: DcqlQuery, credentials: Sequence[JsonObject]) -> Selection:
    """Return how `credentials` (all claims of each) answer `query` (§6.4.2).

    Raises `NothingMatches` when a required set cannot be answered.
    """
    matches: dict[str, tuple[Match, ...]] = {}
    for item in query.credentials.values():
        found = ((at, matching_claims(item, claims)) for at, claims in enumerate(credentials))
        matches[item.id] = tuple(Match(at, paths) for at, paths in found if paths is not None)
    required: dict[str, None] = {}
    optional: dict[str, None] = {}
    for credential_set in query.sets():
        options = credential_set.options
        chosen = next((ids for ids in options if all(matches[name] for name in ids)), None)
        if chosen is None and credential_set.required:
            raise NothingMatches([name for name in options[0] if not matches[name]])
        (required if credential_set.required else optional).update(dict.fromkeys(chosen or ()))
    extra = tuple(name for name in optional if name not in required)
    return Selection(matches, tuple(required), extra)
