"""The board: entries of the log, checkpoints, and the statements that the ballot box signs.

docs/voting.md, section 9. The log is a list; its tree is `wallet.crypto.merkle` over the bytes of
the entries. Keeping it is the ballot box's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wallet.crypto.merkle import HASH_BYTES, MerkleTree, leaf_hash
from wallet.crypto.secp256k1 import Point
from wallet.encoding.deterministic_cbor import DeterministicCborMalformed, parse_cbor, to_cbor
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError
from wallet.voting.acceptance import Submission
from wallet.voting.election import Election
from wallet.voting.shapes import MAX_INTEGER
from wallet.voting.statements import STATEMENT_SHAPE, Statement, verify_statement

MANIFEST: Final = "manifest"
CEREMONY: Final = ("dkg_commit", "dkg_reveal", "dkg_shares", "dkg_verdict")
ELECTION_KEY: Final = "election_key"
BALLOT: Final = "ballot"
REJECTIONS: Final = "rejections"
CLOSE: Final = "close"
BATCH: Final = "batch"
END: Final = "end"
# Entries of a kind never come before entries of a kind to the left; ballots and rejections mix.
_PLACES: Final = (
    (MANIFEST,),
    *((kind,) for kind in CEREMONY),
    (ELECTION_KEY,),
    (BALLOT, REJECTIONS),
    (CLOSE,),
    (BATCH,),
    (END,),
)
_ORDER: Final = {kind: place for place, kinds in enumerate(_PLACES) for kind in kinds}
_ONCE: Final = (MANIFEST, ELECTION_KEY, CLOSE, END)
MAX_ENTRIES: Final = 2**32
MAX_ENTRY_BYTES: Final = 512 * 1024
MAX_REJECTIONS: Final = 1000
_LENGTH_BYTES: Final = 4


class LogMalformed(MalformedError):
    """Not an entry of a board's log, or not a log."""

    code = "log_malformed"


class LogOrderInvalid(RejectedError):
    """The entries of a log are not numbered through, or a kind stands where it cannot."""

    code = "log_order"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: its place from 0, its kind, and its payload as it was published."""

    index: int
    kind: str
    payload: bytes

    @property
    def octets(self) -> bytes:
        """The CBOR map, which is a leaf of the tree."""
        return to_cbor({1: self.index, 2: self.kind, 3: self.payload})

    @property
    def leaf(self) -> bytes:
        """The leaf hash."""
        return leaf_hash(self.octets)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a board at a time."""

    number: int
    size: int
    root: bytes
    time: int


def parse_entry(data: bytes) -> Entry:
    """Return the entry. Raises `LogMalformed`. The payload is not looked at."""
    if len(data) > MAX_ENTRY_BYTES:
        raise LogMalformed(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    try:
        value = parse_cbor(data)
    except DeterministicCborMalformed as error:
        raise LogMalformed("an entry is deterministic CBOR") from error
    if type(value) is not dict or list(value) != [1, 2, 3]:
        raise LogMalformed("an entry is a map with the keys 1 to 3")
    index, kind, payload = value.values()
    if (type(index), type(kind), type(payload)) != (int, str, bytes) or kind not in _ORDER:
        raise LogMalformed("a member of the entry is of another kind")
    return Entry(index, kind, payload)


def log_octets(entries: Sequence[Entry]) -> bytes:
    """The entries as they stand in log.bin, each behind its length."""
    parts: list[bytes] = []
    for entry in entries:
        octets = entry.octets
        parts += (len(octets).to_bytes(_LENGTH_BYTES, "big"), octets)
    return b"".join(parts)


def parse_log(data: bytes) -> Iterator[Entry]:
    """Yield the entries of log.bin. Raises `LogMalformed`; order and numbers are not checked."""
    position = 0
    while position < len(data):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data):
            raise LogMalformed("the log is cut off")
        yield parse_entry(data[start:position])


def check_order(entries: Sequence[Entry]) -> None:
    """Return if the entries are those of a board from its beginning, complete or not yet.

    Raises `LogOrderInvalid`.
    """
    place, seen = -1, set()
    for number, entry in enumerate(entries):
        if entry.index != number or _ORDER[entry.kind] < place:
            raise LogOrderInvalid("an entry is not where it belongs")
        if entry.kind in _ONCE and entry.kind in seen:
            raise LogOrderInvalid(f"there is one entry of the kind {entry.kind}")
        place = _ORDER[entry.kind]
        seen.add(entry.kind)
    if entries and entries[0].kind != MANIFEST:
        raise LogOrderInvalid("a log begins with the manifest")


