"""Cast or challenge: a prepared ballot is opened or sent, never both, and lies are found."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from tests.support.bbs import OTHER_ISSUER
from tests.support.voting import election, manifest_json, voter
from wallet.voting.acceptance import open_submission, verify_ballot
from wallet.voting.ballot import (
    BallotHeader,
    TrackingCodeMalformed,
    parse_tracking_code,
    tracking_code,
)
from wallet.voting.casting import (
    BallotAlreadyUsed,
    Opening,
    OpeningMismatch,
    PreparedBallot,
    check_opening,
    prepare_ballot,
)
from wallet.voting.dcp_suite import SeedMalformed
from wallet.voting.eligibility import CredentialNotEligible
from wallet.voting.layout import ChoicesInvalid

ELECTION = election()
CHOICES = (1, 0, 1, 0, 0, 1)


def prepared(choices: tuple[int, ...] = CHOICES, sequence: int = 1) -> PreparedBallot:
    return prepare_ballot(ELECTION, voter(), choices, sequence=sequence)


def test_a_ballot_that_is_cast_is_accepted_under_its_tracking_code() -> None:
    ballot = prepared()
    code = ballot.tracking_code
    submission = open_submission(ballot.cast(voter()).octets, ELECTION)
    assert submission.tracking_code == code
    assert verify_ballot(submission, ELECTION).submission is submission


def test_a_challenged_ballot_opens_to_its_code_and_is_never_cast() -> None:
    ballot = prepared()
    opening = ballot.challenge()
    check_opening(ELECTION, opening, ballot.tracking_code)
    assert opening.choices == CHOICES
    for again in (lambda: ballot.cast(voter()), ballot.challenge):
        with pytest.raises(BallotAlreadyUsed):
            again()


def test_a_ballot_is_cast_once_and_then_not_opened() -> None:
    ballot = prepared()
    ballot.cast(voter())
    with pytest.raises(BallotAlreadyUsed):
        ballot.challenge()
    with pytest.raises(BallotAlreadyUsed):
        ballot.cast(voter())


def test_a_device_that_encrypted_something_else_is_caught() -> None:
    ballot = prepared(choices=(0, 1, 0, 1, 0, 1))
    code = ballot.tracking_code
    honest = ballot.challenge()
    for lie in (
        replace(honest, choices=CHOICES),
        replace(honest, seed=sha256(b"another").digest()),
        replace(honest, header=replace(honest.header, sequence=2)),
        replace(honest, header=replace(honest.header, stratum="committee")),
    ):
        with pytest.raises(OpeningMismatch):
            check_opening(ELECTION, lie, code)
    with pytest.raises(OpeningMismatch):
        check_opening(election(budget=1001), honest, code)


def test_an_opening_of_illegal_choices_or_without_seed_is_refused() -> None:
    opening = prepared().challenge()
    with pytest.raises(ChoicesInvalid):
        check_opening(ELECTION, replace(opening, choices=(1,) * 6), "any")
    with pytest.raises(SeedMalformed):
        check_opening(ELECTION, replace(opening, seed=b""), "any")


def test_a_given_seed_repeats_the_ballot_and_a_fresh_one_does_not() -> None:
    seed = sha256(b"kept by the wallet").digest()
    first, second = (
        prepare_ballot(ELECTION, voter(), CHOICES, sequence=1, seed=seed) for _ in range(2)
    )
    assert first.tracking_code == second.tracking_code != prepared().tracking_code
    with pytest.raises(SeedMalformed):
        prepare_ballot(ELECTION, voter(), CHOICES, sequence=1, seed=b"")


@pytest.mark.parametrize(
    "choices",
    [(1,) * 6, (1, 0, 1), (1, 0, 0, 0, 0, 0, 0), (2, 0, 0, 0, 0, 0), (-1, 1, 1, 0, 0, 0)],
    ids=["over the limit", "too few", "too many", "twice one project", "negative"],
)
def test_illegal_choices_are_refused_before_anything_is_sent(choices: tuple[int, ...]) -> None:
    with pytest.raises(ChoicesInvalid):
        prepare_ballot(ELECTION, voter(), choices, sequence=1)


def test_a_ballot_over_the_knapsack_budget_is_refused() -> None:
    knapsack = election(ballot={"kind": "approval", "limits": [{"limit": "cost", "max": 700}]})
    prepare_ballot(knapsack, voter(), (1, 0, 1, 0, 0, 0), sequence=1)
    with pytest.raises(ChoicesInvalid):
        prepare_ballot(knapsack, voter(), (1, 1, 0, 0, 0, 0), sequence=1)


def test_a_credential_that_does_not_admit_is_refused() -> None:
    districts = {**manifest_json()["eligibility"], "districts": ["11650"]}
    for credential, where in (
        (voter(epoch="2026-2"), ELECTION),
        (voter(is_over_14=False), ELECTION),
        (voter(stratum="survey"), ELECTION),
        (voter(issuer=OTHER_ISSUER), ELECTION),
        (voter(header=b"another credential"), ELECTION),
        (voter(district="11590"), election(eligibility=districts)),
    ):
        with pytest.raises(CredentialNotEligible):
            prepare_ballot(where, credential, CHOICES, sequence=1)
    prepare_ballot(election(eligibility=districts), voter(district="11650"), CHOICES, sequence=1)


def test_seed_and_choices_do_not_show_in_a_repr() -> None:
    opening = Opening(BallotHeader(bytes(48), 1, "citizen", ""), (1, 0, 1), b"secret seed")
    assert "seed" not in repr(opening)
    assert "1, 0, 1" not in repr(opening)


def test_a_tracking_code_is_read_as_people_type_it() -> None:
    code = tracking_code(sha256(b"ballot").digest())
    assert len(code) == 24
    assert parse_tracking_code(code) == code
    assert parse_tracking_code(" " + code.lower().replace("-", "  ")) == code
    for wrong in ("", code[:-1], code + "A", code[:-1] + "1", "ballot", "É" * 20, "A" * 10_000):
        with pytest.raises(TrackingCodeMalformed):
            parse_tracking_code(wrong)
