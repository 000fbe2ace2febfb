"""Delegated presentations: the chain of a credential, its delegation and the delegate's key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.support.credentials import AUDIENCE, NONCE, NOW, VCT, World, policy
from wallet.credentials.delegation import DelegationMalformed, DelegationScope, issue_delegation
from wallet.credentials.sd_jwt import bind_to_key, issue_sd_jwt_vc
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError
from wallet.verification.acting import (
    ActingNotAccepted,
    DelegationChained,
    DelegationForOthers,
    DelegationNotByHolder,
    DelegationOutOfScope,
    Right,
    VerifiedDelegation,
    check_not_handed_on,
    key_pairwise_id,
)
from wallet.verification.delegation import verify_delegation
from wallet.verification.pipeline import VerifiedPresentation, verify_presentation
from wallet.verification.proof_steps import (
    AudienceMismatch,
    CredentialExpired,
    CredentialNotYetValid,
    HolderBindingInvalid,
    HolderBindingMissing,
    NonceMismatch,
    TypeNotAccepted,
)
from wallet.verification.trust_steps import CredentialRevoked

DAY = 86400
SCOPE = DelegationScope((VCT,), (("child_count",), ("seoul_resident",)))


@dataclass
class Delegated:
    """A card of the world, delegated; a test changes one thing."""

    world: World = field(default_factory=World)
    carer: Es256SigningKey = field(default_factory=Es256SigningKey.generate)
    scope: DelegationScope = SCOPE
    starts: int = NOW - DAY
    ends: int = NOW + DAY
    relation: str | None = "carer"

    def text(self, key: Es256SigningKey | None = None, **changes: Any) -> str:
        terms = {"not_before": self.starts, "expires_at": self.ends, "relation": self.relation}
        return issue_delegation(
            self.scope,
            key or self.world.holder_key,
            delegate=self.carer.public_key,
            **{**terms, **changes},
        )

    def bound(self, text: str, **changes: Any) -> str:
        binding = {"audience": AUDIENCE, "nonce": NONCE, "issued_at": NOW, **changes}
        return bind_to_key(text, binding.pop("key", self.carer), **binding)

    def verified(
        self, presentation: str | None = None, *, now: int = NOW, programme: str | None = None
    ) -> VerifiedDelegation:
        presented = verify_delegation(
            self.bound(self.text()) if presentation is None else presentation,
            audience=AUDIENCE,
            nonce=NONCE,
            now=now,
            programme=programme,
        )
        presented.report.raise_for_failure()
        assert presented.delegation is not None
        return presented.delegation

    def show(self, delegation: VerifiedDelegation | None, **changes: Any) -> VerifiedPresentation:
        shown = {"disclose": (("child_count",), ("seoul_resident",)), "key": self.carer}
        presentation = self.world.present(self.world.issue(), **{**shown, **changes})
        return verify_presentation(
            presentation,
            self.world.evidence(),
            replace(policy(), delegation=delegation),
            now=NOW,
        )


@pytest.fixture
def case() -> Delegated:
    return Delegated()


def test_a_delegate_shows_a_card_and_the_verifier_sees_who_acted_for_whom(case: Delegated) -> None:
    shown = case.show(case.verified())
    assert shown.claims["child_count"] == 2
    assert shown.acted_for is not None
    assert shown.acted_for.right is Right.DELEGATION
    assert shown.acted_for.relation == "carer"
    assert not shown.acted_for.jointly
    holder = key_pairwise_id(AUDIENCE, case.world.holder_key.public_key)
    carer = key_pairwise_id(AUDIENCE, case.carer.public_key)
    assert (shown.acted_for.person, shown.acted_for.actor) == (holder, carer)
    assert shown.holder_key == case.carer.public_key


def test_who_shows_their_own_card_acts_for_nobody(case: Delegated) -> None:
    assert case.show(None, key=case.world.holder_key).acted_for is None


def test_without_a_delegation_the_delegates_key_proves_nothing(case: Delegated) -> None:
    with pytest.raises(SignatureInvalid):
        case.show(None)


def test_the_holder_cannot_sign_in_the_delegates_place(case: Delegated) -> None:
    with pytest.raises(SignatureInvalid):
        case.show(case.verified(), key=case.world.holder_key)


def test_a_delegation_by_another_person_is_refused(case: Delegated) -> None:
    stranger = case.bound(case.text(Es256SigningKey.generate()))
    with pytest.raises(DelegationNotByHolder):
        case.show(case.verified(stranger))


def test_a_delegation_signed_by_another_key_than_it_names_is_refused(case: Delegated) -> None:
    forger = Es256SigningKey.generate()
    claims: JsonObject = {
        "iss": did_jwk_from_public_key(case.world.holder_key.public_key),
        "vct": "urn:seoul-wallet:delegation:1",
        "delegation_id": "A" * 22,
        "nbf": NOW,
        "exp": NOW + DAY,
        **SCOPE.to_claims(),
    }
    forged = issue_sd_jwt_vc(
        claims, (), forger, verification_method="#0", holder=case.carer.public_key
    )
    with pytest.raises(SignatureInvalid):
        case.verified(case.bound(forged.compact))


def test_a_delegation_by_an_issuers_did_is_refused(case: Delegated) -> None:
    forged = issue_sd_jwt_vc(
        {**SCOPE.to_claims(), "iss": "did:web:issuer.example", "vct": "x"},
        (),
        case.world.issuer_key,
        verification_method="#0",
        holder=case.carer.public_key,
    )
    with pytest.raises(DelegationNotByHolder):
        case.verified(case.bound(forged.compact))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"audience": "https://other.example"}, AudienceMismatch),
        ({"nonce": "another-nonce-0123456789"}, NonceMismatch),
        ({"issued_at": NOW - 3600}, HolderBindingInvalid),
        ({"key": Es256SigningKey.generate()}, SignatureInvalid),
    ],
)
def test_a_delegation_is_bound_to_the_delegate_and_the_request(
    case: Delegated, changes: dict[str, Any], error: type[SeoulWalletError]
) -> None:
    with pytest.raises(error):
        case.verified(case.bound(case.text(), **changes))


def test_a_delegation_without_key_binding_is_refused(case: Delegated) -> None:
    with pytest.raises(HolderBindingMissing):
        case.verified(case.text())


def test_a_delegation_counts_from_its_first_to_its_last_second(case: Delegated) -> None:
    case.starts, case.ends = NOW, NOW + 3600
    bound = case.text()
    assert case.verified(case.bound(bound, issued_at=NOW), now=NOW)
    last = NOW + 3600 + 59
    assert case.verified(case.bound(bound, issued_at=last), now=last)
    with pytest.raises(CredentialExpired):
        case.verified(case.bound(bound, issued_at=last + 1), now=last + 1)
    with pytest.raises(CredentialNotYetValid):
        case.verified(case.bound(bound, issued_at=NOW - 61), now=NOW - 61)


def test_another_type_is_no_delegation(case: Delegated) -> None:
    other = issue_sd_jwt_vc(
        {"iss": did_jwk_from_public_key(case.world.holder_key.public_key), "vct": VCT},
        (),
        case.world.holder_key,
        verification_method="#0",
        holder=case.carer.public_key,
    )
    with pytest.raises(TypeNotAccepted):
        case.verified(case.bound(other.compact))


def test_the_scope_names_the_credential_type(case: Delegated) -> None:
    case.scope = DelegationScope(("urn:seoul-wallet:residence:1",), SCOPE.claims)
    with pytest.raises(DelegationOutOfScope):
        case.show(case.verified())


def test_a_claim_outside_the_scope_is_refused(case: Delegated) -> None:
    with pytest.raises(DelegationOutOfScope):
        case.show(case.verified(), disclose=(("child_count",), ("name",)))


def test_a_scope_without_claims_allows_to_show_possession_alone(case: Delegated) -> None:
    case.scope = DelegationScope((VCT,))
    assert "child_count" not in case.show(case.verified(), disclose=()).claims
    with pytest.raises(DelegationOutOfScope):
        case.show(case.verified(), disclose=(("child_count",),))


def test_the_scope_may_name_verifiers(case: Delegated) -> None:
    case.scope = replace(SCOPE, audiences=(AUDIENCE,))
    assert case.show(case.verified())
    case.scope = replace(SCOPE, audiences=("https://other.example",))
    with pytest.raises(DelegationForOthers):
        case.show(case.verified())


def test_the_scope_may_name_programmes(case: Delegated) -> None:
    case.scope = replace(SCOPE, programmes=("youth-rent",))
    assert case.show(case.verified(programme="youth-rent"))
    for other in (None, "youth-fare"):
        with pytest.raises(DelegationOutOfScope):
            case.show(case.verified(programme=other))


def test_revoking_the_copy_ends_the_delegation(case: Delegated) -> None:
    case.world.statuses[7] = 1
    with pytest.raises(CredentialRevoked):
        case.show(case.verified())


def test_a_delegation_that_was_handed_on_is_refused(case: Delegated) -> None:
    second = Delegated(case.world, Es256SigningKey.generate())
    first, handed_on = case.verified(), second.verified(second.bound(second.text(case.carer)))
    with pytest.raises(DelegationChained):
        check_not_handed_on((first, handed_on))
    with pytest.raises(DelegationNotByHolder):
        second.show(handed_on)
    check_not_handed_on((first, second.verified()))


def test_what_a_guardian_holds_cannot_be_delegated(case: Delegated) -> None:
    case.world.claims["held_by"] = "guardian"
    delegation = case.verified()
    with pytest.raises(DelegationChained):
        verify_presentation(
            case.world.present(case.world.issue(), key=case.carer, disclose=(("child_count",),)),
            case.world.evidence(),
            replace(policy(), delegation=delegation, accepts_held_by_guardian=True),
            now=NOW,
        )


def test_a_card_that_a_guardian_holds_is_nobodys_own(case: Delegated) -> None:
    case.world.claims["held_by"] = "guardian"
    with pytest.raises(ActingNotAccepted):
        case.show(None, key=case.world.holder_key)


@pytest.mark.parametrize("junk", ["", "~", "a.b.c~", "a.b.c~d~e", "é~", "{}", "." * 3000])
def test_junk_is_a_report_and_never_an_exception(case: Delegated, junk: str) -> None:
    presented = verify_delegation(junk, audience=AUDIENCE, nonce=NONCE, now=NOW)
    assert isinstance(presented.report.failure, SeoulWalletError)
    assert (presented.proof, presented.delegation) == (None, None)


def test_a_delegation_with_a_scope_of_another_form_is_refused(case: Delegated) -> None:
    claims: JsonObject = {
        "iss": did_jwk_from_public_key(case.world.holder_key.public_key),
        "vct": "urn:seoul-wallet:delegation:1",
        "delegation_id": "A" * 22,
        "nbf": NOW,
        "exp": NOW + DAY,
        **SCOPE.to_claims(),
    }
    key, carer = case.world.holder_key, case.carer.public_key
    for name, value in (("types", []), ("claims", "all"), ("audiences", []), ("exp", NOW + 10**9)):
        issued = issue_sd_jwt_vc(
            {**claims, name: value}, (), key, verification_method="#0", holder=carer
        )
        with pytest.raises(DelegationMalformed):
            case.verified(case.bound(issued.compact))
