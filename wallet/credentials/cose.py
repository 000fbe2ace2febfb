"""COSE_Sign1 (RFC 9052 §4.2): parse, verify and sign, tagged, with the payload inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wallet.crypto.keys import PublicKey, SignatureInvalid, SigningKey
from wallet.encoding.cbor import parse_cbor, to_cbor
from wallet.errors import MalformedError, UnsupportedError

MAX_COSE_BYTES: Final = 12 * 1024 * 1024
SIGN1_TAG: Final = b"\xd2"
# RFC 9053 §2, RFC 8812 §3.
ALGORITHMS: Final[Mapping[int, str]] = {-7: "ES256", -35: "ES384", -47: "ES256K", -8: "EdDSA"}
_IDENTIFIERS: Final = {name: number for number, name in ALGORITHMS.items()}
ALG: Final = 1
CRIT: Final = 2
KID: Final = 4
TYP: Final = 16
X5CHAIN: Final = 33


class CoseMalformed(MalformedError):
    """Not a tagged COSE_Sign1, or its headers are not what this use of it needs."""

    code = "cose_malformed"


class UnsupportedCoseAlgorithm(UnsupportedError):
    """A COSE algorithm or critical header parameter that is not implemented."""

    code = "unsupported_cose_algorithm"


@dataclass(frozen=True, slots=True)
class CoseSign1:
    """A parsed, unverified COSE_Sign1. `to_be_signed` is what the signature covers."""

    protected: Mapping[Any, Any]
    unprotected: Mapping[Any, Any]
    payload: bytes
    to_be_signed: bytes
    signature: bytes

    @property
    def kid(self) -> str | None:
        """The key id as text. Raises `CoseMalformed` if it is not UTF-8 in a byte string."""
        kid = self.protected.get(KID, self.unprotected.get(KID))
        if kid is None:
            return None
        try:
            if type(kid) is bytes:
                return kid.decode("utf-8")
        except UnicodeDecodeError:
            pass
        raise CoseMalformed("kid is a byte string of UTF-8")

    @property
    def x5chain(self) -> tuple[bytes, ...] | None:
        """The DER certificates of `x5chain` (RFC 9360 §2), leaf first. Raises `CoseMalformed`."""
        value = self.protected.get(X5CHAIN, self.unprotected.get(X5CHAIN))
        if value is None:
            return None
        chain = [value] if type(value) is bytes else value
        if type(chain) is not list or not all(type(item) is bytes for item in chain):
            raise CoseMalformed("x5chain is one certificate or a list of them")
        return tuple(chain)


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return to_cbor(["Signature1", protected, b"", payload])


def parse_cose_sign1(data: bytes, *, typ: str) -> CoseSign1:
    """Return the parts of a tagged COSE_Sign1 whose protected header says that it is `typ`.

    Refused: unknown algorithms, `crit`, a detached payload, a parameter in both headers. Raises
    `CoseMalformed`, `CborMalformed`, `UnsupportedCoseAlgorithm`. Does not verify the signature.
    """
    if not data.startswith(SIGN1_TAG):
        raise CoseMalformed("expected a tagged COSE_Sign1")
    parts = parse_cbor(data[1:], max_bytes=MAX_COSE_BYTES)
    if type(parts) is not list or len(parts) != 4:
        raise CoseMalformed("a COSE_Sign1 has four parts")
    encoded, unprotected, payload, signature = parts
    if not all(type(part) is bytes for part in (encoded, payload, signature)):
        raise CoseMalformed("protected header, payload and signature are byte strings")
    protected = parse_cbor(encoded)
    if type(protected) is not dict or type(unprotected) is not dict:
        raise CoseMalformed("headers are maps")
    if protected.keys() & unprotected.keys():
        raise CoseMalformed("a header parameter is protected or not, never both")
    algorithm = protected.get(ALG)
    if type(algorithm) is not int or algorithm not in ALGORITHMS:
        raise UnsupportedCoseAlgorithm("expected one of " + ", ".join(ALGORITHMS.values()))
    if CRIT in protected or CRIT in unprotected:
        raise UnsupportedCoseAlgorithm("critical header parameters are not implemented")
    if protected.get(TYP) != typ:
        raise CoseMalformed(f"expected typ {typ}")
    return CoseSign1(protected, unprotected, payload, _to_be_signed(encoded, payload), signature)


def verify_cose_sign1(message: CoseSign1, key: PublicKey) -> None:
    """Return if the signature is valid and its algorithm the key's. Raises `SignatureInvalid`."""
    if ALGORITHMS[message.protected[ALG]] != key.algorithm:
        raise SignatureInvalid("alg is not the algorithm of the key")
    key.verify(message.signature, message.to_be_signed)


def sign_cose_sign1(key: SigningKey, payload: bytes, *, typ: str, kid: str) -> bytes:
    """Return a tagged COSE_Sign1 over `payload`; algorithm, type and key id are protected."""
    protected = to_cbor({ALG: _IDENTIFIERS[key.algorithm], TYP: typ, KID: kid.encode("utf-8")})
    signature = key.sign(_to_be_signed(protected, payload))
    return SIGN1_TAG + to_cbor([protected, {}, payload, signature])
