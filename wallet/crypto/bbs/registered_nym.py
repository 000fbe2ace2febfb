"""The registered nym key: one person keeps one pseudonym through every re-issuance.

This is an extension of our own. It is in no draft and nobody outside has reviewed it.

With the draft alone an issuer cannot see whether a holder who comes back commits to the same
prover_nym, and a different one is a second pseudonym: a second vote. Here the holder also sends
K = G_reg * prover_nym, with G_reg hashed from a fixed label, and the commitment's proof covers
it: Kbar = G_reg * m~ shares the blinding m~ of the committed prover_nym, so the response m^
answers for both. The issuer stores K and the entropy at the first enrolment, and later accepts
nothing but a commitment to the same K, signed with the same entropy: the same nym secret.

The challenge is the hash, under a tag of its own, of

    PK || I2OSP(M, 8) || Q_2 || J_1 .. J_M || G_reg || C || Cbar || K || Kbar
       || I2OSP(len(nonce), 8) || nonce

with M = committed messages + 1, and on the wire K comes before the commitment with its proof.
The nonce is the issuer's (c_nonce) and makes a proof good for one request.

What it costs in privacy: the issuer can recognise a holder by K, which it knows by name anyway.
It cannot compute pseudonyms from K and the entropy (decisional Diffie-Hellman in G1). Two
issuers that compare notes can match K, so a holder uses one prover_nym for each issuer.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from wallet.crypto.bbs.nym_issuance import (
    CommitRandomness,
    NymLayout,
    ProverSecrets,
    VerifiedCommitment,
    answer_commitment,
    commitment_points,
    fresh_commit_randomness,
    recompute_commitment,
)
from wallet.crypto.bbs.suite import SHA_256, Suite, integer
from wallet.crypto.bbs.types import (
    BbsCommitmentInvalid,
    BbsLayoutMalformed,
    BbsLimitExceeded,
    BbsPublicKey,
    CommitmentWithProof,
    parse_commitment,
)
from wallet.crypto.bls12_381.backend import G1, G1_BYTES, GROUP_ORDER, check_encoding
from wallet.errors import RejectedError

MIN_NONCE_BYTES: Final = 16
MAX_NONCE_BYTES: Final = 1024
_MAX_CACHED_SUITES: Final = 8
_LABEL: Final = b"SEOUL_WALLET_REGISTERED_NYM_KEY_V1"
_GENERATOR_DST: Final = b"REGISTERED_NYM_V1_GENERATOR_DST_"
_CHALLENGE_TAG: Final = b"REGISTERED_NYM_V1_H2S_"


class NymKeyMismatch(RejectedError):
    """The commitment is to another prover_nym than the one registered for this person."""

    code = "bbs_nym_key_mismatch"


@dataclass(frozen=True, slots=True)
class NymKey:
    """K, the 48 octets of G_reg * prover_nym."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class RegisteredCommitment:
    """A nym key and a commitment with the proof that both hold the same prover_nym."""

    nym_key: NymKey
    commitment: CommitmentWithProof

    @property
    def octets(self) -> bytes:
        """K, then the commitment with its proof."""
        return self.nym_key.octets + self.commitment.octets


@dataclass(frozen=True, slots=True)
class VerifiedRegisteredCommitment:
    """A commitment that may be signed, and the nym key to store or that was stored before."""

    nym_key: NymKey
    commitment: VerifiedCommitment


def parse_nym_key(data: bytes) -> NymKey:
    """Return the nym key of 48 octets. Raises `PointMalformed`."""
    check_encoding(data, G1_BYTES)
    return NymKey(data)


def parse_registered_commitment(data: bytes) -> RegisteredCommitment:
    """Return nym key and commitment. Raises as `parse_commitment`."""
    return RegisteredCommitment(parse_nym_key(data[:G1_BYTES]), parse_commitment(data[G1_BYTES:]))


def nym_key(prover_nym: int, *, suite: Suite = SHA_256) -> NymKey:
    """K of a prover_nym, which is a scalar other than zero."""
    backend = suite.backend
    return NymKey(backend.encode_g1(backend.msm((_generator(suite),), (prover_nym,))))


