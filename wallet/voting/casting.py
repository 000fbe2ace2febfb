"""Making a ballot on the voter's device: prepare, then cast or challenge (docs/voting.md §6, §7).

`prepare_ballot` fixes a ballot, and its tracking code is shown before the voter decides. All its
randomness comes from one seed: giving the seed away opens the ballot, which is what a challenge
does, and why a challenged ballot is never cast. A ballot that was cast or challenged no longer
knows choices or seed.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from wallet.crypto.bbs.nym_issuance import NymCredential
from wallet.encoding import jcs
from wallet.errors import ConflictError, MalformedError, RejectedError
from wallet.voting.ballot import (
    MAX_SEQUENCE,
    NULLIFIER_BYTES,
    Ballot,
    BallotHeader,
    ballot_digest,
    tracking_code,
)
from wallet.voting.dcp_suite import SEED_BYTES
from wallet.voting.election import Election
from wallet.voting.eligibility import ballot_header, issuer_index, prove_eligibility
from wallet.voting.layout import fill_slack
from wallet.voting.manifest import MAX_PROJECTS
from wallet.voting.shapes import Shape

OPENING_KIND: Final = "challenge"


class BallotAlreadyUsed(ConflictError):
    """The prepared ballot was cast or challenged already; prepare another."""

    code = "ballot_already_used"


class OpeningMalformed(MalformedError):
    """Not the canonical JSON of an opened ballot, or of another election."""

    code = "ballot_opening_malformed"


class OpeningMismatch(RejectedError):
    """Choices and seed do not give the ballot that the device had committed to."""

    code = "ballot_opening_mismatch"


_SHAPE: Final = Shape(OpeningMalformed)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a challenge reveals. `choices` are one value for each project, in manifest order."""

    header: BallotHeader
    choices: tuple[int, ...] = field(repr=False)
    seed: bytes = field(repr=False)

    def octets(self, election: Election) -> bytes:
        """Return `challenge.json`, for the second device (docs/voting.md, section 7)."""
        header = self.header
        return jcs.canonicalize(
            {
                "kind": OPENING_KIND,
                "election": election.digest.hex(),
                "nullifier": header.nullifier.hex(),
                "sequence": header.sequence,
                "stratum": header.stratum,
                "district": header.district,
                "choices": list(self.choices),
                "seed": self.seed.hex(),
            }
        )


class PreparedBallot:
    """A finished ballot that is neither cast nor challenged. It knows the vote: keep it secret."""

    def __init__(self, election: Election, opening: Opening, body: bytes) -> None:
        self._election = election
        self._opening: Opening | None = opening
        self._body = body
        self.digest = ballot_digest(opening.header.context(election), body)

    @property
    def tracking_code(self) -> str:
        """The code to be shown, and written down, before the voter decides."""
        return tracking_code(self.digest)

    def cast(self, credential: NymCredential) -> Ballot:
        """Return the ballot with its eligibility proof. Raises `BallotAlreadyUsed`.

        Sending it again is sending the same bytes; whoever calls keeps them.
        """
        header = self._use().header
        proof = prove_eligibility(credential, self._election, header, self.digest)
        issuer = issuer_index(credential, self._election.manifest)
        return Ballot(header, issuer, self._body, proof)

    def challenge(self) -> Opening:
        """Return what opens the ballot, which can then not be cast. Raises `BallotAlreadyUsed`."""
        return self._use()

    def _use(self) -> Opening:
        if self._opening is None:
            raise BallotAlreadyUsed("a ballot is cast or challenged once")
        opening, self._opening = self._opening, None
        return opening


def prepare_ballot(
    election: Election,
    credential: NymCredential,
    choices: Sequence[int],
    *,
    sequence: int,
    seed: bytes | None = None,
) -> PreparedBallot:
    """Encrypt and prove one value for each project, in manifest order.

    A value is 0 or 1, points, or a place from 1 (0 for none), by the manifest's kind of ballot.
    `sequence` is 1 for a voter's first ballot in an election and one more for each that was
    accepted since. A `seed` is given only to repeat a ballot. Raises `ChoicesInvalid`,
    `CredentialNotEligible` or `SeedUnusable`.
    """
    header = ballot_header(credential, election, sequence)
    seed = secrets.token_bytes(SEED_BYTES) if seed is None else seed
    opening = Opening(header, tuple(choices), seed)
    return PreparedBallot(election, opening, _body(election, opening))


def check_opening(election: Election, opening: Opening, code: str) -> None:
    """The second device's check of a challenged ballot against the tracking code shown before.

    Raises `OpeningMismatch`; also `ChoicesInvalid`, `SeedMalformed` or `SeedUnusable` for an
    opening that no honest wallet makes. That the choices are what the voter chose is for the
    voter to see.
    """
    digest = ballot_digest(opening.header.context(election), _body(election, opening))
    if tracking_code(digest) != code:
        raise OpeningMismatch("the ballot holds something else than the device says")


def parse_opening(data: bytes, election: Election) -> Opening:
    """Return the opening of `challenge.json`. Raises `OpeningMalformed`; nothing is compared."""
    value = _SHAPE.members(
        _SHAPE.canonical(data),
        *("kind", "election", "nullifier", "sequence", "stratum", "district", "choices", "seed"),
    )
    _SHAPE.choice(value["kind"], OPENING_KIND)
    if _SHAPE.octets(value["election"], len(election.digest)) != election.digest:
        raise OpeningMalformed("the ballot is of another election")
    district = value["district"]
    header = BallotHeader(
        _SHAPE.octets(value["nullifier"], NULLIFIER_BYTES),
        _SHAPE.integer(value["sequence"], low=1, high=MAX_SEQUENCE),
        _SHAPE.identifier(value["stratum"]),
        district if district == "" else _SHAPE.identifier(district),
    )
    choices = _SHAPE.items(value["choices"], _SHAPE.integer, low=1, high=MAX_PROJECTS)
    return Opening(header, choices, _SHAPE.octets(value["seed"], SEED_BYTES))


def _body(election: Election, opening: Opening) -> bytes:
    manifest = election.manifest
    bits = fill_slack(manifest.layout, manifest.ballot.vote_bits(opening.choices))
    return election.suite.encrypt(opening.header.context(election), bits, opening.seed)
