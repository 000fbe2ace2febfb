"""A voter's way to a ballot box: what it publishes and what it answers, over HTTP.

Nothing that comes is believed here beyond its form and the board's signature;
`wallet.holder.voting` judges what it means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wallet.encoding.json import parse_json_object
from wallet.errors import MalformedError, RejectedError
from wallet.holder.answers import JSON, AnswerUnexpected, check_reachable, json_answer
from wallet.ports.holder import HolderTransport, HttpAnswer
from wallet.voting.acceptance import ElectionNotOpen, submission_digest
from wallet.voting.board import (
    Checkpoint,
    Entry,
    LogMalformed,
    election_body,
    parse_log,
    verify_checkpoint,
)
from wallet.voting.election import Election
from wallet.voting.manifest import MAX_TRUSTEES, Manifest, parse_manifest
from wallet.voting.published import Receipt, is_beginning, open_beginning
from wallet.voting.shapes import MAX_DOCUMENT_BYTES, Shape
from wallet.voting.statements import Statement, statement_of

CBOR: Final = "application/cbor"
OCTETS: Final = "application/octet-stream"
PROBLEM: Final = "application/problem+json"
MAX_STATEMENT_BYTES: Final = 64 * 1024
MAX_PATH: Final = 128
# Manifest, four rounds of every trustee, key.
MAX_BEGINNING: Final = 2 + 4 * MAX_TRUSTEES
# As many of the largest entries still fit into one answer.
PAGE: Final = 20
_REASON: Final = 64


class BoxAnswerMalformed(MalformedError):
    """The ballot box answered with something else than its interface has."""

    code = "ballot_box_answer_malformed"


class BallotNotAccepted(RejectedError):
    """The ballot box refused the ballot. `reason` is its code.

    `rejection` is the board's signed word, which its log must list; None when it only said that
    the vote is not open.
    """

    code = "ballot_not_accepted"

    def __init__(self, reason: str, rejection: Statement | None) -> None:
        super().__init__(f"the ballot box refused the ballot: {reason}")
        self.reason = reason
        self.rejection = rejection


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A checkpoint and the statement by which the board vouches for it."""

    checkpoint: Checkpoint
    statement: Statement


@dataclass(frozen=True, slots=True)
class FoundBallot:
    """A receipt under a checkpoint that the board signed, and the entry it is said to be for."""

    receipt: Receipt
    head: SignedHead
    entry: Entry


_SHAPE: Final = Shape(BoxAnswerMalformed)


