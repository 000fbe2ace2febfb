"""Acting for another: what a verifier learns of it, and what it takes. Pure values and rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from wallet.credentials.delegation import (
    GUARDIAN,
    HELD_BY,
    DelegationScope,
    check_delegable,
)
from wallet.credentials.disclosure import ClaimPath
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import PublicKey, thumbprint
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError

_PAIRWISE: Final = "SW-ACTING-V1/pairwise"


class ActingNotAccepted(RejectedError):
    """The credential is held for someone else, and this may only be done for oneself."""

    code = "acting_not_accepted"


class DelegationNotByHolder(RejectedError):
    """The delegation is not by the person whose credential it was shown with."""

    code = "delegation_not_by_holder"


class DelegationChained(RejectedError):
    """The delegation was handed on: the chain has more than one step."""

    code = "delegation_chained"


class DelegationOutOfScope(RejectedError):
    """The delegation does not cover this credential type, claim or programme."""

    code = "delegation_out_of_scope"


class DelegationForOthers(RejectedError):
    """The delegation does not name this verifier."""

    code = "delegation_for_others"


class Use(StrEnum):
    """What a presentation is for. Only a presentation as such can be made for another."""

    PRESENTATION = "presentation"
    SIGNATURE = "signature"
    LOGIN = "login"
    VOTING = "voting"


class Right(StrEnum):
    """By which right someone acts for another."""

    DELEGATION = "delegation"
    GUARDIANSHIP = "guardianship"


@dataclass(frozen=True, slots=True)
class ActedFor:
    """Who acted for whom, and by which right. Both are named by identifiers of this verifier.

    `relation` is who the actor is to the person: what the city says of a guardian, or what the
    person said who delegated; None if it was not shown. `delegation` names a delegation, so that
    the one who gave it finds it: see `pairwise_id`. `jointly`: the person took part with a key of
    their own.
    """

    right: Right
    person: str
    actor: str
    relation: str | None = None
    delegation: str | None = None
    jointly: bool = False

    def to_json(self) -> JsonObject:
        """Return the public form, for decisions and receipts."""
        return {
            "right": self.right.value,
            "person": self.person,
            "actor": self.actor,
            "relation": self.relation,
            "delegation": self.delegation,
            "jointly": self.jointly,
        }


def pairwise_id(audience: str, subject: str) -> str:
    """Return by what one verifier names a key or person: two verifiers' names cannot be joined.

    `subject` is `key:` and the thumbprint of a single-use key, `ward:` and a child's identifier in
    a sector, or `delegation:` and the id of a delegation.
    """
    text = "\0".join((_PAIRWISE, audience, subject))
    return base64url.encode(sha256(text.encode("utf-8", "surrogatepass")))


def key_pairwise_id(audience: str, key: PublicKey) -> str:
    """Return the pairwise identifier of the holder of a key."""
    return pairwise_id(audience, "key:" + thumbprint(key))


@dataclass(frozen=True, slots=True)
class VerifiedDelegation:
    """A delegation whose signature, dates and key binding are good, for one verifier and nonce.

    Whether the one who signed it holds the credential is step 7 of that credential. Made by
    `wallet.verification.delegation` alone. `programme` is what is asked for, if it has a name.
    """

    delegation_id: str
    delegator: PublicKey
    delegate: PublicKey
    scope: DelegationScope
    relation: str | None
    audience: str
    programme: str | None = None

    def key_for(
        self, holder: PublicKey, vct: str, claims: JsonObject, disclosed: Iterable[ClaimPath]
    ) -> PublicKey:
        """Return the key that may sign the key binding of a credential bound to `holder`.

        Raises `DelegationNotByHolder`, `DelegationOutOfScope`, `DelegationForOthers`,
        `NotDelegable`.
        """
        scope = self.scope
        if thumbprint(holder) != thumbprint(self.delegator):
            raise DelegationNotByHolder("another key signed the delegation than holds this")
        check_delegable((vct,))
        if HELD_BY in claims:
            raise DelegationChained("what a guardian holds cannot be handed on")
        if vct not in scope.types:
            raise DelegationOutOfScope("the delegation is not for this credential type")
        if not all(scope.covers(path, _at(claims, path)) for path in disclosed):
            raise DelegationOutOfScope("a claim was disclosed that the delegation is not for")
        if scope.audiences is not None and self.audience not in scope.audiences:
            raise DelegationForOthers("the delegation does not name this verifier")
        if scope.programmes is not None and self.programme not in scope.programmes:
            raise DelegationOutOfScope("the delegation is not for this programme")
        return self.delegate

    def acted_for(self) -> ActedFor:
        """Return what the verifier tells of it."""
        return ActedFor(
            Right.DELEGATION,
            person=key_pairwise_id(self.audience, self.delegator),
            actor=key_pairwise_id(self.audience, self.delegate),
            relation=self.relation,
            delegation=pairwise_id(self.audience, "delegation:" + self.delegation_id),
        )


def _at(claims: JsonObject, path: ClaimPath) -> Any:
    value: Any = claims
    for part in path:
        value = value[part]
    return value


def check_not_handed_on(delegations: Iterable[VerifiedDelegation]) -> None:
    """Return if no delegation is by someone who was delegated to. Raises `DelegationChained`."""
    found = tuple(delegations)
    delegates = {thumbprint(item.delegate) for item in found}
    if any(thumbprint(item.delegator) in delegates for item in found):
        raise DelegationChained("a delegation was handed on to another")


def is_held_by_guardian(claims: JsonObject) -> bool:
    """Return whether a credential is about a child and bound to its guardian's key."""
    return claims.get(HELD_BY) == GUARDIAN
