"""Add up the ballots of a closed board in chunks, and verify them on the way if asked.

Pure but for the `Compute` port. Two passes over the entries, which come in pages and are let go:
the first notes which ballots count, the second hands chunks of them out. What stays in memory is
a few hundred bytes for each ballot and the chunks under way, never the ballots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from wallet.crypto.elgamal import Ciphertext
from wallet.crypto.secp256k1 import POINT_BYTES, Point, add, parse_point
from wallet.errors import RejectedError
from wallet.ports.compute import Compute, ComputeUnavailable
from wallet.voting.acceptance import (
    BallotReplayed,
    ReplayedHistory,
    Submission,
    check_ballots,
    check_history,
    open_submission,
)
from wallet.voting.aggregate import (
    IDENTITY_OCTETS,
    Aggregate,
    Group,
    encode_or_identity,
    form_groups,
)
from wallet.voting.board import BALLOT, Entry
from wallet.voting.election import Election

CHUNK_BALLOTS: Final = 64
NO_GROUP: Final = -1
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class CountedBallot:
    """What is noted of a voter's last ballot: its entry, its digest, its stratum value."""

    index: int
    digest: bytes
    stratum: str


@dataclass(frozen=True, slots=True)
class BallotIndex:
    """Which of a board's ballots count, in log order; `ballots` is the number of all."""

    ballots: int
    counted: tuple[CountedBallot, ...]

    def numbers(self) -> dict[str, int]:
        """How many count by stratum value."""
        numbers: dict[str, int] = {}
        for ballot in self.counted:
            numbers[ballot.stratum] = numbers.get(ballot.stratum, 0) + 1
        return numbers


@dataclass(frozen=True, slots=True)
class ChunkItem:
    """A ballot of a chunk: its entry, the number of its group or `NO_GROUP`, its bytes."""

    index: int
    group: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """Ballots to be added up by one worker. `is_verified` skips the proofs: who accepted the
    ballots has checked them."""

    election: Election
    is_verified: bool
    items: tuple[ChunkItem, ...]

    @property
    def digest(self) -> bytes:
        """What the chunk's sums depend on."""
        hashed = sha256(b"recount/1" + bytes([self.is_verified]) + self.election.digest)
        for item in self.items:
            place = f"{item.index} {item.group} ".encode("ascii")
            hashed.update(place + sha256(item.octets).digest())
        return hashed.digest()


@dataclass(frozen=True, slots=True)
class ChunkSums:
    """The sums of a chunk by group: for each project A and B, 33 bytes each."""

    ballots: int
    sums: dict[int, bytes]


class SumStore(Protocol):
    """Keeps the sums of chunks, so that a count that was broken off goes on where it was."""

    def get(self, digest: bytes) -> ChunkSums | None:
        """Return the sums of the chunk with this digest, or None."""

    def put(self, digest: bytes, sums: ChunkSums) -> None:
        """Keep them."""


def index_ballots(entries: Iterable[Entry], election: Election) -> BallotIndex:
    """Note which ballots count; entries of other kinds are passed over.

    Raises `BallotMalformed`, `BallotNotEligible`, `BallotReplayed` and `BallotSequenceNotNext`
    for what no ballot box accepts. Proofs are not checked.
    """
    history = ReplayedHistory()
    last: dict[bytes, CountedBallot] = {}
    ballots = 0
    for entry in entries:
        if entry.kind != BALLOT:
            continue
        submission = open_submission(entry.payload, election)
        check_history(submission, history)
        history.add(submission)
        header = submission.ballot.header
        # Taken out first, so that the order is that of the ballots that count.
        last.pop(header.nullifier, None)
        last[header.nullifier] = CountedBallot(entry.index, submission.digest, header.stratum)
        ballots += 1
    return BallotIndex(ballots, tuple(last.values()))


