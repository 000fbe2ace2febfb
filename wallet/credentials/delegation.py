"""Delegations: what one person lets another show in their place, signed by who delegates.

An SD-JWT VC whose issuer is a person: `iss` is the did:jwk of the key that one of the person's own
credentials is bound to, `cnf` is the delegate's key. So that verifiers need to know nobody new,
the chain is the credential, this, and the delegate's key binding. What a city issues about parents
and guardians is a credential of its own; the names that both share are here.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.account import ACCOUNT_TYPE
from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.jose import claim_string, claim_time
from wallet.credentials.sd_jwt import ClaimPattern, issue_sd_jwt_vc
from wallet.credentials.voting import VOTING_CREDENTIAL_TYPE
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError

DELEGATION_TYPE: Final = "urn:seoul-wallet:delegation:1"
GUARDIANSHIP_TYPE: Final = "urn:seoul-wallet:guardianship:1"
# The types that give a right to act for another. Neither can itself be delegated.
WARRANT_TYPES: Final = frozenset((DELEGATION_TYPE, GUARDIANSHIP_TYPE))
# Voting and login are for oneself alone, whatever anybody signs.
PERSONAL_TYPES: Final = frozenset((VOTING_CREDENTIAL_TYPE, ACCOUNT_TYPE))
# An always visible claim of a credential about a child that was issued to its guardian's key.
HELD_BY: Final = "held_by"
GUARDIAN: Final = "guardian"

MAX_DELEGATION_S: Final = 366 * 86400
MAX_NAMES: Final = 50
MAX_NAME_CHARACTERS: Final = 512
DELEGATION_ID_BYTES: Final = 16
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}\Z")
RELATIONS: Final = ("spouse", "grandparent", "parent", "child", "carer", "other")


class DelegationMalformed(MalformedError):
    """Not a delegation: a scope, date or name in it is missing or not of its form."""

    code = "delegation_malformed"


class NotDelegable(RejectedError):
    """This cannot be done for another: voting, login, or handing on what one holds for another."""

    code = "not_delegable"


@dataclass(frozen=True, slots=True)
class DelegationScope:
    """What the delegate may show. Nothing listed, nothing allowed.

    `types` are the `vct` of credentials, `claims` the places in them that may be disclosed, each
    with what is below it. `audiences` are verifiers by client identifier and `programmes` what
    they may ask for by name; None sets no bound on them.
    """

    types: tuple[str, ...]
    claims: tuple[ClaimPattern, ...] = ()
    audiences: tuple[str, ...] | None = None
    programmes: tuple[str, ...] | None = None

    def covers(self, path: ClaimPath, value: Any) -> bool:
        """Return whether the claim at `path`, which is `value`, may be disclosed.

        What is on the way to a claim of the scope may hold nothing else.
        """
        if any(_begins_with(path, allowed) for allowed in self.claims):
            return True
        if not any(_begins_with(allowed, path) for allowed in self.claims):
            return False
        if isinstance(value, dict):
            return all(self.covers((*path, name), item) for name, item in value.items())
        if isinstance(value, list):
            return all(self.covers((*path, at), item) for at, item in enumerate(value))
        return False

    def to_claims(self) -> JsonObject:
        """Return the scope as claims of a delegation."""
        claims: JsonObject = {
            "types": list(self.types),
            "claims": [list(path) for path in self.claims],
        }
        if self.audiences is not None:
            claims["audiences"] = list(self.audiences)
        if self.programmes is not None:
            claims["programmes"] = list(self.programmes)
        return claims


def _begins_with(path: ClaimPattern, start: ClaimPattern) -> bool:
    # One of the two is a place, the other may have None for every element of a list.
    return len(start) <= len(path) and all(
        one == other or None in (one, other) for one, other in zip(path, start, strict=False)
    )


def check_delegable(types: Iterable[str], programmes: Iterable[str] = ()) -> None:
    """Return if credentials of these types may be shown by another. Raises `NotDelegable`."""
    for name in types:
        if name in PERSONAL_TYPES:
            raise NotDelegable("voting and login are for oneself alone")
        if name in WARRANT_TYPES:
            raise NotDelegable("a right to act for another cannot be handed on")
    for name in programmes:
        if name.partition(":")[0] in ("voting", "login"):
            raise NotDelegable("voting and login are for oneself alone")


def issue_delegation(
    scope: DelegationScope,
    key: SigningKey,
    *,
    delegate: PublicKey,
    not_before: int,
    expires_at: int,
    relation: str | None = None,
) -> str:
    """Return a delegation (compact SD-JWT VC) to the holder of `delegate`, signed by `key`.

    `key` is the one that the credential to be shown is bound to. `relation` is what the one who
    delegates says the other is to them, one of `RELATIONS`; disclosed only when it is asked for.
    Raises `NotDelegable`, and `DelegationMalformed` for a scope, relation or dates that no
    verifier would take.
    """
    check_delegable(scope.types, scope.programmes or ())
    claims: JsonObject = {
        "iss": did_jwk_from_public_key(key.public_key),
        "vct": DELEGATION_TYPE,
        "delegation_id": base64url.encode(secrets.token_bytes(DELEGATION_ID_BYTES)),
        "nbf": not_before,
        "exp": expires_at,
        **scope.to_claims(),
    }
    if relation is not None:
        if relation not in RELATIONS:
            raise DelegationMalformed("relation is one of " + ", ".join(RELATIONS))
        claims["relation"] = relation
    parse_delegation_claims(claims)
    issued = issue_sd_jwt_vc(
        claims,
        () if relation is None else (("relation",),),
        key,
        verification_method=f"{claims['iss']}#0",
        holder=delegate,
    )
    return issued.compact


@dataclass(frozen=True, slots=True)
class DelegationClaims:
    """What a delegation says. Times are unix seconds."""

    delegation_id: str
    scope: DelegationScope
    not_before: int
    expires_at: int
    relation: str | None


def parse_delegation_claims(claims: JsonObject) -> DelegationClaims:
    """Return what the claims of a delegation say; verifies nothing.

    Raises `DelegationMalformed`, `JwsMalformed`, and `NotDelegable` for a scope that nobody may
    hand out.
    """
    delegation_id = claim_string(claims, "delegation_id")
    if not _ID.match(delegation_id):
        raise DelegationMalformed("delegation_id is 16 bytes in base64url")
    not_before = claim_time(claims, "nbf", required=True) or 0
    expires_at = claim_time(claims, "exp", required=True) or 0
    if not not_before < expires_at <= not_before + MAX_DELEGATION_S:
        raise DelegationMalformed(f"a delegation ends after at most {MAX_DELEGATION_S} s")
    relation = claims.get("relation")
    if relation is not None and relation not in RELATIONS:
        raise DelegationMalformed("relation is one of " + ", ".join(RELATIONS))
    types = _names(claims, "types")
    if not types:
        raise DelegationMalformed("types names at least one credential type")
    scope = DelegationScope(
        types or (),
        _paths(claims.get("claims")),
        _names(claims, "audiences"),
        _names(claims, "programmes"),
    )
    check_delegable(scope.types, scope.programmes or ())
    return DelegationClaims(delegation_id, scope, not_before, expires_at, relation)


def _names(claims: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if type(value) is not list or not 0 < len(value) <= MAX_NAMES:
        raise DelegationMalformed(f"{name} is a list of 1 to {MAX_NAMES}")
    if any(type(item) is not str or not 0 < len(item) <= MAX_NAME_CHARACTERS for item in value):
        raise DelegationMalformed(f"{name} holds short texts")
    return tuple(value)


def _paths(value: object) -> tuple[ClaimPattern, ...]:
    if type(value) is not list or len(value) > MAX_NAMES:
        raise DelegationMalformed(f"claims is a list of at most {MAX_NAMES} paths")
    for path in value:
        if type(path) is not list or not 0 < len(path) <= 8 or type(path[0]) is not str:
            raise DelegationMalformed("a path is a short list that begins with a claim's name")
        if any(part is not None and type(part) not in (str, int) for part in path):
            raise DelegationMalformed("a path part is a string, a list index or null")
    return tuple(tuple(path) for path in value)