def commit_with_registered_nym(
    prover_nym: int,
    committed_messages: Sequence[bytes] = (),
    *,
    public_key: BbsPublicKey,
    nonce: bytes,
    suite: Suite = SHA_256,
) -> tuple[RegisteredCommitment, ProverSecrets]:
    """Commit for the issuer of `public_key`, in answer to its `nonce` of 16 to 1024 bytes.

    `prover_nym` is one of `nym_issuance.new_prover_nym`, kept from the first enrolment on.
    Raises `BbsLimitExceeded`.
    """
    randomness = fresh_commit_randomness(len(committed_messages) + 1)
    return _commit(prover_nym, committed_messages, public_key, nonce, suite, randomness)


def _commit(
    prover_nym: int,
    committed_messages: Sequence[bytes],
    public_key: BbsPublicKey,
    nonce: bytes,
    suite: Suite,
    randomness: CommitRandomness,
) -> tuple[RegisteredCommitment, ProverSecrets]:
    interface, backend = suite.pseudonym, suite.backend
    scalars = (*interface.messages_to_scalars(committed_messages), prover_nym)
    c, c_bar = commitment_points(interface, scalars, randomness)
    key = nym_key(prover_nym, suite=suite)
    k_bar = backend.encode_g1(backend.msm((_generator(suite),), (randomness.m_tildes[-1],)))
    points = (c, c_bar, key.octets, k_bar)
    challenge = _challenge(suite, public_key, len(scalars), points, nonce)
    return (
        RegisteredCommitment(key, answer_commitment(c, scalars, randomness, challenge)),
        ProverSecrets(tuple(committed_messages), (prover_nym,), randomness.prover_blind),
    )


def verify_registered_commitment(
    commitment: RegisteredCommitment,
    layout: NymLayout,
    *,
    public_key: BbsPublicKey,
    nonce: bytes,
    registered: NymKey | None,
    suite: Suite = SHA_256,
) -> VerifiedRegisteredCommitment:
    """The issuer's check of a commitment, and that it is to the registered prover_nym.

    `registered` is the key stored for this person, None at the first enrolment only. Raises
    `BbsCommitmentInvalid`, `NymKeyMismatch`, `BbsLayoutMalformed`, `PointMalformed` or
    `BbsLimitExceeded`. Not checked: who the person is, that the nonce is fresh, and that no
    other person has registered this key.
    """
    if layout.nyms != 1:
        raise BbsLayoutMalformed("a registered nym key is for one nym")
    interface, backend = suite.pseudonym, suite.backend
    key = backend.decode_g1(commitment.nym_key.octets)
    inner = commitment.commitment
    point, c_bar = recompute_commitment(interface, inner, layout)
    k_bar = backend.encode_g1(
        backend.msm((_generator(suite), key), (inner.m_hats[-1], GROUP_ORDER - inner.challenge))
    )
    points = (inner.commitment, c_bar, commitment.nym_key.octets, k_bar)
    if inner.challenge != _challenge(suite, public_key, len(inner.m_hats), points, nonce):
        raise BbsCommitmentInvalid("the registered commitment's proof does not hold")
    if registered is not None and not hmac.compare_digest(
        registered.octets, commitment.nym_key.octets
    ):
        raise NymKeyMismatch("another nym key is registered for this person")
    return VerifiedRegisteredCommitment(commitment.nym_key, VerifiedCommitment(point, layout))


@lru_cache(maxsize=_MAX_CACHED_SUITES)
def _generator(suite: Suite) -> G1:
    return suite.hash_to_g1(_LABEL, suite.pseudonym.api_id + _GENERATOR_DST)


def _challenge(
    suite: Suite,
    public_key: BbsPublicKey,
    committed: int,
    points: tuple[bytes, bytes, bytes, bytes],
    nonce: bytes,
) -> int:
    if not MIN_NONCE_BYTES <= len(nonce) <= MAX_NONCE_BYTES:
        raise BbsLimitExceeded(f"a nonce has {MIN_NONCE_BYTES} to {MAX_NONCE_BYTES} bytes")
    interface = suite.pseudonym
    _, octets = interface.blind_generators(1 + committed)
    data = b"".join(
        (
            public_key.octets,
            integer(committed),
            *octets,
            suite.backend.encode_g1(_generator(suite)),
            *points,
            integer(len(nonce)),
            nonce,
        )
    )
    return interface.hash_to_scalar(data, _CHALLENGE_TAG)
