"""What a ballot box and a verifier accept: each refusal by its exact class."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bbs import OTHER_ISSUER
from tests.support.voting import CLOSES, OPENS, cast, election, manifest_json, submit, voter
from wallet.crypto.bbs.nym_proofs import calculate_pseudonym
from wallet.crypto.bls12_381.backend import FIELD_MODULUS
from wallet.encoding.deterministic_cbor import parse_cbor, to_cbor
from wallet.errors import SeoulWalletError
from wallet.voting.acceptance import (
    BallotReplayed,
    BallotSequenceNotNext,
    ElectionNotOpen,
    MoreBallotsThanPeople,
    ReplayedHistory,
    Submission,
    VerifiedBallot,
    check_ballots,
    check_census,
    check_history,
    check_is_open,
    counted_ballots,
    open_submission,
    submission_digest,
    verify_ballot,
)
from wallet.voting.ballot import Ballot, BallotHeader, BallotMalformed, ballot_digest
from wallet.voting.eligibility import (
    BallotNotEligible,
    EligibilityProofInvalid,
    nullifier_context,
    prove_eligibility,
)
from wallet.voting.layout import fill_slack
from wallet.voting.suite import BallotProofInvalid

ELECTION = election()
CHOICES = (1, 0, 1, 0, 0, 1)
BALLOT = cast(ELECTION, voter(1), CHOICES)
OTHER = cast(ELECTION, voter(2), (0, 1, 0, 0, 0, 0))


def opened(ballot: Ballot) -> Submission:
    return open_submission(ballot.octets, ELECTION)


def with_header(ballot: Ballot, **changes: Any) -> Ballot:
    return replace(ballot, header=replace(ballot.header, **changes))


def test_a_ballot_survives_its_encoding() -> None:
    assert opened(BALLOT).ballot == BALLOT


def test_accepts_from_the_opening_second_to_before_the_closing_second() -> None:
    for now in (OPENS, CLOSES - 1):
        check_is_open(ELECTION.manifest, now)
    for now in (OPENS - 1, CLOSES, CLOSES + 1):
        with pytest.raises(ElectionNotOpen):
            check_is_open(ELECTION.manifest, now)


def members(**changes: Any) -> bytes:
    value = parse_cbor(BALLOT.octets)
    return to_cbor({**value, **{int(name[1:]): change for name, change in changes.items()}})


MALFORMED = {
    "nothing": b"",
    "no CBOR": b"ballot",
    "bytes behind it": BALLOT.octets + b"\x00",
    "cut off": BALLOT.octets[:-1],
    "an array": to_cbor(list(parse_cbor(BALLOT.octets).values())),
    "a member less": to_cbor({k: v for k, v in parse_cbor(BALLOT.octets).items() if k != 7}),
    "a member more": members(_8=1),
    "a long spelling": b"\xb8\x07" + BALLOT.octets[1:],
    "a nullifier of 47 bytes": members(_1=bytes(47)),
    "a nullifier that is text": members(_1="a" * 48),
    "sequence 0": members(_2=0),
    "sequence beyond 32 bits": members(_2=2**32),
    "a stratum that is bytes": members(_3=b"citizen"),
    "a body of another length": members(_6=BALLOT.body + b"\x00"),
    "an empty body": members(_6=b""),
    "a proof that is a number": members(_7=1),
    "far too large": bytes(600 * 1024),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_rejects_what_is_no_ballot(data: bytes) -> None:
    with pytest.raises(BallotMalformed):
        open_submission(data, ELECTION)


@given(st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_any_bytes_are_refused_with_a_code(data: bytes) -> None:
    with pytest.raises(BallotMalformed):
        open_submission(data, ELECTION)


@given(position=st.integers(0, len(BALLOT.octets) - 1), flip=st.integers(1, 255))
@settings(max_examples=25, deadline=None)
def test_no_changed_byte_is_accepted(position: int, flip: int) -> None:
    data = bytearray(BALLOT.octets)
    data[position] ^= flip
    with pytest.raises(SeoulWalletError):
        verify_ballot(open_submission(bytes(data), ELECTION), ELECTION)


@pytest.mark.parametrize(
    "changes",
    [{"stratum": "survey"}, {"stratum": ""}, {"district": "11590"}],
    ids=["unknown stratum", "no stratum", "a district where none is asked"],
)
def test_rejects_values_that_are_not_the_manifests(changes: dict[str, str]) -> None:
    with pytest.raises(BallotNotEligible):
        opened(with_header(BALLOT, **changes))
    with pytest.raises(BallotNotEligible):
        opened(replace(BALLOT, issuer=1))


def test_rejects_a_ballot_for_another_district() -> None:
    districts = {**manifest_json()["eligibility"], "districts": ["11590", "11650"]}
    found = election(eligibility=districts)
    ballot = cast(found, voter(1, district="11590"), CHOICES)
    verify_ballot(open_submission(ballot.octets, found), found)
    with pytest.raises(BallotNotEligible):
        open_submission(with_header(ballot, district="11110").octets, found)
    moved = open_submission(with_header(ballot, district="11650").octets, found)
    with pytest.raises(BallotProofInvalid):
        verify_ballot(moved, found)


@pytest.mark.parametrize(
    "changes",
    [{"nullifier": OTHER.header.nullifier}, {"sequence": 2}, {"stratum": "committee"}],
    ids=["swapped nullifier", "another sequence", "another stratum"],
)
def test_rejects_a_ballot_moved_to_another_header(changes: dict[str, Any]) -> None:
    with pytest.raises(BallotProofInvalid):
        verify_ballot(opened(with_header(BALLOT, **changes)), ELECTION)


def test_rejects_a_ballot_of_another_election() -> None:
    other = election(id="another-2027")
    with pytest.raises(BallotProofInvalid):
        verify_ballot(open_submission(BALLOT.octets, other), other)


def test_rejects_another_voters_eligibility_proof() -> None:
    lifted = replace(BALLOT, eligibility_proof=OTHER.eligibility_proof)
    with pytest.raises(EligibilityProofInvalid):
        verify_ballot(opened(lifted), ELECTION)


def test_rejects_an_eligibility_proof_bound_to_another_ballot_of_the_same_voter() -> None:
    again = cast(ELECTION, voter(1), (0, 0, 0, 0, 1, 0))
    assert again.header == BALLOT.header
    with pytest.raises(EligibilityProofInvalid):
        verify_ballot(opened(replace(again, eligibility_proof=BALLOT.eligibility_proof)), ELECTION)
    later = cast(ELECTION, voter(1), CHOICES, sequence=2)
    with pytest.raises(EligibilityProofInvalid):
        verify_ballot(opened(replace(later, eligibility_proof=BALLOT.eligibility_proof)), ELECTION)


@pytest.mark.parametrize("proof", [b"", bytes(272), bytes(400), b"\xff" * 368])
def test_rejects_eligibility_proofs_that_do_not_decode(proof: bytes) -> None:
    with pytest.raises(EligibilityProofInvalid):
        verify_ballot(opened(replace(BALLOT, eligibility_proof=proof)), ELECTION)


def test_rejects_an_identity_nullifier() -> None:
    identity = b"\xc0" + bytes(47)
    with pytest.raises(EligibilityProofInvalid):
        verify_ballot(forged(voter(5), nullifier=identity), ELECTION)


def forged(credential: Any, **changes: Any) -> Submission:
    """A ballot by a credential that does not admit, whose wallet does not mind.

    The credential claims of itself what the election asks for; its signature says otherwise.
    """
    nullifier = calculate_pseudonym(credential, nullifier_context(ELECTION)).octets
    header = replace(BallotHeader(nullifier, 1, "citizen", ""), **changes)
    bits = fill_slack(ELECTION.manifest.layout, CHOICES)
    context = header.context(ELECTION)
    body = ELECTION.suite.encrypt(context, bits, bytes(32))
    proof = prove_eligibility(credential, ELECTION, header, ballot_digest(context, body))
    return opened(Ballot(header, 0, body, proof))


def test_rejects_credentials_that_do_not_admit() -> None:
    verify_ballot(forged(voter(5)), ELECTION)
    for credential, changes in (
        (voter(5, epoch="2026-2"), {}),
        (voter(5, is_over_14=False), {}),
        (voter(5, stratum="citizen"), {"stratum": "committee"}),
        (voter(5, issuer=OTHER_ISSUER), {}),
        (voter(5, header=b"another credential"), {}),
    ):
        with pytest.raises(EligibilityProofInvalid):
            verify_ballot(forged(credential, **changes), ELECTION)


def test_rejects_the_same_ciphertexts_from_the_same_voter_and_from_another() -> None:
    history = ReplayedHistory()
    first = opened(BALLOT)
    check_history(first, history)
    history.add(first)
    with pytest.raises(BallotReplayed):
        check_history(first, history)
    for copy in (
        with_header(BALLOT, nullifier=OTHER.header.nullifier),
        with_header(BALLOT, sequence=9),
        replace(BALLOT, body=BALLOT.body[:-1] + bytes([BALLOT.body[-1] ^ 1])),
    ):
        with pytest.raises(BallotReplayed):
            check_history(opened(copy), history)
    check_history(opened(OTHER), history)


def test_sequences_of_a_voter_have_no_gap_and_the_last_ballot_counts() -> None:
    ballots = [submit(ELECTION, voter(1), CHOICES, sequence) for sequence in (1, 2, 3)]
    other = opened(OTHER)
    history = ReplayedHistory()
    for submission in (ballots[0], other, ballots[1], ballots[2]):
        check_history(submission, history)
        history.add(submission)
    for sequence in (1, 2, 3, 5, 2**32 - 1):
        with pytest.raises(BallotSequenceNotNext):
            check_history(submit(ELECTION, voter(1), CHOICES, sequence), history)
    check_history(submit(ELECTION, voter(1), CHOICES, 4), history)
    assert counted_ballots([ballots[0], other, ballots[1], ballots[2]]) == (other, ballots[2])


def test_a_batch_gives_each_ballot_its_own_verdict() -> None:
    spoiled = bytearray(BALLOT.body)
    spoiled[-1] ^= 1
    submissions = [
        opened(BALLOT),
        opened(replace(BALLOT, body=bytes(spoiled))),
        opened(OTHER),
        opened(replace(OTHER, eligibility_proof=BALLOT.eligibility_proof)),
    ]
    outcomes = check_ballots(submissions, ELECTION)
    assert [type(outcome) for outcome in outcomes] == [
        VerifiedBallot,
        BallotProofInvalid,
        VerifiedBallot,
        EligibilityProofInvalid,
    ]


def test_a_reissued_credential_keeps_the_nullifier_and_replaces_the_own_vote() -> None:
    """Another stratum or district, the same registered secret and entropy."""
    before = submit(ELECTION, voter(1, district="11590"), CHOICES)
    after = submit(ELECTION, voter(1, district="11650"), (0, 0, 0, 0, 1, 0), sequence=2)
    verify_ballot(after, ELECTION)
    assert counted_ballots([before, after]) == (after,)


def test_a_voter_has_another_nullifier_in_another_election() -> None:
    other = cast(election(id="another-2027"), voter(1), CHOICES)
    assert other.header.nullifier != BALLOT.header.nullifier


def test_the_eligibility_proof_shows_nothing_but_what_the_manifest_asks() -> None:
    for value in (b"11590", b"district"):
        assert value not in BALLOT.octets
    assert BALLOT.header.district == ""


def test_a_nullifier_has_one_encoding() -> None:
    """x and x + p would be two nullifiers of one voter, and two votes."""
    for number in range(1, 100):
        nullifier = open_nullifier(number)
        x = int.from_bytes(nullifier, "big") & (1 << 381) - 1
        if x + FIELD_MODULUS < 1 << 381:
            break
    again = (int.from_bytes(nullifier, "big") + FIELD_MODULUS).to_bytes(48, "big")
    assert again != nullifier
    with pytest.raises(EligibilityProofInvalid):
        verify_ballot(forged(voter(number), nullifier=again), ELECTION)


def open_nullifier(number: int) -> bytes:
    return calculate_pseudonym(voter(number), nullifier_context(ELECTION)).octets


def test_more_counted_ballots_than_people_are_noticed() -> None:
    counted = [opened(BALLOT), opened(OTHER)]
    check_census(counted, ELECTION.manifest)
    with pytest.raises(MoreBallotsThanPeople):
        check_census(counted * 501, ELECTION.manifest)


def test_an_election_and_its_ballots_travel_to_other_processes() -> None:
    vote, ballots = pickle.loads(pickle.dumps((ELECTION, [opened(BALLOT)])))
    assert vote.digest == ELECTION.digest
    assert isinstance(check_ballots(ballots, vote)[0], VerifiedBallot)


def test_a_rejection_names_the_bytes_and_nobody() -> None:
    assert submission_digest(b"") != submission_digest(BALLOT.octets)
    assert len(submission_digest(BALLOT.octets)) == 32
