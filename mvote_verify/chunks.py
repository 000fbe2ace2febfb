"""Proofs of a chunk of ballots, and the sums of its ciphertexts: what a worker does. V9, V10."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from mvote_verify import curve
from mvote_verify.ballots import parse_ballot
from mvote_verify.curve import Point
from mvote_verify.eligibility import EligibilityVerifier, PairingInput
from mvote_verify.encodings import digest, i8
from mvote_verify.failures import Malformed
from mvote_verify.log import payload_of
from mvote_verify.manifest import parse_manifest
from mvote_verify.suite import OpenedBody, bad_proofs, try_open
from mvote_verify.tree import leaf_hash

METHOD = b"mvote-verify/1"
"""Part of a chunk's digest: results of another method are not taken up again."""
NO_GROUP = -1


class RecordChanged(Exception):
    """`log.bin` is not what it was when the checks began."""


@dataclass(frozen=True, slots=True)
class Item:
    """A ballot entry to verify. `group` is where it counts, or `NO_GROUP`."""

    index: int
    offset: int
    length: int
    hash: bytes
    group: int


@dataclass(frozen=True, slots=True)
class Election:
    """What a worker needs to know once."""

    manifest: bytes
    election: bytes
    key: bytes

    def chunk_digest(self, items: Sequence[Item]) -> bytes:
        """What the result of these items depends on."""
        hashed = sha256(METHOD + self.election + self.key)
        for item in items:
            hashed.update(i8(item.index) + item.hash + (item.group + 1).to_bytes(4))
        return hashed.digest()


@dataclass(slots=True)
class ChunkResult:
    """Indexes of the entries that failed, and sums of the vote bits' ciphertexts by group."""

    digest: bytes
    ballots: int
    bad_proofs: list[int] = field(default_factory=list)
    bad_eligibility: list[int] = field(default_factory=list)
    sums: dict[int, bytes] = field(default_factory=dict)
    """For each vote bit `A ‖ B`; the identity as 33 bytes `00`."""


class ChunkVerifier:
    """Verifies chunks of one election; it keeps nothing of a chunk."""

    def __init__(self, election: Election) -> None:
        self._election = election
        self._manifest = parse_manifest(election.manifest)
        self._key = curve.decode(election.key)
        self._eligibility = EligibilityVerifier(self._manifest, election.election)

    def verify(self, items: Sequence[Item], entries: Iterable[bytes]) -> ChunkResult:
        """`entries` are the bytes of the items, in their order.

        Raises `RecordChanged` if an entry is not the one that was read before.
        """
        result = ChunkResult(self._election.chunk_digest(items), len(items))
        opened: list[tuple[int, OpenedBody]] = []
        pairings: list[PairingInput] = []
        groups: dict[int, list[OpenedBody]] = {}
        for item, entry in zip(items, entries, strict=True):
            body, pairing = self._open(item, entry)
            if body is None:
                result.bad_proofs.append(item.index)
            else:
                opened.append((item.index, body))
                if item.group != NO_GROUP:
                    groups.setdefault(item.group, []).append(body)
            if pairing is None:
                result.bad_eligibility.append(item.index)
            else:
                pairings.append(pairing)
        result.bad_proofs += bad_proofs(opened, self._key, self._manifest.layout)
        result.bad_eligibility += self._eligibility.bad_pairings(pairings)
        result.sums = {group: self._sum(bodies) for group, bodies in groups.items()}
        return result

    def _open(self, item: Item, entry: bytes) -> tuple[OpenedBody | None, PairingInput | None]:
        if leaf_hash(entry) != item.hash:
            raise RecordChanged(f"entry {item.index} changed while it was verified")
        _, payload = payload_of(entry, item.index)
        ballot = parse_ballot(payload, self._manifest)
        context = ballot.context(self._election.election)
        body = try_open(ballot.body, context, self._election.key, self._manifest.layout)
        ballot_digest = digest("ballot", context, ballot.body)
        try:
            return body, self._eligibility.open_proof(item.index, ballot, ballot_digest)
        except Malformed:
            return body, None

    def _sum(self, bodies: Sequence[OpenedBody]) -> bytes:
        places = 2 * len(self._manifest.layout.votes)
        sums = (curve.total([body.ciphertexts[i] for body in bodies]) for i in range(places))
        return b"".join(map(curve.encode_or_zeros, sums))


def decode_sums(data: bytes) -> list[Point | None]:
    """The sums of a `ChunkResult`; raises `Malformed`."""
    pieces = (data[at : at + curve.POINT_BYTES] for at in range(0, len(data), curve.POINT_BYTES))
    return [curve.decode(piece) if any(piece) else None for piece in pieces]
