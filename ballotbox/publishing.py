"""The board's clock: what was accepted is appended at checkpoints, then the close and the end.

docs/voting.md, section 9. A checkpoint and all it covers are one transaction: after a crash it is
there whole, or made by the next round of the worker.
"""

from __future__ import annotations

from ballotbox.ports import BoxRecords, SignedCheckpoint, Turn
from wallet.crypto.merkle import MerkleTree
from wallet.voting.acceptance import last_of_each, open_submission, submission_digest
from wallet.voting.board import (
    BALLOT,
    BATCH,
    CLOSE,
    END,
    MAX_REJECTIONS,
    REJECTIONS,
    Checkpoint,
    checkpoint_body,
    close_body,
    end_body,
    order_batch,
    rejections_body,
)
from wallet.voting.election import Election
from wallet.voting.manifest import Manifest
from wallet.voting.statements import StatementKey, sign_statement


def promised_by(manifest: Manifest, now: int) -> int:
    """When a ballot accepted now is under a checkpoint: one may be late by a whole period."""
    every = manifest.checkpoint_every_s
    period = (now - manifest.opens) // every
    # The close makes a checkpoint of its own.
    return min(manifest.opens + (period + 1) * every, manifest.closes) + every


def end_time(manifest: Manifest) -> int:
    """When the board ends: half of the grace is for batches, half for the last checkpoint."""
    return manifest.closes + manifest.grace_s // 2


def is_due(board: Turn | BoxRecords, manifest: Manifest, now: int) -> bool:
    """Whether the clock asks for a checkpoint."""
    state, newest = board.state(), board.newest_checkpoint()
    if now < manifest.opens or state.is_ended:
        return False
    if newest is None or (now >= manifest.closes and not state.is_closed):
        return True
    if now >= end_time(manifest):
        return True
    every = manifest.checkpoint_every_s
    tick = manifest.opens + (now - manifest.opens) // every * every
    return newest.checkpoint.time < tick


def make_checkpoint(
    turn: Turn, election: Election, key: StatementKey, now: int
) -> SignedCheckpoint:
    """Append what waits and sign a checkpoint over the whole log."""
    manifest = election.manifest
    if not turn.state().is_closed:
        _append_ballots(turn, election)
        _append_rejections(turn, election, key)
        if now >= manifest.closes:
            _append_close(turn, election, key)
    else:
        for payload in turn.waiting_batches():
            turn.append(BATCH, payload)
        turn.clear_batches()
    if turn.state().is_closed and now >= end_time(manifest):
        body = end_body(election, len(turn.payloads(BATCH)))
        turn.append(END, sign_statement(key, body).octets)
    newest = turn.newest_checkpoint()
    checkpoint = Checkpoint(
        1 if newest is None else newest.checkpoint.number + 1,
        turn.state().size,
        MerkleTree(turn.leaves()).root,
        # Another process's clock may be ahead; times never shrink.
        now if newest is None else max(now, newest.checkpoint.time),
    )
    statement = sign_statement(key, checkpoint_body(election, checkpoint))
    signed = SignedCheckpoint(checkpoint, statement.octets)
    turn.add_checkpoint(signed)
    return signed


def _append_ballots(turn: Turn, election: Election) -> None:
    waiting = [open_submission(octets, election) for octets in turn.waiting_ballots()]
    for submission in order_batch(waiting):
        octets = submission.ballot.octets
        turn.place(submission_digest(octets), turn.append(BALLOT, octets).index)


def _append_rejections(turn: Turn, election: Election, key: StatementKey) -> None:
    waiting = sorted(turn.waiting_rejections())
    for start in range(0, len(waiting), MAX_REJECTIONS):
        body = rejections_body(election, waiting[start : start + MAX_REJECTIONS])
        turn.append(REJECTIONS, sign_statement(key, body).octets)
    turn.clear_rejections()


def _append_close(turn: Turn, election: Election, key: StatementKey) -> None:
    # From what was noted of each ballot: opening all of them again would hold the turn for long.
    ballots = turn.placed_ballots()
    body = close_body(election, len(ballots), last_of_each(ballots))
    turn.append(CLOSE, sign_statement(key, body).octets)
