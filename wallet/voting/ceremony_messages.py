"""The messages of the key ceremony, with the hashes and proofs that go with them.

docs/voting.md, section 8. Bodies are made and read here; who may send what when is in `ceremony`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wallet.crypto.secp256k1 import (
    GROUP_ORDER,
    Point,
    add,
    base_multiple,
    blinded_multiply,
    encode_point,
    encode_points,
    encode_scalar,
    is_equal,
    multiply,
    parse_scalar,
    random_scalar,
    secret_multiple,
)
from wallet.crypto.sigma import (
    SigmaProof,
    prove_equal_logarithms,
    prove_knowledge,
    verify_equal_logarithms,
    verify_knowledge,
)
from wallet.crypto.transcript import challenge, digest, index
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError
from wallet.voting.manifest import MAX_TRUSTEES, Manifest
from wallet.voting.statements import STATEMENT_SHAPE

SHAPE = STATEMENT_SHAPE
NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class SealedShare:
    """A share for trustee `to`, masked with what only the dealer and that trustee can compute."""

    to: int
    point: Point
    masked: int
    proof: SigmaProof


@dataclass(frozen=True, slots=True)
class Complaint:
    """Trustee `author` opens what `dealer` sent it: the shared secret, with a proof."""

    dealer: int
    secret: Point
    proof: SigmaProof


def proof_json(proof: SigmaProof) -> JsonObject:
    """A proof as it stands in statements."""
    return {"e": encode_scalar(proof.e).hex(), "z": encode_scalar(proof.z).hex()}


def read_scalar(value: object) -> int:
    """A scalar in hex. Raises `StatementMalformed`."""
    try:
        return parse_scalar(SHAPE.any_octets(value))
    except MalformedError as error:
        raise SHAPE.refuse("expected a scalar") from error


def read_proof(value: Any) -> SigmaProof:
    """A proof. Raises `StatementMalformed`."""
    proof = SHAPE.members(value, "e", "z")
    return SigmaProof(read_scalar(proof["e"]), read_scalar(proof["z"]))


def body(kind: str, manifest: Manifest, trustee: int, **members: object) -> JsonObject:
    """The body of a ceremony message."""
    return {"kind": kind, "manifest": manifest.digest.hex(), "trustee": trustee, **members}


def commitment_digest(manifest: Manifest, trustee: int, commitments: Sequence[Point]) -> bytes:
    """What round 1 commits to."""
    return digest("dkg-commit", manifest.digest, index(trustee), encode_points(commitments))


def tie_digest(manifest: Manifest, trustee: int, nonce: bytes) -> bytes:
    """The commitment to a nonce that is to break ties."""
    return digest("tie-nonce", manifest.digest, index(trustee), nonce)


def prove_commitments(
    manifest: Manifest, trustee: int, commitments: Sequence[Point], secret: int
) -> SigmaProof:
    """The proof of round 2: the trustee knows the constant coefficient."""
    return prove_knowledge(secret, *_pok(manifest, trustee, commitments))


def verify_commitments(
    manifest: Manifest, trustee: int, commitments: Sequence[Point], proof: SigmaProof
) -> None:
    """Raises `SigmaProofInvalid`."""
    verify_knowledge(proof, commitments[0], *_pok(manifest, trustee, commitments))


def _pok(
    manifest: Manifest, trustee: int, commitments: Sequence[Point]
) -> tuple[str, bytes, bytes, bytes]:
    return "dkg-pok", manifest.digest, index(trustee), encode_points(commitments)


def seal_share(manifest: Manifest, dealer: int, to: int, share: int) -> SealedShare:
    """Mask a share for the encryption key of trustee `to`, and prove knowledge of the secret."""
    ephemeral = random_scalar()
    point = secret_multiple(ephemeral)
    secret = blinded_multiply(manifest.trustees[to - 1].encryption_key, ephemeral)
    masked = (share + _mask(manifest, dealer, to, point, secret)) % GROUP_ORDER
    proof = prove_knowledge(ephemeral, *_share_pok(manifest, dealer, to, point, masked))
    return SealedShare(to, point, masked, proof)


def verify_sealed_share(manifest: Manifest, dealer: int, sealed: SealedShare) -> None:
    """Return if the dealer knows its own ephemeral secret. Raises `SigmaProofInvalid`.

    Without that, a dealer could pass on another's point and have it opened by a complaint.
    """
    statement = _share_pok(manifest, dealer, sealed.to, sealed.point, sealed.masked)
    verify_knowledge(sealed.proof, sealed.point, *statement)


def unseal_share(manifest: Manifest, dealer: int, sealed: SealedShare, secret: Point) -> int:
    """The share behind the mask that `secret` gives."""
    mask = _mask(manifest, dealer, sealed.to, sealed.point, secret)
    return (sealed.masked - mask) % GROUP_ORDER


def is_good_share(share: int, to: int, commitments: Sequence[Point]) -> bool:
    """Whether the share lies on the polynomial that was committed to."""
    return is_equal(base_multiple(share), evaluate_commitments(commitments, to))


def evaluate_commitments(commitments: Sequence[Point | None], at: int) -> Point | None:
    """Return the sum of at^k * commitments[k]."""
    value: Point | None = None
    for commitment in reversed(commitments):
        value = add((multiply(value, at), commitment))
    return value


def evaluate_polynomial(coefficients: Sequence[int], at: int) -> int:
    """Return f(at)."""
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * at + coefficient) % GROUP_ORDER
    return value


def open_complaint(
    manifest: Manifest, dealer: int, sealed: SealedShare, encryption_secret: int
) -> Complaint:
    """Make the complaint of trustee `sealed.to` about a share that is not good."""
    secret = blinded_multiply(sealed.point, encryption_secret)
    statement = _complaint(manifest, dealer, sealed, secret)
    proof = prove_equal_logarithms(encryption_secret, sealed.point, *statement)
    return Complaint(dealer, secret, proof)


def verify_complaint(manifest: Manifest, sealed: SealedShare, complaint: Complaint) -> None:
    """Return if the secret is the one of this share. Raises `SigmaProofInvalid`."""
    verify_equal_logarithms(
        complaint.proof,
        sealed.point,
        manifest.trustees[sealed.to - 1].encryption_key,
        complaint.secret,
        *_complaint(manifest, complaint.dealer, sealed, complaint.secret),
    )


def read_share(value: Any) -> SealedShare:
    """A sealed share. Raises `StatementMalformed`."""
    share = SHAPE.members(value, "to", "point", "masked", "proof")
    return SealedShare(
        SHAPE.integer(share["to"], low=1, high=MAX_TRUSTEES),
        SHAPE.point(share["point"]),
        read_scalar(share["masked"]),
        read_proof(share["proof"]),
    )


def share_json(sealed: SealedShare) -> JsonObject:
    """A sealed share as it stands in round 3."""
    return {
        "to": sealed.to,
        "point": encode_point(sealed.point).hex(),
        "masked": encode_scalar(sealed.masked).hex(),
        "proof": proof_json(sealed.proof),
    }


def read_complaint(value: Any) -> Complaint:
    """A complaint. Raises `StatementMalformed`."""
    complaint = SHAPE.members(value, "dealer", "secret", "proof")
    return Complaint(
        SHAPE.integer(complaint["dealer"], low=1, high=MAX_TRUSTEES),
        SHAPE.point(complaint["secret"]),
        read_proof(complaint["proof"]),
    )


def complaint_json(complaint: Complaint) -> JsonObject:
    """A complaint as it stands in round 4."""
    return {
        "dealer": complaint.dealer,
        "secret": encode_point(complaint.secret).hex(),
        "proof": proof_json(complaint.proof),
    }


def _mask(manifest: Manifest, dealer: int, to: int, point: Point, secret: Point) -> int:
    return challenge(
        "dkg-mask",
        manifest.digest,
        index(dealer),
        index(to),
        encode_point(point),
        encode_point(secret),
    )


def _share_pok(
    manifest: Manifest, dealer: int, to: int, point: Point, masked: int
) -> tuple[str, bytes, bytes, bytes, bytes, bytes]:
    return (
        "dkg-share-pok",
        manifest.digest,
        index(dealer),
        index(to),
        encode_point(point),
        encode_scalar(masked),
    )


def _complaint(
    manifest: Manifest, dealer: int, sealed: SealedShare, secret: Point
) -> tuple[str, bytes, bytes, bytes, bytes, bytes, bytes]:
    return (
        "dkg-complaint",
        manifest.digest,
        index(dealer),
        index(sealed.to),
        encode_point(manifest.trustees[sealed.to - 1].encryption_key),
        encode_point(sealed.point),
        encode_point(secret),
    )
