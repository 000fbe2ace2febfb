"""A trustee's own side of the key ceremony: coefficients, shares for others, the share that stays.

docs/voting.md, section 8. Pure: secrets come in and go out as values, and a trustee's tool keeps
them encrypted in its key folder. Bodies are returned unsigned, for `sign_statement`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from wallet.crypto.secp256k1 import (
    GROUP_ORDER,
    blinded_multiply,
    encode_point,
    encode_scalar,
    is_equal,
    parse_scalar,
    parse_scalars,
    random_scalar,
    secret_multiple,
)
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, MalformedError
from wallet.voting.board import CEREMONY
from wallet.voting.ceremony import Ceremony, CeremonyResult
from wallet.voting.ceremony_messages import (
    NONCE_BYTES,
    Complaint,
    SealedShare,
    body,
    commitment_digest,
    complaint_json,
    evaluate_polynomial,
    is_good_share,
    open_complaint,
    proof_json,
    prove_commitments,
    seal_share,
    share_json,
    tie_digest,
    unseal_share,
)
from wallet.voting.manifest import Manifest

_COMMIT, _REVEAL, _SHARES, _VERDICT = CEREMONY


class TrusteeSecretsMalformed(MalformedError):
    """The bytes are not the secrets of a ceremony, or not a share of its key."""

    code = "trustee_secrets_malformed"


class CeremonyRoundNotReached(ConflictError):
    """The ceremony is in another round, or this trustee is out of it."""

    code = "ceremony_round_not_reached"


class TrusteeShareMissing(ConflictError):
    """This trustee holds no share of the election key: it is out, or its share does not fit."""

    code = "trustee_share_missing"


@dataclass(frozen=True, slots=True)
class TrusteeSecrets:
    """What a trustee draws at the beginning and keeps until its share is made.

    `tie_nonce` is revealed after the close; the coefficients never are.
    """

    trustee: int
    coefficients: tuple[int, ...] = field(repr=False)
    tie_nonce: bytes = field(repr=False)

    @property
    def octets(self) -> bytes:
        """For a key folder that encrypts them: the nonce, then the coefficients."""
        return self.tie_nonce + b"".join(map(encode_scalar, self.coefficients))


@dataclass(frozen=True, slots=True)
class TrusteeShare:
    """A trustee's share x_i of the election key."""

    trustee: int
    secret: int = field(repr=False)

    @property
    def octets(self) -> bytes:
        """For a key folder that encrypts them."""
        return encode_scalar(self.secret)


def new_trustee_secrets(manifest: Manifest, trustee: int) -> TrusteeSecrets:
    """Draw the secrets of one ceremony. Never used for a second one."""
    coefficients = tuple(random_scalar() for _ in range(manifest.threshold))
    return TrusteeSecrets(trustee, coefficients, secrets.token_bytes(NONCE_BYTES))


def parse_trustee_secrets(trustee: int, data: bytes) -> TrusteeSecrets:
    """Return what `TrusteeSecrets.octets` gave. Raises `TrusteeSecretsMalformed`."""
    try:
        coefficients = tuple(parse_scalars(data[NONCE_BYTES:]))
    except MalformedError as error:
        raise TrusteeSecretsMalformed("not the secrets of a ceremony") from error
    if len(data) <= NONCE_BYTES or 0 in coefficients:
        raise TrusteeSecretsMalformed("not the secrets of a ceremony")
    return TrusteeSecrets(trustee, coefficients, data[:NONCE_BYTES])


def parse_trustee_share(trustee: int, data: bytes) -> TrusteeShare:
    """Return what `TrusteeShare.octets` gave. Raises `TrusteeSecretsMalformed`.

    That it is the share of an election is not checked: its decryption would not verify.
    """
    try:
        secret = parse_scalar(data)
    except MalformedError as error:
        raise TrusteeSecretsMalformed("not the share of a key") from error
    if not secret:
        raise TrusteeSecretsMalformed("not the share of a key")
    return TrusteeShare(trustee, secret)


