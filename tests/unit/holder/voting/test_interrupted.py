"""A cast that is cut off at any step is neither lost nor doubled."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.cast_ballots import CHOICES, OTHERS, counts_replayed, on_board
from tests.support.holder_stores import create_store
from tests.support.polling import (
    BOX_URL,
    AppTransport,
    PollingPlace,
    VotingWallet,
    cast_through_wallet,
)
from tests.support.voting import CLOSES, voter
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.holder.ballot_box import BallotNotAccepted
from wallet.holder.tracking import NothingCast, Standing
from wallet.holder.voting import Voting
from wallet.ports.holder import Change, HttpAnswer, PeerUnreachable, Record
from wallet.voting.published import (
    CLOCK_SKEW_S,
)


class TestInterrupted:
    def test_a_cast_whose_answer_was_lost_is_resumed_with_the_same_ballot(
        self, place: PollingPlace, wallet: VotingWallet, transport: AppTransport
    ) -> None:
        prepared = wallet.voting.prepare(wallet.voting.look(BOX_URL), CHOICES)

        def lost(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
            if method == "POST":
                raise PeerUnreachable("the answer was lost")
            return answer

        transport.alter = lost
        with pytest.raises(PeerUnreachable):
            wallet.voting.cast(prepared)
        assert wallet.voting.unfinished == (BOX_URL,)
        # After a restart, over the same store.
        transport.alter = lambda method, path, answer: answer
        mine = VotingWallet.over(wallet.store, transport, place.clock, voter(1))
        resumed = mine.voting.resume(BOX_URL)
        assert resumed is not None
        assert resumed.tracking_code == prepared.tracking_code
        assert mine.voting.unfinished == ()
        assert mine.voting.resume(BOX_URL) is None
        place.publish()
        assert on_board(place) == [(prepared.tracking_code, 1)]

    def test_a_cast_that_never_arrived_is_sent_by_the_next_vote_and_replaced(
        self, place: PollingPlace, wallet: VotingWallet, transport: AppTransport
    ) -> None:
        prepared = wallet.voting.prepare(wallet.voting.look(BOX_URL), CHOICES)

        def away(method: str, path: str) -> None:
            if method == "POST":
                raise PeerUnreachable("the box is away")

        transport.before = away
        with pytest.raises(PeerUnreachable):
            wallet.voting.cast(prepared)
        with pytest.raises(PeerUnreachable):
            cast_through_wallet(wallet.voting, BOX_URL, OTHERS)
        transport.before = lambda method, path: None
        second = cast_through_wallet(wallet.voting, BOX_URL, OTHERS)
        assert second.sequence == 2
        place.publish()
        assert counts_replayed(place) == [second.tracking_code]

    def test_a_ballot_that_was_accepted_before_the_close_is_resumed_after_it(
        self, place: PollingPlace, wallet: VotingWallet, transport: AppTransport
    ) -> None:
        prepared = wallet.voting.prepare(wallet.voting.look(BOX_URL), CHOICES)

        def lost(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
            if method == "POST":
                raise PeerUnreachable("the answer was lost")
            return answer

        transport.alter = lost
        with pytest.raises(PeerUnreachable):
            wallet.voting.cast(prepared)
        transport.alter = lambda method, path, answer: answer
        place.work(CLOSES + 3000)
        tracked = wallet.voting.track(BOX_URL)
        assert (tracked.standing, tracked.ballot.sequence) == (Standing.ON_BOARD, 1)

    def test_a_ballot_that_comes_after_the_close_is_refused_and_says_so(
        self, place: PollingPlace, wallet: VotingWallet
    ) -> None:
        first = cast_through_wallet(wallet.voting, BOX_URL, CHOICES)
        late = wallet.voting.prepare(wallet.voting.look(BOX_URL), OTHERS)
        place.work(CLOSES)
        with pytest.raises(BallotNotAccepted) as refused:
            wallet.voting.cast(late)
        assert (refused.value.reason, refused.value.rejection) == ("election_not_open", None)
        place.work(CLOSES + CLOCK_SKEW_S)
        tracked = wallet.voting.track(BOX_URL)
        assert tracked.ballot.tracking_code == first.tracking_code
        assert tracked.refused is not None
        assert tracked.refused.reason == "election_not_open"
        assert wallet.voting.unfinished == ()


class Crashed(Exception):
    """The process ended here."""


class CrashingStore:
    """A record store, and a transport, of a process that ends at one of their steps.

    Steps are counted from 0: every write and every request has one before and one after it.
    """

    def __init__(self, store: SqliteRecordStore, transport: AppTransport, stop: int) -> None:
        self._store = store
        self._stop = stop
        self.steps = 0
        transport.before = lambda method, path: self._step()
        transport.alter = self._after

    def _step(self) -> None:
        self.steps += 1
        if self.steps - 1 == self._stop:
            raise Crashed

    def _after(self, method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
        self._step()
        return answer

    @property
    def counter(self) -> int:
        return self._store.counter

    @property
    def count(self) -> int:
        return self._store.count

    def get(self, kind: str, record_id: str) -> Record:
        return self._store.get(kind, record_id)

    def list(self, kind: str) -> Sequence[Record]:
        return self._store.list(kind)

    def write(self, *changes: Change) -> None:
        self._step()
        self._store.write(*changes)
        self._step()


def test_a_process_that_ends_at_any_step_of_a_cast_loses_and_doubles_nothing(
    place: PollingPlace, transport: AppTransport, tmp_path: Path
) -> None:
    stop, crashes = 0, 0
    expected = []
    while True:
        store = create_store(tmp_path / f"{stop}.db")
        crashing = CrashingStore(store, transport, stop)
        mine = voter(stop + 1)
        voting = Voting(
            records=crashing,
            transport=transport,
            clock=place.clock,
            credentials=lambda mine=mine: (mine,),
        )
        with contextlib.suppress(Crashed):
            cast_through_wallet(voting, BOX_URL, CHOICES)
        crashes += crashing.steps > stop
        transport.before = lambda method, path: None
        transport.alter = lambda method, path, answer: answer
        # Another process over the same store goes on, and the voter sees one ballot.
        again = VotingWallet.over(store, transport, place.clock, mine).voting
        for box in again.unfinished:
            again.resume(box)
        try:
            found = again.track(BOX_URL).ballot
        except NothingCast:
            found = cast_through_wallet(again, BOX_URL, CHOICES)
        assert found.sequence == 1
        expected.append(found.tracking_code)
        store.close()
        if crashing.steps <= stop:
            break
        stop += 1
    # Three requests and two writes, each with a step before and after it.
    assert crashes == stop == 10
    place.publish()
    assert sorted(code for code, _ in on_board(place)) == sorted(expected)
