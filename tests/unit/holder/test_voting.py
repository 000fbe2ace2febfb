"""A wallet that votes at a real ballot box: what it checks, casts, opens and finds again."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.bbs import OTHER_ISSUER
from tests.support.clock import SettableClock
from tests.support.holder_stores import create_store
from tests.support.polling import (
    BOX_URL,
    AppTransport,
    PollingPlace,
    VotingWallet,
    cast_through_wallet,
)
from tests.support.voting import CLOSES, OPENS, manifest, manifest_json, signing_key, voter
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import SeoulWalletError
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.ballot_box import BallotNotAccepted, BoxAnswerMalformed
from wallet.holder.tracking import BoardInconsistent, NothingCast, Standing
from wallet.holder.voting import BallotOutdated, NoVotingCredential, Voting
from wallet.ports.facts import BoardUnknown
from wallet.ports.holder import Change, HttpAnswer, PeerUnreachable, Record
from wallet.trust.boards import BoardFact, BoardState, CheckpointFact
from wallet.verification.evidence import Fact
from wallet.voting.acceptance import ElectionNotOpen
from wallet.voting.ballot import parse_ballot, tracking_code
from wallet.voting.board import (
    BALLOT,
    acceptance_body,
    checkpoint_body,
    log_octets,
    parse_log,
    rejection_body,
    verify_checkpoint,
)
from wallet.voting.casting import (
    BallotAlreadyUsed,
    OpeningMalformed,
    check_opening,
    parse_opening,
)
from wallet.voting.ceremony import ElectionKeyDiffers
from wallet.voting.election import Election
from wallet.voting.eligibility import CredentialNotEligible
from wallet.voting.layout import ChoicesInvalid
from wallet.voting.manifest import ManifestMalformed
from wallet.voting.published import (
    CLOCK_SKEW_S,
    ElectionNotPublished,
    PromiseTooLate,
    ReceiptInvalid,
    board_id,
)
from wallet.voting.statements import (
    StatementMalformed,
    StatementSignatureInvalid,
    sign_statement,
    statement_of,
)

CHOICES = {"p1": 1, "p3": 1}
OTHERS = {"p2": 1}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> PollingPlace:
    """A polling place at its opening, to be copied."""
    made = PollingPlace(tmp_path_factory.mktemp("polling")).open()
    made.close()
    return made


@pytest.fixture
def place(opened: PollingPlace, tmp_path: Path) -> Iterator[PollingPlace]:
    running = opened.copy(tmp_path / "box")
    yield running
    running.close()


@pytest.fixture
def transport(place: PollingPlace) -> AppTransport:
    return AppTransport(place.application.flask_app)


@pytest.fixture
def wallet(place: PollingPlace, transport: AppTransport, tmp_path: Path) -> VotingWallet:
    return VotingWallet.at(tmp_path / "mine", transport, place.clock, voter(1))


def on_board(place: PollingPlace) -> list[tuple[str, int]]:
    """Code and sequence of every ballot on the board."""
    board = place.application.box.board
    entries = board.entries(0, 100)
    ballots = [parse_ballot(e.payload, place.election) for e in entries if e.kind == BALLOT]
    return [
        (tracking_code(ballot.digest(place.election)), ballot.header.sequence)
        for ballot in ballots
    ]


def counts_replayed(place: PollingPlace) -> list[str]:
    """Of each nullifier the code of the last ballot."""
    last: dict[bytes, str] = {}
    for entry in place.application.box.board.entries(0, 100):
        if entry.kind == BALLOT:
            ballot = parse_ballot(entry.payload, place.election)
            last[ballot.header.nullifier] = tracking_code(ballot.digest(place.election))
    return sorted(last.values())


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
            return replace(answer, body=_with_payload(answer.body, honest, forged))

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


def _with_payload(log: bytes, old: bytes, new: bytes) -> bytes:
    """A log with one payload exchanged for another."""
    return log_octets([replace(e, payload=new) if e.payload == old else e for e in parse_log(log)])


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
            return replace(answer, body=_with_payload(answer.body, ballot.payload, b"other"))

        assert cast.sequence == 1
        transport.alter = hidden
        with pytest.raises(BoardInconsistent):
            wallet.voting.track(BOX_URL, search=True)
