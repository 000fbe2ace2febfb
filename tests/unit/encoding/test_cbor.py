"""Strict CBOR: what is read back, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.encoding.cbor import CborMalformed, parse_cbor, to_cbor

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.binary() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 99), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(PLAIN)
def test_what_was_written_is_read_back(value: Any) -> None:
    assert parse_cbor(to_cbor(value)) == value


@given(st.binary(max_size=64))
def test_any_bytes_are_one_item_or_refused(data: bytes) -> None:
    try:
        parse_cbor(data)
    except CborMalformed:
        return


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("", id="nothing"),
        pytest.param("0102", id="two items"),
        pytest.param("9f01ff", id="array of indefinite length"),
        pytest.param("bf0102ff", id="map of indefinite length"),
        pytest.param("5f4101ff", id="string of indefinite length"),
        pytest.param("a201020103", id="a key twice"),
        pytest.param("a1810102", id="an array as key"),
        pytest.param("c249010000000000000000", id="bignum"),
        pytest.param("c11a00000001", id="date"),
        pytest.param("d81c81d81d00", id="a list that holds itself"),
        pytest.param("d9010281" + "01", id="set"),
        pytest.param("d2820102", id="a tag unknown here"),
        pytest.param("d9d9f701", id="self-described CBOR"),
        pytest.param("f0", id="simple value"),
        pytest.param("f7", id="undefined"),
        pytest.param("61ff", id="not UTF-8"),
        pytest.param("5bffffffffffffffff", id="string without its bytes"),
        pytest.param("9bffffffffffffffff", id="array without its items"),
        pytest.param("bbffffffffffffffff", id="map without its members"),
        pytest.param("81" * 17 + "01", id="nested too deeply"),
        pytest.param("81" * 100_000 + "01", id="nested far too deeply"),
        pytest.param("d3" * 50_000 + "01", id="tags upon tags"),
    ],
)
def test_refuses(encoded: str) -> None:
    with pytest.raises(CborMalformed):
        parse_cbor(bytes.fromhex(encoded))


def test_refuses_what_is_longer_than_the_limit() -> None:
    assert parse_cbor(b"\x43abc", max_bytes=4) == b"abc"
    with pytest.raises(CborMalformed):
        parse_cbor(b"\x43abc", max_bytes=3)
