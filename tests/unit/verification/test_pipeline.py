"""Each verification step: one presentation that passes, and one that breaks only that step."""

from dataclasses import replace

import pytest

from tests.support.credentials import (
    AUDIENCE,
    ISSUER,
    NOW,
    STATUS_URI,
    VCT,
    World,
    policy,
    proof_policy,
)
from wallet.credentials.disclosure import DisclosureMalformed
from wallet.credentials.jose import JwsMalformed, UnsupportedAlgorithm
from wallet.credentials.sd_jwt import SdJwtMalformed, parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.crypto.merkle import InclusionProofInvalid
from wallet.did.document import KeyNotAuthorized, build_did_document, parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.errors import SeoulWalletError, UnavailableError
from wallet.ports.facts import ReplicaEmpty
from wallet.status.compression import StatusListMalformed
from wallet.status.token_status_list import StatusIndexOutOfRange
from wallet.trust.facts import (
    Assurance,
    IssuerNotAccredited,
    IssuerSuspended,
    SuspensionFact,
)
from wallet.trust.identifiers import issuer_id
from wallet.trust.receipt import ReceiptMalformed
from wallet.verification.evidence import Evidence, Fact, FactMissing
from wallet.verification.issuer_key import IssuerMismatch
from wallet.verification.pipeline import (
    check_presentation,
    verify_presentation,
    verify_proof,
)
from wallet.verification.policy import VerificationPolicy
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
from wallet.verification.report import STEP_NAMES, Outcome, VerificationReport
from wallet.verification.status import StatusListInvalid, verify_status_list_token
from wallet.verification.trust_steps import (
    AnchorNotFinal,
    BatchRevoked,
    CredentialRevoked,
    CredentialSuspended,
    ReceiptMissing,
    StatusListSuperseded,
    StatusMissing,
)


def failed_step(report: VerificationReport) -> tuple[str, type[SeoulWalletError] | None]:
    """Return the name and error class of the step that decides."""
    failure = report.failure
    step = next(step for step in report.steps if step.error is failure)
    return step.name, type(failure)


def assert_only_step_fails(
    presentation: str,
    evidence: Evidence,
    rules: VerificationPolicy,
    name: str,
    error: type[SeoulWalletError],
    now: int = NOW,
) -> None:
    report = check_presentation(presentation, evidence, rules, now=now)
    assert failed_step(report) == (name, error)
    position = STEP_NAMES.index(name)
    assert all(
        step.outcome in (Outcome.PASSED, Outcome.NOT_REQUIRED) for step in report.steps[:position]
    )
    if not issubclass(error, UnavailableError):
        assert all(step.outcome is Outcome.NOT_REACHED for step in report.steps[position + 1 :])
    with pytest.raises(error):
        verify_presentation(presentation, evidence, rules, now=now)


@pytest.fixture
def world() -> World:
    return World()


def test_accepts_a_presentation_with_a_finalized_receipt(world: World) -> None:
    issued = world.issue()
    receipt, root = world.receipt(issued)
    presentation = world.present(issued, receipt=receipt)
    verified = verify_presentation(
        presentation, world.evidence(root), policy(require_receipt=True), now=NOW
    )
    assert verified.issuer == ISSUER
    assert verified.vct == VCT
    assert verified.anchored_at == NOW - 5_000
    assert verified.claims["child_count"] == 2
    assert "name" not in verified.claims
    assert "_sd" not in verified.claims
    assert [step.outcome for step in verified.report.steps] == [Outcome.PASSED] * 10


def test_accepts_without_a_receipt_when_the_policy_lets_trust_be_judged_now(world: World) -> None:
    verified = verify_presentation(
        world.present(world.issue()), world.evidence(), policy(), now=NOW
    )
    assert verified.anchored_at is None
    assert verified.report.steps[7].outcome is Outcome.NOT_REQUIRED


