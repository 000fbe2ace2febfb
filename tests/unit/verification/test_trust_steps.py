"""Steps 8 to 10: receipt, accreditation and status, one broken thing at a time."""

from dataclasses import replace

import pytest

from tests.support.credentials import (
    ISSUER,
    NOW,
    STATUS_URI,
    World,
    policy,
)
from tests.support.steps import assert_only_step_fails, failed_step
from wallet.credentials.jose import JwsMalformed
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.crypto.merkle import InclusionProofInvalid
from wallet.errors import SeoulWalletError
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
from wallet.verification.evidence import Fact
from wallet.verification.pipeline import (
    check_presentation,
    verify_presentation,
)
from wallet.verification.proof_steps import (
    FactsTooOld,
)
from wallet.verification.report import Outcome
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
