"""Strict base64url: one spelling for every value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.encoding import base64url
from wallet.encoding.base64url import Base64urlMalformed


# RFC 4648 §10, without padding.
@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff", "-_8")],
)
def test_spells_the_published_examples(data: bytes, text: str) -> None:
    assert base64url.encode(data) == text
    assert base64url.decode(text) == data


@pytest.mark.parametrize(
    "text",
    [
        "Zg==",
        "Zm8=",
        "A",
        "+_8",
        "-/8",
        "Zm 9v",
        "Zm9v\n",
        "Zh",
        "Zm9",
        "Zm9vé",
        "Zm9v\0",
        "=",
        "Zm.v",
    ],
)
def test_refuses_every_other_spelling(text: str) -> None:
    with pytest.raises(Base64urlMalformed):
        base64url.decode(text)


@given(st.binary(max_size=200))
def test_what_was_encoded_comes_back(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data


@given(st.binary(max_size=60))
def test_any_bytes_decode_to_what_encodes_back_or_are_refused(text: bytes) -> None:
    try:
        data = base64url.decode(text)
    except Base64urlMalformed:
        return
    assert base64url.encode(data).encode() == text


@given(st.integers(1, 70).flatmap(lambda n: st.lists(st.binary(min_size=n, max_size=n))))
def test_many_values_of_one_size_are_read_as_one_by_one(values: list[bytes]) -> None:
    size = len(values[0]) if values else 5
    assert base64url.decode_each([base64url.encode(value) for value in values], size) == values


@pytest.mark.parametrize(
    "texts",
    [
        ["Zg", "Zh"],  # stray bits
        ["Zg", "Zm8"],
        ["Zg", "Z"],
        ["Zg", "Zg=="],
        ["Zg", "Z="],
        ["Z+", "Zg"],
        ["Zg", "/g"],
        ["Z\n", "Zg"],
        ["Zé", "Zg"],
        ["", "Zg"],
    ],
)
def test_many_values_are_read_as_strictly_as_one(texts: list[str]) -> None:
    assert base64url.decode_each(["Zg", "Zg"], 1) == [b"f", b"f"]
    with pytest.raises(Base64urlMalformed):
        base64url.decode_each(texts, 1)
