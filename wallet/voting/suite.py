"""What a ballot suite is: how votes are encrypted, proven and added up.

The rest of the protocol knows bodies as bytes. One suite exists, `dcp_suite`; a shorter proof and
ballots for a mixnet can stand beside it, named in the manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from wallet.crypto.elgamal import Ciphertext
from wallet.errors import MalformedError, RejectedError


class BallotBodyMalformed(MalformedError):
    """The body of a ballot has another length than its manifest gives it."""

    code = "ballot_body_malformed"


class BallotProofInvalid(RejectedError):
    """A point or scalar of the body does not decode, or a proof does not hold."""

    code = "ballot_proof_invalid"


@dataclass(frozen=True, slots=True)
class BallotClaim:
    """A body and the context that its proof is to be about, 32 bytes."""

    context: bytes
    body: bytes


class BallotSuite(Protocol):
    """A suite for one election: one layout and one election key."""

    @property
    def name(self) -> str:
        """The name in the manifest."""

    def encrypt(self, context: bytes, bits: Sequence[int], seed: bytes) -> bytes:
        """Return the body for these bits, the same for the same arguments.

        `seed` has 32 bytes, is random and is used once. Raises `ChoicesInvalid` if the bits break
        a rule, `SeedUnusable` for a seed that another must replace.
        """

    def check_form(self, body: bytes) -> None:
        """Return if the length is right. Raises `BallotBodyMalformed`."""

    def check(self, claims: Sequence[BallotClaim]) -> tuple[BallotProofInvalid | None, ...]:
        """Return for each claim None, or why its proof does not hold."""

    def ciphertext_octets(self, body: bytes) -> bytes:
        """The part of the body that must never occur twice."""

    def total(self, bodies: Iterable[bytes]) -> tuple[Ciphertext, ...]:
        """Return the sum for each project over bodies whose proofs were checked."""
