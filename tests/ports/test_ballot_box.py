"""The ballot box over every database: ceremony, ballots, checkpoints, close, batches, end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ballotbox.app import build_ballot_box
from ballotbox.errors import BatchesNotOpen, BoardEntryUnknown, BoardKeyDiffers
from ballotbox.service import BallotRefused
from tests.support.ballot_box import BEFORE, CHOICES, MANIFEST, Box
from tests.support.clock import SettableClock
from tests.support.voting import (
    CLOSES,
    OPENS,
    Trustees,
    cast,
    signing_key,
    voter,
)
from wallet.crypto.merkle import verify_consistency, verify_inclusion
from wallet.voting.acceptance import submission_digest
from wallet.voting.ballot import tracking_code
from wallet.voting.batches import Batch, BatchInvalid
from wallet.voting.board import (
    BALLOT,
    BATCH,
    CLOSE,
    END,
    REJECTIONS,
    check_order,
    parse_log,
    verify_acceptance,
    verify_checkpoint,
)
from wallet.voting.ceremony import CeremonyFailed, CeremonyOrderInvalid
from wallet.voting.statements import parse_statement, sign_statement

RACES = int(os.environ.get("SOAK_BALLOT_RACES", "1"))


@pytest.fixture
def box(empty_database_url: str) -> Iterator[Box]:
    running = Box(empty_database_url)
    yield running
    running.application.close()


def test_runs_an_election_from_the_ceremony_to_the_end(box: Box) -> None:
    box.open()
    election = box.box.election()
    ballots = [cast(election, voter(number), CHOICES) for number in (1, 2, 3)]
    for ballot in ballots:
        acceptance = box.box.accept(ballot.octets)
        by = verify_acceptance(acceptance, election, ballot.digest(election))
        assert by == OPENS + 2 * MANIFEST.checkpoint_every_s
    old = verify_checkpoint(parse_statement(box.box.board.newest_checkpoint().statement), election)
    assert BALLOT not in box.kinds()

    box.clock.set(OPENS + MANIFEST.checkpoint_every_s)
    box.box.work()
    box.restart()
    new = verify_checkpoint(parse_statement(box.box.board.newest_checkpoint().statement), election)
    path = box.box.board.consistency(old.size, new.size)
    verify_consistency(old.size, old.root, new.size, new.root, path)
    on_board = [entry for entry in box.box.board.entries(0, 100) if entry.kind == BALLOT]
    digests = sorted((ballot.digest(election), ballot.octets) for ballot in ballots)
    assert [entry.payload for entry in on_board] == [octets for _, octets in digests]
    receipt = box.box.board.receipt(tracking_code(ballots[0].digest(election)))
    leaf = box.box.board.entries(receipt.index, 1)[0].leaf
    verify_inclusion(leaf, receipt.index, new.size, receipt.path, new.root)

    box.clock.set(CLOSES)
    with pytest.raises(BallotRefused) as refused:
        box.box.accept(cast(election, voter(4), CHOICES).octets)
    assert (refused.value.cause.code, refused.value.rejection) == ("election_not_open", None)
    box.box.work()
    batch = signed_batch(box, 1)
    assert box.box.take_batch(batch) == 1
    assert box.box.take_batch(batch) == 1
    with pytest.raises(BatchInvalid):
        box.box.take_batch(signed_batch(box, 3))
    box.clock.set(CLOSES + MANIFEST.grace_s // 2)
    box.box.work()
    box.box.work()
    with pytest.raises(BatchesNotOpen):
        box.box.take_batch(signed_batch(box, 2))
    entries = list(parse_log(box.box.board.log(0, 100)))
    check_order(entries)
    assert [entry.kind for entry in entries][-3:] == [CLOSE, BATCH, END]
    last = verify_checkpoint(
        parse_statement(box.box.board.newest_checkpoint().statement), election
    )
    assert last.size == len(entries)


def signed_batch(box: Box, number: int) -> bytes:
    batch = Batch(1, number, "paper", "citizen", 10, (1, 2, 3, 0, 0, 0))
    return sign_statement(signing_key("officer"), batch.body(box.box.election())).octets


def test_a_ballot_that_is_sent_again_gets_the_same_acceptance(box: Box) -> None:
    box.open()
    ballot = cast(box.box.election(), voter(1), CHOICES).octets
    first = box.box.accept(ballot)
    box.restart()
    box.clock.set(OPENS + 5 * MANIFEST.checkpoint_every_s)
    assert box.box.accept(ballot) == first
    box.clock.set(CLOSES + 1)
    box.box.work()
    assert box.box.accept(ballot) == first
    assert box.kinds().count(BALLOT) == 1


@pytest.mark.soak
def test_of_16_casts_at_once_of_one_nullifier_one_counts_and_none_is_lost(box: Box) -> None:
    box.open()
    election = box.box.election()

    def send(octets: bytes) -> str:
        try:
            box.box.accept(octets)
        except BallotRefused as refused:
            return refused.cause.code
        return "accepted"

    for number in range(RACES):
        ballots = [cast(election, voter(1), CHOICES, number + 1).octets for _ in range(16)]
        with ThreadPoolExecutor(16) as pool:
            told = list(pool.map(send, ballots))
        assert sorted(told) == ["accepted"] + ["ballot_sequence"] * 15
        # Whoever was told yes has it in writing, and is told so again.
        assert send(ballots[told.index("accepted")]) == "accepted"
    box.clock.set(OPENS + MANIFEST.checkpoint_every_s)
    box.box.work()
    assert box.kinds().count(BALLOT) == RACES


def test_logs_and_signs_what_it_refuses(box: Box) -> None:
    box.open()
    election = box.box.election()
    box.box.accept(cast(election, voter(1), CHOICES).octets)
    gap = cast(election, voter(2), CHOICES, sequence=2).octets
    forged = bytearray(cast(election, voter(3), CHOICES).octets)
    forged[-1] ^= 1
    expected = {
        b"no ballot": "ballot_malformed",
        gap: "ballot_sequence",
        bytes(forged): "eligibility_proof_invalid",
    }
    for octets, code in expected.items():
        with pytest.raises(BallotRefused) as refused:
            box.box.accept(octets)
        assert refused.value.cause.code == code
        assert refused.value.rejection is not None
        assert refused.value.rejection.body["submission"] == submission_digest(octets).hex()
    box.clock.set(OPENS + MANIFEST.checkpoint_every_s)
    box.box.work()
    (entry,) = (item for item in box.box.board.entries(0, 100) if item.kind == REJECTIONS)
    listed = parse_statement(entry.payload).body["rejections"]
    assert {(bytes.fromhex(item["submission"]), item["code"]) for item in listed} == {
        (submission_digest(octets), code) for octets, code in expected.items()
    }


def test_takes_ballots_from_the_opening_to_the_second_before_the_close(box: Box) -> None:
    box.run_ceremony()
    election = box.box.election()
    for now, number in ((OPENS - 1, 1), (CLOSES, 2), (CLOSES + 1, 3)):
        box.clock.set(now)
        with pytest.raises(BallotRefused) as refused:
            box.box.accept(cast(election, voter(number), CHOICES).octets)
        assert refused.value.cause.code == "election_not_open"
    for now, number in ((OPENS, 1), (CLOSES - 1, 2)):
        box.clock.set(now)
        box.box.accept(cast(election, voter(number), CHOICES).octets)
    box.clock.set(CLOSES)
    box.box.work()
    assert box.kinds()[-3:] == [BALLOT, BALLOT, CLOSE]


def test_a_message_of_the_ceremony_is_hidden_until_its_round_ends(box: Box) -> None:
    trustees = Trustees(MANIFEST)
    trustees.run_round()
    first, second = trustees.ceremony.payloads
    box.box.ceremony.take(second)
    box.box.ceremony.take(second)
    box.box.work()
    assert box.kinds() == ["manifest"]
    trustees.run_round()
    with pytest.raises(CeremonyOrderInvalid):
        box.box.ceremony.take(trustees.ceremony.payloads[2])
    box.box.ceremony.take(first)
    box.box.work()
    assert [entry.payload for entry in box.box.board.entries(1, 9)] == [first, second]


def test_a_ceremony_that_nobody_finishes_has_no_key(box: Box) -> None:
    for _ in range(4):
        box.clock.set(box.clock.now() + 100)
        with pytest.raises(CeremonyFailed):
            box.box.work()
    assert box.kinds() == ["manifest"]


def test_shows_nothing_that_is_not_published(box: Box) -> None:
    box.open()
    election = box.box.election()
    ballot = cast(election, voter(1), CHOICES)
    box.box.accept(ballot.octets)
    size = box.box.board.published_size()
    with pytest.raises(BoardEntryUnknown):
        box.box.board.receipt(tracking_code(ballot.digest(election)))
    with pytest.raises(BoardEntryUnknown):
        box.box.board.inclusion(size, size + 1)
    with pytest.raises(BoardEntryUnknown):
        box.box.board.consistency(1, size + 1)


def test_a_turn_that_fails_leaves_nothing_behind(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.open()
    box.box.accept(cast(box.box.election(), voter(1), CHOICES).octets)
    before = box.kinds()

    class Killed(Exception):
        pass

    def kill(*_: object) -> None:
        raise Killed

    box.clock.set(OPENS + MANIFEST.checkpoint_every_s)
    with monkeypatch.context() as patch:
        patch.setattr("ballotbox.storage.turns.SqlTurn.add_checkpoint", kill)
        with pytest.raises(Killed):
            box.box.work()
    assert box.kinds() == before
    box.box.work()
    assert box.kinds() == [*before, BALLOT]


def test_answers_over_http_what_the_service_says(box: Box) -> None:
    box.open()
    election = box.box.election()
    client = box.application.flask_app.test_client()
    ballot = cast(election, voter(1), CHOICES)
    sent = client.post("/ballots", data=ballot.octets, content_type="application/cbor")
    assert sent.status_code == 201
    verify_acceptance(parse_statement(sent.data), election, ballot.digest(election))
    refused = client.post("/ballots", data=b"x", content_type="application/cbor")
    assert (refused.status_code, refused.json["code"]) == (400, "ballot_malformed")
    assert refused.json["rejection"]["body"]["code"] == "ballot_malformed"
    assert client.post("/ballots", data=b"x", content_type="text/plain").status_code == 415
    assert client.get("/ballots/AAAA-AAAA-AAAA-AAAA-AAAA").status_code == 404
    assert client.get("/proofs/inclusion?index=0").status_code == 400
    box.clock.set(OPENS + MANIFEST.checkpoint_every_s)
    box.box.work()
    code = tracking_code(ballot.digest(election))
    receipt = client.get(f"/ballots/{code}").json
    path = [bytes.fromhex(step) for step in receipt["path"]]
    body = receipt["checkpoint"]["body"]
    (entry,) = parse_log(client.get(f"/log?start={receipt['index']}&count=1").data)
    root = bytes.fromhex(body["root"])
    verify_inclusion(entry.leaf, receipt["index"], body["size"], tuple(path), root)
    assert client.get("/manifest.json").data == MANIFEST.octets
    assert len(client.get("/checkpoints").json["checkpoints"]) == 2


def test_refuses_a_signing_key_that_is_not_the_boards(empty_database_url: str) -> None:
    with pytest.raises(BoardKeyDiffers):
        build_ballot_box(
            MANIFEST, signing_key("officer"), empty_database_url, SettableClock(BEFORE)
        )
