"""Public keys, signing keys and their JWK form (RFC 7517, RFC 7518, RFC 8037).

Signatures are in the JOSE form: r || s at fixed length for ECDSA, 64 bytes for EdDSA. High-s
ECDSA signatures verify, so a signature is never an identifier. Ed25519 follows one rule, the
strictest in common use (libsodium's): see `ed25519_public_key` and `Ed25519PublicKey.verify`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Protocol

import coincurve
from awscrt.crypto import EC as AwsEcKey
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wallet.crypto import ecdsa_values
from wallet.crypto.ed25519_points import SMALL_ORDER_ENCODINGS, is_canonical_point
from wallet.crypto.hashing import HashFunction, sha256, sha384
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError

MAX_JWK_MEMBER_CHARACTERS: Final = 256
_ECDSA_SHA256: Final = ec.ECDSA(hashes.SHA256())
_UNCOMPRESSED: Final = 4
SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class KeyMalformed(MalformedError):
    """A key that is not a valid public key of its type (also: off the curve, or private)."""

    code = "key_malformed"


class UnsupportedKey(UnsupportedError):
    """A key type, curve or algorithm that is not implemented."""

    code = "unsupported_key"


class SignatureInvalid(RejectedError):
    """The signature does not verify under the key."""

    code = "signature_invalid"


class PublicKey(Protocol):
    """A public key that verifies signatures of exactly one JOSE algorithm."""

    @property
    def algorithm(self) -> str:
        """The JOSE `alg` value, for example `ES256`."""

    @property
    def jwk(self) -> JsonObject:
        """The public JWK with only its required members."""

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return if `signature` over `data` is valid, else raise `SignatureInvalid`."""


