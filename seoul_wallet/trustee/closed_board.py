"""The closed board as a trustee checks it before it decrypts: all of it, from its own copy.

docs/voting.md, sections 9, 10 and 14 (V1 to V5, V7 to V10, V12, V13). Not checked are the chain
and the times of the checkpoints (V6, V11): `mvote-verify` does that, once the record is out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from seoul_wallet.trustee.box import TrusteeBoxClient
from seoul_wallet.trustee.folder import KeyFolder, KeyFolderUnavailable
from wallet.crypto.merkle import MerkleTree
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import ConflictError, RejectedError
from wallet.ports.compute import Compute
from wallet.recount import BallotIndex, ChunkSums, Tell, index_ballots, recount
from wallet.voting.acceptance import MoreBallotsThanPeople
from wallet.voting.aggregate import Aggregate
from wallet.voting.batches import check_batch_numbers, verify_batch
from wallet.voting.board import (
    BATCH,
    CLOSE,
    END,
    REJECTIONS,
    Checkpoint,
    Entry,
    check_order,
    close_body,
    election_body,
    end_body,
    log_octets,
    parse_entry,
)
from wallet.voting.election import Election
from wallet.voting.statements import parse_statement

LOG_FILE: Final = "board.log"
_LENGTH_BYTES: Final = 4


class BoardNotEnded(ConflictError):
    """The board has not ended: there is nothing to decrypt yet."""

    code = "board_not_ended"


class BoardDiffers(RejectedError):
    """The board is not what its board signed, or what this trustee saw of it before."""

    code = "board_differs"


class BoardCopy:
    """The log in a file beside the keys; a copy that was broken off goes on where it was."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG_FILE

    def entries(self) -> Iterator[Entry]:
        """Yield the entries of the copy; a last one that was cut short is left out."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            while len(length := file.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
                size = int.from_bytes(length, "big")
                data = file.read(size)
                if len(data) < size:
                    return
                yield parse_entry(data)

    def fetch(self, box: TrusteeBoxClient, size: int, tell: Tell) -> None:
        """Bring the copy to `size` entries. Raises as `BallotBoxClient.entries`."""
        known = octets = 0
        for entry in self.entries():
            known += 1
            octets += _LENGTH_BYTES + len(entry.octets)
        if known > size:
            raise BoardDiffers("the board was longer before")
        try:
            self._path.touch(mode=0o600)
            with self._path.open("r+b") as file:
                file.truncate(octets)
                file.seek(octets)
                for entry in box.all_entries(size, start=known):
                    file.write(log_octets([entry]))
                    tell(entry.index + 1, size)
        except OSError as error:
            raise KeyFolderUnavailable(f"{LOG_FILE}: {error.strerror}") from None


class KeptSums:
    """`wallet.recount.SumStore` in the key folder, sealed as everything there."""

    def __init__(self, folder: KeyFolder) -> None:
        self._folder = folder

    def get(self, digest: bytes) -> ChunkSums | None:
        """See `SumStore.get`."""
        octets = self._folder.get(_name(digest))
        if octets is None:
            return None
        value = parse_json_object(octets)
        sums = {int(group): bytes.fromhex(points) for group, points in value["sums"].items()}
        return ChunkSums(value["ballots"], sums)

    def put(self, digest: bytes, sums: ChunkSums) -> None:
        """See `SumStore.put`."""
        points = {str(group): octets.hex() for group, octets in sums.sums.items()}
        self._folder.put_once(_name(digest), to_json({"ballots": sums.ballots, "sums": points}))


def check_closed_board(
    copy: BoardCopy,
    election: Election,
    head: Checkpoint,
    beginning: tuple[Entry, ...],
    compute: Compute,
    folder: KeyFolder,
    tell: Tell,
) -> Aggregate:
    """Return the aggregate of a board that ended and whose every check passed.

    `head` is the newest checkpoint that the board signed, `beginning` what its election was
    computed from. Raises `BoardDiffers`, `BoardNotEnded`, the errors of a malformed or wrong
    board, and as `wallet.recount.recount`.
    """
    _check_tree(copy, head, beginning)
    index = index_ballots(copy.entries(), election)
    _check_census(index, election)
    _check_statements(copy, election, index)
    return recount(
        election,
        (head.size, head.root),
        index,
        copy.entries(),
        compute,
        is_verified=False,
        store=KeptSums(folder),
        tell=tell,
    )


def _check_tree(copy: BoardCopy, head: Checkpoint, beginning: tuple[Entry, ...]) -> None:
    """Order of the entries, their tree, and their beginning; payloads are let go."""
    light: list[Entry] = []
    tree: list[bytes] = []
    for entry in copy.entries():
        if entry.index < len(beginning) and entry != beginning[entry.index]:
            raise BoardDiffers("the board begins otherwise than its key ceremony did")
        light.append(Entry(entry.index, entry.kind, b""))
        tree.append(entry.leaf)
    check_order(light)
    if len(tree) != head.size or MerkleTree(tree).root != head.root:
        raise BoardDiffers("the log is not the one that the board signed")
    if light[-1].kind != END:
        raise BoardNotEnded("the board has not ended yet")


def _check_census(index: BallotIndex, election: Election) -> None:
    for stratum, number in index.numbers().items():
        if number > election.manifest.census.people.get(stratum, 0):
            raise MoreBallotsThanPeople(f"{number} ballots of the stratum {stratum} count")


def _check_statements(copy: BoardCopy, election: Election, index: BallotIndex) -> None:
    """What the board and the officers signed after and between the ballots."""
    key = election.manifest.board_key
    batches = []
    closed = False
    for entry in copy.entries():
        if entry.kind == BATCH:
            batches.append(verify_batch(parse_statement(entry.payload), election))
        if entry.kind not in (REJECTIONS, CLOSE, END):
            continue
        body: Any = election_body(parse_statement(entry.payload), entry.kind, election, key)
        if entry.kind == CLOSE:
            closed = True
            counted = [ballot.digest for ballot in index.counted]
            if body != close_body(election, index.ballots, counted):
                raise BoardDiffers("the close does not fit the ballots")
        if entry.kind == END and (not closed or body != end_body(election, len(batches))):
            raise BoardDiffers("the end does not fit the board")
    check_batch_numbers(batches)


def _name(digest: bytes) -> str:
    return f"sums-{digest.hex()}"