def recount(
    election: Election,
    head: tuple[int, bytes],
    index: BallotIndex,
    entries: Iterable[Entry],
    compute: Compute,
    *,
    is_verified: bool,
    store: SumStore | None = None,
    tell: Tell = lambda done, total: None,
) -> Aggregate:
    """Return the aggregate of a board: the one of `wallet.voting.aggregate.aggregate_board`.

    `head` is size and root of the whole log, `index` from `index_ballots`, `entries` the same
    ones once more. With `is_verified` only ballots that count are read; without, the proofs of
    all are checked. `tell` hears how many of how many ballots are done. Raises `TooFewBallots`,
    `BallotProofInvalid`, `EligibilityProofInvalid`, `ComputeUnavailable`, and
    `CurvePointMalformed` for a ballot that nobody verified.
    """
    groups = form_groups(election.manifest, index.numbers())
    decrypted = [group for group in groups if group.is_decrypted]
    places = _places(index, decrypted)
    total = len(places) if is_verified else index.ballots
    projects = len(election.manifest.projects)
    sums: list[list[Point | None]] = [[None] * (2 * projects) for _ in decrypted]
    done = 0
    for found in _all_sums(_chunks(election, places, entries, is_verified), compute, store):
        done += found.ballots
        for group, octets in found.sums.items():
            pairs = zip(sums[group], _points(octets), strict=True)
            sums[group] = [add(pair) for pair in pairs]
        tell(done, total)
    if done != total:
        raise BallotReplayed("the entries are not those that were indexed")
    ciphertexts = tuple(
        tuple(Ciphertext(row[i], row[i + 1]) for i in range(0, len(row), 2)) for row in sums
    )
    return Aggregate(election, head[0], head[1], groups, ciphertexts)


def add_up(chunk: Chunk) -> ChunkSums:
    """Return the sums of a chunk: what a worker does.

    Raises `BallotProofInvalid` or `EligibilityProofInvalid` for the first ballot that fails.
    """
    election = chunk.election
    submissions = [open_submission(item.octets, election) for item in chunk.items]
    if not chunk.is_verified:
        _check(submissions, election)
    bodies: dict[int, list[bytes]] = {}
    for item, submission in zip(chunk.items, submissions, strict=True):
        if item.group != NO_GROUP:
            bodies.setdefault(item.group, []).append(submission.ballot.body)
    sums = {group: _octets(election.suite.total(own)) for group, own in bodies.items()}
    return ChunkSums(len(chunk.items), sums)


def _check(submissions: list[Submission], election: Election) -> None:
    for outcome in check_ballots(submissions, election):
        if isinstance(outcome, RejectedError):
            raise outcome


def _places(index: BallotIndex, groups: list[Group]) -> dict[int, int]:
    of_member = {member: number for number, group in enumerate(groups) for member in group.members}
    return {ballot.index: of_member[ballot.stratum] for ballot in index.counted}


def _chunks(
    election: Election, places: dict[int, int], entries: Iterable[Entry], is_verified: bool
) -> Iterator[Chunk]:
    items: list[ChunkItem] = []
    for entry in entries:
        group = places.get(entry.index, NO_GROUP)
        if entry.kind != BALLOT or (is_verified and group == NO_GROUP):
            continue
        items.append(ChunkItem(entry.index, group, entry.payload))
        if len(items) == CHUNK_BALLOTS:
            yield Chunk(election, is_verified, tuple(items))
            items = []
    if items:
        yield Chunk(election, is_verified, tuple(items))


def _all_sums(
    chunks: Iterable[Chunk], compute: Compute, store: SumStore | None
) -> Iterator[ChunkSums]:
    """Yield the sums of all chunks: those that are kept as they come, the others as they are
    done."""
    if store is None:
        yield from map(_there, compute.map(add_up, chunks))
        return
    kept: list[ChunkSums] = []
    asked: list[bytes] = []

    def unknown() -> Iterator[Chunk]:
        for chunk in chunks:
            digest = chunk.digest
            known = store.get(digest)
            if known is None:
                asked.append(digest)
                yield chunk
            else:
                kept.append(known)

    for number, found in enumerate(compute.map(add_up, unknown())):
        sums = _there(found)
        store.put(asked[number], sums)
        yield sums
        while kept:
            yield kept.pop()
    yield from kept


def _there(found: ChunkSums | ComputeUnavailable) -> ChunkSums:
    if isinstance(found, ComputeUnavailable):
        raise found
    return found


def _octets(sums: Iterable[Ciphertext]) -> bytes:
    return b"".join(encode_or_identity(item.a) + encode_or_identity(item.b) for item in sums)


def _points(octets: bytes) -> list[Point | None]:
    parts = (octets[at : at + POINT_BYTES] for at in range(0, len(octets), POINT_BYTES))
    return [None if part == IDENTITY_OCTETS else parse_point(part) for part in parts]
