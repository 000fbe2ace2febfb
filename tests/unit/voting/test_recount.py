"""Adding up in chunks comes to what adding up at once does, and goes on where it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.voting import ROOT, cast, election, voter
from wallet.adapters.compute.here import ThisProcess
from wallet.recount import ChunkSums, index_ballots, recount
from wallet.voting.acceptance import BallotSequenceNotNext, counted_ballots, open_submission
from wallet.voting.aggregate import aggregate_board
from wallet.voting.board import BALLOT, CLOSE, Entry
from wallet.voting.suite import BallotProofInvalid

VOTE = election()
HERE = ThisProcess()


def board(count: int) -> list[Entry]:
    """Ballots of two strata, one voter twice, and an entry that is no ballot."""
    entries = [Entry(0, CLOSE, b"")]
    for number in range(1, count + 1):
        stratum = "committee" if number % 3 == 0 else "citizen"
        choices = [int(place == number % 6) for place in range(6)]
        ballot = cast(VOTE, voter(number, stratum=stratum), choices)
        entries.append(Entry(len(entries), BALLOT, ballot.octets))
    again = cast(VOTE, voter(1, stratum="citizen"), [0, 0, 0, 0, 1, 1], 2)
    return [*entries, Entry(len(entries), BALLOT, again.octets)]


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return board(66)


class Kept(dict[bytes, ChunkSums]):
    """A store in memory that counts what it is given."""

    def put(self, digest: bytes, sums: ChunkSums) -> None:
        assert digest not in self
        self[digest] = sums


@pytest.mark.parametrize("is_verified", [True, False])
def test_comes_to_the_same_aggregate_as_all_ballots_at_once(
    entries: list[Entry], is_verified: bool
) -> None:
    index = index_ballots(entries, VOTE)
    assert (index.ballots, len(index.counted)) == (67, 66)
    told: list[tuple[int, int]] = []
    found = recount(
        VOTE,
        (len(entries), ROOT),
        index,
        entries,
        HERE,
        is_verified=is_verified,
        tell=lambda done, total: told.append((done, total)),
    )
    ballots = [open_submission(e.payload, VOTE) for e in entries if e.kind == BALLOT]
    whole = aggregate_board(VOTE, len(entries), ROOT, counted_ballots(ballots))
    assert (found.digest, found.groups) == (whole.digest, whole.groups)
    total = 66 if is_verified else 67
    assert told == [(64, total), (total, total)]


def test_a_count_that_was_broken_off_does_only_what_is_left(entries: list[Entry]) -> None:
    index, kept = index_ballots(entries, VOTE), Kept()
    head = len(entries), ROOT
    first = recount(VOTE, head, index, entries, HERE, is_verified=True, store=kept)
    assert len(kept) == 2
    lost = list(kept)[1]
    del kept[lost]
    second = recount(VOTE, head, index, entries, HERE, is_verified=True, store=kept)
    assert first.digest == second.digest
    assert lost in kept


def test_a_ballot_whose_proof_does_not_hold_ends_a_count_that_verifies(
    entries: list[Entry],
) -> None:
    strange = open_submission(entries[2].payload, VOTE).ballot
    body = open_submission(entries[3].payload, VOTE).ballot.body
    swapped = [*entries]
    swapped[2] = replace(entries[2], payload=replace(strange, body=body[:-1] + b"\x01").octets)
    index = index_ballots(swapped[:3] + swapped[4:], VOTE)
    with pytest.raises(BallotProofInvalid):
        recount(VOTE, (1, ROOT), index, swapped[:3] + swapped[4:], HERE, is_verified=False)


def test_a_ballot_that_was_taken_away_shows_in_its_voters_sequence(entries: list[Entry]) -> None:
    with pytest.raises(BallotSequenceNotNext):
        index_ballots([entry for entry in entries if entry.index != 1], VOTE)
