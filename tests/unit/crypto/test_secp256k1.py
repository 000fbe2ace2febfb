"""The group of secp256k1: strict encodings, and sums against the arithmetic of scalars."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.crypto.secp256k1 import (
    FIELD_PRIME,
    GENERATOR,
    GENERATOR_OCTETS,
    GROUP_ORDER,
    CurvePointMalformed,
    CurveScalarMalformed,
    FixedBase,
    add,
    base_multiple,
    blinded_multiply,
    encode_point,
    encode_points,
    encode_scalar,
    is_equal,
    multi_multiply,
    multiply,
    negate,
    parse_point,
    parse_points,
    parse_scalar,
    parse_scalars,
    secret_multiple,
    subtract,
)

RANDOM = random.Random(8)


def test_the_generator_is_that_of_sec_2() -> None:
    assert (
        GENERATOR_OCTETS.hex()
        == "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    )
    assert multiply(GENERATOR, GROUP_ORDER) is None


def test_a_point_survives_its_encoding() -> None:
    point = secret_multiple(5)
    assert is_equal(parse_point(encode_point(point)), point)
    pair = [secret_multiple(6), secret_multiple(7)]
    assert encode_points(parse_points(encode_points(pair))) == encode_points(pair)


UNCOMPRESSED = bytes(secret_multiple(5).format(compressed=False))
X_OFF_THE_CURVE = (5).to_bytes(32, "big")
BAD_POINTS = {
    "nothing": b"",
    "identity": b"\x00",
    "identity, padded": bytes(33),
    "uncompressed": UNCOMPRESSED,
    "hybrid": bytes([6 | UNCOMPRESSED[-1] & 1]) + UNCOMPRESSED[1:],
    "short": GENERATOR_OCTETS[:-1],
    "long": GENERATOR_OCTETS + b"\x00",
    "sign byte 04": b"\x04" + GENERATOR_OCTETS[1:],
    "off the curve": b"\x02" + X_OFF_THE_CURVE,
    "x at the field prime": b"\x02" + FIELD_PRIME.to_bytes(32, "big"),
    "x not reduced": b"\x02" + (FIELD_PRIME + 1).to_bytes(32, "big"),
}


@pytest.mark.parametrize("data", BAD_POINTS.values(), ids=BAD_POINTS.keys())
def test_rejects_what_is_no_compressed_point(data: bytes) -> None:
    with pytest.raises(CurvePointMalformed):
        parse_point(data)


def test_rejects_points_that_do_not_fill_their_bytes() -> None:
    with pytest.raises(CurvePointMalformed):
        parse_points(GENERATOR_OCTETS + b"\x02")


@given(st.binary(max_size=70))
def test_any_bytes_are_a_point_or_malformed(data: bytes) -> None:
    try:
        point = parse_point(data)
    except CurvePointMalformed:
        return
    assert encode_point(point) == data


def test_a_scalar_is_below_the_group_order() -> None:
    assert parse_scalar(encode_scalar(GROUP_ORDER - 1)) == GROUP_ORDER - 1
    assert parse_scalars(encode_scalar(0) + encode_scalar(1)) == [0, 1]
    for data in (GROUP_ORDER.to_bytes(32, "big"), b"\xff" * 32, bytes(31), bytes(33), b""):
        with pytest.raises(CurveScalarMalformed):
            parse_scalar(data)
    with pytest.raises(CurveScalarMalformed):
        parse_scalars(bytes(33))


def test_the_identity_is_none_in_sums_and_multiples() -> None:
    point = secret_multiple(9)
    assert add(()) is None
    assert add((None, None)) is None
    assert is_equal(add((None, point)), point)
    assert add((point, negate(point))) is None
    assert subtract(point, point) is None
    assert negate(None) is None
    assert base_multiple(GROUP_ORDER) is None
    assert multiply(None, 5) is None
    assert multiply(point, 0) is None
    assert is_equal(None, None)
    assert not is_equal(None, point)
    with pytest.raises(CurveScalarMalformed):
        secret_multiple(0)
    with pytest.raises(CurveScalarMalformed):
        blinded_multiply(point, GROUP_ORDER)


def test_a_blinded_multiple_is_the_multiple() -> None:
    point = secret_multiple(11)
    for secret in (1, 2, GROUP_ORDER - 1, RANDOM.getrandbits(255)):
        assert is_equal(blinded_multiply(point, secret), multiply(point, secret))


@pytest.mark.parametrize("window_bits", [1, 5, 8])
def test_a_table_gives_the_same_multiples(window_bits: int) -> None:
    point = secret_multiple(13)
    table = FixedBase(point, window_bits=window_bits)
    for scalar in (0, 1, 2, 255, 256, GROUP_ORDER - 1, GROUP_ORDER + 3, RANDOM.getrandbits(256)):
        assert is_equal(table.multiply(scalar), multiply(point, scalar))
        assert is_equal(add(table.terms(scalar)), multiply(point, scalar))


@pytest.mark.parametrize("count", [1, 5, 399, 401, 700])
@pytest.mark.parametrize("bits", [128, 256])
def test_a_sum_of_multiples_is_the_multiple_of_the_sum(count: int, bits: int) -> None:
    logarithms = range(1, count + 1)
    points = [secret_multiple(logarithm) for logarithm in logarithms]
    scalars = [RANDOM.getrandbits(bits) for _ in logarithms]
    expected = sum(a * b for a, b in zip(logarithms, scalars, strict=True))
    assert is_equal(multi_multiply(points, scalars), base_multiple(expected))


def test_a_sum_of_multiples_finds_the_identity() -> None:
    points = [secret_multiple(3)] * 500
    assert multi_multiply(points, [1] * 499 + [-499]) is None
    assert multi_multiply([], []) is None
    assert multi_multiply(points, [0] * 500) is None
    assert multi_multiply(points, [1] * 500) is not None
