"""Presentations for another: which parts of an answer give the right, and which are shown by it.

That somebody may act for the holder follows from the query, never from what was sent: it has to
ask for a delegation or a guardianship.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from wallet.credentials.delegation import DELEGATION_TYPE, GUARDIANSHIP_TYPE
from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.keys import parse_jwk, thumbprint
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError
from wallet.protocols.dcql import DcqlQuery
from wallet.protocols.oid4vp_response import RawPresentation
from wallet.verification.acting import (
    ActedFor,
    ActingNotAccepted,
    DelegationNotByHolder,
    Use,
    VerifiedDelegation,
    check_not_handed_on,
)
from wallet.verification.delegation import PresentedDelegation, verify_delegation
from wallet.verification.guardianship import check_guardianships
from wallet.verification.pipeline import VerifiedPresentation, VerifiedProof
from wallet.verification.policy import VerificationPolicy


@dataclass(frozen=True, slots=True)
class ActingQueries:
    """The ids of the queries of one request that ask for a right to act for another."""

    delegations: frozenset[str]
    guardianships: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.delegations | self.guardianships


def acting_queries(query: DcqlQuery) -> ActingQueries:
    """Return which credential queries ask for nothing but delegations, or guardianships."""
    found = {
        vct: frozenset(
            item.id
            for item in query.credentials.values()
            if item.format == SD_JWT_VC_FORMAT and set(item.vct_values) == {vct}
        )
        for vct in (DELEGATION_TYPE, GUARDIANSHIP_TYPE)
    }
    return ActingQueries(found[DELEGATION_TYPE], found[GUARDIANSHIP_TYPE])


@dataclass(slots=True)
class Acting:
    """The rights that one answer brings, by the query that they answer."""

    queries: ActingQueries
    audience: str
    now: int
    presented: dict[str, list[PresentedDelegation]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    @classmethod
    def of_answer(
        cls,
        query: DcqlQuery,
        vp_token: Mapping[str, Sequence[RawPresentation]],
        *,
        audience: str,
        nonce: str,
        now: int,
        use: Use,
        programme: str | None,
    ) -> Acting:
        """Verify the delegations of an answer.

        Raises `ActingNotAccepted` where the use is for oneself alone, and `DelegationChained`.
        """
        acting = cls(acting_queries(query), audience, now)
        rights = acting.queries.all & vp_token.keys()
        if rights and use is not Use.PRESENTATION:
            raise ActingNotAccepted(f"a {use.value} is made for oneself alone")
        for name in sorted(acting.queries.delegations & vp_token.keys()):
            acting.presented[name] = [
                verify_delegation(
                    item if isinstance(item, str) else "",
                    audience=audience,
                    nonce=nonce,
                    now=now,
                    programme=programme,
                )
                for item in vp_token[name]
            ]
        check_not_handed_on(acting._delegations())
        return acting

    def _delegations(self) -> list[VerifiedDelegation]:
        return [
            item.delegation
            for items in self.presented.values()
            for item in items
            if item.delegation is not None
        ]

    def policy(
        self, presentation: RawPresentation, policy: VerificationPolicy
    ) -> VerificationPolicy:
        """Return the policy for one credential: with its delegation, if it is bound to its key."""
        if self.queries.guardianships:
            policy = replace(policy, accepts_held_by_guardian=True)
        delegations = self._delegations()
        if not delegations or not isinstance(presentation, str):
            return policy
        holder = _peek_holder(presentation)
        for delegation in delegations:
            if thumbprint(delegation.delegator) == holder:
                self.used.add(delegation.delegation_id)
                return replace(policy, delegation=delegation)
        return policy

    def proofs(self) -> dict[str, list[VerifiedProof]]:
        """Return the delegations as answers to their queries."""
        return {
            name: [item.proof for item in items if item.proof is not None]
            for name, items in self.presented.items()
        }

    def issuer_of(self, item: VerifiedProof) -> str:
        """Return who issued a credential, as the agency is told; a person by a pairwise name."""
        for one in self._delegations():
            if (
                item.vct == DELEGATION_TYPE
                and did_jwk_from_public_key(one.delegator) == item.issuer
            ):
                return one.acted_for().person
        return item.issuer

    def settle(
        self, verified: Mapping[str, Sequence[VerifiedPresentation]]
    ) -> dict[str, list[VerifiedPresentation]]:
        """Return the credentials with who acted for whom; every right must have been used.

        Raises `DelegationNotByHolder`, and what `check_guardianships` raises.
        """
        if any(item.delegation_id not in self.used for item in self._delegations()):
            raise DelegationNotByHolder("a delegation belongs to no credential that was shown")
        guardianships = [
            item for name in self.queries.guardianships for item in verified.get(name, ())
        ]
        names = [name for name in verified if name not in self.queries.guardianships]
        about = [item for name in names for item in verified[name]]
        settled = iter(
            check_guardianships(about, guardianships, audience=self.audience, now=self.now)
        )
        result = {name: list(items) for name, items in verified.items()}
        for name in names:
            result[name] = [next(settled) for _ in verified[name]]
        return result


def _peek_holder(presentation: str) -> str | None:
    try:
        confirmation = parse_presented_sd_jwt(presentation).jws.peek_claims().get("cnf")
        jwk = confirmation.get("jwk") if isinstance(confirmation, dict) else None
        return thumbprint(parse_jwk(jwk))
    except SeoulWalletError:
        # The check of the credential meets the same fault, and reports it.
        return None


def acted_for(verified: Mapping[str, Sequence[VerifiedProof]]) -> tuple[ActedFor, ...]:
    """Return who acted for whom in an answer, each pair once, in the order of the answer."""
    return tuple(
        dict.fromkeys(
            item.acted_for
            for items in verified.values()
            for item in items
            if item.acted_for is not None
        )
    )


def acting_json(acted: Sequence[ActedFor]) -> JsonObject:
    """Return the member of a decision that names them; empty when everyone showed their own."""
    return {"acted_for": [item.to_json() for item in acted]} if acted else {}
