"""The files of a published record, as bytes; writing them is not here (docs/voting.md §13).

`wallet.voting.board.log_octets` makes log.bin, `Tally.octets`, `Outcome.octets` and `tie_octets`
the files of these names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from wallet.crypto.transcript import digest
from wallet.encoding import jcs
from wallet.voting.election import Election
from wallet.voting.statements import Statement

MANIFEST_FILE: Final = "manifest.json"
LOG_FILE: Final = "log.bin"
CHECKPOINTS_FILE: Final = "checkpoints.ndjson"
ANCHORS_FILE: Final = "anchors.json"
SHARES_FILE: Final = "shares.json"
TIE_FILE: Final = "tie.json"
TALLY_FILE: Final = "tally.json"
OUTCOME_FILE: Final = "outcome.json"
RECORD_FILE: Final = "record.json"


def checkpoints_octets(checkpoints: Sequence[Statement]) -> bytes:
    """The bytes of checkpoints.ndjson."""
    return b"".join(statement.octets + b"\n" for statement in checkpoints)


def shares_octets(shares: Sequence[Statement]) -> bytes:
    """The bytes of shares.json; `shares` ascend by trustee."""
    return jcs.canonicalize(
        [{"body": share.body, "signature": share.signature.hex()} for share in shares]
    )


def anchors_octets(
    opened: bytes, checkpoints: Sequence[tuple[int, bytes]], sealed: bytes | None
) -> bytes:
    """The bytes of anchors.json: transaction hashes, those of checkpoints with their numbers."""
    return jcs.canonicalize(
        {
            "kind": "anchors",
            "opened": opened.hex(),
            "checkpoints": [
                {"number": number, "transaction": transaction.hex()}
                for number, transaction in checkpoints
            ],
            "sealed": None if sealed is None else sealed.hex(),
        }
    )


def tally_digest(shares: bytes, tie: bytes, tally: bytes, outcome: bytes) -> bytes:
    """What the chain seals: a digest over the bytes of these files."""
    return digest("record", *(sha256(file).digest() for file in (shares, tie, tally, outcome)))


def record_octets(election: Election, file_digests: Mapping[str, bytes]) -> bytes:
    """The bytes of record.json from the SHA-256 of each other file but anchors.json."""
    return jcs.canonicalize(
        {
            "kind": "record",
            "election": election.digest.hex(),
            "files": {name: value.hex() for name, value in file_digests.items()},
        }
    )
