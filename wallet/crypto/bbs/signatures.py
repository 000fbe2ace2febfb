"""Key generation, Sign and Verify of BBS (draft §3.3, §3.4, §3.5.1, §3.5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wallet.crypto.bbs.suite import (
    SHA_256,
    Interface,
    IssuerContext,
    Suite,
    encode_scalars,
    random_scalar,
)
from wallet.crypto.bbs.types import (
    BbsKeyMaterialMalformed,
    BbsPublicKey,
    BbsSecretKey,
    BbsSignature,
)
from wallet.crypto.bls12_381.backend import G1, GROUP_ORDER, ScalarMalformed, parse_scalar
from wallet.crypto.keys import SignatureInvalid

MIN_KEY_MATERIAL_BYTES: Final = 32
MAX_KEY_INFO_BYTES: Final = 65535


def generate_secret_key(suite: Suite = SHA_256) -> BbsSecretKey:
    """Return a new key from the operating system's randomness."""
    return _secret_key(random_scalar(), suite)


def derive_secret_key(
    key_material: bytes, key_info: bytes = b"", *, suite: Suite = SHA_256
) -> BbsSecretKey:
    """KeyGen (draft §3.3.1): the key of at least 32 secret octets. Same octets, same key.

    Raises `BbsKeyMaterialMalformed`. The quality of `key_material` is not checked.
    """
    if len(key_material) < MIN_KEY_MATERIAL_BYTES:
        raise BbsKeyMaterialMalformed(f"key material has at least {MIN_KEY_MATERIAL_BYTES} bytes")
    if len(key_info) > MAX_KEY_INFO_BYTES:
        raise BbsKeyMaterialMalformed(f"key information has at most {MAX_KEY_INFO_BYTES} bytes")
    data = key_material + len(key_info).to_bytes(2, "big") + key_info
    scalar = suite.plain.hash_to_scalar(data, b"KEYGEN_DST_")
    if scalar == 0:
        raise BbsKeyMaterialMalformed("this key material gives no key")
    return _secret_key(scalar, suite)


def parse_secret_key(data: bytes, *, suite: Suite = SHA_256) -> BbsSecretKey:
    """Return the key with this 32-byte scalar. Raises `ScalarMalformed`."""
    return _secret_key(parse_scalar(data), suite)


def sign(
    secret_key: BbsSecretKey,
    messages: Sequence[bytes],
    *,
    header: bytes = b"",
    suite: Suite = SHA_256,
) -> BbsSignature:
    """Sign (draft §3.5.1): deterministic. Raises `BbsLimitExceeded`."""
    interface = suite.plain
    scalars = interface.messages_to_scalars(messages)
    context = interface.context(secret_key.public_key, header, len(scalars))
    e = interface.hash_to_scalar(encode_scalars((secret_key.scalar, *scalars, context.domain)))
    return finalize_signature(
        interface, secret_key, commit_messages(interface, context, scalars), e
    )


def verify_signature(
    public_key: BbsPublicKey,
    signature: BbsSignature,
    messages: Sequence[bytes],
    *,
    header: bytes = b"",
    suite: Suite = SHA_256,
) -> None:
    """Verify (draft §3.5.2): return if the signature is good, else raise `SignatureInvalid`.

    Also raises `PointMalformed` or `BbsLimitExceeded`. Whose key it is is not checked.
    """
    interface = suite.plain
    scalars = interface.messages_to_scalars(messages)
    context = interface.context(public_key, header, len(scalars))
    verify_scalars(interface, public_key, signature, context, scalars)


def commit_messages(interface: Interface, context: IssuerContext, scalars: Sequence[int]) -> G1:
    """B = P1 + Q_1 * domain + H_1 * msg_1 + ... over all signed scalars."""
    return interface.backend.msm((context.origin, *context.bases), (1, *scalars))


def finalize_signature(
    interface: Interface, secret_key: BbsSecretKey, b: G1, e: int
) -> BbsSignature:
    """A = B * (1 / (SK + e)), steps 3 to 5 of CoreSign (draft §3.6.1)."""
    backend = interface.backend
    exponent = (secret_key.scalar + e) % GROUP_ORDER
    if exponent == 0 or e == 0 or backend.is_identity(b):
        raise ScalarMalformed("no signature exists for these messages under this key")
    a = backend.msm((b,), (pow(exponent, -1, GROUP_ORDER),))
    return BbsSignature(backend.encode_g1(a), e)


def verify_scalars(
    interface: Interface,
    public_key: BbsPublicKey,
    signature: BbsSignature,
    context: IssuerContext,
    scalars: Sequence[int],
) -> None:
    """CoreVerify (draft §3.6.2): e(A, W + BP2 * e) * e(B, -BP2) = 1.

    Raises `SignatureInvalid` or `PointMalformed`.
    """
    backend = interface.backend
    w = interface.suite.decode_key(public_key)
    a = backend.decode_g1(signature.a)
    # A * e moves to the other side of the pairing, where it costs a term of a sum in G1.
    difference = backend.msm(
        (context.origin, *context.bases, a), (1, *scalars, GROUP_ORDER - signature.e)
    )
    pairs = ((a, w), (difference, backend.negative_g2_generator))
    if not backend.pairing_product_is_one(pairs):
        raise SignatureInvalid("the BBS signature does not verify")


def _secret_key(scalar: int, suite: Suite) -> BbsSecretKey:
    point = suite.backend.multiply_g2_generator(scalar)
    return BbsSecretKey(scalar, BbsPublicKey(suite.backend.encode_g2(point)))