def commit_body(ceremony: Ceremony, own: TrusteeSecrets) -> JsonObject:
    """Round 1. Raises `CeremonyRoundNotReached`."""
    _check_round(ceremony, own, _COMMIT)
    manifest = ceremony.manifest
    commitments = [secret_multiple(coefficient) for coefficient in own.coefficients]
    return body(
        _COMMIT,
        manifest,
        own.trustee,
        digest=commitment_digest(manifest, own.trustee, commitments).hex(),
        tie=tie_digest(manifest, own.trustee, own.tie_nonce).hex(),
    )


def reveal_body(ceremony: Ceremony, own: TrusteeSecrets) -> JsonObject:
    """Round 2, when round 1 is over: never before. Raises `CeremonyRoundNotReached`."""
    _check_round(ceremony, own, _REVEAL)
    commitments = [secret_multiple(coefficient) for coefficient in own.coefficients]
    proof = prove_commitments(ceremony.manifest, own.trustee, commitments, own.coefficients[0])
    return body(
        _REVEAL,
        ceremony.manifest,
        own.trustee,
        commitments=[encode_point(point).hex() for point in commitments],
        proof=proof_json(proof),
    )


def shares_body(ceremony: Ceremony, own: TrusteeSecrets) -> JsonObject:
    """Round 3. Raises `CeremonyRoundNotReached`."""
    _check_round(ceremony, own, _SHARES)
    shares = [
        seal_share(ceremony.manifest, own.trustee, to, evaluate_polynomial(own.coefficients, to))
        for to in ceremony.receivers(own.trustee)
    ]
    return body(
        _SHARES, ceremony.manifest, own.trustee, shares=[share_json(share) for share in shares]
    )


def verdict_body(ceremony: Ceremony, own: TrusteeSecrets, encryption_secret: int) -> JsonObject:
    """Round 4: complaints about shares that are not good. Raises `CeremonyRoundNotReached`."""
    _check_round(ceremony, own, _VERDICT)
    complaints: list[Complaint] = []
    for dealer, sealed in sorted(_received(ceremony, own).items()):
        share = _open(ceremony, dealer, sealed, encryption_secret)
        if not is_good_share(share, own.trustee, ceremony.commitments[dealer]):
            complaints.append(open_complaint(ceremony.manifest, dealer, sealed, encryption_secret))
    return body(
        _VERDICT,
        ceremony.manifest,
        own.trustee,
        complaints=[complaint_json(complaint) for complaint in complaints],
    )


def final_share(
    ceremony: Ceremony, result: CeremonyResult, own: TrusteeSecrets, encryption_secret: int
) -> TrusteeShare:
    """Return the trustee's share of the election key, checked against its verification key.

    Raises `TrusteeShareMissing`. Afterwards the coefficients can be destroyed.
    """
    expected = result.verification_keys.get(own.trustee)
    secret = evaluate_polynomial(own.coefficients, own.trustee)
    received = _received(ceremony, own)
    for dealer in result.qualified:
        if dealer != own.trustee and dealer in received:
            secret += _open(ceremony, dealer, received[dealer], encryption_secret)
    secret %= GROUP_ORDER
    if expected is None or not secret or not is_equal(secret_multiple(secret), expected):
        raise TrusteeShareMissing("this trustee holds no share of the election key")
    return TrusteeShare(own.trustee, secret)


def _check_round(ceremony: Ceremony, own: TrusteeSecrets, kind: str) -> None:
    is_reached = ceremony.round < len(CEREMONY) and CEREMONY[ceremony.round] == kind
    if not is_reached or own.trustee in ceremony.out:
        raise CeremonyRoundNotReached(f"it is not this trustee's turn for {kind}")


def _received(ceremony: Ceremony, own: TrusteeSecrets) -> dict[int, SealedShare]:
    return {
        dealer: shares[own.trustee]
        for dealer, shares in ceremony.shares.items()
        if own.trustee in shares
    }


def _open(ceremony: Ceremony, dealer: int, sealed: SealedShare, encryption_secret: int) -> int:
    secret = blinded_multiply(sealed.point, encryption_secret)
    return unseal_share(ceremony.manifest, dealer, sealed, secret)
