"""The hash functions by their names in the IANA "Named Information" registry."""

import hashlib
from collections.abc import Callable
from typing import Final

from wallet.errors import UnsupportedError

HashFunction = Callable[[bytes], bytes]


class UnsupportedHash(UnsupportedError):
    """A hash name outside sha-256, sha-384 and sha-512."""

    code = "unsupported_hash"


def sha256(data: bytes) -> bytes:
    """Return the 32 bytes of SHA-256."""
    return hashlib.sha256(data).digest()


def sha384(data: bytes) -> bytes:
    """Return the 48 bytes of SHA-384."""
    return hashlib.sha384(data).digest()


def _sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


_BY_NAME: Final[dict[str, HashFunction]] = {
    "sha-256": sha256,
    "sha-384": sha384,
    "sha-512": _sha512,
}


def hash_named(name: object) -> HashFunction:
    """Return the hash function with this IANA name. Raises `UnsupportedHash`."""
    function = _BY_NAME.get(name) if isinstance(name, str) else None
    if function is None:
        raise UnsupportedHash("expected one of " + ", ".join(_BY_NAME))
    return function
