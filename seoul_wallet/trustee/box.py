"""A trustee's way to the ballot box: as a voter's, and what only trustees send."""

from __future__ import annotations

from typing import Final

from wallet.encoding.json import parse_json_object
from wallet.errors import ConflictError, RejectedError
from wallet.holder.answers import JSON, AnswerUnexpected, check_reachable, json_answer
from wallet.holder.ballot_box import (
    MAX_BEGINNING,
    MAX_STATEMENT_BYTES,
    PROBLEM,
    BallotBoxClient,
    BoxAnswerMalformed,
)
from wallet.voting.board import CEREMONY, Entry
from wallet.voting.decryption import KIND as SHARE
from wallet.voting.manifest import Manifest
from wallet.voting.published import is_beginning
from wallet.voting.shapes import MAX_INTEGER, Shape
from wallet.voting.statements import Statement
from wallet.voting.tie_break import KIND as NONCE
from wallet.voting.tie_break import TieBlock

_PATHS: Final = {
    **dict.fromkeys(CEREMONY, "ceremony"),
    SHARE: "decryption-shares",
    NONCE: "tie-nonces",
}
_REASON: Final = 64
_SHAPE: Final = Shape(BoxAnswerMalformed)


class BoxRefusedStatement(RejectedError):
    """The ballot box checked what the trustee sent and refused it. `reason` is its code."""

    code = "ballot_box_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the ballot box refused: {reason}")
        self.reason = reason


class BoxNotReady(ConflictError):
    """It is too early or too late for this at the ballot box. `reason` is its code."""

    code = "ballot_box_not_ready"

    def __init__(self, reason: str) -> None:
        super().__init__(f"not now: {reason}")
        self.reason = reason


class TrusteeBoxClient(BallotBoxClient):
    """The ballot box at `base_url`, for a trustee. Raises as `BallotBoxClient`."""

    def beginning(self, manifest: Manifest) -> tuple[Entry, ...]:
        """Return what is published of the key ceremony: manifest, rounds that are over, key.

        Raises as `entries`. Nothing is checked but the numbers.
        """
        entries: list[Entry] = []
        most = min(2 + 4 * len(manifest.trustees), MAX_BEGINNING)
        while not is_beginning(entries):
            page = self.entries(len(entries), most - len(entries))
            for entry in page:
                if not is_beginning(entries):
                    entries.append(entry)
            if not page:
                break
        return tuple(entries)

    def tie_block(self) -> TieBlock:
        """Return the block of the tie-break that the box names. Raises `BoxNotReady` before."""
        answer = self._transport.get(self._url("tie-block"), accept=JSON)
        if answer.status == 409:
            raise BoxNotReady("tally_not_open")
        value = json_answer(answer, what="the block", max_bytes=MAX_STATEMENT_BYTES)
        _SHAPE.members(value, "number", "hash", "time")
        return TieBlock(
            _SHAPE.integer(value["number"]),
            _SHAPE.octets(value["hash"], 32),
            _SHAPE.integer(value["time"], high=MAX_INTEGER),
        )

    def send_statement(self, statement: Statement) -> None:
        """Send a ceremony message, a decryption share or a nonce; again is no error.

        Raises `BoxNotReady`, `BoxRefusedStatement`, `PeerUnreachable`, `AnswerUnexpected`.
        """
        answer = self._transport.post_body(
            self._url(_PATHS[statement.kind]),
            statement.octets,
            content_type=JSON,
            headers={"Accept": JSON},
        )
        check_reachable(answer, what=statement.kind)
        if answer.status == 202:
            return
        if answer.content_type != PROBLEM:
            raise AnswerUnexpected(f"it was answered with status {answer.status}")
        problem = parse_json_object(answer.body, max_bytes=MAX_STATEMENT_BYTES)
        reason = problem.get("code")
        if type(reason) is not str or not 0 < len(reason) <= _REASON:
            raise BoxAnswerMalformed("the refusal has no code")
        if answer.status == 409:
            raise BoxNotReady(reason)
        raise BoxRefusedStatement(reason)
