"""The tally: totals of each group, decrypted and in the clear (docs/voting.md, section 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from wallet.encoding import jcs
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.voting.aggregate import Aggregate
from wallet.voting.batches import Batch
from wallet.voting.decryption import VerifiedShare, open_totals


@dataclass(frozen=True, slots=True)
class GroupTally:
    """What a group came to: decrypted totals of counted ballots, and the batches' beside them."""

    strata: tuple[str, ...]
    weight: Fraction
    counted: int
    totals: tuple[int, ...]
    batch_ballots: int
    batch_totals: tuple[int, ...]

    def to_json(self) -> JsonObject:
        """As it stands in tally.json."""
        return {
            "strata": list(self.strata),
            "weight": str(self.weight),
            "counted": self.counted,
            "totals": list(self.totals),
            "batch_ballots": self.batch_ballots,
            "batch_totals": list(self.batch_totals),
        }


@dataclass(frozen=True)
class Tally:
    """The tally; `trustees` gave the shares that were used, `ignored` has codes by trustee."""

    election: bytes
    aggregate: bytes
    groups: tuple[GroupTally, ...]
    trustees: tuple[int, ...]
    ignored: Mapping[int, str]

    @property
    def octets(self) -> bytes:
        """The bytes of tally.json."""
        return jcs.canonicalize(
            {
                "kind": "tally",
                "election": self.election.hex(),
                "aggregate": self.aggregate.hex(),
                "groups": [group.to_json() for group in self.groups],
                "trustees": list(self.trustees),
                "ignored": [
                    {"trustee": trustee, "code": code}
                    for trustee, code in sorted(self.ignored.items())
                ],
            }
        )


def tally_board(
    aggregate: Aggregate,
    shares: Sequence[VerifiedShare],
    ignored: Mapping[int, RejectedError],
    batches: Sequence[Batch],
) -> Tally:
    """Return the tally of verified shares and batches.

    Raises `TooFewShares` or `CountOutOfRange`.
    """
    manifest = aggregate.election.manifest
    opened = iter(open_totals(aggregate, shares))
    nothing = (0,) * len(manifest.projects)
    groups = []
    for group in aggregate.groups:
        own = [batch for batch in batches if batch.stratum in group.members]
        columns = zip(nothing, *(batch.totals for batch in own), strict=True)
        groups.append(
            GroupTally(
                group.strata,
                group.weight,
                group.counted,
                next(opened) if group.is_decrypted else nothing,
                sum(batch.ballots for batch in own),
                tuple(map(sum, columns)),
            )
        )
    used = sorted(share.trustee for share in shares)[: manifest.threshold]
    return Tally(
        aggregate.election.digest,
        aggregate.digest,
        tuple(groups),
        tuple(used),
        {trustee: error.code for trustee, error in ignored.items()},
    )
