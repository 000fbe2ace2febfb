"""Signing keys in software beside ES256 and EdDSA: ES384 and ES256K."""

from __future__ import annotations

from typing import ClassVar, Final

import coincurve
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from wallet.crypto.keys import EcPublicKey, KeyMalformed, Secp256k1PublicKey, UnsupportedKey

_ECDSA_SHA384: Final = ec.ECDSA(hashes.SHA384())


class Es384SigningKey:
    """A P-384 signing key in software."""

    algorithm: ClassVar[str] = "ES384"

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        if not isinstance(key.curve, ec.SECP384R1):
            raise UnsupportedKey("an ES384 key is on P-384")
        self._key = key
        self._public = EcPublicKey.from_cryptography(key.public_key())

    @classmethod
    def generate(cls) -> Es384SigningKey:
        """Return a new key from the operating system's randomness."""
        return cls(ec.generate_private_key(ec.SECP384R1()))

    @classmethod
    def from_secret(cls, secret: bytes) -> Es384SigningKey:
        """Return the key with this 48-byte big-endian scalar. Raises `KeyMalformed`."""
        try:
            return cls(ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP384R1()))
        except ValueError:
            raise KeyMalformed("the scalar is not a P-384 private key") from None

    @property
    def public_key(self) -> EcPublicKey:
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Return r || s, 96 bytes (RFC 7518 §3.4)."""
        r, s = decode_dss_signature(self._key.sign(data, _ECDSA_SHA384))
        return r.to_bytes(48, "big") + s.to_bytes(48, "big")

    def secret(self) -> bytes:
        """Return the 48-byte scalar, for a key store that encrypts it."""
        return self._key.private_numbers().private_value.to_bytes(48, "big")


class Es256kSigningKey:
    """A secp256k1 signing key in software."""

    algorithm: ClassVar[str] = "ES256K"

    def __init__(self, key: coincurve.PrivateKey) -> None:
        self._key = key
        self._public = Secp256k1PublicKey(key.public_key)

    @classmethod
    def generate(cls) -> Es256kSigningKey:
        """Return a new key from the operating system's randomness."""
        return cls(coincurve.PrivateKey())

    @classmethod
    def from_secret(cls, secret: bytes) -> Es256kSigningKey:
        """Return the key with this 32-byte big-endian scalar. Raises `KeyMalformed`."""
        try:
            return cls(coincurve.PrivateKey(secret))
        except ValueError:
            raise KeyMalformed("the scalar is not a secp256k1 private key") from None

    @property
    def public_key(self) -> Secp256k1PublicKey:
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Return r || s, 64 bytes, with low s and the nonce of RFC 6979 (RFC 8812 §3.2)."""
        return bytes(self._key.sign_recoverable(data)[:64])

    def secret(self) -> bytes:
        """Return the 32-byte scalar, for a key store that encrypts it."""
        return bytes(self._key.secret)
