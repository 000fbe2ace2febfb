"""An election that the project's own code makes, verified by code that shares nothing with it."""

from collections import Counter
from hashlib import sha256
from random import Random

from mvote_verify.plan import Status
from tests.mvote_verify.conftest import Verify
from tests.support.mvote.records import Files
from tests.support.voting import Trustees, manifest, signing_key, submit, voter
from wallet.voting.acceptance import counted_ballots
from wallet.voting.aggregate import aggregate_board
from wallet.voting.batches import Batch
from wallet.voting.board import (
    Checkpoint,
    Entry,
    checkpoint_body,
    close_body,
    end_body,
    log_octets,
    order_batch,
    rejections_body,
)
from wallet.voting.decryption import check_shares, decryption_share_body
from wallet.voting.outcome import decide_outcome
from wallet.voting.record import (
    anchors_octets,
    checkpoints_octets,
    record_octets,
    shares_octets,
)
from wallet.voting.statements import sign_statement
from wallet.voting.tally import tally_board
from wallet.voting.tie_break import TieBlock, break_ties, tie_nonce_body, tie_octets

NAMES = ("citizen", "committee")


def _root(entries: list[Entry]) -> bytes:
    def of(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return leaves[0]
        k = 1 << ((len(leaves) - 1).bit_length() - 1)
        return sha256(b"\1" + of(leaves[:k]) + of(leaves[k:])).digest()

    return of([entry.leaf for entry in entries])


def _record() -> Files:
    trustees = Trustees(manifest())
    result = trustees.run()
    vote, rules = result.election, trustees.manifest
    board, officer, random = signing_key("board"), signing_key("officer"), Random(7)
    entries: list[Entry] = []

    def append(kind: str, payload: bytes) -> None:
        entries.append(Entry(len(entries), kind, payload))

    append("manifest", rules.octets)
    kinds = ("dkg_commit", "dkg_reveal", "dkg_shares", "dkg_verdict")
    counts: Counter[bytes] = Counter()
    for payload in trustees.ceremony.payloads:
        kind = next(kind for kind in kinds if f'"kind":"{kind}"'.encode() in payload)
        counts[kind.encode()] += 1
        append(kind, payload)
    append("election_key", sign_statement(board, result.entry_body).octets)
    checkpoints = [Checkpoint(1, len(entries), _root(entries), rules.opens)]
    ballots = []
    for number in range(1, 50):
        name = NAMES[number > 25]
        bits = [0] * 6
        bits[random.choice((2, 3, 4))] = 1
        ballots.append(submit(vote, voter(number, stratum=name), bits))
    ballots.append(submit(vote, voter(3), [0, 0, 0, 0, 0, 1], 2))
    log_order = list(order_batch(ballots))
    for submission in log_order:
        append("ballot", submission.ballot.octets)
    refused = rejections_body(vote, [(sha256(b"x").digest(), "ballot_malformed")])
    append("rejections", sign_statement(board, refused).octets)
    checkpoints.append(Checkpoint(2, len(entries), _root(entries), rules.closes))
    counted = counted_ballots(log_order)
    digests = [submission.digest for submission in counted]
    append("close", sign_statement(board, close_body(vote, len(log_order), digests)).octets)
    batch = Batch(1, 1, "paper", "citizen", 9, (1, 2, 3, 4, 5, 6))
    append("batch", sign_statement(officer, batch.body(vote)).octets)
    append("end", sign_statement(board, end_body(vote, 1)).octets)
    root = _root(entries)
    checkpoints.append(Checkpoint(3, len(entries), root, rules.closes + rules.grace_s))

    aggregate = aggregate_board(vote, len(entries), root, counted)
    statements = [
        trustees.sign(
            i, decryption_share_body(aggregate, trustees.share(result, i), decrypted_before=None)
        )
        for i in (1, 3, 4, 5)
    ]
    shares, ignored = check_shares(statements, aggregate, result)
    tally = tally_board(aggregate, shares, ignored, [batch])
    block = TieBlock(77, sha256(b"block").digest(), rules.tie_block_time + 1)
    nonces = [trustees.sign(i, tie_nonce_body(vote, trustees.own[i])) for i in trustees.own]
    nonces_or_null = [None, *nonces[1:]]
    tie = break_ties(block, nonces_or_null, result)
    outcome = decide_outcome(rules, vote.digest, tally.groups, tie)
    files = {
        "manifest.json": rules.octets,
        "log.bin": log_octets(entries),
        "checkpoints.ndjson": checkpoints_octets(
            [sign_statement(board, checkpoint_body(vote, c)) for c in checkpoints]
        ),
        "shares.json": shares_octets(statements),
        "tie.json": tie_octets(vote, block, nonces_or_null),
        "tally.json": tally.octets,
        "outcome.json": outcome.octets,
    }
    hashes = {name: sha256(data).digest() for name, data in files.items()}
    return {
        **files,
        "record.json": record_octets(vote, hashes),
        "anchors.json": anchors_octets(bytes(32), [], None),
    }


def test_the_two_agree_on_a_whole_election(verify: Verify) -> None:
    results = verify(_record()).results
    skipped = {n: r for n, r in results.items() if r.status is not Status.PASSED}
    assert {n: (r.status, r.code) for n, r in skipped.items()} == dict.fromkeys(
        (6, 16, 18, 20), (Status.SKIPPED, None)
    )
    assert results[14].notes == ("trustee 2 is ignored: share_missing",)
