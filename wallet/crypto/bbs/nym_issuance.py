"""Blind issuance with a pseudonym secret: CommitWithNym, BlindSignWithNym, VerifyFinalizeWithNym.

draft-irtf-cfrg-bbs-per-verifier-linkability, pinned to its fixtures at fcbba956 (2026-06-29).
Where the text has moved on, the fixtures decide: the signature's e is the hash of the secret key
and B, without the domain that the text now adds, which only the issuer could notice.

The holder commits to `prover_nyms` and the issuer adds entropy to the last of them. The sums,
the nym secrets, are signed; the issuer never learns them, so it cannot compute pseudonyms.

By itself this does not give one pseudonym to a person: a second issuance with another secret or
other entropy gives a second pseudonym in the same context. `registered_nym` closes that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wallet.crypto.bbs.signatures import finalize_signature, verify_scalars
from wallet.crypto.bbs.suite import (
    SHA_256,
    Interface,
    IssuerContext,
    Suite,
    integer,
    random_scalar,
)
from wallet.crypto.bbs.types import (
    MAX_MESSAGES,
    BbsCommitmentInvalid,
    BbsLayoutMalformed,
    BbsLimitExceeded,
    BbsPublicKey,
    BbsSecretKey,
    BbsSignature,
    CommitmentWithProof,
)
from wallet.crypto.bls12_381.backend import G1, GROUP_ORDER, encode_scalar


@dataclass(frozen=True, slots=True)
class NymLayout:
    """How many of what is signed, agreed beforehand: the issuer and every verifier pin it.

    `messages` of the issuer (L), `committed` messages of the holder, `nyms` (N, 1 in our use).
    """

    messages: int
    committed: int = 0
    nyms: int = 1

    def __post_init__(self) -> None:
        if self.messages < 0 or self.committed < 0 or self.nyms < 1:
            raise BbsLayoutMalformed("counts are not negative and there is at least one nym")
        if self.messages > MAX_MESSAGES or self.blind > MAX_MESSAGES:
            raise BbsLimitExceeded(f"at most {MAX_MESSAGES} messages, and as many blind scalars")

    @property
    def blind(self) -> int:
        """How many generators the commitment takes, that of its blind included."""
        return 1 + self.committed + self.nyms

    def context(
        self, interface: Interface, public_key: BbsPublicKey, header: bytes
    ) -> IssuerContext:
        """The issuer's context with the number of nyms in the header, as the draft signs it."""
        return interface.context(
            public_key, header + integer(self.nyms), self.messages, self.blind
        )


@dataclass(frozen=True, slots=True)
class ProverSecrets:
    """What the holder keeps between the commitment and the signature."""

    committed_messages: tuple[bytes, ...] = field(repr=False)
    prover_nyms: tuple[int, ...] = field(repr=False)
    prover_blind: int = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class CommitRandomness:
    """The random scalars of one commitment, in the order of the specification. Secret."""

    prover_blind: int
    s_tilde: int
    m_tildes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VerifiedCommitment:
    """A commitment whose proof holds: its sender knows what is in it. Made by verification."""

    point: G1
    layout: NymLayout


@dataclass(frozen=True, slots=True)
class NymCredential:
    """A verified blind signature with all that a proof of it needs. Secret as a whole."""

    public_key: BbsPublicKey
    layout: NymLayout
    signature: BbsSignature = field(repr=False)
    header: bytes = field(repr=False)
    messages: tuple[bytes, ...] = field(repr=False)
    committed_messages: tuple[bytes, ...] = field(repr=False)
    prover_blind: int = field(repr=False)
    nym_secrets: tuple[int, ...] = field(repr=False)

    def scalars(self, interface: Interface) -> list[int]:
        """All signed scalars: messages, blind, committed messages, nym secrets."""
        return [
            *interface.messages_to_scalars(self.messages),
            self.prover_blind,
            *interface.messages_to_scalars(self.committed_messages),
            *self.nym_secrets,
        ]


def new_prover_nym() -> int:
    """Return a random prover_nym: the root of all pseudonyms of its holder. Keep it secret.

    One for each issuer. One that could be guessed would give away every pseudonym.
    """
    return random_scalar()


def new_signer_nym_entropy() -> int:
    """Return random entropy for one holder; re-issuing reuses it to keep the pseudonyms."""
    return random_scalar()


def commit_with_nym(
    prover_nyms: Sequence[int],
    committed_messages: Sequence[bytes] = (),
    *,
    suite: Suite = SHA_256,
) -> tuple[CommitmentWithProof, ProverSecrets]:
    """CommitWithNym: what goes to the issuer, and what stays here.

    Raises `BbsLimitExceeded`, or `BbsLayoutMalformed` without a nym.
    """
    randomness = fresh_commit_randomness(len(committed_messages) + len(prover_nyms))
    return _commit_with_nym(prover_nyms, committed_messages, suite, randomness)


def _commit_with_nym(
    prover_nyms: Sequence[int],
    committed_messages: Sequence[bytes],
    suite: Suite,
    randomness: CommitRandomness,
) -> tuple[CommitmentWithProof, ProverSecrets]:
    interface = suite.pseudonym
    NymLayout(0, len(committed_messages), len(prover_nyms))
    scalars = (*interface.messages_to_scalars(committed_messages), *prover_nyms)
    points = commitment_points(interface, scalars, randomness)
    challenge = _challenge(interface, len(scalars), *points)
    secrets = ProverSecrets(tuple(committed_messages), tuple(prover_nyms), randomness.prover_blind)
    return answer_commitment(points[0], scalars, randomness, challenge), secrets


