"""Encrypted ballots: legal votes verify, and nothing that a forger changes does."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from hashlib import sha256, sha512

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.voting import ELECTION_SECRET, election, secret
from wallet.crypto.elgamal import CountFinder
from wallet.crypto.secp256k1 import (
    GENERATOR_OCTETS,
    GROUP_ORDER,
    encode_point,
    encode_scalar,
    multiply,
    parse_point,
    parse_scalar,
    secret_multiple,
    subtract,
)
from wallet.crypto.transcript import frame
from wallet.voting.dcp_suite import DcpSuite, SeedMalformed
from wallet.voting.layout import BallotLayout, ChoicesInvalid, Rule, fill_slack
from wallet.voting.suite import BallotBodyMalformed, BallotClaim, BallotProofInvalid

ELECTION = election()
LAYOUT = ELECTION.manifest.layout
SUITE = DcpSuite(LAYOUT, ELECTION.key)
CONTEXT = sha256(b"a context").digest()
OTHER_CONTEXT = sha256(b"another context").digest()
SEED = sha256(b"a seed").digest()
BITS = fill_slack(LAYOUT, (1, 0, 1, 0, 0, 0))
BODY = SUITE.encrypt(CONTEXT, BITS, SEED)
M, R = LAYOUT.bits, len(LAYOUT.rules)


def is_good(body: bytes, context: bytes = CONTEXT, suite: DcpSuite = SUITE) -> bool:
    (outcome,) = suite.check([BallotClaim(context, body)])
    assert outcome is None or isinstance(outcome, BallotProofInvalid)
    return outcome is None


def test_a_legal_vote_verifies_and_has_the_length_of_the_specification() -> None:
    assert is_good(BODY)
    assert len(BODY) == 294 * M + 98 * R == SUITE.body_bytes


def test_the_same_seed_gives_the_same_ballot_and_another_seed_another() -> None:
    assert SUITE.encrypt(CONTEXT, BITS, SEED) == BODY
    other = SUITE.encrypt(CONTEXT, BITS, sha256(b"x").digest())
    assert other[:66] != BODY[:66]
    # Other bits from the same seed share no randomness: commitments never repeat.
    moved = SUITE.encrypt(CONTEXT, fill_slack(LAYOUT, (0, 1, 1, 0, 0, 0)), SEED)
    points = {BODY[at : at + 33] for at in range(0, 198 * M, 33)}
    assert points.isdisjoint(moved[at : at + 33] for at in range(0, 198 * M, 33))


def test_a_proof_holds_in_its_own_context_alone() -> None:
    assert not is_good(BODY, OTHER_CONTEXT)


def test_a_proof_holds_for_its_own_key_and_rules_alone() -> None:
    other_key = DcpSuite(LAYOUT, secret_multiple(5))
    assert not is_good(BODY, suite=other_key)
    (rule,) = LAYOUT.rules
    stricter = Rule(rule.weights, rule.total - 1, rule.slack)
    other_rules = DcpSuite(BallotLayout(LAYOUT.votes, M, (stricter,), 6), ELECTION.key)
    assert not is_good(BODY, suite=other_rules)


def test_every_part_of_the_body_is_bound() -> None:
    """A bit flipped anywhere: one position in each 33- or 32-byte item."""
    items = [33 * number for number in range(6 * M + 2 * R)]
    items += [198 * M + 66 * R + 32 * number for number in range(3 * M + R)]
    chosen = random.Random(1)
    claims = []
    for start in items:
        spoiled = bytearray(BODY)
        spoiled[start + chosen.randrange(1, 32)] ^= 1 << chosen.randrange(8)
        claims.append(BallotClaim(CONTEXT, bytes(spoiled)))
    assert all(isinstance(found, BallotProofInvalid) for found in SUITE.check(claims))


@given(position=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_changed_byte_verifies(position: int, flip: int) -> None:
    spoiled = bytearray(BODY)
    spoiled[position] ^= flip
    assert not is_good(bytes(spoiled))


@pytest.mark.parametrize("length", [0, 1, len(BODY) - 1, len(BODY) + 1, len(BODY) * 2])
def test_rejects_another_length(length: int) -> None:
    body = (BODY * 2)[:length]
    with pytest.raises(BallotBodyMalformed):
        SUITE.check_form(body)
    assert not is_good(body)


def test_rejects_identity_points_and_scalars_that_are_not_reduced() -> None:
    assert not is_good(bytes(33) + BODY[33:])
    scalars = 198 * M + 66 * R
    value = parse_scalar(BODY[scalars : scalars + 32])
    if value + GROUP_ORDER < 2**256:
        pytest.fail("the sample's first scalar is too small to tell")
    assert not is_good(BODY[:scalars] + GROUP_ORDER.to_bytes(32, "big") + BODY[scalars + 32 :])
    assert not is_good(BODY[:-32] + b"\xff" * 32)


class Forger(DcpSuite):
    """A prover who does not mind breaking the rules of the ballot."""

    def _check_bits(self, bits: Sequence[int]) -> None:
        pass


@pytest.mark.parametrize(
    "bits",
    [
        (1, 1, 1, 1, 0, 0, 0, 0),
        (1, 1, 0, 0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0, 0, 1, 0),
    ],
    ids=["over the limit", "wrong slack", "no slack", "half the slack"],
)
def test_rejects_bits_that_break_a_rule(bits: tuple[int, ...]) -> None:
    assert len(bits) == M
    assert not is_good(Forger(LAYOUT, ELECTION.key).encrypt(CONTEXT, bits, SEED))
    with pytest.raises(ChoicesInvalid):
        SUITE.encrypt(CONTEXT, bits, SEED)


@pytest.mark.parametrize("value", [2, 3, GROUP_ORDER - 1], ids=["two votes", "three", "minus one"])
def test_rejects_a_value_that_is_no_bit(value: int) -> None:
    """The first ciphertext is raised by the difference, slack makes up for the sum."""
    body = bytearray(Forger(LAYOUT, ELECTION.key).encrypt(CONTEXT, (1, 0, 0, 0, 0, 0, 1, 0), SEED))
    shift = secret_multiple((value - 1) % GROUP_ORDER)
    lifted = parse_point(bytes(body[33:66])).combine([shift])
    body[33:66] = encode_point(lifted)
    assert not is_good(bytes(body))


def weak_challenge(suite: DcpSuite, leave_out: str) -> DcpSuite:
    """A prover whose challenge forgets a part of the statement (weak Fiat-Shamir)."""

    class Weak(DcpSuite):
        def _challenge(
            self, context: bytes, ciphertexts: bytes, commitments: bytes, sums: bytes
        ) -> int:
            parts = {
                "context": context,
                "suite": self.name.encode(),
                "generator": GENERATOR_OCTETS,
                "key": encode_point(ELECTION.key),
                "ciphertexts": ciphertexts,
                "commitments": commitments,
                "sums": sums,
            }
            parts.pop(leave_out)
            framed = frame("ballot-challenge", *parts.values())
            return int.from_bytes(sha512(framed).digest(), "big") % GROUP_ORDER

    return Weak(LAYOUT, ELECTION.key)


@pytest.mark.parametrize(
    "leave_out",
    ["context", "suite", "generator", "key", "ciphertexts", "commitments", "sums"],
)
def test_rejects_a_weak_challenge(leave_out: str) -> None:
    weak = weak_challenge(SUITE, leave_out)
    body = weak.encrypt(CONTEXT, BITS, SEED)
    assert is_good(body, suite=weak)
    assert not is_good(body)


def test_a_batch_names_the_bad_ballots_and_passes_the_others() -> None:
    claims = []
    for number in range(20):
        context = sha256(bytes([number])).digest()
        claims.append(BallotClaim(context, SUITE.encrypt(context, BITS, context)))
    bad = {3, 4, 19}
    for number in bad:
        body = bytearray(claims[number].body)
        body[-1] ^= 1
        claims[number] = BallotClaim(claims[number].context, bytes(body))
    claims[7] = BallotClaim(claims[8].context, claims[7].body)
    claims[11] = BallotClaim(claims[11].context, b"")
    found = {number for number, outcome in enumerate(SUITE.check(claims)) if outcome}
    assert found == bad | {7, 11}
    assert SUITE.check([]) == ()


def test_two_errors_that_cancel_out_are_both_found() -> None:
    """Without random weights, adding to one ballot what is taken from another would pass."""
    context = sha256(b"second").digest()
    second = SUITE.encrypt(context, BITS, context)
    up, down = bytearray(BODY), bytearray(second)
    for body, by in ((up, 1), (down, -1)):
        value = (parse_scalar(bytes(body[-32:])) + by) % GROUP_ORDER
        body[-32:] = encode_scalar(value)
    outcomes = SUITE.check([BallotClaim(CONTEXT, bytes(up)), BallotClaim(context, bytes(down))])
    assert all(outcomes)


def decrypt(suite: DcpSuite, bodies: Sequence[bytes]) -> list[int]:
    finder = CountFinder(1000)
    return [
        finder.find(subtract(item.b, multiply(item.a, ELECTION_SECRET)))
        for item in suite.total(bodies)
    ]


def test_the_sum_of_ballots_is_the_sum_of_votes() -> None:
    votes = [(1, 0, 1, 0, 0, 0), (1, 1, 0, 0, 0, 1), (0, 0, 0, 0, 0, 0)]
    bodies = [
        SUITE.encrypt(CONTEXT, fill_slack(LAYOUT, vote), sha256(bytes(vote)).digest())
        for vote in votes
    ]
    assert decrypt(SUITE, bodies) == [2, 1, 1, 0, 0, 1]
    assert decrypt(SUITE, bodies * 90) == [180, 90, 90, 0, 0, 90]


def test_points_and_rankings_are_added_up_with_their_values() -> None:
    limit = {"limit": "count", "min": 0, "max": 9}
    points = {"kind": "points", "per_project": 5, "limits": [limit]}
    ranking = {"kind": "ranking", "scores": [7, 2], "limits": []}
    for ballot, choices, expected in (
        (points, (5, 3, 0, 1, 0, 0), [5, 3, 0, 1, 0, 0]),
        (ranking, (0, 2, 0, 0, 1, 0), [0, 2, 0, 0, 7, 0]),
    ):
        found = election(ballot=ballot)
        layout = found.manifest.layout
        suite = DcpSuite(layout, found.key)
        bits = fill_slack(layout, found.manifest.ballot.vote_bits(choices))
        body = suite.encrypt(CONTEXT, bits, SEED)
        assert is_good(body, suite=suite)
        assert decrypt(suite, [body, body]) == [2 * value for value in expected]


def test_a_seed_has_32_bytes() -> None:
    for seed in (b"", bytes(31), bytes(33)):
        with pytest.raises(SeedMalformed):
            SUITE.encrypt(CONTEXT, BITS, seed)


@pytest.mark.parametrize(
    "spoil",
    [lambda bits: bits[:-1], lambda bits: (*bits, 0), lambda bits: (2, *bits[1:])],
    ids=["one short", "one more", "a two"],
)
def test_rejects_what_are_no_bits(spoil: Callable[[tuple[int, ...]], tuple[int, ...]]) -> None:
    with pytest.raises(ChoicesInvalid):
        SUITE.encrypt(CONTEXT, spoil(BITS), SEED)


def test_nobody_else_can_decrypt_what_the_sample_key_can() -> None:
    item = SUITE.total([BODY])[0]
    guess = subtract(item.b, multiply(item.a, secret("somebody else")))
    assert guess is not None
    assert encode_point(guess) != GENERATOR_OCTETS
