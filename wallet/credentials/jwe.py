"""JSON Web Encryption in compact form (RFC 7516): ECDH-ES on P-256, direct, and nothing else.

This is what OpenID4VCI and OpenID4VP encrypt requests and responses with. No key wrapping, no
RSA, no passphrases, no compression: a header that asks for them is refused before any key is
touched, so what a stranger sends costs one key agreement and one pass over its own length.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from wallet.crypto.keys import MAX_JWK_MEMBER_CHARACTERS, KeyMalformed, UnsupportedKey
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import MalformedError, RejectedError, UnsupportedError

KEY_AGREEMENT: Final = "ECDH-ES"
MAX_JWE_BYTES: Final = 1024 * 1024
MAX_HEADER_BYTES: Final = 8 * 1024
MAX_PARTY_INFO_BYTES: Final = 512
_COORDINATE_BYTES: Final = 32
_TAG_BYTES: Final = 16
_GCM_IV_BYTES: Final = 12
_CBC_IV_BYTES: Final = 16


class JweMalformed(MalformedError):
    """Not a compact JWE, or its header lacks what the key agreement needs."""

    code = "jwe_malformed"


class UnsupportedEncryption(UnsupportedError):
    """An `alg`, `enc`, `zip` or critical header of a JWE that is not implemented or not wanted."""

    code = "unsupported_encryption"


class DecryptionFailed(RejectedError):
    """The JWE is for another key, or was altered. Which of them is not told apart."""

    code = "decryption_failed"


class _Content(NamedTuple):
    key_bytes: int
    iv_bytes: int


_CONTENT: Final[Mapping[str, _Content]] = {
    "A128GCM": _Content(16, _GCM_IV_BYTES),
    "A256GCM": _Content(32, _GCM_IV_BYTES),
    "A128CBC-HS256": _Content(32, _CBC_IV_BYTES),
}
CONTENT_ENCRYPTIONS: Final = tuple(_CONTENT)


class CompactJwe(NamedTuple):
    """A parsed JWE. Its header was only read: whose key it is for is a claim until decrypted."""

    header: Mapping[str, Any]
    associated_data: bytes
    iv: bytes
    ciphertext: bytes
    tag: bytes

    @property
    def enc(self) -> str:
        """The content encryption, one of `CONTENT_ENCRYPTIONS`."""
        enc: str = self.header["enc"]
        return enc

    @property
    def kid(self) -> str | None:
        """The `kid` header, by which a receiver with several keys finds the right one."""
        kid: str | None = self.header.get("kid")
        return kid


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """Somebody's public P-256 key to encrypt for, and its `kid` if it has one."""

    key: ec.EllipticCurvePublicKey
    kid: str | None = None

    @property
    def jwk(self) -> JsonObject:
        """The public JWK as metadata carries it: `alg` ECDH-ES, `use` enc."""
        jwk: JsonObject = {**_point_jwk(self.key), "use": "enc", "alg": KEY_AGREEMENT}
        return jwk if self.kid is None else {**jwk, "kid": self.kid}


class DecryptionKey:
    """A private P-256 key in software that opens what was encrypted for its public half."""

    __slots__ = ("_key", "public")

    def __init__(self, key: ec.EllipticCurvePrivateKey, kid: str | None = None) -> None:
        if not isinstance(key.curve, ec.SECP256R1):
            raise UnsupportedKey("a decryption key is on P-256")
        self._key = key
        self.public = EncryptionKey(key.public_key(), kid)

    @classmethod
    def generate(cls, kid: str | None = None) -> DecryptionKey:
        """Return a new key from the operating system's randomness."""
        return cls(ec.generate_private_key(ec.SECP256R1()), kid)

    @classmethod
    def from_secret(cls, secret: bytes, kid: str | None = None) -> DecryptionKey:
        """Return the key with this 32-byte big-endian scalar. Raises `KeyMalformed`."""
        try:
            scalar = int.from_bytes(secret, "big")
            return cls(ec.derive_private_key(scalar, ec.SECP256R1()), kid)
        except ValueError:
            raise KeyMalformed("the scalar is not a P-256 private key") from None

    def secret(self) -> bytes:
        """Return the 32-byte scalar, for a store that encrypts it."""
        return self._key.private_numbers().private_value.to_bytes(_COORDINATE_BYTES, "big")

    def agree(self, peer: ec.EllipticCurvePublicKey) -> bytes:
        """Return the shared secret Z (NIST SP 800-56A §5.7.1.2): 32 bytes."""
        return self._key.exchange(ec.ECDH(), peer)


