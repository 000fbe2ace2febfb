"""Ties: a future block's hash and nonces committed before the vote."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.voting import Trustees, manifest
from wallet.voting.statements import (
    Statement,
    StatementMalformed,
    StatementSignatureInvalid,
)
from wallet.voting.tie_break import (
    TieBlock,
    TieNonceDiffers,
    break_ties,
    tie_nonce_body,
    tie_octets,
    verify_tie_nonce,
)

TRUSTEES = Trustees(manifest(trustees=3, threshold=2))
RESULT = TRUSTEES.run()
ELECTION = RESULT.election
BLOCK = TieBlock(7, bytes(range(32)), 1_801_220_000)


def nonce(trustee: int) -> Statement:
    return TRUSTEES.sign(trustee, tie_nonce_body(ELECTION, TRUSTEES.own[trustee]))


ALL = [nonce(1), nonce(2), nonce(3)]


def test_the_seed_depends_on_the_block_and_on_every_nonce() -> None:
    found = break_ties(BLOCK, ALL, RESULT)
    assert found.withheld == ()
    assert break_ties(BLOCK, ALL, RESULT) == found
    assert break_ties(replace(BLOCK, hash=bytes(32)), ALL, RESULT).seed != found.seed
    for trustee in (1, 2, 3):
        without = [None if place == trustee else item for place, item in enumerate(ALL, start=1)]
        other = break_ties(BLOCK, without, RESULT)
        assert other.seed != found.seed
        assert other.withheld == (trustee,)


def test_a_nonce_other_than_the_committed_one_is_refused() -> None:
    own = replace(TRUSTEES.own[1], tie_nonce=bytes(32))
    with pytest.raises(TieNonceDiffers):
        verify_tie_nonce(TRUSTEES.sign(1, tie_nonce_body(ELECTION, own)), 1, RESULT)
    lent = {**nonce(2).body, "trustee": 1}
    with pytest.raises(TieNonceDiffers):
        verify_tie_nonce(TRUSTEES.sign(1, lent), 1, RESULT)


def test_a_nonce_is_signed_by_its_trustee_and_in_its_place() -> None:
    with pytest.raises(StatementSignatureInvalid):
        break_ties(BLOCK, [ALL[1], ALL[0], ALL[2]], RESULT)
    with pytest.raises(StatementMalformed):
        break_ties(BLOCK, ALL[:2], RESULT)
    with pytest.raises(StatementMalformed):
        verify_tie_nonce(TRUSTEES.sign(1, {**nonce(1).body, "nonce": "00"}), 1, RESULT)


def test_a_trustee_without_a_commitment_is_named_and_counts_as_zeros() -> None:
    absent = Trustees(manifest(trustees=3, threshold=2))
    absent.run_round(lambda number, body: None if number == 3 else body)
    result = absent.run()
    nonces = [
        absent.sign(number, tie_nonce_body(result.election, absent.own[number]))
        for number in (1, 2)
    ]
    assert break_ties(BLOCK, [*nonces, None], result).withheld == (3,)
    late = absent.sign(3, tie_nonce_body(result.election, absent.own[3]))
    with pytest.raises(TieNonceDiffers):
        break_ties(BLOCK, [*nonces, late], result)


def test_the_file_holds_what_was_revealed() -> None:
    data = tie_octets(ELECTION, BLOCK, [ALL[0], None, ALL[2]])
    assert b"null" in data
    assert BLOCK.hash.hex().encode() in data
