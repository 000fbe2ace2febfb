"""The wallet's side of DCQL (OpenID4VP 1.0 §6.4): which credentials answer, by showing what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.protocols.dcql import CredentialQuery, DcqlQuery


class NothingMatches(RejectedError):
    """No credential at hand answers the query. `missing` has the ids without an answer."""

    code = "nothing_matches"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__("no credential at hand answers " + ", ".join(missing))
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A credential as a query sees it.

    `claims` are all of its claims: those of the SD-JWT VC, or the whole W3C credential, which
    claims paths start from. `types` are its `vct`, or its W3C types as they stand and expanded.
    `authority_keys` are the authority key identifiers of its certificates. `bound` tells whether
    its holder can prove possession.
    """

    format: str
    types: frozenset[str]
    claims: JsonObject
    authority_keys: frozenset[bytes] = frozenset()
    bound: bool = True


def sd_jwt_candidate(
    claims: JsonObject, authority_keys: frozenset[bytes] = frozenset()
) -> Candidate:
    """Return an SD-JWT VC with all of its claims as a candidate."""
    vct = claims.get("vct")
    types = frozenset((vct,)) if type(vct) is str else frozenset[str]()
    return Candidate(SD_JWT_VC_FORMAT, types, claims, authority_keys, "cnf" in claims)


def matching_claims(query: CredentialQuery, candidate: Candidate) -> tuple[ClaimPath, ...] | None:
    """Return the places of the claims to disclose so that a credential answers; None if none do.

    The first combination that the credential can deliver counts (§6.4.1); a query without claims
    is answered by disclosing nothing. Does not check validity or status.
    """
    if query.format != candidate.format or not query.accepts_type(candidate.types):
        return None
    if query.require_holder_binding and not candidate.bound:
        return None
    if not query.accepts_authorities(candidate.authority_keys):
        return None
    for alternative in query.alternatives():
        places = [claim.select(candidate.claims) for claim in alternative]
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


def select(query: DcqlQuery, credentials: Sequence[Candidate]) -> Selection:
    """Return how `credentials` answer `query` (§6.4.2).

    Raises `NothingMatches` when a required set cannot be answered.
    """
    matches: dict[str, tuple[Match, ...]] = {}
    for item in query.credentials.values():
        found = ((at, matching_claims(item, one)) for at, one in enumerate(credentials))
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