def test_the_report_says_how_old_its_oldest_fact_is(world: World) -> None:
    report = check_presentation(
        world.present(world.issue()), world.evidence(), policy(), now=NOW + 10
    )
    assert report.facts_as_of == NOW - 120
    body = report.to_json()
    assert body["facts_age_s"] == 130
    assert [step["step"] for step in body["steps"]] == list(range(1, 11))
    assert body["steps"][9]["facts_age_s"] == 70


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


def test_step_8_rejects_a_missing_receipt_where_the_policy_requires_one(world: World) -> None:
    assert_only_step_fails(
        world.present(world.issue()),
        world.evidence(),
        policy(require_receipt=True),
        "anchor_receipt",
        ReceiptMissing,
    )


def test_step_8_is_unavailable_while_the_batch_is_not_final(world: World) -> None:
    issued = world.issue()
    receipt, _ = world.receipt(issued)
    report = check_presentation(
        world.present(issued, receipt=receipt), world.evidence(None), policy(), now=NOW
    )
    assert failed_step(report) == ("anchor_receipt", AnchorNotFinal)
    assert report.steps[9].outcome is Outcome.PASSED


def test_step_8_rejects_a_receipt_of_another_credential(world: World) -> None:
    receipt, root = world.receipt(world.issue())
    report = check_presentation(
        world.present(world.issue(), receipt=receipt), world.evidence(root), policy(), now=NOW
    )
    assert failed_step(report) == ("anchor_receipt", AnchorNotFinal)


def test_step_8_rejects_a_receipt_with_another_size(world: World) -> None:
    world.neighbours = 6
    issued = world.issue()
    receipt, root = world.receipt(issued)
    assert_only_step_fails(
        world.present(issued, receipt=receipt),
        world.evidence(root),
        policy(),
        "anchor_receipt",
        InclusionProofInvalid,
    )


@pytest.mark.parametrize(
    "change", [{"issuer_id": b"\x09" * 32}, {"schema_id": b"\x09" * 32}], ids=["issuer", "schema"]
)
def test_step_8_rejects_a_batch_of_another_issuer_or_type(
    world: World, change: dict[str, bytes]
) -> None:
    issued = world.issue()
    receipt, root = world.receipt(issued)
    facts = world.anchor_facts(root)
    assert facts.batch is not None
    foreign = replace(facts, batch=replace(facts.batch, **change))
    evidence = replace(world.evidence(root), anchor=Fact(foreign, NOW))
    assert_only_step_fails(
        world.present(issued, receipt=receipt),
        evidence,
        policy(),
        "anchor_receipt",
        InclusionProofInvalid,
    )


def test_step_8_rejects_a_revoked_batch(world: World) -> None:
    issued = world.issue()
    receipt, root = world.receipt(issued)
    facts = world.anchor_facts(root)
    assert facts.batch is not None
    revoked = replace(facts, batch=replace(facts.batch, revoked_at=NOW - 10))
    evidence = replace(world.evidence(root), anchor=Fact(revoked, NOW))
    assert_only_step_fails(
        world.present(issued, receipt=receipt), evidence, policy(), "anchor_receipt", BatchRevoked
    )


@pytest.mark.parametrize("claim", ["text", {}, {"index": 1, "size": 1, "path": [], "salt": ""}])
def test_step_8_rejects_a_receipt_that_is_not_one(world: World, claim: object) -> None:
    presentation = world.present(world.issue(), extra={"anchor_receipt": claim})
    assert_only_step_fails(
        presentation, world.evidence(), policy(), "anchor_receipt", ReceiptMalformed
    )


