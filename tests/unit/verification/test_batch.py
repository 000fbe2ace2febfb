"""Many presentations at once: each gets its own verdict, in order, whatever the others are."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import count, islice

import pytest

from tests.support.credentials import NONCE, NOW, World, policy, proof_policy
from wallet.adapters.compute.processes import ProcessPool
from wallet.batch import MAX_CHUNK, BatchItem, verify_many
from wallet.credentials.sd_jwt import SdJwtMalformed
from wallet.crypto.keys import SignatureInvalid
from wallet.errors import SeoulWalletError
from wallet.ports.compute import Compute
from wallet.trust.facts import Assurance
from wallet.verification.evidence import Evidence, FactMissing
from wallet.verification.pipeline import VerifiedPresentation, VerifiedProof, verify_presentation
from wallet.verification.proof_steps import FactsTooOld, NonceMismatch
from wallet.verification.report import Outcome, VerificationReport

RULES = policy()
WORLD = World()
EVIDENCE = WORLD.evidence()
GOOD = WORLD.present(WORLD.issue())


@pytest.fixture(scope="module")
def compute() -> Iterator[Compute]:
    with ProcessPool(2) as pool:
        yield pool


def told(verdict: VerifiedPresentation | SeoulWalletError) -> tuple[object, ...]:
    """What is to be equal, here and in another process: errors are compared by kind and text."""
    if isinstance(verdict, SeoulWalletError):
        return type(verdict), str(verdict), verdict.__dict__
    report: VerificationReport = verdict.report
    key = None if verdict.holder_key is None else verdict.holder_key.jwk
    return (
        verdict.issuer,
        verdict.vct,
        verdict.claims,
        verdict.disclosed,
        key,
        verdict.anchored_at,
        report,
    )


def one_by_one(item: BatchItem) -> VerifiedPresentation | SeoulWalletError:
    own = RULES if item.nonce is None else replace(RULES, nonce=item.nonce)
    try:
        return verify_presentation(item.presentation, item.evidence, own, now=NOW)
    except SeoulWalletError as error:
        return error


@pytest.mark.parametrize("chunk_size", [1, 3, 64])
def test_each_item_gets_the_verdict_that_it_gets_alone(compute: Compute, chunk_size: int) -> None:
    other = World()
    receipt, root = other.receipt(issued := other.issue())
    items = [
        BatchItem(GOOD, EVIDENCE),
        BatchItem(GOOD[:-2] + ("AA" if GOOD[-2:] != "AA" else "BA"), EVIDENCE),
        BatchItem(b"\xff" * 100, EVIDENCE),
        BatchItem("", EVIDENCE),
        BatchItem(GOOD, EVIDENCE, nonce="another request"),
        BatchItem(WORLD.present(WORLD.issue(), nonce="its own"), EVIDENCE, nonce="its own"),
        BatchItem(GOOD, other.evidence()),
        BatchItem(GOOD, Evidence(FactMissing("not collected"))),
        BatchItem(GOOD, replace(EVIDENCE, anchor=replace(EVIDENCE.anchor, as_of=NOW - 9_999))),
        BatchItem(other.present(issued, receipt=receipt), other.evidence(root)),
        BatchItem(GOOD, EVIDENCE, nonce=NONCE),
    ]
    verdicts = list(verify_many(items, RULES, now=NOW, compute=compute, chunk_size=chunk_size))
    assert [told(verdict) for verdict in verdicts] == [told(one_by_one(item)) for item in items]
    assert [type(verdict) for verdict in verdicts] == [
        VerifiedPresentation,
        SignatureInvalid,
        SdJwtMalformed,
        SdJwtMalformed,
        NonceMismatch,
        VerifiedPresentation,
        SignatureInvalid,
        FactMissing,
        FactsTooOld,
        VerifiedPresentation,
        VerifiedPresentation,
    ]


def test_an_endless_supply_is_read_as_its_verdicts_are_taken(compute: Compute) -> None:
    items = (BatchItem(GOOD, EVIDENCE, nonce=NONCE) for _ in count())
    verdicts = islice(verify_many(items, RULES, now=NOW, compute=compute, chunk_size=4), 30)
    assert {type(verdict) for verdict in verdicts} == {VerifiedPresentation}


def test_a_batch_of_nothing_has_no_verdicts(compute: Compute) -> None:
    assert list(verify_many([], RULES, now=NOW, compute=compute)) == []


def test_refuses_a_policy_without_trust_and_chunks_without_bounds(compute: Compute) -> None:
    with pytest.raises(ValueError, match="trust policy"):
        verify_many([], proof_policy(), now=NOW, compute=compute)
    for size in (0, -1, MAX_CHUNK + 1):
        with pytest.raises(ValueError, match="a chunk has"):
            verify_many([], RULES, now=NOW, compute=compute, chunk_size=size)


def test_an_error_is_the_same_after_a_journey() -> None:
    error = FactsTooOld("status list", NOW, 60)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.as_of) == (FactsTooOld, str(error), NOW)


@pytest.mark.parametrize("kind", [VerifiedProof, VerifiedPresentation])
def test_a_verdict_says_all_that_it_said_after_a_journey(kind: type[VerifiedProof]) -> None:
    names = [each.name for each in fields(kind) if each.name != "report"]
    report = VerificationReport((None, Outcome.NOT_REQUIRED, NOW), NOW, Assurance(2, proven=True))
    verdict = kind(report=report, **{name: f"what {name} holds" for name in names})
    again = pickle.loads(pickle.dumps(verdict))
    assert type(again) is kind
    assert again == verdict
    assert again != replace(verdict, pseudonym=None)