def parse_encryption_jwk(jwk: object, *, alg_required: bool = True) -> EncryptionKey:
    """Return the encryption key of a JWK: EC on P-256, `alg` ECDH-ES, `use` enc or none.

    OpenID4VCI §8.2 and OpenID4VP §8.3 want `alg` in the JWK; `alg_required=False` is for an
    `epk`, which has none. Raises `KeyMalformed`, `UnsupportedKey`, `Base64urlMalformed`.
    """
    if not isinstance(jwk, dict):
        raise KeyMalformed("a JWK is a JSON object")
    if "d" in jwk or "k" in jwk or "p" in jwk:
        raise KeyMalformed("a public JWK must not carry private members")
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise UnsupportedKey("expected an EC key on P-256")
    if jwk.get("use", "enc") != "enc":
        raise KeyMalformed("use of the JWK does not let it encrypt")
    if jwk.get("alg", None if alg_required else KEY_AGREEMENT) != KEY_AGREEMENT:
        raise UnsupportedKey(f"expected alg {KEY_AGREEMENT}")
    kid = jwk.get("kid")
    if kid is not None and (type(kid) is not str or len(kid) > MAX_JWK_MEMBER_CHARACTERS):
        raise KeyMalformed("kid is a string of limited length")
    point = b"\x04" + _coordinate(jwk, "x") + _coordinate(jwk, "y")
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise KeyMalformed("the point is not on its curve") from None
    return EncryptionKey(public, kid)


def parse_jwe(
    token: str | bytes,
    *,
    encryptions: Collection[str] = CONTENT_ENCRYPTIONS,
    max_bytes: int = MAX_JWE_BYTES,
) -> CompactJwe:
    """Return the parts of a compact JWE, nothing decrypted.

    Refused: any `alg` but ECDH-ES, an `enc` outside `encryptions`, any `zip` and `crit`, an
    encrypted key (there is none with direct agreement), parts of the wrong length. Raises
    `JweMalformed`, `UnsupportedEncryption`, `Base64urlMalformed`, `JsonMalformed`.
    """
    try:
        raw = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError:
        raise JweMalformed("a compact JWE is ASCII") from None
    if len(raw) > max_bytes:
        raise JweMalformed(f"the JWE is longer than {max_bytes} bytes")
    parts = raw.split(b".", 5)
    if len(parts) != 5:
        raise JweMalformed("a compact JWE has five parts")
    if len(parts[0]) > MAX_HEADER_BYTES:
        raise JweMalformed(f"the header is longer than {MAX_HEADER_BYTES} bytes")
    header = parse_json_object(base64url.decode(parts[0]), max_bytes=MAX_HEADER_BYTES)
    _check_header(header, encryptions)
    if parts[1]:
        raise JweMalformed("direct key agreement has no encrypted key")
    iv, ciphertext, tag = (base64url.decode(part) for part in parts[2:])
    if len(iv) != _CONTENT[header["enc"]].iv_bytes or len(tag) != _TAG_BYTES:
        raise JweMalformed("the initialization vector or the tag has another length")
    return CompactJwe(MappingProxyType(header), parts[0], iv, ciphertext, tag)


def _check_header(header: JsonObject, encryptions: Collection[str]) -> None:
    for name in ("alg", "enc"):
        if type(header.get(name)) is not str:
            raise JweMalformed(f"{name} is a string")
    if type(header.get("kid", "")) is not str:
        raise JweMalformed("kid is a string")
    if header["alg"] != KEY_AGREEMENT:
        raise UnsupportedEncryption(f"expected alg {KEY_AGREEMENT}")
    if header["enc"] not in encryptions or header["enc"] not in _CONTENT:
        raise UnsupportedEncryption("expected enc " + " or ".join(sorted(encryptions)))
    if "zip" in header:
        raise UnsupportedEncryption("compression is not implemented")
    if "crit" in header:
        raise UnsupportedEncryption("critical header parameters are not implemented")


def decrypt_jwe(jwe: CompactJwe, key: DecryptionKey) -> bytes:
    """Return the plaintext. `apu` and `apv` of the header take part in the key derivation.

    A key with a `kid` opens only what names it. Raises `DecryptionFailed`, `KeyMalformed`,
    `UnsupportedKey`, `Base64urlMalformed`, `JweMalformed`. Anybody may have encrypted it:
    decryption says nothing of who did.
    """
    if key.public.kid is not None and jwe.kid != key.public.kid:
        raise DecryptionFailed("the JWE is not for this key")
    peer = parse_encryption_jwk(jwe.header.get("epk"), alg_required=False)
    apu, apv = (_party_info(jwe.header, name) for name in ("apu", "apv"))
    secret = derive_content_key(key.agree(peer.key), jwe.enc, apu=apu, apv=apv)
    if jwe.enc == "A128CBC-HS256":
        return _open_cbc(secret, jwe)
    try:
        return AESGCM(secret).decrypt(jwe.iv, jwe.ciphertext + jwe.tag, jwe.associated_data)
    except InvalidTag:
        raise DecryptionFailed("the JWE does not decrypt") from None