def order_batch(submissions: Sequence[Submission]) -> tuple[Submission, ...]:
    """Return what was accepted since the last checkpoint in the order it is published.

    By digest, so that nobody sees who came when; where a voter has several ballots, their places
    are filled by ascending sequence.
    """
    ordered = sorted(submissions, key=lambda item: item.digest)
    places: dict[bytes, list[int]] = {}
    for place, submission in enumerate(ordered):
        places.setdefault(submission.ballot.header.nullifier, []).append(place)
    result = list(ordered)
    for own in places.values():
        by_sequence = sorted(
            (ordered[place] for place in own), key=lambda item: item.ballot.header.sequence
        )
        for place, submission in zip(own, by_sequence, strict=True):
            result[place] = submission
    return tuple(result)


def checkpoint_body(election: Election, checkpoint: Checkpoint) -> JsonObject:
    """The body of a checkpoint, for the board to sign."""
    return {
        "kind": "checkpoint",
        "election": election.digest.hex(),
        "number": checkpoint.number,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "time": checkpoint.time,
    }


def verify_checkpoint(statement: Statement, election: Election) -> Checkpoint:
    """Return the checkpoint that the board signed.

    Raises `StatementSignatureInvalid` or `StatementMalformed`. That it fits a log or the one
    before is not checked.
    """
    body = election_body(statement, "checkpoint", election, election.manifest.board_key)
    shape = STATEMENT_SHAPE
    shape.members(body, "kind", "election", "number", "size", "root", "time")
    return Checkpoint(
        shape.integer(body["number"], low=1),
        shape.integer(body["size"], high=MAX_ENTRIES),
        shape.octets(body["root"], HASH_BYTES),
        shape.integer(body["time"]),
    )


def acceptance_body(election: Election, ballot_digest: bytes, by: int) -> JsonObject:
    """The body of an acceptance: the ballot will be under a checkpoint not later than `by`."""
    return {
        "kind": "acceptance",
        "election": election.digest.hex(),
        "ballot": ballot_digest.hex(),
        "by": by,
    }


def verify_acceptance(statement: Statement, election: Election, ballot_digest: bytes) -> int:
    """Return the time by which the board promised to show this ballot.

    Raises `StatementSignatureInvalid` or `StatementMalformed`.
    """
    body = election_body(statement, "acceptance", election, election.manifest.board_key)
    STATEMENT_SHAPE.members(body, "kind", "election", "ballot", "by")
    if STATEMENT_SHAPE.octets(body["ballot"], HASH_BYTES) != ballot_digest:
        raise STATEMENT_SHAPE.refuse("the acceptance is of another ballot")
    return STATEMENT_SHAPE.integer(body["by"], high=MAX_INTEGER)


def rejection_body(election: Election, submission: bytes, code: str) -> JsonObject:
    """The body of a rejection; `submission` is the digest of the bytes that were sent."""
    return {
        "kind": "rejection",
        "election": election.digest.hex(),
        "submission": submission.hex(),
        "code": code,
    }


def rejections_body(election: Election, rejections: Sequence[tuple[bytes, str]]) -> JsonObject:
    """The body of an entry of 1 to 1000 rejections: (digest of the bytes sent, code)."""
    if not 1 <= len(rejections) <= MAX_REJECTIONS:
        raise STATEMENT_SHAPE.refuse(f"an entry lists 1 to {MAX_REJECTIONS} rejections")
    return {
        "kind": REJECTIONS,
        "election": election.digest.hex(),
        "rejections": [
            {"submission": submission.hex(), "code": code}
            for submission, code in sorted(rejections)
        ],
    }


def close_body(election: Election, ballots: int, counted: Sequence[bytes]) -> JsonObject:
    """The body of the close: how many ballots there are, and the root over those that count.

    `counted` are the digests of the ballots that count, in log order.
    """
    return {
        "kind": CLOSE,
        "election": election.digest.hex(),
        "ballots": ballots,
        "counted": len(counted),
        "counted_root": MerkleTree([leaf_hash(digest) for digest in counted]).root.hex(),
    }


def end_body(election: Election, batches: int) -> JsonObject:
    """The body of the last entry."""
    return {"kind": END, "election": election.digest.hex(), "batches": batches}


def election_body(statement: Statement, kind: str, election: Election, key: Point) -> JsonObject:
    """Return the body of a statement of this kind, about this election, signed by this key.

    Raises `StatementSignatureInvalid` or `StatementMalformed`.
    """
    body = verify_statement(statement, kind, key)
    if body.get("election") != election.digest.hex():
        raise STATEMENT_SHAPE.refuse(f"the {kind} is about another election")
    return body