class SigningKey(Protocol):
    """A private key; software here, a secure element elsewhere. Never gives its secret away."""

    @property
    def algorithm(self) -> str:
        """The JOSE `alg` value of the signatures that `sign` makes."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""

    def sign(self, data: bytes) -> bytes:
        """Return the JOSE signature over `data`."""


class EcPublicKey:
    """An ECDSA public key on P-256 (ES256) or P-384 (ES384).

    AWS-LC verifies: it takes about three quarters of the time that OpenSSL takes, and loads a
    key, which every key binding brings anew, in a sixth. `cryptography` signs.
    """

    __slots__ = ("_crv", "_digest", "_key", "_point", "_size", "algorithm")

    def __init__(self, crv: str, point: bytes) -> None:
        """Load an uncompressed SEC 1 point. Raises `KeyMalformed` or `UnsupportedKey`."""
        curve = _EC_BY_CRV.get(crv)
        if curve is None:
            raise UnsupportedKey(f"curve {crv} is not implemented")
        self._crv, self._point = crv, point
        self.algorithm, self._size, self._digest, prefix, _ = curve
        if len(point) != 2 * self._size + 1 or point[0] != _UNCOMPRESSED:
            raise KeyMalformed("not an uncompressed point of its curve")
        try:
            self._key = AwsEcKey.new_key_from_der_data(prefix + point)
        except RuntimeError:
            raise KeyMalformed("the point is not on its curve") from None

    @classmethod
    def from_cryptography(cls, key: ec.EllipticCurvePublicKey) -> EcPublicKey:
        """Return the same key. Raises `UnsupportedKey`."""
        for crv, (*_, curve) in _EC_BY_CRV.items():
            if key.curve.name == curve.name:
                return cls(crv, key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        raise UnsupportedKey(f"curve {key.curve.name} is not implemented")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EcPublicKey) and self._point == other._point

    def __hash__(self) -> int:
        return hash(self._point)

    def __reduce__(self) -> tuple[type[EcPublicKey], tuple[str, bytes]]:
        return EcPublicKey, (self._crv, self._point)

    @property
    def jwk(self) -> JsonObject:
        """The public JWK (RFC 7518 §6.2.1)."""
        middle = self._size + 1
        return {
            "kty": "EC",
            "crv": self._crv,
            "x": base64url.encode(self._point[1:middle]),
            "y": base64url.encode(self._point[middle:]),
        }

    def verify(self, signature: bytes, data: bytes) -> None:
        """Verify r || s over `data` (RFC 7518 §3.4). Raises `SignatureInvalid`."""
        size = self._size
        if len(signature) != 2 * size:
            raise SignatureInvalid(f"an {self.algorithm} signature has {2 * size} bytes")
        if not self._key.verify(self._digest(data), ecdsa_values.to_der(signature, size)):
            raise SignatureInvalid(f"the {self.algorithm} signature does not verify")

    @property
    def compressed(self) -> bytes:
        """The compressed SEC 1 point."""
        return bytes((2 + (self._point[-1] & 1),)) + self._point[1 : self._size + 1]


class Ed25519PublicKey:
    """An Ed25519 public key (EdDSA, RFC 8037)."""

    __slots__ = ("_key", "jwk")
    algorithm: Final = "EdDSA"

    def __init__(self, key: ed25519.Ed25519PublicKey) -> None:
        self._key = key
        self.jwk: JsonObject = {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": base64url.encode(key.public_bytes_raw()),
        }

    def verify(self, signature: bytes, data: bytes) -> None:
        """Verify an Ed25519 signature (RFC 8032). Raises `SignatureInvalid`.

        Without the cofactor, S below the group order, R canonical and not of small order.
        """
        if signature[:32] in SMALL_ORDER_ENCODINGS:
            raise SignatureInvalid("R of the EdDSA signature is of small order")
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            raise SignatureInvalid("the EdDSA signature does not verify") from None

    @property
    def raw(self) -> bytes:
        """The 32 bytes of the key."""
        return self._key.public_bytes_raw()


class Secp256k1PublicKey:
    """An ECDSA public key on secp256k1 (ES256K, RFC 8812 §3)."""

    __slots__ = ("_key",)
    algorithm: Final = "ES256K"

    def __init__(self, key: coincurve.PublicKey) -> None:
        self._key = key

    @property
    def jwk(self) -> JsonObject:
        """The public JWK (RFC 8812 §3.1)."""
        point = self._key.format(compressed=False)
        return {
            "kty": "EC",
            "crv": "secp256k1",
            "x": base64url.encode(point[1:33]),
            "y": base64url.encode(point[33:]),
        }

    def verify(self, signature: bytes, data: bytes) -> None:
        """Verify r || s over `data` (RFC 8812 §3.2). Raises `SignatureInvalid`."""
        if len(signature) != 64:
            raise SignatureInvalid("an ES256K signature has 64 bytes")
        r = int.from_bytes(signature[:32], "big")
        s = int.from_bytes(signature[32:], "big")
        if not (0 < r < SECP256K1_ORDER and 0 < s < SECP256K1_ORDER):
            raise SignatureInvalid("r and s of an ES256K signature are below the group order")
        # libsecp256k1 takes low s alone; JOSE knows no such rule.
        low_s = min(s, SECP256K1_ORDER - s)
        if not self._key.verify(encode_dss_signature(r, low_s), data):
            raise SignatureInvalid("the ES256K signature does not verify")

    @property
    def compressed(self) -> bytes:
        """The compressed SEC 1 point."""
        return bytes(self._key.format(compressed=True))


# By `crv`: algorithm, bytes of a coordinate, digest, what stands before the point in DER
# (SubjectPublicKeyInfo, RFC 5480 §2), the curve of `cryptography`.
_Curve = tuple[str, int, HashFunction, bytes, ec.EllipticCurve]
_P256_INFO: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_P384_INFO: Final = bytes.fromhex("3076301006072a8648ce3d020106052b81040022036200")
_EC_BY_CRV: Final[Mapping[str, _Curve]] = {
    "P-256": ("ES256", 32, sha256, _P256_INFO, ec.SECP256R1()),
    "P-384": ("ES384", 48, sha384, _P384_INFO, ec.SECP384R1()),
}
# The values of `alg` in a JWK or a JWS by the algorithm of the key (RFC 9864 names Ed25519 by
# itself).
ALG_VALUES: Final[Mapping[str, Sequence[object]]] = {
    "ES256": ("ES256",),
    "ES384": ("ES384",),
    "ES256K": ("ES256K",),
    "EdDSA": ("EdDSA", "Ed25519"),
}


def _coordinate(jwk: Mapping[str, Any], name: str, size: int) -> bytes:
    value = jwk.get(name)
    if type(value) is not str or len(value) > MAX_JWK_MEMBER_CHARACTERS:
        raise KeyMalformed(f"JWK member {name} is missing or not a string")
    raw = base64url.decode(value)
    if len(raw) != size:
        raise KeyMalformed(f"JWK member {name} must have {size} bytes")
    return raw


def parse_jwk(jwk: object) -> PublicKey:
    """Return the public key of a JWK (RFC 7517).

    `kty` EC with P-256, P-384 or secp256k1, or OKP with Ed25519. A JWK with private members, or
    one that `use` or `key_ops` keeps from verifying, is refused. Raises `KeyMalformed` or
    `UnsupportedKey`. Does not check `kid`.
    """
    if not isinstance(jwk, dict):
        raise KeyMalformed("a JWK is a JSON object")
    if "d" in jwk or "k" in jwk or "p" in jwk:
        raise KeyMalformed("a public JWK must not carry private members")
    if ("use" in jwk and jwk["use"] != "sig") or ("key_ops" in jwk and not _may_verify(jwk)):
        raise KeyMalformed("use and key_ops of the JWK do not let it verify signatures")
    kty, crv = jwk.get("kty"), jwk.get("crv")
    if kty == "EC" and isinstance(crv, str) and crv in _EC_BY_CRV:
        size = _EC_BY_CRV[crv][1]
        key: PublicKey = EcPublicKey(
            crv, b"\x04" + _coordinate(jwk, "x", size) + _coordinate(jwk, "y", size)
        )
    elif kty == "EC" and crv == "secp256k1":
        key = secp256k1_public_key(b"\x04" + _coordinate(jwk, "x", 32) + _coordinate(jwk, "y", 32))
    elif kty == "OKP" and crv == "Ed25519":
        key = ed25519_public_key(_coordinate(jwk, "x", 32))
    else:
        raise UnsupportedKey("expected P-256, P-384, secp256k1 or Ed25519")
    if "alg" in jwk and jwk["alg"] not in ALG_VALUES[key.algorithm]:
        raise KeyMalformed("JWK alg does not fit the curve")
    return key


def _may_verify(jwk: Mapping[str, Any]) -> bool:
    key_ops = jwk["key_ops"]
    return isinstance(key_ops, list) and "verify" in key_ops


def ec_public_key(crv: str, point: bytes) -> EcPublicKey:
    """Return the key of an SEC 1 point on `crv` (`P-256`, `P-384`), compressed or not.

    Raises `KeyMalformed` or `UnsupportedKey`.
    """
    if point[:1] not in (b"\x02", b"\x03") or crv not in _EC_BY_CRV:
        return EcPublicKey(crv, point)
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(_EC_BY_CRV[crv][-1], point)
    except ValueError:
        raise KeyMalformed("the point is not on its curve") from None
    return EcPublicKey.from_cryptography(key)


def secp256k1_public_key(point: bytes) -> Secp256k1PublicKey:
    """Return the key of an SEC 1 point on secp256k1, compressed or not. Raises `KeyMalformed`."""
    # libsecp256k1 would also read the hybrid form.
    if point[:1] not in (b"\x02", b"\x03", b"\x04"):
        raise KeyMalformed("the point is not in SEC 1 form")
    try:
        return Secp256k1PublicKey(coincurve.PublicKey(point))
    except ValueError:
        raise KeyMalformed("the point is not on its curve") from None


def ed25519_public_key(raw: bytes) -> Ed25519PublicKey:
    """Return the key of 32 raw bytes. Raises `KeyMalformed`.

    The encoding must be canonical and its point on the curve and not of small order, under which
    one signature would fit many messages.
    """
    if raw in SMALL_ORDER_ENCODINGS or not is_canonical_point(raw):
        raise KeyMalformed("not a canonical Ed25519 point, or one of small order")
    try:
        return Ed25519PublicKey(ed25519.Ed25519PublicKey.from_public_bytes(raw))
    except ValueError:
        raise KeyMalformed("an Ed25519 public key has 32 bytes") from None


def thumbprint(key: PublicKey) -> str:
    """Return the RFC 7638 SHA-256 thumbprint, base64url. A JWK here is plain ASCII text."""
    members = (f'"{name}":"{value}"' for name, value in sorted(key.jwk.items()))
    return base64url.encode(sha256(f"{{{','.join(members)}}}".encode("ascii")))


class Es256SigningKey:
    """A P-256 signing key in software. The others are in `wallet.crypto.signing_keys`."""

    algorithm: ClassVar[str] = "ES256"

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        if not isinstance(key.curve, ec.SECP256R1):
            raise UnsupportedKey("an ES256 key is on P-256")
        self._key = key
        self._public = EcPublicKey.from_cryptography(key.public_key())

    @classmethod
    def generate(cls) -> Es256SigningKey:
        """Return a new key from the operating system's randomness."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_secret(cls, secret: bytes) -> Es256SigningKey:
        """Return the key with this 32-byte big-endian scalar. Raises `KeyMalformed`."""
        try:
            return cls(ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1()))
        except ValueError:
            raise KeyMalformed("the scalar is not a P-256 private key") from None

    @property
    def public_key(self) -> EcPublicKey:
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Return r || s, 64 bytes (RFC 7518 §3.4)."""
        r, s = decode_dss_signature(self._key.sign(data, _ECDSA_SHA256))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def secret(self) -> bytes:
        """Return the 32-byte scalar, for a key store that encrypts it."""
        return self._key.private_numbers().private_value.to_bytes(32, "big")


class Ed25519SigningKey:
    """An Ed25519 signing key in software."""

    algorithm: ClassVar[str] = "EdDSA"

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key
        self._public = Ed25519PublicKey(key.public_key())

    @classmethod
    def generate(cls) -> Ed25519SigningKey:
        """Return a new key from the operating system's randomness."""
        return cls(ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def from_secret(cls, secret: bytes) -> Ed25519SigningKey:
        """Return the key with this 32-byte seed. Raises `KeyMalformed`."""
        try:
            return cls(ed25519.Ed25519PrivateKey.from_private_bytes(secret))
        except ValueError:
            raise KeyMalformed("an Ed25519 seed has 32 bytes") from None

    @property
    def public_key(self) -> Ed25519PublicKey:
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature (RFC 8032)."""
        return self._key.sign(data)

    def secret(self) -> bytes:
        """Return the 32-byte seed, for a key store that encrypts it."""
        return self._key.private_bytes_raw()
