"""Ethereum's hash and addresses: Keccak-256, EIP-55."""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

from wallet.crypto.keys import secp256k1_public_key
from wallet.encoding import base64url

ADDRESS_BYTES: Final = 20
_CAPITAL_FROM: Final = 8


def keccak256(data: bytes) -> bytes:
    """Return the 32 bytes of Keccak-256, which is not SHA3-256."""
    return keccak(data)


def checksum_address(address: bytes) -> str:
    """Return an address as text whose capitals are its checksum (EIP-55)."""
    digits = address.hex()
    digest = keccak256(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= _CAPITAL_FROM else digit
        for digit, nibble in zip(digits, digest, strict=False)
    )


def address_of_public_key(point: bytes) -> bytes:
    """Return the address of a secp256k1 public key in SEC 1 form. Raises `KeyMalformed`."""
    jwk = secp256k1_public_key(point).jwk
    coordinates = b"".join(base64url.decode(jwk[name]) for name in ("x", "y"))
    return keccak256(coordinates)[-ADDRESS_BYTES:]