class BallotBoxClient:
    """The ballot box at `base_url`. Every method may raise what `HolderTransport` raises."""

    def __init__(self, base_url: str, transport: HolderTransport) -> None:
        self.base_url = base_url.rstrip("/")
        self._transport = transport

    def manifest(self) -> Manifest:
        """Return the manifest as published. Raises as `parse_manifest`, `AnswerUnexpected`."""
        answer = self._get("manifest.json", JSON, "the manifest")
        if len(answer.body) > MAX_DOCUMENT_BYTES:
            raise BoxAnswerMalformed("the manifest is too long")
        return parse_manifest(answer.body)

    def election(self, manifest: Manifest) -> Election:
        """Return the election of the board's beginning. Raises as `open_beginning`.

        Raises `ElectionNotOpen` while the trustees have not made its key.
        """
        entries: list[Entry] = []
        most = min(2 + 4 * len(manifest.trustees), MAX_BEGINNING)
        while not is_beginning(entries):
            page = self.entries(len(entries), most - len(entries))
            for entry in page:
                entries.append(entry)
                if is_beginning(entries):
                    break
            if not page:
                raise ElectionNotOpen("the election has no key yet")
        return open_beginning(manifest, entries)

    def entries(self, start: int, count: int) -> tuple[Entry, ...]:
        """Return up to `count` entries of the log from `start` on; fewer only at its end.

        Raises `LogMalformed`, `AnswerUnexpected`, and `BoxAnswerMalformed` for other entries.
        """
        if count < 1:
            return ()
        answer = self._get(f"log?start={start}&count={count}", OCTETS, "the log")
        found = tuple(parse_log(answer.body))
        if [entry.index for entry in found] != list(range(start, start + len(found))):
            raise LogMalformed("the entries are not those that were asked for")
        if len(found) > count:
            raise BoxAnswerMalformed("more entries than were asked for")
        return found

    def all_entries(self, size: int, *, start: int = 0) -> Iterator[Entry]:
        """Yield entries from `start` up to `size`. Raises as `entries`, and if some lack."""
        while start < size:
            page = self.entries(start, min(PAGE, size - start))
            if not page:
                raise BoxAnswerMalformed("the log is shorter than its checkpoint says")
            yield from page
            start += len(page)

    def newest_head(self, election: Election) -> SignedHead | None:
        """Return the newest checkpoint, None before there is one."""
        answer = self._transport.get(self._url("checkpoints/newest"), accept=JSON)
        if answer.status == 404:
            return None
        value = json_answer(answer, what="the checkpoint", max_bytes=MAX_STATEMENT_BYTES)
        return _head(value, election)

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Return the path that is said to lead from the smaller tree to the larger."""
        path = f"proofs/consistency?old_size={old_size}&size={size}"
        value = json_answer(
            self._transport.get(self._url(path), accept=JSON),
            what="the proof",
            max_bytes=MAX_STATEMENT_BYTES,
        )
        return _path(_SHAPE.members(value, "path")["path"])

    def find_ballot(self, election: Election, code: str) -> FoundBallot | None:
        """Return what the board says to a tracking code, None if it does not know it."""
        answer = self._transport.get(self._url(f"ballots/{code}"), accept=JSON)
        if answer.status == 404:
            return None
        value = _SHAPE.members(
            json_answer(answer, what="the receipt", max_bytes=MAX_STATEMENT_BYTES),
            *("index", "checkpoint", "path"),
        )
        head = _head(value["checkpoint"], election)
        index = _SHAPE.integer(value["index"])
        receipt = Receipt(index, head.checkpoint, _path(value["path"]))
        found = self.entries(index, 1)
        if not found:
            raise BoxAnswerMalformed("the board does not show the entry of its receipt")
        return FoundBallot(receipt, head, found[0])

    def send(self, election: Election, octets: bytes) -> Statement:
        """Send a ballot and return what the box says is its acceptance, not verified.

        Sending the same bytes again is safe. Raises `BallotNotAccepted` for a verdict,
        `PeerUnreachable`, `BoxAnswerMalformed`, `AnswerUnexpected`, `StatementMalformed`, and
        `StatementSignatureInvalid` for a rejection that the board did not sign.
        """
        url = self._url("ballots")
        answer = self._transport.post_body(
            url, octets, content_type=CBOR, headers={"Accept": JSON}
        )
        check_reachable(answer, what="the ballot")
        if answer.status == 201 and answer.content_type == JSON:
            return statement_of(parse_json_object(answer.body, max_bytes=MAX_STATEMENT_BYTES))
        raise _refusal(answer, election, octets)

    def _get(self, path: str, accept: str, what: str) -> HttpAnswer:
        answer = self._transport.get(self._url(path), accept=accept)
        check_reachable(answer, what=what)
        if answer.status != 200 or answer.content_type != accept:
            raise AnswerUnexpected(f"{what} was answered with status {answer.status}")
        return answer

    def _url(self, path: str) -> str:
        return f"{self.base_url}/{path}"


def _refusal(answer: HttpAnswer, election: Election, octets: bytes) -> Exception:
    if answer.content_type != PROBLEM:
        return AnswerUnexpected(f"the ballot was answered with status {answer.status}")
    value = parse_json_object(answer.body, max_bytes=MAX_STATEMENT_BYTES)
    reason = value.get("code")
    if type(reason) is not str or not 0 < len(reason) <= _REASON:
        return BoxAnswerMalformed("the refusal has no code")
    if "rejection" not in value:
        if reason != ElectionNotOpen.code:
            return AnswerUnexpected("the ballot was refused without the board's signature")
        return BallotNotAccepted(reason, None)
    statement = statement_of(value["rejection"])
    body = election_body(statement, "rejection", election, election.manifest.board_key)
    if (body.get("submission"), body.get("code")) != (submission_digest(octets).hex(), reason):
        return BoxAnswerMalformed("the rejection is of another ballot or for another reason")
    return BallotNotAccepted(reason, statement)


def _head(value: object, election: Election) -> SignedHead:
    statement = statement_of(value)
    return SignedHead(verify_checkpoint(statement, election), statement)


def _path(value: object) -> tuple[bytes, ...]:
    return _SHAPE.items(value, lambda step: _SHAPE.octets(step, 32), low=0, high=MAX_PATH)
