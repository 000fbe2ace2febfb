"""A whole election, from the manifest to the funded projects, without services."""

from __future__ import annotations

import random
from hashlib import sha256

from tests.support.voting import (
    CLOSES,
    OPENS,
    Trustees,
    cast,
    manifest,
    signing_key,
    voter,
)
from wallet.crypto.merkle import MerkleTree
from wallet.encoding.json import parse_json
from wallet.voting.acceptance import (
    ReplayedHistory,
    Submission,
    VerifiedBallot,
    check_ballots,
    check_history,
    check_is_open,
    counted_ballots,
    open_submission,
)
from wallet.voting.aggregate import aggregate_board
from wallet.voting.batches import Batch, verify_batch
from wallet.voting.board import (
    Checkpoint,
    Entry,
    check_order,
    checkpoint_body,
    close_body,
    end_body,
    log_octets,
    order_batch,
    parse_log,
    rejections_body,
    verify_checkpoint,
)
from wallet.voting.ceremony import replay_ceremony
from wallet.voting.decryption import check_shares, decryption_share_body
from wallet.voting.outcome import decide_outcome
from wallet.voting.record import (
    anchors_octets,
    checkpoints_octets,
    record_octets,
    shares_octets,
    tally_digest,
)
from wallet.voting.statements import parse_statement, sign_statement
from wallet.voting.tally import tally_board
from wallet.voting.tie_break import TieBlock, break_ties, tie_nonce_body, tie_octets

RANDOM = random.Random(2027)
BOARD = signing_key("board")
CITIZENS, COMMITTEE, AGAIN = 24, 20, 4


class Log:
    """The entries so far."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, kind: str, payload: bytes) -> None:
        self.entries.append(Entry(len(self.entries), kind, payload))

    @property
    def root(self) -> bytes:
        return MerkleTree([entry.leaf for entry in self.entries]).root


def random_choices() -> tuple[int, ...]:
    chosen = RANDOM.sample(range(6), RANDOM.randint(0, 3))
    return tuple(int(project in chosen) for project in range(6))


def test_an_election_is_counted_to_what_its_voters_chose() -> None:
    log = Log()
    trustees = Trustees(manifest())
    result = trustees.run()
    vote = result.election
    log.append("manifest", vote.manifest.octets)
    for payload in trustees.ceremony.payloads:
        log.append(parse_statement(payload).kind, payload)
    log.append("election_key", sign_statement(BOARD, result.entry_body).octets)

    strata = ["citizen"] * CITIZENS + ["committee"] * COMMITTEE
    last: dict[int, tuple[int, ...]] = {}
    sent: list[Submission] = []
    check_is_open(vote.manifest, OPENS)
    for number, name in enumerate(strata):
        for sequence in range(1, 3 if number < AGAIN else 2):
            last[number] = random_choices()
            ballot = cast(vote, voter(number, stratum=name), last[number], sequence)
            sent.append(open_submission(ballot.octets, vote))
    history = ReplayedHistory()
    outcomes = check_ballots(sent, vote)
    for submission, outcome in zip(sent, outcomes, strict=True):
        assert isinstance(outcome, VerifiedBallot)
        check_history(submission, history)
        history.add(submission)
    for submission in order_batch(sent):
        log.append("ballot", submission.ballot.octets)
    refused = [(sha256(b"something else").digest(), "ballot_malformed")]
    log.append("rejections", sign_statement(BOARD, rejections_body(vote, refused)).octets)

    accepted = [
        open_submission(entry.payload, vote) for entry in log.entries if entry.kind == "ballot"
    ]
    counted = counted_ballots(accepted)
    digests = [submission.digest for submission in counted]
    assert (len(accepted), len(counted)) == (CITIZENS + COMMITTEE + AGAIN, CITIZENS + COMMITTEE)
    log.append("close", sign_statement(BOARD, close_body(vote, len(accepted), digests)).octets)
    paper = Batch(1, 1, "paper", "citizen", 3, (3, 0, 0, 0, 1, 0))
    paper_statement = sign_statement(signing_key("officer"), paper.body(vote))
    log.append("batch", paper_statement.octets)
    log.append("end", sign_statement(BOARD, end_body(vote, 1)).octets)
    check_order(log.entries)
    assert list(parse_log(log_octets(log.entries))) == log.entries
    checkpoint = Checkpoint(1, len(log.entries), log.root, CLOSES)
    signed = sign_statement(BOARD, checkpoint_body(vote, checkpoint))
    assert verify_checkpoint(signed, vote) == checkpoint

    board = aggregate_board(vote, checkpoint.size, checkpoint.root, counted)
    shares = []
    for trustee in (1, 2, 4, 5):
        body = decryption_share_body(board, trustees.share(result, trustee), decrypted_before=None)
        if trustee == 2:
            body["proof"] = {**body["proof"], "e": "00" * 32}
        shares.append(trustees.sign(trustee, body))
    valid, ignored = check_shares(shares, board, result)
    tally = tally_board(board, valid, ignored, [verify_batch(paper_statement, vote)])
    assert tally.trustees == (1, 4, 5)
    assert tally.ignored == {2: "share_proof_invalid", 3: "share_missing"}
    citizens = [last[number] for number in range(CITIZENS)]
    committee = [last[number] for number in range(CITIZENS, CITIZENS + COMMITTEE)]
    for group, votes in zip(tally.groups, (citizens, committee), strict=True):
        assert group.totals == tuple(map(sum, zip(*votes, strict=True)))

    block = TieBlock(9, sha256(b"a block").digest(), CLOSES + 7201)
    nonces = [
        trustees.sign(number, tie_nonce_body(vote, trustees.own[number]))
        for number in result.qualified
    ]
    ties = break_ties(block, nonces, result)
    outcome = decide_outcome(vote.manifest, vote.digest, tally.groups, ties)
    assert outcome.spent <= vote.manifest.budget
    assert sum(project.votes for project in outcome.projects) == 4 + sum(map(sum, last.values()))

    files = {
        "shares.json": shares_octets(shares),
        "tie.json": tie_octets(vote, block, nonces),
        "tally.json": tally.octets,
        "outcome.json": outcome.octets,
    }
    assert len(tally_digest(*files.values())) == 32
    assert checkpoints_octets([signed]) == signed.octets + b"\n"
    digests = {name: sha256(data).digest() for name, data in files.items()}
    record = parse_json(record_octets(vote, digests))
    assert record["files"]["tally.json"] == sha256(tally.octets).hexdigest()
    anchors = parse_json(anchors_octets(bytes(32), [(1, bytes(32))], None))
    assert anchors["sealed"] is None

    replayed = replay_ceremony(
        vote.manifest, [entry.payload for entry in log.entries if entry.kind.startswith("dkg")]
    )
    assert replayed.election.digest == vote.digest
