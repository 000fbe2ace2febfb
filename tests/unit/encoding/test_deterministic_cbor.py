"""The part of CBOR that proof values are made of."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.encoding.deterministic_cbor import DeterministicCborMalformed, parse_cbor, to_cbor

VALUES = st.recursive(
    st.integers(0, 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 300), inner, max_size=4)
    ),
    max_leaves=12,
).filter(lambda value: _depth(value) <= 8)


def _depth(value: object) -> int:
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 0


@given(VALUES)
def test_values_come_back_as_they_went(value: object) -> None:
    assert parse_cbor(to_cbor(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_have_one_value_and_one_spelling_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(DeterministicCborMalformed):
        assert to_cbor(parse_cbor(data)) == data


@pytest.mark.parametrize("value", [-1, 1.5, None, True, {"a": 1}, 2**64, object()])
def test_other_kinds_have_no_encoding(value: object) -> None:
    with pytest.raises(DeterministicCborMalformed):
        parse_cbor(to_cbor(value))


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"), (23, "17"), (24, "1818"), (1000, "1903e8"), (1000000, "1a000f4240"),
        (b"\x01\x02\x03\x04", "4401020304"), ("IETF", "6449455446"), ([], "80"),
        ([1, [2, 3], [4, 5]], "8301820203820405"), ({1: 2, 3: 4}, "a201020304"),
    ],
)  # fmt: skip
def test_the_examples_of_rfc_8949_appendix_a(value: object, encoded: str) -> None:
    assert to_cbor(value).hex() == encoded
    assert parse_cbor(bytes.fromhex(encoded)) == value
