"""From the closed board to totals: groups, shares of which some are wrong, and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from hashlib import sha256
from typing import Any

import pytest

from tests.support.voting import (
    ELECTION_SECRET,
    Body,
    Trustees,
    aggregate,
    election,
    manifest,
    manifest_json,
    signing_key,
    stratum,
)
from wallet.crypto.elgamal import Ciphertext, CountOutOfRange
from wallet.crypto.secp256k1 import encode_point, secret_multiple
from wallet.errors import RejectedError
from wallet.voting.acceptance import Submission
from wallet.voting.aggregate import Aggregate, TooFewBallots, form_groups
from wallet.voting.ballot import Ballot, BallotHeader
from wallet.voting.batches import (
    Batch,
    BatchInvalid,
    BatchSignatureInvalid,
    check_batch_numbers,
    verify_batch,
)
from wallet.voting.ceremony import CeremonyResult
from wallet.voting.decryption import (
    SecondAggregateRefused,
    ShareAggregateDiffers,
    ShareMalformed,
    ShareMissing,
    ShareProofInvalid,
    ShareSignatureInvalid,
    TooFewShares,
    VerifiedShare,
    check_shares,
    decryption_share_body,
    open_totals,
    verify_share,
)
from wallet.voting.election import Election
from wallet.voting.layout import fill_slack
from wallet.voting.statements import Statement, sign_statement
from wallet.voting.tally import tally_board
from wallet.voting.trustee import TrusteeShare

VOTES = ((1, 0, 1, 0, 0, 0), (0, 1, 0, 0, 0, 1), (1, 1, 0, 0, 0, 0))


def encrypted(vote: Election, choices: Sequence[int], stratum: str, number: int) -> Submission:
    """A ballot without eligibility, which the tally does not look at."""
    header = BallotHeader(number.to_bytes(48, "big"), 1, stratum, "")
    bits = fill_slack(vote.manifest.layout, vote.manifest.ballot.vote_bits(choices))
    seed = sha256(number.to_bytes(4, "big")).digest()
    ballot = Ballot(header, 0, vote.suite.encrypt(header.context(vote), bits, seed), b"")
    return Submission(ballot, ballot.digest(vote), b"")


def ballots(vote: Election, citizens: int, committee: int) -> list[Submission]:
    strata = ["citizen"] * citizens + ["committee"] * committee
    return [
        encrypted(vote, VOTES[number % 3], name, number + 1) for number, name in enumerate(strata)
    ]


def expected(numbers: range) -> tuple[int, ...]:
    return tuple(map(sum, zip(*(VOTES[number % 3] for number in numbers), strict=True)))


@cache
def closed() -> tuple[Trustees, CeremonyResult, Aggregate]:
    trustees = Trustees(manifest())
    result = trustees.run()
    return trustees, result, aggregate(result.election, ballots(result.election, 22, 21))


def share_statement(trustee: int, spoil: Callable[[Body], Body] = dict) -> Statement:
    trustees, result, board = closed()
    share = trustees.share(result, trustee)
    body = decryption_share_body(board, share, decrypted_before=None)
    return trustees.sign(trustee, spoil(body))


def test_any_three_shares_open_the_totals_of_each_stratum() -> None:
    _, result, board = closed()
    statements = {trustee: share_statement(trustee) for trustee in (1, 3, 4, 5)}
    for chosen in ((1, 3, 4), (3, 4, 5), (1, 3, 4, 5)):
        shares, ignored = check_shares([statements[item] for item in chosen], board, result)
        assert open_totals(board, shares) == (expected(range(22)), expected(range(22, 43)))
        assert set(ignored) == {1, 2, 3, 4, 5} - set(chosen)
        assert all(isinstance(error, ShareMissing) for error in ignored.values())


def other_proof(body: Body) -> Body:
    return {**body, "proof": {**body["proof"], "z": "00" * 32}}


def other_value(body: Body) -> Body:
    first = encode_point(secret_multiple(5)).hex() + body["shares"][0][66:]
    return {**body, "shares": [first, body["shares"][1]]}


SPOILED: dict[str, tuple[Callable[[Body], Body], type[RejectedError]]] = {
    "a wrong proof": (other_proof, ShareProofInvalid),
    "a wrong value": (other_value, ShareProofInvalid),
    "two values exchanged": (
        lambda body: {
            **body,
            "shares": [
                body["shares"][0][66:132] + body["shares"][0][:66] + body["shares"][0][132:],
                body["shares"][1],
            ],
        },
        ShareProofInvalid,
    ),
    "another board": (lambda body: {**body, "root": "00" * 32}, ShareAggregateDiffers),
    "another size": (lambda body: {**body, "size": 1}, ShareAggregateDiffers),
    "another aggregate": (lambda body: {**body, "aggregate": "00" * 32}, ShareAggregateDiffers),
    "another election": (lambda body: {**body, "election": "00" * 32}, ShareAggregateDiffers),
    "a group missing": (lambda body: {**body, "shares": body["shares"][:1]}, ShareMalformed),
    "an identity": (
        lambda body: {**body, "shares": ["00" * 33 + body["shares"][0][66:], body["shares"][1]]},
        ShareMalformed,
    ),
    "no point": (
        lambda body: {**body, "shares": ["04" * 33 + body["shares"][0][66:], body["shares"][1]]},
        ShareMalformed,
    ),
    "a member more": (lambda body: {**body, "extra": 1}, ShareMalformed),
    "no scalars": (lambda body: {**body, "proof": {"e": "ff" * 32, "z": "00"}}, ShareMalformed),
}


@pytest.mark.parametrize(("spoil", "error"), SPOILED.values(), ids=SPOILED.keys())
def test_a_wrong_share_is_named_and_passed_over(
    spoil: Callable[[Body], Body], error: type[RejectedError]
) -> None:
    _, result, board = closed()
    bad = share_statement(2, spoil)
    with pytest.raises(error):
        verify_share(bad, 2, board, result.verification_keys)
    good = [share_statement(trustee) for trustee in (1, 4, 5)]
    shares, ignored = check_shares([bad, *good], board, result)
    assert open_totals(board, shares)[0] == expected(range(22))
    assert type(ignored[2]) is error
    with pytest.raises(TooFewShares):
        check_shares([bad, *good[1:]], board, result)


def test_a_share_that_its_trustee_did_not_sign_is_passed_over() -> None:
    trustees, result, board = closed()
    body = decryption_share_body(board, trustees.share(result, 2), decrypted_before=None)
    forged = sign_statement(signing_key("trustee 3"), body)
    with pytest.raises(ShareSignatureInvalid):
        verify_share(forged, 2, board, result.verification_keys)
    honest = share_statement(2)
    shares, ignored = check_shares(
        [forged, honest, share_statement(1), share_statement(3)], board, result
    )
    assert [share.trustee for share in shares] == [1, 2, 3]
    assert set(ignored) == {4, 5}


def test_anothers_share_is_not_taken_for_ones_own() -> None:
    trustees, result, board = closed()
    stolen = {**share_statement(1).body, "trustee": 2}
    with pytest.raises(ShareProofInvalid):
        verify_share(trustees.sign(2, stolen), 2, board, result.verification_keys)


def test_a_trustee_refuses_a_second_aggregate() -> None:
    trustees, result, board = closed()
    share = trustees.share(result, 1)
    again = decryption_share_body(board, share, decrypted_before=board.digest)
    assert again["aggregate"] == board.digest.hex()
    smaller = aggregate(result.election, ballots(result.election, 21, 21))
    assert smaller.digest != board.digest
    with pytest.raises(SecondAggregateRefused):
        decryption_share_body(smaller, share, decrypted_before=board.digest)


def test_totals_beyond_what_ballots_can_give_are_refused() -> None:
    """As if somebody had put an unproven ballot into the sum."""
    vote = election()
    board = aggregate(vote, ballots(vote, 20, 20))
    raised = secret_multiple(1000)
    first = board.sums[0][0]
    assert first.b is not None
    spoiled = replace(
        board,
        sums=((Ciphertext(first.a, first.b.combine([raised])), *board.sums[0][1:]), board.sums[1]),
    )
    alone = [TrusteeShare(number, 1) for number in (1, 2, 3)]
    for found, is_good in ((board, True), (spoiled, False)):
        shares = [
            VerifiedShare(
                share.trustee,
                tuple(
                    None
                    if item.a is None
                    else item.a.multiply(ELECTION_SECRET.to_bytes(32, "big"))
                    for item in found.flat
                ),
            )
            for share in alone
        ]
        if is_good:
            assert open_totals(found, shares)[0] == expected(range(20))
        else:
            with pytest.raises(CountOutOfRange):
                open_totals(found, shares)
    with pytest.raises(TooFewShares):
        open_totals(board, [])


STRATA = ("a", "b", "c", "d")


def grouped(*counted: int) -> list[tuple[tuple[str, ...], int, Fraction]]:
    people = dict.fromkeys(STRATA, 100)
    found = manifest(
        strata=[stratum(name, "1/4") for name in STRATA],
        census={**manifest_json()["census"], "people": people},
    )
    return [
        (group.strata, group.counted, group.weight)
        for group in form_groups(found, dict(zip(STRATA, counted, strict=True)))
    ]


def test_no_total_of_under_twenty_ballots_is_made() -> None:
    quarter = Fraction(1, 4)
    assert grouped(20, 20, 20, 20) == [((name,), 20, quarter) for name in STRATA]
    assert grouped(50, 19, 30, 20) == [
        (("a",), 50, quarter),
        (("c",), 30, quarter),
        (("d", "b"), 39, 2 * quarter),
    ]
    assert grouped(5, 5, 5, 100) == [(("d", "a", "c", "b"), 115, Fraction(1))]
    assert grouped(100, 0, 100, 100)[0] == (("a", "b"), 100, 2 * quarter)
    with pytest.raises(TooFewBallots):
        grouped(5, 5, 5, 4)
    with pytest.raises(TooFewBallots):
        grouped(0, 0, 0, 0)


def batch(**changes: Any) -> Batch:
    values: dict[str, Any] = {
        "officer": 1,
        "number": 1,
        "source": "paper",
        "stratum": "citizen",
        "ballots": 10,
        "totals": (5, 0, 10, 1, 2, 3),
        **changes,
    }
    return Batch(**values)


def signed(found: Batch, key: str = "officer") -> Statement:
    return sign_statement(signing_key(key), found.body(closed()[1].election))


def test_batches_are_counted_beside_the_decrypted_totals() -> None:
    _, result, board = closed()
    shares, ignored = check_shares([share_statement(item) for item in (1, 2, 3)], board, result)
    batches = [verify_batch(signed(batch(number=number)), result.election) for number in (1, 2)]
    tally = tally_board(board, shares, ignored, batches)
    citizens, committee = tally.groups
    assert citizens.totals == expected(range(22))
    assert (citizens.batch_ballots, citizens.batch_totals) == (20, (10, 0, 20, 2, 4, 6))
    assert (committee.batch_ballots, committee.batch_totals) == (0, (0,) * 6)
    assert tally.trustees == (1, 2, 3)
    assert tally.ignored == {4: "share_missing", 5: "share_missing"}
    assert b'"kind":"tally"' in tally.octets


def test_a_survey_is_a_group_of_its_own_that_nobody_decrypts() -> None:
    strata = [
        stratum("citizen", "9/20"),
        stratum("committee", "9/20"),
        stratum("survey", "1/10", channel="batches"),
    ]
    groups = form_groups(manifest(strata=strata), {"citizen": 30, "committee": 30})
    assert [(group.strata, group.is_decrypted) for group in groups] == [
        (("citizen",), True),
        (("committee",), True),
        (("survey",), False),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"totals": (11, 0, 0, 0, 0, 0)},
        {"totals": (-1, 0, 0, 0, 0, 0)},
        {"totals": (1, 1)},
        {"totals": (1.0, 0, 0, 0, 0, 0)},
        {"ballots": 0},
        {"number": 0},
        {"source": "phone"},
        {"stratum": "nobody"},
    ],
    ids=repr,
)
def test_rejects_batches_out_of_bounds(changes: dict[str, Any]) -> None:
    with pytest.raises(BatchInvalid):
        verify_batch(signed(batch(**changes)), closed()[1].election)


def test_rejects_batches_that_no_officer_signed_and_numbers_with_gaps() -> None:
    vote = closed()[1].election
    with pytest.raises(BatchSignatureInvalid):
        verify_batch(signed(batch(), key="board"), vote)
    for officer in (0, 2, True):
        with pytest.raises(BatchSignatureInvalid):
            verify_batch(signed(batch(officer=officer)), vote)
    check_batch_numbers([batch(number=1), batch(number=2), batch(officer=2, number=1)])
    for numbers in ((1, 3), (2,), (1, 1)):
        with pytest.raises(BatchInvalid):
            check_batch_numbers([batch(number=number) for number in numbers])
