"""did:key and the Multikey encoding of public keys (did:key §3, Controlled Identifiers §2.2.2)."""

from typing import Final

from wallet.crypto.bbs.keys import BbsVerificationKey, bbs_verification_key
from wallet.crypto.keys import (
    EcPublicKey,
    Ed25519PublicKey,
    PublicKey,
    Secp256k1PublicKey,
    UnsupportedKey,
    ec_public_key,
    ed25519_public_key,
    secp256k1_public_key,
)
from wallet.did.syntax import DidMalformed
from wallet.encoding.multibase import decode_base58btc, encode_base58btc

_ED25519: Final = b"\xed\x01"
_SECP256K1: Final = b"\xe7\x01"
_P256: Final = b"\x80\x24"
_P384: Final = b"\x81\x24"
_BLS12_381_G2: Final = b"\xeb\x01"
_COMPRESSED_BYTES: Final = {_SECP256K1: 33, _P256: 33, _P384: 49}
_CRV: Final = {_P256: "P-256", _P384: "P-384"}


def public_key_from_multikey(text: object) -> PublicKey:
    """Return the key of a `publicKeyMultibase` value.

    Raises `MultibaseMalformed`, `KeyMalformed`, `PointMalformed`, `DidMalformed` or
    `UnsupportedKey`.
    """
    if type(text) is not str:
        raise DidMalformed("publicKeyMultibase is a string")
    data = decode_base58btc(text)
    prefix, body = data[:2], data[2:]
    if prefix == _ED25519:
        return ed25519_public_key(body)
    if prefix in _COMPRESSED_BYTES:
        if len(body) != _COMPRESSED_BYTES[prefix]:
            raise DidMalformed("the key is not a compressed point of its curve")
        if prefix == _SECP256K1:
            return secp256k1_public_key(body)
        return ec_public_key(_CRV[prefix], body)
    if prefix == _BLS12_381_G2:
        return bbs_verification_key(body)
    raise UnsupportedKey("expected an Ed25519, P-256, P-384, secp256k1 or BLS12-381 G2 multikey")


def multikey_from_public_key(key: PublicKey) -> str:
    """Return the `publicKeyMultibase` value of a key. Raises `UnsupportedKey`."""
    if isinstance(key, Ed25519PublicKey):
        return encode_base58btc(_ED25519 + key.raw)
    if isinstance(key, EcPublicKey):
        prefix = _P256 if key.algorithm == "ES256" else _P384
        return encode_base58btc(prefix + key.compressed)
    if isinstance(key, Secp256k1PublicKey):
        return encode_base58btc(_SECP256K1 + key.compressed)
    if isinstance(key, BbsVerificationKey):
        return encode_base58btc(_BLS12_381_G2 + key.key.octets)
    raise UnsupportedKey("this key has no multikey form")


def did_key_from_public_key(key: PublicKey) -> str:
    """Return the did:key of a public key. Raises `UnsupportedKey`."""
    return "did:key:" + multikey_from_public_key(key)
