"""The board: entries, their order, checkpoints, and what shows no order of arrival."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.voting import Body, election, signing_key, submit, voter
from wallet.crypto.merkle import MerkleTree, leaf_hash, verify_consistency, verify_inclusion
from wallet.encoding.deterministic_cbor import to_cbor
from wallet.voting.acceptance import Submission
from wallet.voting.board import (
    Checkpoint,
    Entry,
    LogMalformed,
    LogOrderInvalid,
    acceptance_body,
    check_order,
    checkpoint_body,
    close_body,
    end_body,
    log_octets,
    order_batch,
    parse_entry,
    parse_log,
    rejection_body,
    rejections_body,
    verify_acceptance,
    verify_checkpoint,
)
from wallet.voting.statements import (
    StatementMalformed,
    StatementSignatureInvalid,
    sign_statement,
)

ELECTION = election()
KINDS = (
    "manifest", "dkg_commit", "dkg_reveal", "dkg_shares", "dkg_verdict", "election_key",
    "ballot", "rejections", "ballot", "close", "batch", "batch", "end",
)  # fmt: skip


def log(kinds: tuple[str, ...] = KINDS) -> list[Entry]:
    return [Entry(number, kind, b"payload") for number, kind in enumerate(kinds)]


def test_a_log_survives_its_file() -> None:
    assert list(parse_log(log_octets(log()))) == log()
    check_order(log())
    check_order([])
    check_order(log()[:7])


@pytest.mark.parametrize("cut", [1, 3, 5, 12])
def test_a_log_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(LogMalformed):
        list(parse_log(log_octets(log())[:-cut]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        to_cbor({1: 0, 2: "ballot"}),
        to_cbor({1: 0, 2: "gossip", 3: b""}),
        to_cbor({1: b"", 2: "ballot", 3: b""}),
        to_cbor({1: 0, 2: ["ballot"], 3: b""}),
        to_cbor({1: 0, 2: "ballot", 3: "text"}),
        to_cbor([0, "ballot", b""]),
        bytes(513 * 1024),
    ],
)
def test_rejects_what_is_no_entry(data: bytes) -> None:
    with pytest.raises(LogMalformed):
        parse_entry(data)


@given(st.binary(max_size=60))
@settings(max_examples=50, deadline=None)
def test_any_bytes_are_an_entry_or_malformed(data: bytes) -> None:
    try:
        entry = parse_entry(data)
    except LogMalformed:
        return
    assert entry.octets == data


@pytest.mark.parametrize(
    "kinds",
    [
        KINDS[1:],
        ("manifest", *KINDS),
        (*KINDS[:1], "dkg_reveal", "dkg_commit"),
        (*KINDS, "ballot"),
        (*KINDS[:6], "close", "ballot"),
        (*KINDS[:6], "batch", "close"),
        (*KINDS, "end"),
    ],
    ids=[
        "no manifest", "two manifests", "rounds exchanged", "a ballot behind the end",
        "a ballot after the close", "a batch before the close", "two ends",
    ],
)  # fmt: skip
def test_rejects_kinds_where_they_cannot_stand(kinds: tuple[str, ...]) -> None:
    with pytest.raises(LogOrderInvalid):
        check_order(log(kinds))


def test_a_reordered_log_shows() -> None:
    entries = log()
    swapped = [*entries[:6], entries[7], entries[6], *entries[8:]]
    with pytest.raises(LogOrderInvalid):
        check_order(swapped)
    renumbered = [Entry(number, item.kind, item.payload) for number, item in enumerate(swapped)]
    check_order(renumbered)
    assert (
        MerkleTree([entry.leaf for entry in renumbered]).root
        != MerkleTree([entry.leaf for entry in entries]).root
    )


def test_a_receipt_is_an_inclusion_proof_and_boards_are_shown_to_grow() -> None:
    leaves = [entry.leaf for entry in log()]
    small, tree = MerkleTree(leaves[:8]), MerkleTree(leaves)
    verify_inclusion(leaves[6], 6, tree.size, tree.inclusion_path(6), tree.root)
    verify_consistency(8, small.root, tree.size, tree.root, tree.consistency_path(8))


def accepted() -> list[Submission]:
    first = [submit(ELECTION, voter(number), (1, 0, 0, 0, 0, 0)) for number in range(1, 6)]
    again = [submit(ELECTION, voter(2), (0, 1, 0, 0, 0, 0), sequence) for sequence in (2, 3, 4)]
    return first + again


def test_what_is_published_shows_no_order_of_arrival() -> None:
    arrived = accepted()
    shuffled = random.Random(3).sample(arrived, len(arrived))
    published = order_batch(arrived)
    assert order_batch(shuffled) == published
    places = sorted(item.digest for item in arrived)
    nullifier = arrived[1].ballot.header.nullifier
    for place, item in zip(places, published, strict=True):
        if item.ballot.header.nullifier != nullifier:
            assert item.digest == place
    sequences = [
        item.ballot.header.sequence
        for item in published
        if item.ballot.header.nullifier == nullifier
    ]
    assert sequences == [1, 2, 3, 4]


CHECKPOINT = Checkpoint(3, 12, bytes(range(32)), 1_800_000_600)
BODY = checkpoint_body(ELECTION, CHECKPOINT)


def test_a_checkpoint_is_the_boards() -> None:
    board = signing_key("board")
    assert verify_checkpoint(sign_statement(board, BODY), ELECTION) == CHECKPOINT
    with pytest.raises(StatementSignatureInvalid):
        verify_checkpoint(sign_statement(signing_key("officer"), BODY), ELECTION)
    for changes in (
        {"election": "00" * 32},
        {"number": 0},
        {"number": True},
        {"size": -1},
        {"root": "00"},
        {"extra": 1},
    ):
        wrong: Body = {**BODY, **changes}
        with pytest.raises(StatementMalformed):
            verify_checkpoint(sign_statement(board, wrong), ELECTION)


def test_an_acceptance_is_evidence_for_one_ballot() -> None:
    digest = bytes(32)
    statement = sign_statement(signing_key("board"), acceptance_body(ELECTION, digest, 1234))
    assert verify_acceptance(statement, ELECTION, digest) == 1234
    with pytest.raises(StatementMalformed):
        verify_acceptance(statement, ELECTION, bytes([1] * 32))
    with pytest.raises(StatementSignatureInvalid):
        verify_acceptance(
            sign_statement(signing_key("officer"), acceptance_body(ELECTION, digest, 1234)),
            ELECTION,
            digest,
        )


def test_rejections_name_bytes_and_codes_in_an_order_that_tells_nothing() -> None:
    found = [(bytes([number]) * 32, "ballot_malformed") for number in (9, 3, 5)]
    body = rejections_body(ELECTION, found)
    listed = [item["submission"] for item in body["rejections"]]
    assert listed == sorted(listed)
    assert set(rejection_body(ELECTION, bytes(32), "x")) == {
        "kind", "election", "submission", "code",
    }  # fmt: skip
    for wrong in ([], found * 400):
        with pytest.raises(StatementMalformed):
            rejections_body(ELECTION, wrong)


def test_the_close_names_what_counts() -> None:
    counted = [item.digest for item in accepted()[:3]]
    body = close_body(ELECTION, 8, counted)
    root = MerkleTree([leaf_hash(digest) for digest in counted]).root
    assert (body["ballots"], body["counted"], body["counted_root"]) == (8, 3, root.hex())
    assert end_body(ELECTION, 2)["batches"] == 2
