"""A vote from the wallet: cast, counted, challenged, cast again, and no trace of the choices."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tests.support.cast_ballots import CHOICES, OTHERS, counts_replayed, on_board
from tests.support.polling import (
    BOX_URL,
    AppTransport,
    PollingPlace,
    VotingWallet,
    cast_through_wallet,
)
from tests.support.voting import OPENS, manifest, voter
from wallet.holder.tracking import NothingCast, Standing
from wallet.holder.voting import BallotOutdated
from wallet.voting.casting import (
    BallotAlreadyUsed,
    OpeningMalformed,
    check_opening,
    parse_opening,
)
from wallet.voting.layout import ChoicesInvalid


class TestCasting:
    def test_a_ballot_is_cast_awaited_and_found_on_the_board(
        self, place: PollingPlace, wallet: VotingWallet
    ) -> None:
        with pytest.raises(NothingCast):
            wallet.voting.track(BOX_URL)
        cast = cast_through_wallet(wallet.voting, BOX_URL, CHOICES)
        assert (cast.sequence, cast.by) == (1, OPENS + 2 * place.manifest.checkpoint_every_s)
        awaited = wallet.voting.track(BOX_URL)
        assert (awaited.standing, awaited.index) == (Standing.AWAITED, None)
        place.publish()
        found = wallet.voting.track(BOX_URL)
        assert (found.standing, found.counts) == (Standing.ON_BOARD, None)
        assert found.ballot.receipt is not None
        assert on_board(place) == [(cast.tracking_code, 1)]
        # What a dispute needs names the ballot and nobody's choice.
        assert found.evidence().keys() == {
            "tracking_code",
            "acceptance",
            "receipt",
            "checkpoint",
        }

    def test_the_last_of_several_ballots_counts(
        self, place: PollingPlace, wallet: VotingWallet
    ) -> None:
        first = cast_through_wallet(wallet.voting, BOX_URL, CHOICES)
        place.publish()
        second = cast_through_wallet(wallet.voting, BOX_URL, OTHERS)
        place.publish()
        assert sorted(on_board(place)) == sorted(
            [(first.tracking_code, 1), (second.tracking_code, 2)]
        )
        assert counts_replayed(place) == [second.tracking_code]
        tracked = wallet.voting.track(BOX_URL, search=True)
        assert (tracked.ballot.tracking_code, tracked.counts) == (second.tracking_code, True)
        assert tracked.strangers == ()

    def test_a_challenged_ballot_opens_to_its_code_and_is_never_cast(
        self, place: PollingPlace, wallet: VotingWallet, transport: AppTransport
    ) -> None:
        prepared = wallet.voting.prepare(wallet.voting.look(BOX_URL), CHOICES)
        code = prepared.tracking_code
        opened = wallet.voting.challenge(prepared)
        opening = parse_opening(opened.octets, place.election)
        check_opening(place.election, opening, code)
        assert opening.choices == (1, 0, 1, 0, 0, 0)
        with pytest.raises(BallotAlreadyUsed):
            wallet.voting.cast(prepared)
        with pytest.raises(BallotAlreadyUsed):
            wallet.voting.challenge(prepared)
        assert all(method == "GET" for method, _, _ in transport.sent)
        # The next one is another ballot of the same sequence.
        again = wallet.voting.prepare(wallet.voting.look(BOX_URL), CHOICES)
        assert again.tracking_code != code
        assert wallet.voting.cast(again).sequence == 1

    def test_an_opening_of_another_election_is_refused(
        self, place: PollingPlace, wallet: VotingWallet, tmp_path: Path
    ) -> None:
        opened = wallet.voting.challenge(
            wallet.voting.prepare(wallet.voting.look(BOX_URL), CHOICES)
        )
        other = PollingPlace(tmp_path / "other", manifest(trustees=2, threshold=2, budget=1001))
        with pytest.raises(OpeningMalformed):
            parse_opening(opened.octets, other.election)
        with pytest.raises(OpeningMalformed):
            parse_opening(opened.octets.replace(b'"seed":"', b'"seed":"00'), place.election)
        other.close()

    def test_a_ballot_prepared_before_another_was_cast_is_outdated(
        self, wallet: VotingWallet
    ) -> None:
        seen = wallet.voting.look(BOX_URL)
        first, second = (wallet.voting.prepare(seen, CHOICES) for _ in range(2))
        wallet.voting.cast(first)
        with pytest.raises(BallotOutdated):
            wallet.voting.cast(second)

    @pytest.mark.parametrize(
        "choices", [{"p9": 1}, {"p1": 2}, {"p1": -1}, {f"p{n}": 1 for n in range(1, 5)}]
    )
    def test_choices_that_break_the_rules_are_never_prepared(
        self, wallet: VotingWallet, choices: dict[str, int]
    ) -> None:
        seen = wallet.voting.look(BOX_URL)
        with pytest.raises(ChoicesInvalid):
            wallet.voting.prepare(seen, choices)


class TestNoTraceOfTheVote:
    def test_neither_choices_nor_seed_are_kept_in_store_or_memory(
        self, place: PollingPlace, wallet: VotingWallet, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        prepared = wallet.voting.prepare(wallet.voting.look(BOX_URL), CHOICES)
        opening = next(
            item for item in gc.get_referents(prepared.ballot.__dict__) if _is_opening(item)
        )
        seed = opening.seed
        assert (opening.choices, len(seed)) == ((1, 0, 1, 0, 0, 0), 32)
        del opening
        wallet.voting.cast(prepared)
        place.publish()
        wallet.voting.track(BOX_URL)
        reachable = _reachable(prepared)
        assert seed not in [item for item in reachable if type(item) is bytes]
        assert (1, 0, 1, 0, 0, 0) not in [item for item in reachable if type(item) is tuple]
        records = [record.payload for record in wallet.store.list("vote")]
        assert len(records) == 1 == wallet.store.count
        for trace in (b"choices", b"seed", b"p1", seed, seed.hex().encode()):
            assert trace not in records[0]
        assert seed.hex() not in caplog.text
        assert "p1" not in caplog.text

    def test_records_of_different_votes_differ_in_nothing_that_a_vote_decides(
        self, place: PollingPlace, transport: AppTransport, tmp_path: Path
    ) -> None:
        lengths = set()
        for number, choices in enumerate((CHOICES, OTHERS, {}), start=1):
            mine = VotingWallet.at(tmp_path / str(number), transport, place.clock, voter(number))
            cast_through_wallet(mine.voting, BOX_URL, choices)
            (record,) = mine.store.list("vote")
            lengths.add(len(record.payload))
        assert len(lengths) == 1


def _is_opening(item: object) -> bool:
    return type(item).__name__ == "Opening"


def _reachable(root: object) -> list[object]:
    seen: dict[int, object] = {}
    todo = [root]
    while todo:
        item = todo.pop()
        if id(item) not in seen and not isinstance(item, type) and not callable(item):
            seen[id(item)] = item
            todo += gc.get_referents(item)
    return list(seen.values())