@pytest.mark.parametrize(
    ("assurance", "told"),
    [
        (None, None),
        (Assurance(2, True), {"endpoints": 2, "proven": True, "development": False}),
        (Assurance(1, True), {"endpoints": 1, "proven": True, "development": True}),
        (Assurance(2, False), {"endpoints": 2, "proven": False, "development": True}),
    ],
)
def test_the_report_says_how_the_facts_of_the_chain_were_checked(
    world: World, assurance: Assurance | None, told: dict[str, object] | None
) -> None:
    facts = replace(world.anchor_facts(), assurance=assurance)
    evidence = replace(world.evidence(), anchor=Fact(facts, NOW))
    presentation = world.present(world.issue())
    report = check_presentation(presentation, evidence, policy(), now=NOW)
    assert report.to_json()["assurance"] == told


def test_step_9_rejects_an_issuer_without_accreditation(world: World) -> None:
    facts = replace(world.anchor_facts(), issuer_scopes=())
    evidence = replace(world.evidence(), anchor=Fact(facts, NOW))
    assert_only_step_fails(
        world.present(world.issue()), evidence, policy(), "accreditation", IssuerNotAccredited
    )


@pytest.mark.parametrize(
    ("since", "until", "is_refused"),
    [
        (NOW - 100, None, True),
        (NOW, None, True),
        (NOW - 100, NOW + 1, True),
        (NOW - 100, NOW, False),
        (NOW + 1, None, False),
    ],
)
def test_step_9_rejects_an_issuer_while_it_is_suspended(
    world: World, since: int, until: int | None, is_refused: bool
) -> None:
    suspension = SuspensionFact(issuer_id(ISSUER), 0, since, until)
    facts = replace(world.anchor_facts(), suspensions=(suspension,))
    evidence = replace(world.evidence(), anchor=Fact(facts, NOW))
    presentation = world.present(world.issue())
    if is_refused:
        assert_only_step_fails(presentation, evidence, policy(), "accreditation", IssuerSuspended)
    else:
        verify_presentation(presentation, evidence, policy(), now=NOW)


@pytest.mark.parametrize(("since_anchoring", "is_refused"), [(-10, True), (0, True), (1, False)])
def test_step_9_a_suspension_leaves_alone_what_was_anchored_before_it(
    world: World, since_anchoring: int, is_refused: bool
) -> None:
    issued = world.issue()
    receipt, root = world.receipt(issued)
    facts = world.anchor_facts(root)
    assert facts.batch is not None
    since = facts.batch.anchored_at + since_anchoring
    facts = replace(facts, suspensions=(SuspensionFact(issuer_id(ISSUER), 0, since),))
    evidence = replace(world.evidence(root), anchor=Fact(facts, NOW))
    presentation = world.present(issued, receipt=receipt)
    if is_refused:
        assert_only_step_fails(presentation, evidence, policy(), "accreditation", IssuerSuspended)
    else:
        verify_presentation(presentation, evidence, policy(), now=NOW)


def test_step_9_judges_at_anchor_time_when_there_is_a_receipt(world: World) -> None:
    issued = world.issue()
    receipt, root = world.receipt(issued)
    facts = world.anchor_facts(root)
    withdrawn = replace(
        facts, issuer_scopes=(replace(facts.issuer_scopes[0], revoked_at=NOW - 1_000),)
    )
    evidence = replace(world.evidence(root), anchor=Fact(withdrawn, NOW))
    anchored_before = world.present(issued, receipt=receipt)
    verify_presentation(anchored_before, evidence, policy(), now=NOW)
    assert_only_step_fails(
        world.present(issued), evidence, policy(), "accreditation", IssuerNotAccredited
    )


def test_step_9_rejects_when_the_withdrawal_reaches_back_before_the_batch(world: World) -> None:
    issued = world.issue()
    receipt, root = world.receipt(issued)
    facts = world.anchor_facts(root)
    withdrawn = replace(
        facts, issuer_scopes=(replace(facts.issuer_scopes[0], revoked_at=NOW - 6_000),)
    )
    evidence = replace(world.evidence(root), anchor=Fact(withdrawn, NOW))
    assert_only_step_fails(
        world.present(issued, receipt=receipt),
        evidence,
        policy(),
        "accreditation",
        IssuerNotAccredited,
    )


