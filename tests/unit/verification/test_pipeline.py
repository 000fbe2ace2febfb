"""The whole pipeline: what passes, what the report says, and what stays undecided."""

from dataclasses import replace

import pytest

from tests.support.credentials import (
    ISSUER,
    NOW,
    VCT,
    World,
    policy,
    proof_policy,
)
from wallet.credentials.formats import JWT_VC_FORMAT
from wallet.ports.facts import ReplicaEmpty
from wallet.verification.pipeline import (
    check_presentation,
    verify_presentation,
    verify_proof,
)
from wallet.verification.presented import PresentationMalformed, parse_received
from wallet.verification.report import Outcome


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


def test_a_presentation_that_was_parsed_before_gets_the_verdict_of_its_text(world: World) -> None:
    presentation = world.present(world.issue())
    for rules in (policy(), replace(policy(), nonce="another")):
        report = check_presentation(presentation, world.evidence(), rules, now=NOW)
        parsed = check_presentation(parse_received(presentation), world.evidence(), rules, now=NOW)
        assert repr(parsed) == repr(report)


def test_refuses_what_was_parsed_as_another_format_than_the_policys(world: World) -> None:
    parsed = parse_received(world.present(world.issue()))
    with pytest.raises(PresentationMalformed):
        verify_presentation(
            parsed, world.evidence(), replace(policy(), format=JWT_VC_FORMAT), now=NOW
        )
