"""Groups of strata, and the one aggregate of a closed board that trustees decrypt.

docs/voting.md, section 10. Groups are made so that no total of under 20 ballots is ever
decrypted, and so that each ballot is in exactly one total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from wallet.crypto.elgamal import Ciphertext
from wallet.crypto.secp256k1 import POINT_BYTES, Point, encode_point
from wallet.crypto.transcript import digest
from wallet.errors import RejectedError
from wallet.voting.acceptance import Submission
from wallet.voting.election import Election
from wallet.voting.manifest import BATCHES, Manifest

MIN_GROUP_BALLOTS: Final = 20
IDENTITY_OCTETS: Final = bytes(POINT_BYTES)


class TooFewBallots(RejectedError):
    """Under 20 ballots count in all: decrypting their total would tell too much."""

    code = "too_few_ballots"


@dataclass(frozen=True, slots=True)
class Group:
    """Strata whose ballots are added up together; `members` are the values on ballots."""

    strata: tuple[str, ...]
    members: tuple[str, ...]
    weight: Fraction
    counted: int
    is_decrypted: bool = True


@dataclass(frozen=True)
class Aggregate:
    """The sums of all groups of ballots, and where on the board they come from.

    `size` and `root` are those of the whole log; `sums` has one ciphertext for each project of
    each group that is decrypted.
    """

    election: Election
    size: int
    root: bytes
    groups: tuple[Group, ...]
    sums: tuple[tuple[Ciphertext, ...], ...]

    @property
    def decrypted(self) -> tuple[Group, ...]:
        """The groups that have ciphertexts."""
        return tuple(group for group in self.groups if group.is_decrypted)

    @property
    def flat(self) -> list[Ciphertext]:
        """All ciphertexts, group by group."""
        return [item for sums in self.sums for item in sums]

    @property
    def digest(self) -> bytes:
        """agg, what shares are about."""
        octets = b"".join(
            encode_or_identity(item.a) + encode_or_identity(item.b) for item in self.flat
        )
        return digest("aggregate", self.election.digest, self.root, octets)


def encode_or_identity(point: Point | None) -> bytes:
    """The one place where the identity is written: 33 zero bytes."""
    return IDENTITY_OCTETS if point is None else encode_point(point)


def form_groups(manifest: Manifest, counted: Mapping[str, int]) -> tuple[Group, ...]:
    """Return the groups for these numbers of counted ballots by stratum value.

    Raises `TooFewBallots`.
    """
    groups = [
        Group(
            (stratum.id,),
            stratum.members,
            stratum.weight,
            sum(counted.get(member, 0) for member in stratum.members),
        )
        for stratum in manifest.ballot_strata
    ]
    while min(group.counted for group in groups) < MIN_GROUP_BALLOTS:
        if len(groups) == 1:
            raise TooFewBallots(f"under {MIN_GROUP_BALLOTS} ballots count")
        # The later on a tie goes, the earlier on a tie takes it in.
        numbers = range(len(groups))
        smallest = min(numbers, key=lambda number: (groups[number].counted, -number))
        others = [number for number in numbers if number != smallest]
        into = min(others, key=lambda number: (groups[number].counted, number))
        groups[into] = _join(groups[into], groups[smallest])
        del groups[smallest]
    apart = [
        Group((stratum.id,), stratum.members, stratum.weight, 0, is_decrypted=False)
        for stratum in manifest.strata
        if stratum.channel == BATCHES
    ]
    return (*groups, *apart)


def aggregate_board(
    election: Election, size: int, root: bytes, counted: Sequence[Submission]
) -> Aggregate:
    """Return the aggregate of the ballots that count.

    Their proofs must have been verified, and size and root be those of the whole log. Raises
    `TooFewBallots`.
    """
    by_stratum: dict[str, list[bytes]] = {}
    for submission in counted:
        ballot = submission.ballot
        by_stratum.setdefault(ballot.header.stratum, []).append(ballot.body)
    numbers = {stratum: len(bodies) for stratum, bodies in by_stratum.items()}
    groups = form_groups(election.manifest, numbers)
    sums = tuple(
        election.suite.total(
            body for member in group.members for body in by_stratum.get(member, ())
        )
        for group in groups
        if group.is_decrypted
    )
    return Aggregate(election, size, root, groups, sums)


def _join(keeps: Group, goes: Group) -> Group:
    return Group(
        keeps.strata + goes.strata,
        keeps.members + goes.members,
        keeps.weight + goes.weight,
        keeps.counted + goes.counted,
    )