def test_step_9_rejects_when_the_accreditor_was_withdrawn(world: World) -> None:
    facts = world.anchor_facts()
    withdrawn = replace(
        facts, accreditor_scopes=(replace(facts.accreditor_scopes[0], revoked_at=NOW - 1),)
    )
    evidence = replace(world.evidence(), anchor=Fact(withdrawn, NOW))
    assert_only_step_fails(
        world.present(world.issue()), evidence, policy(), "accreditation", IssuerNotAccredited
    )


def test_step_9_is_unavailable_when_the_replica_is_too_old(world: World) -> None:
    rules = policy(max_replica_age_s=30)
    verify_presentation(world.present(world.issue()), world.evidence(), rules, now=NOW)
    assert_only_step_fails(
        world.present(world.issue()),
        world.evidence(),
        rules,
        "accreditation",
        FactsTooOld,
        now=NOW + 1,
    )


def test_a_rejection_outweighs_what_could_not_be_checked(world: World) -> None:
    world.statuses = {7: 1}
    evidence = replace(world.evidence(), anchor=Fact(world.anchor_facts(), NOW - 30))
    issued = world.issue()
    receipt, _ = world.receipt(issued)
    report = check_presentation(
        world.present(issued, receipt=receipt), evidence, policy(), now=NOW
    )
    assert report.steps[7].outcome is Outcome.UNAVAILABLE
    assert failed_step(report) == ("status", CredentialRevoked)
    assert report.outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    ("status", "error"), [(1, CredentialRevoked), (2, CredentialSuspended), (3, CredentialRevoked)]
)
def test_step_10_rejects_a_revoked_or_suspended_credential(
    world: World, status: int, error: type[SeoulWalletError]
) -> None:
    world.statuses = {7: status}
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "status", error
    )


def test_step_10_passes_when_only_the_neighbours_are_revoked(world: World) -> None:
    world.statuses = {6: 1, 8: 1}
    verify_presentation(world.present(world.issue()), world.evidence(), policy(), now=NOW)


def test_step_10_rejects_a_missing_status_unless_the_policy_allows_it(world: World) -> None:
    del world.claims["status"]
    presentation = world.present(world.issue())
    assert_only_step_fails(presentation, world.evidence(), policy(), "status", StatusMissing)
    verify_presentation(presentation, world.evidence(), policy(require_status=False), now=NOW)


@pytest.mark.parametrize("index", [-1, True, 1.0, "5", None])
def test_step_10_rejects_an_index_that_is_not_one(world: World, index: object) -> None:
    world.claims["status"] = {"status_list": {"idx": index, "uri": STATUS_URI}}
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "status", StatusListMalformed
    )


@pytest.mark.parametrize("index", [1024, 2**63])
def test_step_10_rejects_an_index_beyond_the_list(world: World, index: int) -> None:
    world.claims["status"] = {"status_list": {"idx": index, "uri": STATUS_URI}}
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "status", StatusIndexOutOfRange
    )


@pytest.mark.parametrize(
    ("issued_at", "claims"),
    [(NOW - 3601, {}), (NOW - 500, {"ttl": 499}), (NOW - 500, {"exp": NOW - 1})],
    ids=["policy", "ttl", "exp"],
)
def test_step_10_is_unavailable_when_the_list_is_too_old(
    world: World, issued_at: int, claims: dict[str, int]
) -> None:
    world.status_issued_at, world.status_claims = issued_at, claims
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "status", FactsTooOld
    )


def test_step_10_rejects_a_list_of_the_future(world: World) -> None:
    world.status_issued_at = NOW + 61
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "status", StatusListInvalid
    )


