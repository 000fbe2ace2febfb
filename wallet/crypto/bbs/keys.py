"""A BBS public key where other keys stand: in DID documents and verification methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wallet.crypto.bbs.types import BbsPublicKey, parse_public_key
from wallet.crypto.keys import SignatureInvalid
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject


@dataclass(frozen=True, slots=True)
class BbsVerificationKey:
    """A BBS key as a `wallet.crypto.keys.PublicKey`.

    BBS signs lists of messages, so `verify` of one string of bytes refuses whatever it is given;
    cryptosuites use `key`. The algorithm is no JOSE algorithm, and no JWS is accepted with it.
    """

    key: BbsPublicKey
    algorithm: ClassVar[str] = "BBS_BLS12381_SHA256"

    @property
    def jwk(self) -> JsonObject:
        """The public JWK (draft-ietf-cose-bls-key-representations); nothing here reads it."""
        return {"kty": "OKP", "crv": "Bls12381G2", "x": base64url.encode(self.key.octets)}

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raise `SignatureInvalid`."""
        raise SignatureInvalid("a BBS key signs lists of messages, not this")


def bbs_verification_key(octets: bytes) -> BbsVerificationKey:
    """Return the key of 96 octets. Raises `PointMalformed`; the subgroup is checked at use."""
    return BbsVerificationKey(parse_public_key(octets))
