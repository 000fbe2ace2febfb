"""BLS12-381: both backends give the same bytes and refuse the same encodings."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point
from py_ecc.bls.hash import expand_message_xmd

from tests.support.bbs import OFF_SUBGROUP_G1, OFF_SUBGROUP_G2
from wallet.crypto.bls12_381.arkworks import ArkworksBackend
from wallet.crypto.bls12_381.backend import (
    FIELD_MODULUS,
    GROUP_ORDER,
    Backend,
    PointMalformed,
    ScalarMalformed,
    check_encoding,
    encode_scalar,
    parse_scalar,
)
from wallet.crypto.bls12_381.hashing import (
    expand_message_xmd_sha256,
    expand_message_xof_shake256,
    hash_to_g1,
)
from wallet.crypto.bls12_381.reference import ReferenceBackend

ARKWORKS = ArkworksBackend()
REFERENCE = ReferenceBackend()
BACKENDS: list[Backend] = [ARKWORKS, REFERENCE]
EACH = pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)

RFC9380_DST = b"QUUX-V01-CS02-with-BLS12381G1_XMD:SHA-256_SSWU_RO_"
# RFC 9380 appendix J.9.1: x and y of the points hashed from these messages.
RFC9380_POINTS = {
    b"": (
        "052926add2207b76ca4fa57a8734416c8dc95e24501772c814278700eed6d1e4e8cf62d9c09db0fac349612b759e79a1",
        "08ba738453bfed09cb546dbb0783dbb3a5f1f566ed67bb6be0e8c67e2e81a4cc68ee29813bb7994998f3eae0c9c6a265",
    ),
    b"abc": (
        "03567bc5ef9c690c2ab2ecdf6a96ef1c139cc0b2f284dca0a9a7943388a49a3aee664ba5379a7655d3c68900be2f6903",
        "0b9c15f3fe6e5cf4211f346271d7b01c8f3b28be689c8429c85b67af215533311f0b8dfaaa154fa6b88176c229f2885d",
    ),
}

GENERATOR = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905"
    "a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
IDENTITY = bytes([0xC0]) + bytes(47)


def with_x(x: int) -> bytes:
    return (x | 1 << 383).to_bytes(48, "big")


BAD_G1 = {
    "empty": b"",
    "short": GENERATOR[:-1],
    "long": GENERATOR + b"\0",
    "uncompressed form": bytes([GENERATOR[0] & 0x7F]) + GENERATOR[1:],
    "identity": IDENTITY,
    "identity with bytes after it": IDENTITY[:-1] + b"\1",
    "identity with the sign flag": bytes([0xE0]) + bytes(47),
    "all ones": b"\xff" * 48,
    "all zeros": bytes(48),
    "generator with the infinity flag": bytes([GENERATOR[0] | 0x40]) + GENERATOR[1:],
    "x equal to the modulus": with_x(FIELD_MODULUS),
    "x over the modulus": with_x(FIELD_MODULUS + 4),
    "not on the curve": with_x(1),
    "outside the subgroup": OFF_SUBGROUP_G1,
}


@EACH
@pytest.mark.parametrize("name", BAD_G1)
def test_refuses_an_encoding_that_is_no_point_of_g1(backend: Backend, name: str) -> None:
    with pytest.raises(PointMalformed):
        backend.decode_g1(BAD_G1[name])


@pytest.mark.parametrize(
    "name", sorted(BAD_G1.keys() - {"not on the curve", "outside the subgroup"})
)
def test_what_needs_no_curve_is_refused_before_any_library_sees_it(name: str) -> None:
    with pytest.raises(PointMalformed):
        check_encoding(BAD_G1[name], 48)
    check_encoding(GENERATOR, 48)


@EACH
def test_refuses_an_encoding_that_is_no_point_of_g2(backend: Backend) -> None:
    good = backend.encode_g2(backend.multiply_g2_generator(7))
    assert backend.encode_g2(backend.decode_g2(good)) == good
    for bad in (
        b"",
        good[:-1],
        good + b"\0",
        good[:48],
        bytes([0xC0]) + bytes(95),
        bytes([0xC0]) + bytes(94) + b"\1",
        bytes([good[0] & 0x7F]) + good[1:],
        # Flags belong to the first coordinate alone.
        good[:48] + bytes([good[48] | 0x80]) + good[49:],
        good[:48] + FIELD_MODULUS.to_bytes(48, "big"),
        OFF_SUBGROUP_G2,
    ):
        with pytest.raises(PointMalformed):
            backend.decode_g2(bad)


@pytest.mark.parametrize("data", [bytes(32), encode_scalar(GROUP_ORDER - 1) + b"\0", b"", b"\1"])
def test_refuses_a_scalar_of_another_length_and_zero(data: bytes) -> None:
    with pytest.raises(ScalarMalformed):
        parse_scalar(data)


def test_scalars_end_below_the_group_order() -> None:
    assert parse_scalar(encode_scalar(GROUP_ORDER - 1)) == GROUP_ORDER - 1
    for value in (GROUP_ORDER, GROUP_ORDER + 1, 2**256 - 1):
        with pytest.raises(ScalarMalformed):
            parse_scalar(encode_scalar(value))


@EACH
@pytest.mark.parametrize("message", RFC9380_POINTS)
def test_hashes_to_the_points_of_rfc_9380(backend: Backend, message: bytes) -> None:
    x, y = RFC9380_POINTS[message]
    point = hash_to_g1(backend, expand_message_xmd_sha256, message, RFC9380_DST)
    encoded = backend.encode_g1(point)
    assert int.from_bytes(encoded, "big") & (1 << 381) - 1 == int(x, 16)
    assert bool(encoded[0] & 0x20) is (int(y, 16) * 2 > FIELD_MODULUS)


@given(message=st.binary(max_size=64), dst=st.binary(min_size=1, max_size=255))
def test_hashing_agrees_with_what_the_libraries_do_on_their_own(
    message: bytes, dst: bytes
) -> None:
    assert expand_message_xmd_sha256(message, dst, 128) == expand_message_xmd(
        message, dst, 128, hashlib.sha256
    )
    ours = hash_to_g1(ARKWORKS, expand_message_xmd_sha256, message, dst)
    assert ARKWORKS.encode_g1(ours) == G1Point.hash_to_curve(message, dst).to_compressed_bytes()


def test_shake_output_does_not_depend_on_a_prefix_of_another_length() -> None:
    # RFC 9380 appendix K.6 (SHAKE256, empty message, 32 bytes).
    dst = b"QUUX-V01-CS02-with-expander-SHAKE256"
    expected = "2ffc05c48ed32b95d72e807f6eab9f7530dd1c2f013914c8fed38c5ccc15ad76"
    assert expand_message_xof_shake256(b"", dst, 32).hex() == expected
    assert expand_message_xof_shake256(b"", dst, 64)[:32].hex() != expected


@pytest.mark.parametrize("expand", [expand_message_xmd_sha256, expand_message_xof_shake256])
def test_refuses_a_domain_separation_tag_that_is_empty_or_too_long(expand: object) -> None:
    assert callable(expand)
    for dst, length in ((b"", 32), (b"d" * 256, 32), (b"d", 0), (b"d", 8161)):
        with pytest.raises(ValueError, match="domain separation tag"):
            expand(b"", dst, length)


@given(scalars=st.lists(st.integers(0, GROUP_ORDER - 1), min_size=1, max_size=3))
def test_both_backends_compute_the_same_sum(scalars: list[int]) -> None:
    sums = []
    for backend in BACKENDS:
        points = [
            hash_to_g1(backend, expand_message_xmd_sha256, bytes([place]), b"sum")
            for place in range(len(scalars))
        ]
        sums.append(backend.encode_g1(backend.msm(points, scalars)))
    assert sums[0] == sums[1]


@EACH
def test_a_sum_can_be_the_identity_and_says_so(backend: Backend) -> None:
    generator = backend.decode_g1(GENERATOR)
    total = backend.msm((generator, generator), (1, GROUP_ORDER - 1))
    assert backend.is_identity(total)
    assert backend.encode_g1(total) == IDENTITY
    assert not backend.is_identity(generator)


@EACH
def test_refuses_a_sum_with_more_points_than_scalars(backend: Backend) -> None:
    generator = backend.decode_g1(GENERATOR)
    with pytest.raises(ValueError, match=r"scalars|shorter"):
        backend.msm((generator, generator), (1,))


@EACH
def test_the_pairing_product_is_one_only_for_matching_exponents(backend: Backend) -> None:
    generator = backend.decode_g1(GENERATOR)
    twice, thrice = backend.msm((generator,), (2,)), backend.msm((generator,), (3,))
    negative = backend.negative_g2_generator
    six = backend.msm((generator,), (6,))
    assert backend.pairing_product_is_one(
        ((twice, backend.multiply_g2_generator(3)), (six, negative))
    )
    assert not backend.pairing_product_is_one(
        ((thrice, backend.multiply_g2_generator(3)), (six, negative))
    )
