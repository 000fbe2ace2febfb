"""Steps 1 to 7: what can be judged on the presentation alone, one broken thing at a time."""

from dataclasses import replace

import pytest

from tests.support.credentials import (
    AUDIENCE,
    ISSUER,
    NOW,
    World,
    policy,
)
from tests.support.steps import assert_only_step_fails, failed_step
from wallet.credentials.disclosure import DisclosureMalformed
from wallet.credentials.jose import JwsMalformed, UnsupportedAlgorithm
from wallet.credentials.sd_jwt import SdJwtMalformed, parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.document import KeyNotAuthorized, build_did_document, parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.verification.evidence import Fact, FactMissing
from wallet.verification.issuer_key import IssuerMismatch
from wallet.verification.pipeline import (
    check_presentation,
    verify_presentation,
)
from wallet.verification.proof_steps import (
    AudienceMismatch,
    CredentialExpired,
    CredentialNotYetValid,
    FactsTooOld,
    HolderBindingInvalid,
    HolderBindingMissing,
    NonceMismatch,
    TypeNotAccepted,
)
from wallet.verification.report import Outcome


def test_step_1_rejects_what_is_not_an_sd_jwt(world: World) -> None:
    report = check_presentation("not~an~sd-jwt", world.evidence(), policy(), now=NOW)
    assert failed_step(report) == ("format", JwsMalformed)
    assert report.steps[1].outcome is Outcome.NOT_REACHED


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256"])
def test_step_1_rejects_foreign_algorithms(world: World, algorithm: str) -> None:
    head, rest = world.present(world.issue()).split(".", 1)
    header = base64url.decode(head).replace(b"ES256", algorithm.encode())
    report = check_presentation(
        base64url.encode(header) + "." + rest, world.evidence(), policy(), now=NOW
    )
    assert failed_step(report) == ("format", UnsupportedAlgorithm)


def test_step_2_is_unavailable_when_the_issuer_cannot_be_resolved(world: World) -> None:
    evidence = replace(world.evidence(), issuer_keys=FactMissing("host down"))
    report = check_presentation(world.present(world.issue()), evidence, policy(), now=NOW)
    assert failed_step(report) == ("issuer_key", FactMissing)
    assert report.outcome is Outcome.UNAVAILABLE
    assert report.steps[2].outcome is Outcome.NOT_REACHED


def test_step_2_is_unavailable_when_the_issuer_keys_are_too_old(world: World) -> None:
    assert_only_step_fails(
        world.present(world.issue()),
        world.evidence(),
        policy(max_issuer_keys_age_s=100),
        "issuer_key",
        FactsTooOld,
    )


def test_step_2_rejects_a_key_that_is_not_the_issuers(world: World) -> None:
    other = parse_did_document(
        build_did_document(ISSUER, {"key-2": world.issuer_key.public_key}), parse_did(ISSUER)
    )
    evidence = replace(world.evidence(), issuer_keys=Fact(other, NOW))
    assert_only_step_fails(
        world.present(world.issue()), evidence, policy(), "issuer_key", KeyNotAuthorized
    )


def test_step_3_rejects_a_signature_of_another_key(world: World) -> None:
    forged = replace_key(world, Es256SigningKey.generate())
    assert_only_step_fails(
        forged.present(forged.issue()),
        world.evidence(),
        policy(),
        "issuer_signature",
        SignatureInvalid,
    )


def replace_key(world: World, issuer_key: Es256SigningKey) -> World:
    return World(issuer_key=issuer_key, holder_key=world.holder_key)


def test_step_4_rejects_a_disclosure_that_was_changed(world: World) -> None:
    parts = world.present(world.issue()).split("~")
    content = base64url.decode(parts[1]).replace(b",2]", b",9]").replace(b"true", b"false")
    content = content.replace(b"2034", b"2094")
    parts[1] = base64url.encode(content)
    assert_only_step_fails(
        "~".join(parts), world.evidence(), policy(), "disclosures", DisclosureMalformed
    )


def test_step_4_rejects_claims_of_another_issuer_under_this_ones_key(world: World) -> None:
    world.claims["iss"] = "did:web:other.example"
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "disclosures", IssuerMismatch
    )