def verify_commitment(
    commitment: CommitmentWithProof, layout: NymLayout, *, suite: Suite = SHA_256
) -> VerifiedCommitment:
    """The issuer's check of a commitment (deserialize_and_validate_commit of blind BBS).

    Raises `BbsCommitmentInvalid`, `BbsLayoutMalformed` or `PointMalformed`. Who sent it and
    whether it was sent before are not checked.
    """
    interface = suite.pseudonym
    point, c_bar = recompute_commitment(interface, commitment, layout)
    if commitment.challenge != _challenge(
        interface, len(commitment.m_hats), commitment.commitment, c_bar
    ):
        raise BbsCommitmentInvalid("the commitment's proof does not hold")
    return VerifiedCommitment(point, layout)


def blind_sign_with_nym(
    secret_key: BbsSecretKey,
    commitment: VerifiedCommitment,
    signer_nym_entropy: int,
    messages: Sequence[bytes],
    *,
    header: bytes = b"",
    suite: Suite = SHA_256,
) -> BbsSignature:
    """BlindSignWithNym over a commitment that was verified. Deterministic.

    `signer_nym_entropy` goes to the holder with the signature. Raises `BbsLayoutMalformed` or
    `BbsLimitExceeded`.
    """
    interface, backend, layout = suite.pseudonym, suite.backend, commitment.layout
    if len(messages) != layout.messages:
        raise BbsLayoutMalformed(f"the layout has {layout.messages} messages")
    scalars = interface.messages_to_scalars(messages)
    context = layout.context(interface, secret_key.public_key, header)
    b = backend.msm(
        (context.origin, *context.bases[: layout.messages], commitment.point, context.bases[-1]),
        (1, *scalars, 1, signer_nym_entropy % GROUP_ORDER),
    )
    e = interface.hash_to_scalar(encode_scalar(secret_key.scalar) + backend.encode_g1(b))
    return finalize_signature(interface, secret_key, b, e)


def verify_finalize_with_nym(
    public_key: BbsPublicKey,
    signature: BbsSignature,
    secrets: ProverSecrets,
    signer_nym_entropy: int,
    messages: Sequence[bytes],
    *,
    header: bytes = b"",
    suite: Suite = SHA_256,
) -> NymCredential:
    """VerifyFinalizeWithNym: the holder's check, and the credential that proofs are made from.

    Raises `SignatureInvalid`, `PointMalformed` or `BbsLimitExceeded`.
    """
    *others, last = secrets.prover_nyms
    credential = NymCredential(
        public_key,
        NymLayout(len(messages), len(secrets.committed_messages), len(secrets.prover_nyms)),
        signature,
        header,
        tuple(messages),
        secrets.committed_messages,
        secrets.prover_blind,
        (*others, (last + signer_nym_entropy) % GROUP_ORDER),
    )
    interface = suite.pseudonym
    scalars = credential.scalars(interface)
    context = credential.layout.context(interface, public_key, header)
    verify_scalars(interface, public_key, signature, context, scalars)
    return credential


def fresh_commit_randomness(committed: int) -> CommitRandomness:
    """Return random scalars for a commitment to `committed` scalars."""
    prover_blind, s_tilde, *m_tildes = (random_scalar() for _ in range(2 + committed))
    return CommitRandomness(prover_blind, s_tilde, tuple(m_tildes))


def commitment_points(
    interface: Interface, scalars: Sequence[int], randomness: CommitRandomness
) -> tuple[bytes, bytes]:
    """C and Cbar, encoded. Raises `BbsLimitExceeded`."""
    backend = interface.backend
    generators, _ = interface.blind_generators(1 + len(scalars))
    c = backend.msm(generators, (randomness.prover_blind, *scalars))
    c_bar = backend.msm(generators, (randomness.s_tilde, *randomness.m_tildes))
    return backend.encode_g1(c), backend.encode_g1(c_bar)


def answer_commitment(
    commitment: bytes, scalars: Sequence[int], randomness: CommitRandomness, challenge: int
) -> CommitmentWithProof:
    """The responses to the challenge."""
    return CommitmentWithProof(
        commitment,
        (randomness.s_tilde + randomness.prover_blind * challenge) % GROUP_ORDER,
        tuple(
            (tilde + scalar * challenge) % GROUP_ORDER
            for tilde, scalar in zip(randomness.m_tildes, scalars, strict=True)
        ),
        challenge,
    )


def recompute_commitment(
    interface: Interface, commitment: CommitmentWithProof, layout: NymLayout
) -> tuple[G1, bytes]:
    """C decoded, and Cbar as the responses give it, encoded.

    Raises `PointMalformed` or `BbsLayoutMalformed`.
    """
    if len(commitment.m_hats) != layout.committed + layout.nyms:
        raise BbsLayoutMalformed("the commitment is not to this number of scalars")
    backend = interface.backend
    point = backend.decode_g1(commitment.commitment)
    generators, _ = interface.blind_generators(layout.blind)
    c_bar = backend.msm(
        (*generators, point),
        (commitment.s_hat, *commitment.m_hats, GROUP_ORDER - commitment.challenge),
    )
    return point, backend.encode_g1(c_bar)


def _challenge(interface: Interface, committed: int, commitment: bytes, c_bar: bytes) -> int:
    _, octets = interface.blind_generators(1 + committed)
    data = b"".join((integer(committed), *octets, commitment, c_bar))
    return interface.hash_to_scalar(data)