def encrypt_jwe(
    plaintext: bytes,
    recipient: EncryptionKey,
    *,
    enc: str,
    apu: bytes = b"",
    apv: bytes = b"",
    header: Mapping[str, Any] | None = None,
) -> str:
    """Return the compact JWE of `plaintext` under a fresh ephemeral key.

    The recipient's `kid` is copied; `header` may add members such as `cty`. Raises
    `UnsupportedEncryption` for an `enc` outside `CONTENT_ENCRYPTIONS`.
    """
    if enc not in _CONTENT:
        raise UnsupportedEncryption("expected enc " + " or ".join(CONTENT_ENCRYPTIONS))
    ephemeral = DecryptionKey.generate()
    members: JsonObject = {**(header or {}), "alg": KEY_AGREEMENT, "enc": enc}
    members["epk"] = _point_jwk(ephemeral.public.key)
    if recipient.kid is not None:
        members["kid"] = recipient.kid
    members |= {
        name: base64url.encode(value) for name, value in (("apu", apu), ("apv", apv)) if value
    }
    protected = base64url.encode(to_json(members)).encode("ascii")
    secret = derive_content_key(ephemeral.agree(recipient.key), enc, apu=apu, apv=apv)
    iv = secrets.token_bytes(_CONTENT[enc].iv_bytes)
    if enc == "A128CBC-HS256":
        ciphertext, tag = _seal_cbc(secret, iv, plaintext, protected)
    else:
        sealed = AESGCM(secret).encrypt(iv, plaintext, protected)
        ciphertext, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
    tail = ".".join(base64url.encode(part) for part in (iv, ciphertext, tag))
    return f"{protected.decode('ascii')}..{tail}"


def derive_content_key(shared_secret: bytes, enc: str, *, apu: bytes, apv: bytes) -> bytes:
    """Return the content key of a shared secret (Concat KDF, RFC 7518 §4.6.2).

    Every key here is at most one block of SHA-256 long, so one round is all there is.
    """
    size = _CONTENT[enc].key_bytes
    info = b"".join(
        len(value).to_bytes(4, "big") + value for value in (enc.encode("ascii"), apu, apv)
    )
    hashed = b"\0\0\0\1" + shared_secret + info + (size * 8).to_bytes(4, "big")
    return sha256(hashed).digest()[:size]


def _party_info(header: Mapping[str, Any], name: str) -> bytes:
    value = header.get(name, "")
    if type(value) is not str or len(value) > 2 * MAX_PARTY_INFO_BYTES:
        raise JweMalformed(f"{name} is a string of limited length")
    return base64url.decode(value)


def _coordinate(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if type(value) is not str or len(value) > MAX_JWK_MEMBER_CHARACTERS:
        raise KeyMalformed(f"JWK member {name} is missing or not a string")
    raw = base64url.decode(value)
    if len(raw) != _COORDINATE_BYTES:
        raise KeyMalformed(f"JWK member {name} must have {_COORDINATE_BYTES} bytes")
    return raw


def _point_jwk(key: ec.EllipticCurvePublicKey) -> JsonObject:
    numbers = key.public_numbers()
    x, y = (
        base64url.encode(number.to_bytes(_COORDINATE_BYTES, "big"))
        for number in (numbers.x, numbers.y)
    )
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _cbc_tag(key: bytes, iv: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
    # RFC 7518 §5.2.2.1: the first half of the key authenticates, the second encrypts.
    bits = (len(associated_data) * 8).to_bytes(8, "big")
    return hmac.digest(key[:16], associated_data + iv + ciphertext + bits, sha256)[:_TAG_BYTES]


def _open_cbc(key: bytes, jwe: CompactJwe) -> bytes:
    expected = _cbc_tag(key, jwe.iv, jwe.ciphertext, jwe.associated_data)
    if not hmac.compare_digest(expected, jwe.tag):
        raise DecryptionFailed("the JWE does not decrypt")
    decryptor = Cipher(AES(key[16:]), CBC(jwe.iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    try:
        padded = decryptor.update(jwe.ciphertext) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise DecryptionFailed("the JWE does not decrypt") from None


def _seal_cbc(
    key: bytes, iv: bytes, plaintext: bytes, associated_data: bytes
) -> tuple[bytes, bytes]:
    padder = PKCS7(128).padder()
    padded = padder.update(plaintext) + padder.finalize()
    encryptor = Cipher(AES(key[16:]), CBC(iv)).encryptor()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    return ciphertext, _cbc_tag(key, iv, ciphertext, associated_data)
