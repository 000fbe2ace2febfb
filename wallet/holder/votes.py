"""What a wallet keeps of the votes it cast: codes, acceptances, receipts. Never how one voted.

One record for each election. A ballot on its way is kept as the bytes that were sent, which are
the ciphertexts that the board publishes, so that an interrupted cast goes on with the very same
ballot. Neither choices nor seed are ever written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import SeoulWalletError
from wallet.ports.holder import Put, Record, RecordStore, RecordUnknown, StoreDamaged

KIND: Final = "vote"
MAX_KEPT: Final = 50


@dataclass(frozen=True, slots=True)
class CastBallot:
    """A ballot that the box accepted. `digest` is 32 bytes, `by` unix seconds.

    `acceptance` is the board's signed promise, `receipt` (index, checkpoint, path) shows the
    ballot on the board once it is there; both as JSON, to hand to whoever settles a dispute.
    """

    sequence: int
    tracking_code: str
    digest: bytes
    by: int
    acceptance: JsonObject = field(repr=False)
    receipt: JsonObject | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PendingBallot:
    """A ballot that may have reached the box: `octets` is what was, or will be, sent."""

    sequence: int
    tracking_code: str
    digest: bytes
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefusedBallot:
    """A ballot that the box refused: its code for it, and its signed word if it gave one."""

    sequence: int
    tracking_code: str
    reason: str
    rejection: JsonObject | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectionVotes:
    """What is kept of one election. `election` is h_E, `head` the newest signed checkpoint seen.

    `last_sequence` is the largest sequence known to stand on the board, or to be accepted.
    `challenged` are the codes of ballots that were opened and are never cast.
    """

    election: bytes
    base_url: str
    last_sequence: int = 0
    ballots: tuple[CastBallot, ...] = ()
    pending: PendingBallot | None = None
    refused: tuple[RefusedBallot, ...] = ()
    challenged: tuple[str, ...] = ()
    head: JsonObject | None = field(default=None, repr=False)
    version: int = 0

    @property
    def newest(self) -> CastBallot | None:
        """The ballot of the largest sequence that this wallet cast."""
        return self.ballots[-1] if self.ballots else None

    def with_cast(self, ballot: CastBallot) -> ElectionVotes:
        """Return this with one more accepted ballot, which is not pending any more."""
        return replace(
            self,
            ballots=(*self.ballots, ballot)[-MAX_KEPT:],
            pending=None,
            last_sequence=max(self.last_sequence, ballot.sequence),
        )

    def with_refused(self, reason: str, rejection: JsonObject | None) -> ElectionVotes:
        """Return this with the pending ballot refused."""
        if self.pending is None:
            return self
        refused = RefusedBallot(
            self.pending.sequence, self.pending.tracking_code, reason, rejection
        )
        return replace(self, refused=(*self.refused, refused)[-MAX_KEPT:], pending=None)

    def with_challenged(self, code: str) -> ElectionVotes:
        """Return this with the code of an opened ballot."""
        return replace(self, challenged=(*self.challenged, code)[-MAX_KEPT:])

    def with_ballot(self, ballot: CastBallot) -> ElectionVotes:
        """Return this with what is now known of a ballot."""
        same = (ballot if item.sequence == ballot.sequence else item for item in self.ballots)
        return replace(self, ballots=tuple(same))


class Votes:
    """The votes in a record store."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def find(self, election: bytes) -> ElectionVotes | None:
        """Return what is kept of an election. Raises `StoreDamaged`."""
        try:
            return _from_record(self._records.get(KIND, election.hex()))
        except RecordUnknown:
            return None

    def all(self) -> tuple[ElectionVotes, ...]:
        """Return what is kept, in the order of its last change."""
        return tuple(_from_record(record) for record in self._records.list(KIND))

    def save(self, votes: ElectionVotes) -> ElectionVotes:
        """Store over the version that was read, and return it as it is stored now.

        Durable when it returns. Raises `RecordConflict` if another process came before.
        """
        put = Put(KIND, votes.election.hex(), _to_json(votes), expected_version=votes.version)
        self._records.write(put)
        version = self._records.get(KIND, votes.election.hex()).version
        return replace(votes, version=version)


def _to_json(votes: ElectionVotes) -> bytes:
    pending = votes.pending
    value = {
        "base_url": votes.base_url,
        "last_sequence": votes.last_sequence,
        "ballots": [
            {
                "sequence": item.sequence,
                "code": item.tracking_code,
                "digest": item.digest.hex(),
                "by": item.by,
                "acceptance": item.acceptance,
                "receipt": item.receipt,
            }
            for item in votes.ballots
        ],
        "pending": None
        if pending is None
        else {
            "sequence": pending.sequence,
            "code": pending.tracking_code,
            "digest": pending.digest.hex(),
            "octets": base64url.encode(pending.octets),
        },
        "refused": [
            {
                "sequence": item.sequence,
                "code": item.tracking_code,
                "reason": item.reason,
                "rejection": item.rejection,
            }
            for item in votes.refused
        ],
        "challenged": list(votes.challenged),
        "head": votes.head,
    }
    return to_json(value)


def _from_record(record: Record) -> ElectionVotes:
    # The store vouches for the bytes, so a failure here means another program wrote them.
    try:
        value = parse_json_object(record.payload)
        return ElectionVotes(
            election=bytes.fromhex(record.record_id),
            base_url=value["base_url"],
            last_sequence=value["last_sequence"],
            ballots=tuple(map(_cast, value["ballots"])),
            pending=None if value["pending"] is None else _pending(value["pending"]),
            refused=tuple(
                RefusedBallot(item["sequence"], item["code"], item["reason"], item["rejection"])
                for item in value["refused"]
            ),
            challenged=tuple(value["challenged"]),
            head=value["head"],
            version=record.version,
        )
    except (KeyError, TypeError, ValueError, SeoulWalletError) as error:
        raise StoreDamaged("a stored vote cannot be read") from error


def _cast(item: Mapping[str, Any]) -> CastBallot:
    return CastBallot(
        item["sequence"],
        item["code"],
        bytes.fromhex(item["digest"]),
        item["by"],
        item["acceptance"],
        item["receipt"],
    )


def _pending(item: Mapping[str, Any]) -> PendingBallot:
    return PendingBallot(
        item["sequence"],
        item["code"],
        bytes.fromhex(item["digest"]),
        base64url.decode(item["octets"]),
    )
