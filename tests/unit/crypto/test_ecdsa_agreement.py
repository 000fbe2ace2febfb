"""The library that verifies ECDSA and the one that signs agree on every signature and key."""

import pickle

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.crypto import ecdsa_values
from wallet.crypto.keys import (
    EcPublicKey,
    Es256SigningKey,
    KeyMalformed,
    SignatureInvalid,
    ec_public_key,
)
from wallet.crypto.signing_keys import Es384SigningKey
from wallet.encoding import base64url

SIGNERS = {"P-256": Es256SigningKey.generate(), "P-384": Es384SigningKey.generate()}
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
HASHES = {"P-256": hashes.SHA256(), "P-384": hashes.SHA384()}
ORDERS = {
    "P-256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "P-384": int(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
        "581a0db248b0a77aecec196accc52973",
        16,
    ),
}


def point(key: EcPublicKey) -> bytes:
    jwk = key.jwk
    return b"\x04" + base64url.decode(jwk["x"]) + base64url.decode(jwk["y"])


def openssl_accepts(crv: str, key: EcPublicKey, signature: bytes, data: bytes) -> bool:
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[crv], point(key))
    half = len(signature) // 2
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    try:
        public.verify(encode_dss_signature(r, s), data, ec.ECDSA(HASHES[crv]))
    except InvalidSignature:
        return False
    return True


def we_accept(key: EcPublicKey, signature: bytes, data: bytes) -> bool:
    try:
        key.verify(signature, data)
    except SignatureInvalid:
        return False
    return True


def altered(crv: str, signature: bytes) -> list[bytes]:
    """Return what is worth trying: the other s, halves of 0, n and n ± 1, and exchanged halves."""
    size, order = len(signature) // 2, ORDERS[crv]
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    edges = [0, 1, order - 1, order, order + 1, 2 ** (8 * size) - 1]
    pairs = [(r, s), (r, order - s), (s, r), *((edge, s) for edge in edges)]
    pairs += [(r, edge) for edge in edges] + [(edge, edge) for edge in edges]
    return [a.to_bytes(size, "big") + b.to_bytes(size, "big") for a, b in pairs]


@pytest.mark.parametrize("crv", CURVES)
def test_both_give_the_same_verdict_at_the_edges(crv: str) -> None:
    signer = SIGNERS[crv]
    signature = signer.sign(b"data")
    verdicts = []
    for candidate in altered(crv, signature):
        verdict = we_accept(signer.public_key, candidate, b"data")
        assert verdict == openssl_accepts(crv, signer.public_key, candidate, b"data")
        verdicts.append(verdict)
    assert verdicts.count(True) == 2  # the signature, and the one with the other s


@pytest.mark.parametrize("crv", CURVES)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), position=st.integers(0, 95), mask=st.integers(0, 255))
def test_both_give_the_same_verdict_on_one_changed_byte(
    crv: str, data: bytes, position: int, mask: int
) -> None:
    signer = SIGNERS[crv]
    signature = bytearray(signer.sign(data))
    signature[position % len(signature)] ^= mask
    verdict = we_accept(signer.public_key, bytes(signature), data)
    assert verdict == openssl_accepts(crv, signer.public_key, bytes(signature), data)
    assert verdict == (mask == 0)


@pytest.mark.parametrize("crv", CURVES)
@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 96), mask=st.integers(0, 255))
def test_both_load_the_same_points(crv: str, position: int, mask: int) -> None:
    candidate = bytearray(point(SIGNERS[crv].public_key))
    candidate[position % len(candidate)] ^= mask
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(CURVES[crv], bytes(candidate))
    except ValueError:
        with pytest.raises(KeyMalformed):
            ec_public_key(crv, bytes(candidate))
    else:
        assert point(ec_public_key(crv, bytes(candidate))) == bytes(candidate)


@pytest.mark.parametrize("crv", CURVES)
def test_a_key_is_the_same_by_every_way_to_load_it(crv: str) -> None:
    key = SIGNERS[crv].public_key
    uncompressed = point(key)
    assert ec_public_key(crv, key.compressed).jwk == key.jwk
    assert ec_public_key(crv, uncompressed).jwk == key.jwk
    assert pickle.loads(pickle.dumps(key)).jwk == key.jwk
    size = len(uncompressed) // 2
    for bad in (
        b"",
        uncompressed[1:],
        uncompressed + b"\0",
        b"\x04" + bytes(2 * size),
        b"\x06" + uncompressed[1:],
        b"\x02" + b"\xff" * size,
        b"\0",
    ):
        with pytest.raises(KeyMalformed):
            ec_public_key(crv, bad)


@pytest.mark.parametrize("size", [32, 48])
@given(data=st.data())
def test_a_signature_is_spelled_in_der_as_openssl_does(size: int, data: st.DataObject) -> None:
    # How a number starts decides its length in DER: zero bytes, the first bit clear or set.
    starts = st.sampled_from([b"", b"\x00", b"\x00\x80", b"\x01", b"\x7f", b"\x80", bytes(size)])
    rest = st.binary(min_size=size, max_size=size)
    r, s = ((data.draw(starts) + data.draw(rest))[:size] for _ in "rs")
    numbers = int.from_bytes(r, "big"), int.from_bytes(s, "big")
    assert ecdsa_values.to_der(r + s, size) == encode_dss_signature(*numbers)
