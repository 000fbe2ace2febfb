"""A second pseudonym of one proof, in another context, for somebody who does not see the proof.

This is an extension of our own. It is in no draft and nobody outside has reviewed it. The proof
itself is the draft's, byte for byte: only what its presentation header says is new.

A verifier A checks a proof with a pseudonym N in its context. A register R is to learn the
pseudonym N2 = OP2 * nym_secret of the same person in a context of its own; A is not to learn N2,
and R not N. While making the proof the holder also computes U2 = OP2 * m~ with the blinding m~ of
the nym secret, and puts

    digest = SHA-256(tag || N2 || U2 || salt), of 48, 48 and 32 bytes,

into the presentation header, which the challenge c covers. A checks the proof and passes c and
the response m^ of the nym secret to R. N2 and the salt reach R past A (encrypted to R). R
recomputes U2 = OP2 * m^ - N2 * c and compares the digest.

Why it holds: the digest fixes N2 and U2 before the challenge, and the signature's own equation
T2 is answered by the same m^. So m^ answers for both, and N2 is of the signed secret (an equality
of discrete logarithms after Chaum and Pedersen, in the random oracle model). Why it hides: the
salt hides N2 from A, and (c, m^, U2) can be simulated, so R learns nothing but N2. What R must
trust A for: that c and m^ are of a proof that holds. A and R together see that N and N2 are one
person's.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from wallet.crypto.bbs.nym_issuance import NymCredential
from wallet.crypto.bbs.nym_proofs import NymProof, derive_nym_proof_from, on_pseudonym_base
from wallet.crypto.bbs.proof_core import fresh_randomness
from wallet.crypto.bbs.suite import SHA_256, Suite
from wallet.crypto.bbs.types import BbsLayoutMalformed, BbsOctetsMalformed, BbsProof, Pseudonym
from wallet.crypto.bls12_381.backend import GROUP_ORDER, SCALAR_BYTES, encode_scalar, parse_scalar
from wallet.crypto.hashing import sha256
from wallet.errors import RejectedError

SALT_BYTES: Final = 32
ANSWER_BYTES: Final = 2 * SCALAR_BYTES
_TAG: Final = b"SW_LINKED_NYM_V1_"


class LinkedPseudonymInvalid(RejectedError):
    """The second pseudonym is not of the person whose proof it comes with."""

    code = "bbs_linked_pseudonym_invalid"


@dataclass(frozen=True, slots=True)
class LinkOpening:
    """What the register alone may see: the pseudonym in its context, and 32 bytes of salt."""

    pseudonym: Pseudonym = field(repr=False)
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """What the verifier of a proof passes on: its challenge, the response of the nym secret."""

    challenge: int
    response: int

    @property
    def octets(self) -> bytes:
        """Challenge and response, 32 bytes each."""
        return encode_scalar(self.challenge) + encode_scalar(self.response)


@dataclass(frozen=True, slots=True)
class VerifiedLink:
    """A pseudonym that belongs to the person of a proof. Made by verification."""

    pseudonym: Pseudonym


def derive_linked_proof(
    credential: NymCredential,
    context_id: bytes,
    linked_context_id: bytes,
    disclosed_indexes: Sequence[int],
    *,
    header_for: Callable[[bytes], bytes],
    suite: Suite = SHA_256,
) -> tuple[NymProof, LinkOpening]:
    """Return a proof with its pseudonym in `context_id`, and the opening for the register.

    `header_for` gets the digest of the link and returns the presentation header, which must
    cover it. Raises `BbsLayoutMalformed` for a credential of several nyms, and as
    `derive_proof_with_nym`.
    """
    layout, interface = credential.layout, suite.pseudonym
    if layout.nyms != 1:
        raise BbsLayoutMalformed("a linked pseudonym is of one nym")
    randomness = fresh_randomness(layout.messages + layout.blind - len(disclosed_indexes))
    linked = Pseudonym(on_pseudonym_base(interface, linked_context_id, credential.nym_secrets))
    u = on_pseudonym_base(interface, linked_context_id, randomness.m_tildes[-1:])
    opening = LinkOpening(linked, secrets.token_bytes(SALT_BYTES))
    header = header_for(_digest(opening, u))
    proof = derive_nym_proof_from(
        credential, context_id, disclosed_indexes, header, suite, randomness
    )
    return proof, opening


def link_answer(proof: BbsProof) -> LinkAnswer:
    """Return what a register needs of a proof with one nym. The proof MUST have been verified."""
    return LinkAnswer(proof.challenge, proof.m_hats[-1])


def parse_link_answer(data: bytes) -> LinkAnswer:
    """Return the answer of its 64 octets. Raises `BbsOctetsMalformed` or `ScalarMalformed`."""
    if len(data) != ANSWER_BYTES:
        raise BbsOctetsMalformed(f"a link answer has {ANSWER_BYTES} bytes")
    return LinkAnswer(parse_scalar(data[:SCALAR_BYTES]), parse_scalar(data[SCALAR_BYTES:]))


def verify_link(
    answer: LinkAnswer,
    opening: LinkOpening,
    link_digest: bytes,
    linked_context_id: bytes,
    *,
    suite: Suite = SHA_256,
) -> VerifiedLink:
    """The register's check that the pseudonym is of the person whose proof has this digest.

    Raises `LinkedPseudonymInvalid`, `PointMalformed`, `BbsOctetsMalformed` or
    `BbsLimitExceeded`. Not checked: that answer and digest are of a proof that was verified; the
    verifier who passes them on vouches for that.
    """
    if len(opening.salt) != SALT_BYTES:
        raise BbsOctetsMalformed(f"a salt has {SALT_BYTES} bytes")
    backend = suite.backend
    pseudonym = backend.decode_g1(opening.pseudonym.octets)
    base, _ = suite.pseudonym.pseudonym_base(linked_context_id)
    u = backend.msm((base, pseudonym), (answer.response, GROUP_ORDER - answer.challenge))
    if backend.is_identity(u) or not hmac.compare_digest(
        _digest(opening, backend.encode_g1(u)), link_digest
    ):
        raise LinkedPseudonymInvalid("the pseudonym is not of the person of this proof")
    return VerifiedLink(opening.pseudonym)


def _digest(opening: LinkOpening, u: bytes) -> bytes:
    return sha256(_TAG + opening.pseudonym.octets + u + opening.salt)
