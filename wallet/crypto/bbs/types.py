"""Keys, signatures and proofs of BBS, with their parsers, limits and errors.

Parsers check lengths, scalars (never zero, below the group order) and that each point is
canonically encoded and not the identity. Whether a point is on the curve and in the subgroup
needs a backend and is checked at every use, before anything is computed with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from wallet.crypto.bls12_381.backend import (
    G1_BYTES,
    G2_BYTES,
    SCALAR_BYTES,
    check_encoding,
    encode_scalar,
    parse_scalar,
)
from wallet.errors import MalformedError, RejectedError

# Per signature: messages of the issuer, and again as many that are committed blindly.
MAX_MESSAGES: Final = 256
MAX_MESSAGE_BYTES: Final = 64 * 1024
MAX_HEADER_BYTES: Final = 16 * 1024
MAX_CONTEXT_ID_BYTES: Final = 1024
SIGNATURE_BYTES: Final = G1_BYTES + SCALAR_BYTES
_PROOF_FLOOR_BYTES: Final = 3 * G1_BYTES + 4 * SCALAR_BYTES
MAX_PROOF_BYTES: Final = _PROOF_FLOOR_BYTES + 2 * MAX_MESSAGES * SCALAR_BYTES
_COMMITMENT_FLOOR_BYTES: Final = G1_BYTES + 2 * SCALAR_BYTES
MAX_COMMITMENT_BYTES: Final = _COMMITMENT_FLOOR_BYTES + MAX_MESSAGES * SCALAR_BYTES


class BbsOctetsMalformed(MalformedError):
    """A signature, proof or commitment whose length is not possible."""

    code = "bbs_octets_malformed"


class BbsLimitExceeded(MalformedError):
    """More messages, or longer octets, than this implementation accepts."""

    code = "bbs_limit_exceeded"


class BbsKeyMaterialMalformed(MalformedError):
    """Key material under 32 bytes, or key information over 65535 bytes."""

    code = "bbs_key_material_malformed"


class BbsLayoutMalformed(MalformedError):
    """Another number of messages, committed messages or nym secrets than was agreed."""

    code = "bbs_layout_malformed"


class BbsDisclosureMalformed(MalformedError):
    """Indexes that are not ascending, repeat or are out of range."""

    code = "bbs_disclosure_malformed"


class BbsProofInvalid(RejectedError):
    """The proof does not hold for what it is claimed to show."""

    code = "bbs_proof_invalid"


class BbsCommitmentInvalid(RejectedError):
    """The proof that comes with a commitment does not hold."""

    code = "bbs_commitment_invalid"


@dataclass(frozen=True, slots=True)
class BbsPublicKey:
    """A public key, the 96 octets of a point in G2."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class BbsSecretKey:
    """A secret key with its public key; see `signatures` for how to get one."""

    scalar: int = field(repr=False)
    public_key: BbsPublicKey

    @property
    def secret(self) -> bytes:
        """The 32 octets, for a key store that encrypts them."""
        return encode_scalar(self.scalar)


@dataclass(frozen=True, slots=True)
class BbsSignature:
    """A signature (A, e). It links its uses: keep it with the holder, show proofs of it."""

    a: bytes = field(repr=False)
    e: int = field(repr=False)

    @property
    def octets(self) -> bytes:
        """The 80 octets (draft §4.2.4.1)."""
        return self.a + encode_scalar(self.e)


@dataclass(frozen=True, slots=True)
class BbsProof:
    """A proof (draft §4.2.4.3): three points, and scalars in the order of the specification."""

    a_bar: bytes
    b_bar: bytes
    d: bytes
    e_hat: int
    r1_hat: int
    r3_hat: int
    m_hats: tuple[int, ...]
    challenge: int

    @property
    def octets(self) -> bytes:
        """The octets, 272 and 32 more for each undisclosed message."""
        scalars = (self.e_hat, self.r1_hat, self.r3_hat, *self.m_hats, self.challenge)
        return self.a_bar + self.b_bar + self.d + b"".join(map(encode_scalar, scalars))