def test_step_5_rejects_a_type_that_was_not_asked_for(world: World) -> None:
    rules = replace(policy(), accepted_types=frozenset(("urn:other",)))
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), rules, "type", TypeNotAccepted
    )


def test_an_empty_list_of_types_accepts_nothing(world: World) -> None:
    rules = replace(policy(), accepted_types=frozenset())
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), rules, "type", TypeNotAccepted
    )


def test_step_6_rejects_an_expired_credential(world: World) -> None:
    world.claims["exp"] = NOW - 61
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "validity", CredentialExpired
    )


def test_step_6_rejects_a_credential_of_tomorrow(world: World) -> None:
    world.claims["nbf"] = NOW + 61
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "validity", CredentialNotYetValid
    )


@pytest.mark.parametrize("expiry", ["tomorrow", None, True, -1, [], 1e300])
def test_step_6_rejects_an_expiry_that_is_not_a_date(world: World, expiry: object) -> None:
    world.claims["exp"] = expiry
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "validity", JwsMalformed
    )


def test_step_7_rejects_a_presentation_without_key_binding(world: World) -> None:
    bare = world.present(world.issue()).rpartition("~")[0] + "~"
    assert_only_step_fails(bare, world.evidence(), policy(), "key_binding", HolderBindingMissing)


def test_step_7_rejects_someone_elses_key(world: World) -> None:
    stolen = world.present(world.issue(), key=Es256SigningKey.generate())
    assert_only_step_fails(stolen, world.evidence(), policy(), "key_binding", SignatureInvalid)


def test_step_7_rejects_another_audience(world: World) -> None:
    presentation = world.present(world.issue(), audience="https://other.example")
    assert_only_step_fails(
        presentation, world.evidence(), policy(), "key_binding", AudienceMismatch
    )


def test_step_7_rejects_an_audience_list(world: World) -> None:
    presentation = world.present(world.issue(), audience=[AUDIENCE])  # type: ignore[arg-type]
    assert_only_step_fails(
        presentation, world.evidence(), policy(), "key_binding", AudienceMismatch
    )


def test_step_7_rejects_another_nonce(world: World) -> None:
    presentation = world.present(world.issue(), nonce="another-nonce-0123456789")
    assert_only_step_fails(presentation, world.evidence(), policy(), "key_binding", NonceMismatch)


@pytest.mark.parametrize("issued_at", [NOW - 361, NOW + 61])
def test_step_7_rejects_a_binding_outside_its_time(world: World, issued_at: int) -> None:
    presentation = world.present(world.issue(), issued_at=issued_at)
    assert_only_step_fails(
        presentation, world.evidence(), policy(), "key_binding", HolderBindingInvalid
    )


@pytest.mark.parametrize("issued_at", [NOW - 360, NOW + 60])
def test_step_7_accepts_a_binding_at_the_edge_of_its_time(world: World, issued_at: int) -> None:
    presentation = world.present(world.issue(), issued_at=issued_at)
    verify_presentation(presentation, world.evidence(), policy(), now=NOW)


def test_step_7_rejects_a_disclosure_added_after_binding(world: World) -> None:
    issued = world.issue()
    all_disclosures = issued.compact.split("~")
    presentation = world.present(issued)
    hidden = next(item for item in all_disclosures[1:-1] if item not in presentation)
    body, _, binding = presentation.rpartition("~")
    assert_only_step_fails(
        f"{body}~{hidden}~{binding}",
        world.evidence(),
        policy(),
        "key_binding",
        HolderBindingInvalid,
    )


def test_claims_that_decide_validity_cannot_be_hidden(world: World) -> None:
    world.disclosable = (("exp",),)
    with pytest.raises(SdJwtMalformed):
        world.issue()


def test_the_parsed_presentation_keeps_what_the_binding_hashes(world: World) -> None:
    presentation = world.present(world.issue())
    parsed = parse_sd_jwt(presentation)
    assert parsed.presented.decode() == presentation.rpartition("~")[0] + "~"