def test_step_10_is_unavailable_when_the_chain_knows_a_newer_list(world: World) -> None:
    honest = world.evidence()
    world.status_issued_at = NOW - 600
    old = world.evidence().status_list
    world.statuses = {7: 1}
    evidence = replace(honest, status_list=old, anchor=Fact(world.anchor_facts(), NOW))
    assert_only_step_fails(
        world.present(world.issue()), evidence, policy(), "status", StatusListSuperseded
    )


def test_step_10_is_unavailable_when_an_old_list_is_signed_again(world: World) -> None:
    old = world.evidence().status_list
    assert isinstance(old, Fact)
    world.statuses = {7: 1}
    facts = replace(world.anchor_facts(), superseded_status_digests=frozenset((old.value.digest,)))
    evidence = replace(world.evidence(), status_list=old, anchor=Fact(facts, NOW))
    assert_only_step_fails(
        world.present(world.issue()), evidence, policy(), "status", StatusListSuperseded
    )


def test_step_10_takes_a_list_that_is_newer_than_its_anchored_digest(world: World) -> None:
    facts = world.anchor_facts()
    world.statuses = {9: 1}
    evidence = replace(world.evidence(), anchor=Fact(facts, NOW))
    verify_presentation(world.present(world.issue()), evidence, policy(), now=NOW)


def test_step_10_rejects_a_list_that_the_credential_does_not_name(world: World) -> None:
    world.claims["status"] = {"status_list": {"idx": 7, "uri": STATUS_URI + "0"}}
    assert_only_step_fails(
        world.present(world.issue()), world.evidence(), policy(), "status", StatusListInvalid
    )


def test_an_unreachable_replica_leaves_the_decision_open(world: World) -> None:
    evidence = replace(world.evidence(), anchor=ReplicaEmpty("not followed yet"))
    report = check_presentation(world.present(world.issue()), evidence, policy(), now=NOW)
    assert report.outcome is Outcome.UNAVAILABLE
    assert report.steps[8].outcome is Outcome.UNAVAILABLE


def test_a_proof_alone_never_becomes_a_verified_presentation(world: World) -> None:
    presentation = world.present(world.issue())
    proof = verify_proof(presentation, world.evidence(), proof_policy(), now=NOW)
    assert type(proof).__name__ == "VerifiedProof"
    assert [step.outcome for step in proof.report.steps[7:]] == [Outcome.NOT_REQUIRED] * 3
    with pytest.raises(ValueError, match="trust"):
        verify_presentation(presentation, world.evidence(), proof_policy(), now=NOW)
    with pytest.raises(ValueError, match="trust"):
        verify_proof(presentation, world.evidence(), policy(), now=NOW)


def test_a_status_token_is_refused_for_another_list_issuer_or_key(world: World) -> None:
    keys = world.issuer_key.public_key
    arguments = {"uri": STATUS_URI, "issuer": ISSUER}
    verify_status_list_token(world.status_token(), issuer_keys=keys, **arguments)
    with pytest.raises(StatusListInvalid):
        verify_status_list_token(
            world.status_token(sub=STATUS_URI + "0"), issuer_keys=keys, **arguments
        )
    with pytest.raises(StatusListInvalid):
        verify_status_list_token(
            world.status_token(iss="did:web:other.example"), issuer_keys=keys, **arguments
        )
    with pytest.raises(SignatureInvalid):
        verify_status_list_token(
            world.status_token(),
            issuer_keys=Es256SigningKey.generate().public_key,
            **arguments,
        )
    with pytest.raises(JwsMalformed):
        verify_status_list_token(world.status_token(ttl=-1), issuer_keys=keys, **arguments)


def test_claims_that_decide_validity_cannot_be_hidden(world: World) -> None:
    world.disclosable = (("exp",),)
    with pytest.raises(SdJwtMalformed):
        world.issue()


def test_the_parsed_presentation_keeps_what_the_binding_hashes(world: World) -> None:
    presentation = world.present(world.issue())
    parsed = parse_sd_jwt(presentation)
    assert parsed.presented.decode() == presentation.rpartition("~")[0] + "~"