@dataclass(frozen=True, slots=True)
class CommitmentWithProof:
    """A commitment to messages that the issuer is not to see, with its proof of knowledge."""

    commitment: bytes
    s_hat: int
    m_hats: tuple[int, ...]
    challenge: int

    @property
    def octets(self) -> bytes:
        """The octets, 112 and 32 more for each committed scalar."""
        scalars = (self.s_hat, *self.m_hats, self.challenge)
        return self.commitment + b"".join(map(encode_scalar, scalars))


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """A pseudonym, the 48 octets of a point in G1: the same secret and context give the same."""

    octets: bytes


def parse_public_key(data: bytes) -> BbsPublicKey:
    """Return the public key of 96 octets. Raises `PointMalformed`."""
    check_encoding(data, G2_BYTES)
    return BbsPublicKey(data)


def parse_signature(data: bytes) -> BbsSignature:
    """Return the signature of 80 octets (octets_to_signature, draft §4.2.4.2).

    Raises `BbsOctetsMalformed`, `PointMalformed` or `ScalarMalformed`.
    """
    if len(data) != SIGNATURE_BYTES:
        raise BbsOctetsMalformed(f"a BBS signature has {SIGNATURE_BYTES} bytes")
    check_encoding(data[:G1_BYTES], G1_BYTES)
    return BbsSignature(data[:G1_BYTES], parse_scalar(data[G1_BYTES:]))


def parse_proof(data: bytes) -> BbsProof:
    """Return the proof (octets_to_proof, draft §4.2.4.4).

    Raises `BbsOctetsMalformed`, `PointMalformed` or `ScalarMalformed`.
    """
    if not _PROOF_FLOOR_BYTES <= len(data) <= MAX_PROOF_BYTES:
        raise BbsOctetsMalformed(
            f"a BBS proof has {_PROOF_FLOOR_BYTES} to {MAX_PROOF_BYTES} bytes"
        )
    a_bar, b_bar, d = (
        data[start : start + G1_BYTES] for start in range(0, 3 * G1_BYTES, G1_BYTES)
    )
    for point in (a_bar, b_bar, d):
        check_encoding(point, G1_BYTES)
    e_hat, r1_hat, r3_hat, *m_hats, challenge = _scalars(data[3 * G1_BYTES :])
    return BbsProof(a_bar, b_bar, d, e_hat, r1_hat, r3_hat, tuple(m_hats), challenge)


def parse_commitment(data: bytes) -> CommitmentWithProof:
    """Return the commitment with its proof (octets_to_commitment_with_proof, blind draft §4.2).

    Raises `BbsOctetsMalformed`, `PointMalformed` or `ScalarMalformed`.
    """
    if not _COMMITMENT_FLOOR_BYTES <= len(data) <= MAX_COMMITMENT_BYTES:
        raise BbsOctetsMalformed(
            f"a commitment has {_COMMITMENT_FLOOR_BYTES} to {MAX_COMMITMENT_BYTES} bytes"
        )
    check_encoding(data[:G1_BYTES], G1_BYTES)
    s_hat, *m_hats, challenge = _scalars(data[G1_BYTES:])
    return CommitmentWithProof(data[:G1_BYTES], s_hat, tuple(m_hats), challenge)


def parse_pseudonym(data: bytes) -> Pseudonym:
    """Return the pseudonym of 48 octets. Raises `PointMalformed`."""
    check_encoding(data, G1_BYTES)
    return Pseudonym(data)


def check_indexes(indexes: Sequence[int], count: int) -> None:
    """Refuse indexes that are not strictly ascending within `range(count)`.

    Raises `BbsDisclosureMalformed`.
    """
    previous = -1
    for index in indexes:
        if type(index) is not int or not previous < index < count:
            raise BbsDisclosureMalformed("disclosed indexes ascend, below the message count")
        previous = index


def _scalars(data: bytes) -> list[int]:
    if len(data) % SCALAR_BYTES:
        raise BbsOctetsMalformed("the scalars do not fill their octets")
    return [
        parse_scalar(data[start : start + SCALAR_BYTES])
        for start in range(0, len(data), SCALAR_BYTES)
    ]
