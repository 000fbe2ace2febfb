"""Trustees at a real ballot box, each with a folder of its own, stopped and started at will."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seoul_wallet.trustee.box import BoxNotReady
from seoul_wallet.trustee.closed_board import LOG_FILE, BoardDiffers, BoardNotEnded
from seoul_wallet.trustee.office import TrusteeOffice
from seoul_wallet.trustee.standing import (
    Step,
    TieBlockTooEarly,
)
from tests.support.chains import LedgerStack
from tests.support.clock import SettableClock
from tests.support.polling import AppTransport
from tests.support.trustee_desks import TrusteeDesks
from wallet.adapters.compute.here import ThisProcess
from wallet.encoding.json import parse_json_object
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.voting.board import Entry, log_octets, parse_log
from wallet.voting.decryption import SecondAggregateRefused

HERE = ThisProcess()


def silent(done: int, total: int) -> None:
    return None


@pytest.fixture
def desks(stack: LedgerStack, tmp_path: Path) -> TrusteeDesks:
    return TrusteeDesks(stack, tmp_path)


def test_two_of_three_trustees_bring_an_election_to_its_result(desks: TrusteeDesks) -> None:
    election = desks.election
    desks.join()
    desks.run_ceremony()
    assert desks.office(1).standing().step is Step.VOTE_WAITS
    election.open_board()
    assert desks.office(1).standing().step is Step.VOTE_OPEN
    election.vote(range(1, 23))
    election.next_checkpoint()
    election.vote([1], sequence=2)
    with pytest.raises(BoardNotEnded):
        desks.office(1).decrypt(HERE, silent)
    election.finish()
    assert desks.office(1).standing().step is Step.DECRYPT_DUE
    election.work()
    for number in (1, 3):
        desks.office(number).decrypt(HERE, silent)
        with pytest.raises(BoxNotReady):
            desks.office(number).reveal_nonce()
    assert desks.office(1).standing().step is Step.BLOCK_WAITS
    # The second trustee never comes, and the third's nonce neither.
    election.travel_to(election.manifest.tie_block_time + 1)
    election.settle(lambda: election.application.publication.tie_block() is not None)
    assert desks.office(1).standing().step is Step.NONCE_DUE
    desks.office(1).reveal_nonce()
    assert desks.office(1).standing().step is Step.DONE
    election.clock.set(election.clock.now() + 1000)
    election.settle(lambda: election.application.publication.state().sealed is not None)
    result = election.application.publication.result()
    assert result is not None
    tally = parse_json_object(result.tally)
    assert tally["trustees"] == [1, 3]
    assert tally["ignored"] == [{"trustee": 2, "code": "share_missing"}]
    assert sum(group["counted"] for group in tally["groups"]) == 22
    assert parse_json_object(result.outcome)["withheld"] == [2, 3]
    election.application.close()


def test_a_trustee_that_misses_a_round_is_out_and_the_others_go_on(desks: TrusteeDesks) -> None:
    desks.join()
    desks.run_ceremony(1, 2)
    assert desks.office(3).advance().step is Step.OUT
    assert desks.office(3).standing().reason == "dkg_commit: nothing was sent"
    assert desks.office(1).standing().step is Step.VOTE_WAITS
    desks.election.application.close()


class EndedBoard:
    """An election whose board has ended, as the first trustee finds it."""

    def __init__(self, stack: LedgerStack, path: Path) -> None:
        self.desks = TrusteeDesks(stack, path, count=2)
        self.desks.join()
        self.desks.run_ceremony()
        self.desks.election.open_board()
        self.desks.election.vote(range(1, 22))
        self.desks.election.finish()
        self.desks.election.work()

    @property
    def transport(self) -> AppTransport:
        return self.desks.transports[0]

    def decrypt(self) -> None:
        self.desks.office(1).decrypt(HERE, silent)


@pytest.fixture
def ended(stack: LedgerStack, tmp_path: Path) -> Iterator[EndedBoard]:
    board = EndedBoard(stack, tmp_path)
    yield board
    board.desks.election.application.close()


def test_a_decryption_goes_on_where_it_was_and_ends_in_one_share(ended: EndedBoard) -> None:
    """Broken off while it copies the board, before it sends, and after."""

    def breaks_at(path: str, times: int) -> None:
        left = [times]

        def before(method: str, asked: str) -> None:
            left[0] -= asked == path
            if asked == path and left[0] < 0:
                raise PeerUnreachable("the power is gone")

        ended.transport.before = before

    for path, times in (("/log", 3), ("/decryption-shares", 0)):
        breaks_at(path, times)
        with pytest.raises(PeerUnreachable):
            ended.decrypt()
    breaks_at("/", 9)
    ended.decrypt()
    ended.decrypt()
    shares = {body for _, path, body in ended.transport.sent if path == "/decryption-shares"}
    assert len(shares) == 1
    assert ended.desks.office(1).standing().step is Step.BLOCK_WAITS


def test_a_second_aggregate_is_refused_whatever_the_board_shows(ended: EndedBoard) -> None:
    folder = ended.desks.folders[0]
    folder.put_once("decrypted-aggregate", bytes(32))
    with pytest.raises(SecondAggregateRefused):
        ended.decrypt()
    assert folder.get("made-decryption_share") is None
    assert "/decryption-shares" not in [path for _, path, _ in ended.transport.sent]


def altered(entry: Entry) -> Entry:
    """The entry with the last byte of its payload changed."""
    return replace(entry, payload=entry.payload[:-1] + bytes([entry.payload[-1] ^ 1]))


def test_a_board_that_was_tampered_with_is_never_decrypted(ended: EndedBoard) -> None:
    def alter(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
        if path != "/log":
            return answer
        entries = [
            altered(entry) if entry.kind == "ballot" else entry for entry in parse_log(answer.body)
        ]
        return HttpAnswer(200, answer.content_type, log_octets(entries))

    ended.transport.alter = alter
    with pytest.raises(BoardDiffers):
        ended.decrypt()
    assert ended.desks.folders[0].get("decrypted-aggregate") is None


def test_a_copy_that_was_altered_on_disk_is_never_decrypted(ended: EndedBoard) -> None:
    ended.desks.office(2).decrypt(HERE, silent)
    entries = list(parse_log((ended.desks.folders[1].path / LOG_FILE).read_bytes()))
    entries[-5] = altered(entries[-5])
    (ended.desks.folders[0].path / LOG_FILE).write_bytes(log_octets(entries))
    with pytest.raises(BoardDiffers):
        ended.decrypt()
    assert ended.desks.folders[0].get("decrypted-aggregate") is None


def test_a_nonce_stays_secret_before_the_time_of_its_block_by_the_trustees_own_clock(
    ended: EndedBoard,
) -> None:
    election = ended.desks.election
    time = election.manifest.tie_block_time
    election.travel_to(time + 1)
    election.settle(lambda: election.application.publication.tie_block() is not None)
    folder = ended.desks.folders[0]
    early = TrusteeOffice(folder, ended.transport, SettableClock(time - 1))
    with pytest.raises(TieBlockTooEarly):
        early.reveal_nonce()
    assert "/tie-nonces" not in [path for _, path, _ in ended.transport.sent]
    TrusteeOffice(folder, ended.transport, SettableClock(time)).reveal_nonce()
    assert folder.get("delivered-tie_nonce") is not None
