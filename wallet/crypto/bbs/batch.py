"""Many proofs at once: every check of each proof, and one pairing product for all of them.

For proofs i of issuers k with random weights w_i, one product stands for all pairings:

    prod_k e(sum w_i Abar_i, W_k) * e(sum w_i Bbar_i, -BP2) = 1

A proof that fails alone passes with probability 2^-127 at most. Points are still checked one by
one to be in the subgroup, without which the weights prove nothing. If the product fails, the
batch is halved until each bad proof is alone, where it is judged without weights.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wallet.crypto.bbs.nym_proofs import (
    NymProof,
    NymProofStatement,
    VerifiedNymProof,
    open_nym_proof,
)
from wallet.crypto.bbs.proof_core import PairingClaim
from wallet.crypto.bbs.proofs import ProofStatement, VerifiedProof, open_proof
from wallet.crypto.bbs.suite import SHA_256, Suite
from wallet.crypto.bbs.types import BbsLimitExceeded, BbsProof, BbsProofInvalid
from wallet.crypto.bls12_381.backend import G1, G2
from wallet.errors import MalformedError, RejectedError

MAX_BATCH: Final = 1024
_WEIGHT_BITS: Final = 127


class ProofBatchInvalid(RejectedError):
    """At least one proof of the batch is bad; `indexes` says which."""

    code = "bbs_proof_batch_invalid"

    def __init__(self, message: str, indexes: tuple[int, ...]) -> None:
        super().__init__(message)
        self.indexes = indexes


@dataclass(frozen=True, slots=True)
class ProofClaim:
    """A proof and what it is to show."""

    proof: BbsProof
    statement: ProofStatement

    def open(self, suite: Suite) -> PairingClaim:
        """Check all but the pairing."""
        return open_proof(self.proof, self.statement, suite)

    def verified(self) -> VerifiedProof:
        """The result, once everything is checked."""
        return VerifiedProof(self.statement)


@dataclass(frozen=True, slots=True)
class NymProofClaim:
    """A proof with a pseudonym and what it is to show."""

    proof: NymProof
    statement: NymProofStatement

    def open(self, suite: Suite) -> PairingClaim:
        """Check all but the pairing."""
        return open_nym_proof(self.proof, self.statement, suite)

    def verified(self) -> VerifiedNymProof:
        """The result, once everything is checked."""
        return VerifiedNymProof(self.statement, self.proof.pseudonym)


Claim = ProofClaim | NymProofClaim
Outcome = VerifiedProof | VerifiedNymProof | MalformedError | RejectedError


def check_proofs(claims: Sequence[Claim], *, suite: Suite = SHA_256) -> tuple[Outcome, ...]:
    """Return for each claim its verified proof, or the error that verifying it alone raises.

    The same is not checked as in `verify_proof` and `verify_proof_with_nym`. Raises
    `BbsLimitExceeded` for more than 1024 claims.
    """
    if len(claims) > MAX_BATCH:
        raise BbsLimitExceeded(f"a batch has at most {MAX_BATCH} proofs")
    outcomes: dict[int, Outcome] = {}
    opened: list[tuple[int, PairingClaim]] = []
    for index, claim in enumerate(claims):
        try:
            opened.append((index, claim.open(suite)))
        except (MalformedError, RejectedError) as error:
            outcomes[index] = error
        else:
            outcomes[index] = claim.verified()
    for index in _failing(opened, suite):
        outcomes[index] = BbsProofInvalid("the proof is not of a signature of this issuer")
    return tuple(outcomes[index] for index in range(len(claims)))


def verify_proofs(
    claims: Sequence[Claim], *, suite: Suite = SHA_256
) -> tuple[VerifiedProof | VerifiedNymProof, ...]:
    """Return the verified proofs if all are good, else raise `ProofBatchInvalid`.

    Raises `BbsLimitExceeded` for more than 1024 claims.
    """
    verified: list[VerifiedProof | VerifiedNymProof] = []
    bad: list[int] = []
    for index, outcome in enumerate(check_proofs(claims, suite=suite)):
        if isinstance(outcome, VerifiedProof | VerifiedNymProof):
            verified.append(outcome)
        else:
            bad.append(index)
    if bad:
        raise ProofBatchInvalid(f"{len(bad)} of {len(claims)} proofs are bad", tuple(bad))
    return tuple(verified)


def _failing(opened: Sequence[tuple[int, PairingClaim]], suite: Suite) -> list[int]:
    """The indexes of the claims whose pairing fails, by halving."""
    if not opened or _product_is_one([claim for _, claim in opened], suite):
        return []
    if len(opened) == 1:
        return [opened[0][0]]
    middle = len(opened) // 2
    return _failing(opened[:middle], suite) + _failing(opened[middle:], suite)


def _product_is_one(claims: Sequence[PairingClaim], suite: Suite) -> bool:
    backend = suite.backend
    if len(claims) == 1:
        weights = [1]
    else:
        weights = [1 + secrets.randbelow(2**_WEIGHT_BITS) for _ in claims]
    by_key: dict[bytes, tuple[G2, list[G1], list[int]]] = {}
    for claim, weight in zip(claims, weights, strict=True):
        _, points, factors = by_key.setdefault(claim.public_key.octets, (claim.w, [], []))
        points.append(claim.a_bar)
        factors.append(weight)
    pairs = [(backend.msm(points, factors), w) for w, points, factors in by_key.values()]
    b_sum = backend.msm([claim.b_bar for claim in claims], weights)
    return backend.pairing_product_is_one([*pairs, (b_sum, backend.negative_g2_generator)])
