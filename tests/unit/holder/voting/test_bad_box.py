"""A ballot box that answers wrongly, and a ballot that is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cast_ballots import CHOICES, OTHERS, counts_replayed, with_payload
from tests.support.polling import (
    BOX_URL,
    AppTransport,
    PollingPlace,
    VotingWallet,
    cast_through_wallet,
)
from tests.support.voting import CLOSES, OPENS, signing_key, voter
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import SeoulWalletError
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.ballot_box import BallotNotAccepted, BoxAnswerMalformed
from wallet.holder.tracking import BoardInconsistent, NothingCast, Standing
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.voting.board import (
    BALLOT,
    acceptance_body,
    checkpoint_body,
    rejection_body,
    verify_checkpoint,
)
from wallet.voting.published import (
    PromiseTooLate,
    ReceiptInvalid,
)
from wallet.voting.statements import (
    StatementMalformed,
    StatementSignatureInvalid,
    sign_statement,
    statement_of,
)


class TestAnswersOfABadBox:
    def cast_fails(
        self,
        error: type[SeoulWalletError],
        wallet: VotingWallet,
        transport: AppTransport,
        answer_of: Callable[[HttpAnswer], HttpAnswer],
    ) -> None:
        transport.alter = lambda method, path, answer: (
            answer_of(answer) if method == "POST" else answer
        )
        prepared = wallet.voting.prepare(wallet.voting.look(BOX_URL), CHOICES)
        with pytest.raises(error):
            wallet.voting.cast(prepared)
        # No verdict came of it: the ballot waits to be sent again.
        assert wallet.voting.unfinished == (BOX_URL,)
        transport.alter = lambda method, path, answer: answer
        resumed = wallet.voting.resume(BOX_URL)
        assert resumed is not None
        assert resumed.tracking_code == prepared.tracking_code

    def test_an_acceptance_that_the_board_did_not_sign(
        self, wallet: VotingWallet, transport: AppTransport
    ) -> None:
        def forged(answer: HttpAnswer) -> HttpAnswer:
            body = parse_json_object(answer.body)["body"]
            return replace(answer, body=sign_statement(signing_key("thief"), body).octets)

        self.cast_fails(StatementSignatureInvalid, wallet, transport, forged)

    def test_an_acceptance_of_another_ballot(
        self, wallet: VotingWallet, transport: AppTransport, place: PollingPlace
    ) -> None:
        def other(answer: HttpAnswer) -> HttpAnswer:
            body = acceptance_body(place.election, bytes(32), OPENS)
            return replace(answer, body=sign_statement(signing_key("board"), body).octets)

        self.cast_fails(StatementMalformed, wallet, transport, other)

    def test_a_promise_for_a_day_long_after_the_close(
        self, wallet: VotingWallet, transport: AppTransport, place: PollingPlace
    ) -> None:
        def late(answer: HttpAnswer) -> HttpAnswer:
            digest = bytes.fromhex(parse_json_object(answer.body)["body"]["ballot"])
            body = acceptance_body(place.election, digest, CLOSES + 10**6)
            return replace(answer, body=sign_statement(signing_key("board"), body).octets)

        self.cast_fails(PromiseTooLate, wallet, transport, late)

    @pytest.mark.parametrize(
        ("status", "kind", "body", "error"),
        [
            (200, "application/json", b"{}", AnswerUnexpected),
            (503, "application/problem+json", b"{}", PeerUnreachable),
            (404, "text/html", b"<p>", AnswerUnexpected),
            (201, "application/json", b"{}", StatementMalformed),
            (422, "application/problem+json", b"{}", BoxAnswerMalformed),
            (422, "application/problem+json", b'{"code":"x"}', AnswerUnexpected),
            (422, "application/problem+json", b'{"code":"x","rejection":1}', StatementMalformed),
        ],
    )
    def test_answers_that_no_interface_has(
        self,
        wallet: VotingWallet,
        transport: AppTransport,
        status: int,
        kind: str,
        body: bytes,
        error: type[SeoulWalletError],
    ) -> None:
        self.cast_fails(error, wallet, transport, lambda _: HttpAnswer(status, kind, body))

    def test_a_rejection_of_other_bytes_or_by_another_key(
        self, wallet: VotingWallet, transport: AppTransport, place: PollingPlace
    ) -> None:
        for key, error in (
            ("board", BoxAnswerMalformed),
            ("thief", StatementSignatureInvalid),
        ):
            rejection = sign_statement(
                signing_key(key), rejection_body(place.election, bytes(32), "ballot_malformed")
            )
            body = to_json({"code": "ballot_malformed", "rejection": rejection.to_json()})
            answer = HttpAnswer(400, "application/problem+json", body)
            self.cast_fails(error, wallet, transport, lambda _, answer=answer: answer)

    def test_a_receipt_of_another_ballot_or_under_another_root(
        self, place: PollingPlace, transport: AppTransport, tmp_path: Path
    ) -> None:
        one, two = (
            VotingWallet.at(tmp_path / str(number), transport, place.clock, voter(number))
            for number in (1, 2)
        )
        casts = [cast_through_wallet(item.voting, BOX_URL, CHOICES) for item in (one, two)]
        place.publish()
        client = place.application.flask_app.test_client()
        others = client.get(f"/ballots/{casts[1].tracking_code}")

        def swapped(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
            return replace(answer, body=others.data) if path.startswith("/ballots/") else answer

        transport.alter = swapped
        with pytest.raises(ReceiptInvalid):
            one.voting.track(BOX_URL)
        value = parse_json_object(others.data)
        head = verify_checkpoint(statement_of(value["checkpoint"]), place.election)
        lie = checkpoint_body(place.election, replace(head, root=bytes(32)))
        value["checkpoint"] = sign_statement(signing_key("board"), lie).to_json()
        transport.alter = lambda method, path, answer: (
            replace(answer, body=to_json(value)) if path.startswith("/ballots/") else answer
        )
        with pytest.raises(ReceiptInvalid):
            two.voting.track(BOX_URL)


class TestMissing:
    def test_a_ballot_that_the_box_forgets_is_missing_once_its_time_has_passed(
        self, place: PollingPlace, wallet: VotingWallet, transport: AppTransport
    ) -> None:
        cast = cast_through_wallet(wallet.voting, BOX_URL, CHOICES)
        transport.alter = lambda method, path, answer: (
            HttpAnswer(404, "application/problem+json", b"{}")
            if path.startswith("/ballots/")
            else answer
        )
        place.publish()
        assert wallet.voting.track(BOX_URL).standing is Standing.AWAITED
        place.work(cast.by)
        missing = wallet.voting.track(BOX_URL)
        assert missing.standing is Standing.MISSING
        evidence = missing.evidence()
        assert evidence["acceptance"]["body"]["ballot"] == cast.digest.hex()
        assert evidence["checkpoint"]["body"]["time"] == cast.by

    def test_a_later_ballot_by_the_same_secret_is_found_and_replaced(
        self, place: PollingPlace, wallet: VotingWallet, transport: AppTransport, tmp_path: Path
    ) -> None:
        mine = cast_through_wallet(wallet.voting, BOX_URL, CHOICES)
        thief = VotingWallet.at(tmp_path / "thief", transport, place.clock, voter(1))
        with pytest.raises(BallotNotAccepted) as refused:
            cast_through_wallet(thief.voting, BOX_URL, OTHERS)
        assert refused.value.reason == "ballot_sequence"
        assert refused.value.rejection is not None
        place.publish()
        with pytest.raises(NothingCast):
            thief.voting.track(BOX_URL)
        # The thief reads the board, as anyone may.
        assert [item.sequence for item in thief.voting.find_own(BOX_URL)] == [1]
        stolen = cast_through_wallet(thief.voting, BOX_URL, OTHERS)
        place.publish()
        tracked = wallet.voting.track(BOX_URL, search=True)
        assert (tracked.ballot.tracking_code, tracked.counts) == (mine.tracking_code, False)
        assert [item.tracking_code for item in tracked.strangers] == [stolen.tracking_code]
        last = cast_through_wallet(wallet.voting, BOX_URL, CHOICES)
        assert last.sequence == 3
        place.publish()
        assert wallet.voting.track(BOX_URL, search=True).counts is True
        assert counts_replayed(place) == [last.tracking_code]

    def test_a_board_that_is_rewritten_is_named(
        self, place: PollingPlace, wallet: VotingWallet, transport: AppTransport
    ) -> None:
        cast_through_wallet(wallet.voting, BOX_URL, CHOICES)
        place.publish()
        wallet.voting.track(BOX_URL)
        cast_through_wallet(wallet.voting, BOX_URL, OTHERS)
        place.publish()

        def path_of_another(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
            if path == "/proofs/consistency":
                return replace(answer, body=to_json({"path": ["00" * 32]}))
            return answer

        transport.alter = path_of_another
        with pytest.raises(BoardInconsistent):
            wallet.voting.track(BOX_URL)
        transport.alter = lambda method, path, answer: (
            HttpAnswer(404, "application/problem+json", b"{}")
            if path.startswith(("/ballots/", "/checkpoints/"))
            else answer
        )
        with pytest.raises(BoardInconsistent):
            wallet.voting.track(BOX_URL)

    def test_a_log_that_is_not_the_checkpoints_is_named(
        self, place: PollingPlace, wallet: VotingWallet, transport: AppTransport
    ) -> None:
        cast = cast_through_wallet(wallet.voting, BOX_URL, CHOICES)
        place.publish()
        wallet.voting.track(BOX_URL)
        board = place.application.box.board
        (ballot,) = (e for e in board.entries(0, 100) if e.kind == BALLOT)

        def hidden(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
            if path != "/log" or len(answer.body) < len(ballot.payload) * 1.5:
                return answer
            return replace(answer, body=with_payload(answer.body, ballot.payload, b"other"))

        assert cast.sequence == 1
        transport.alter = hidden
        with pytest.raises(BoardInconsistent):
            wallet.voting.track(BOX_URL, search=True)
