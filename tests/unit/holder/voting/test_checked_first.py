"""What the wallet checks before it shows a ballot: manifest, ceremony, hours, chain."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.bbs import OTHER_ISSUER
from tests.support.cast_ballots import CHOICES, with_payload
from tests.support.clock import SettableClock
from tests.support.polling import (
    BOX_URL,
    AppTransport,
    PollingPlace,
    VotingWallet,
    cast_through_wallet,
)
from tests.support.voting import CLOSES, OPENS, manifest, manifest_json, signing_key, voter
from wallet.errors import SeoulWalletError
from wallet.holder.tracking import BoardInconsistent, Standing
from wallet.holder.voting import NoVotingCredential
from wallet.ports.facts import BoardUnknown
from wallet.ports.holder import HttpAnswer
from wallet.trust.boards import BoardFact, BoardState, CheckpointFact
from wallet.verification.evidence import Fact
from wallet.voting.acceptance import ElectionNotOpen
from wallet.voting.ceremony import ElectionKeyDiffers
from wallet.voting.election import Election
from wallet.voting.eligibility import CredentialNotEligible
from wallet.voting.manifest import ManifestMalformed
from wallet.voting.published import (
    CLOCK_SKEW_S,
    ElectionNotPublished,
    board_id,
)
from wallet.voting.statements import (
    sign_statement,
)


class TestWhatIsCheckedFirst:
    def look_fails(
        self, error: type[SeoulWalletError], wallet: VotingWallet, transport: AppTransport
    ) -> None:
        with pytest.raises(error):
            wallet.voting.look(BOX_URL)
        assert all(method == "GET" for method, _, _ in transport.sent)

    def test_a_manifest_that_was_tampered_with(
        self, wallet: VotingWallet, transport: AppTransport
    ) -> None:
        def richer(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
            if path != "/manifest.json":
                return answer
            return replace(answer, body=answer.body.replace(b'"budget":1000', b'"budget":9000'))

        transport.alter = richer
        self.look_fails(ElectionNotPublished, wallet, transport)
        transport.alter = lambda method, path, answer: replace(answer, body=answer.body + b" ")
        self.look_fails(ManifestMalformed, wallet, transport)

    def test_a_manifest_of_another_digest_than_the_organiser_published(
        self, place: PollingPlace, wallet: VotingWallet
    ) -> None:
        wallet.voting.look(BOX_URL, manifest_digest=place.manifest.digest)
        with pytest.raises(ElectionNotPublished):
            wallet.voting.look(BOX_URL, manifest_digest=bytes(32))

    def test_a_key_that_the_ceremony_does_not_come_to(
        self, wallet: VotingWallet, transport: AppTransport, place: PollingPlace
    ) -> None:
        result = place.application.box.ceremony.result()
        assert result is not None
        body = {**result.entry_body, "qualified": [1]}
        honest = sign_statement(signing_key("board"), result.entry_body).octets
        forged = sign_statement(signing_key("board"), body).octets

        def replaced(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
            if path != "/log":
                return answer
            # The lengths in front are of the same size: both have one digit less, or none.
            return replace(answer, body=with_payload(answer.body, honest, forged))

        transport.alter = replaced
        self.look_fails(ElectionKeyDiffers, wallet, transport)

    @pytest.mark.parametrize(
        ("now", "is_open"),
        [
            (OPENS - CLOCK_SKEW_S - 1, False),
            (OPENS - CLOCK_SKEW_S, True),
            (CLOSES + CLOCK_SKEW_S - 1, True),
            (CLOSES + CLOCK_SKEW_S, False),
        ],
    )
    def test_the_hours_by_a_clock_that_may_be_off_by_five_minutes(
        self,
        place: PollingPlace,
        transport: AppTransport,
        tmp_path: Path,
        now: int,
        is_open: bool,
    ) -> None:
        mine = VotingWallet.at(tmp_path / "off", transport, SettableClock(now), voter(1))
        if is_open:
            assert mine.voting.look(BOX_URL).header.stratum == "citizen"
        else:
            with pytest.raises(ElectionNotOpen):
                mine.voting.look(BOX_URL)

    @pytest.mark.parametrize(
        "credential",
        [
            voter(1, is_over_14=False),
            voter(1, epoch="2026-2"),
            voter(1, issuer=OTHER_ISSUER),
            voter(1, stratum="survey"),
        ],
        ids=["under-14", "epoch", "issuer", "stratum"],
    )
    def test_a_credential_that_does_not_admit(
        self, place: PollingPlace, transport: AppTransport, tmp_path: Path, credential: object
    ) -> None:
        mine = VotingWallet.at(tmp_path / "x", transport, place.clock, credential)  # type: ignore[arg-type]
        with pytest.raises(CredentialNotEligible):
            mine.voting.look(BOX_URL)

    def test_a_wallet_without_a_voting_credential(
        self, place: PollingPlace, transport: AppTransport, tmp_path: Path
    ) -> None:
        mine = VotingWallet.at(tmp_path / "x", transport, place.clock)
        with pytest.raises(NoVotingCredential):
            mine.voting.look(BOX_URL)
        both = VotingWallet.at(
            tmp_path / "y", transport, place.clock, voter(2, epoch="2026-2"), voter(2)
        )
        assert both.voting.look(BOX_URL).header.nullifier

    def test_a_district_that_does_not_vote(self, tmp_path: Path) -> None:
        eligibility = {**manifest_json()["eligibility"], "districts": ["11650"]}
        here = PollingPlace(
            tmp_path / "box", manifest(trustees=2, threshold=2, eligibility=eligibility)
        ).open()
        transport = AppTransport(here.application.flask_app)
        mine = VotingWallet.at(tmp_path / "x", transport, here.clock, voter(1, district="11650"))
        assert mine.voting.look(BOX_URL).header.district == "11650"
        other = VotingWallet.at(tmp_path / "y", transport, here.clock, voter(2))
        with pytest.raises(CredentialNotEligible):
            other.voting.look(BOX_URL)
        here.close()


class Boards:
    """`ports.facts.BoardRegistry` over one board, as the chain would have it."""

    def __init__(self, election: Election) -> None:
        rules = election.manifest
        self.state = BoardState(
            BoardFact(
                board_id(rules),
                "0x" + rules.chain.organiser.hex(),
                sha256(rules.id.encode()).digest(),
                "0x" + "33" * 20,
                election.digest,
                rules.opens,
                rules.closes,
                rules.closes + rules.grace_s,
                rules.opens - 5000,
            ),
            None,
            None,
        )

    def board(self, board_id: bytes) -> Fact[BoardState]:
        if board_id != self.state.board.board_id:
            raise BoardUnknown("no such board")
        return Fact(self.state, OPENS)

    def change(self, **members: object) -> None:
        self.state = replace(self.state, board=replace(self.state.board, **members))  # type: ignore[arg-type]

    def checkpoint(self, size: int, root: bytes) -> None:
        newest = CheckpointFact(self.state.board.board_id, 1, 0, size, bytes(32), root, OPENS)
        self.state = replace(self.state, newest=newest)


class TestTheChain:
    def test_a_board_that_the_organiser_opened_is_voted_on(
        self, place: PollingPlace, transport: AppTransport, tmp_path: Path
    ) -> None:
        boards = Boards(place.election)
        mine = VotingWallet.at(tmp_path / "x", transport, place.clock, voter(1), boards=boards)
        assert mine.voting.look(BOX_URL).is_on_chain
        for change in (
            {"config_digest": bytes(32)},
            {"opens": OPENS + 1},
            {"closes": CLOSES + 1},
            {"flush_until": CLOSES},
            {"opened_at": OPENS},
        ):
            boards.state = Boards(place.election).state
            boards.change(**change)
            with pytest.raises(ElectionNotPublished):
                mine.voting.look(BOX_URL)
        boards.change(board_id=bytes(32))
        with pytest.raises(BoardUnknown):
            mine.voting.look(BOX_URL)

    def test_a_board_that_the_chain_has_otherwise_is_named(
        self, place: PollingPlace, transport: AppTransport, tmp_path: Path
    ) -> None:
        boards = Boards(place.election)
        mine = VotingWallet.at(tmp_path / "x", transport, place.clock, voter(1), boards=boards)
        cast_through_wallet(mine.voting, BOX_URL, CHOICES)
        head = place.application.box.board.newest_checkpoint().checkpoint
        place.publish()
        boards.checkpoint(head.size, head.root)
        assert mine.voting.track(BOX_URL).standing is Standing.ON_BOARD
        boards.checkpoint(head.size, bytes(32))
        with pytest.raises(BoardInconsistent):
            mine.voting.track(BOX_URL)
        boards.checkpoint(head.size + 1000, bytes(32))
        with pytest.raises(BoardInconsistent):
            mine.voting.track(BOX_URL)
