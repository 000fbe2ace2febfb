"""Strict JSON: what RFC 7493 forbids is refused, whatever the fast path thinks."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.vectors import vector_folder
from wallet.encoding.json import JsonMalformed, parse_json, parse_json_object, to_json

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=("Cs",)), max_size=8), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":{"b":1,"b":1}}',
        b'[{"a":1,"a" :2}]',
        b'{"a":"\\u003a","a":1}',
        b'{"x":":","a":1,"a":":"}',
    ],
)
def test_refuses_a_name_that_occurs_twice(text: bytes) -> None:
    with pytest.raises(JsonMalformed):
        parse_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'"\xff"',
        b"{}{}",
        b"{'a':1}",
        b"[1,]",
        b"01",
    ],
)
def test_refuses_what_is_not_json(text: bytes) -> None:
    with pytest.raises(JsonMalformed):
        parse_json(text)


def test_nesting_is_bounded() -> None:
    assert parse_json(b"[" * 100 + b"]" * 100) is not None
    with pytest.raises(JsonMalformed):
        parse_json(b"[" * 103 + b"]" * 103)
    with pytest.raises(JsonMalformed):
        parse_json(b'{"a":' * 50_000 + b"1" + b"}" * 50_000)


def test_size_is_bounded() -> None:
    assert parse_json(b'"' + b"a" * 8 + b'"', max_bytes=10) == "a" * 8
    with pytest.raises(JsonMalformed):
        parse_json(b'"' + b"a" * 9 + b'"', max_bytes=10)


@pytest.mark.parametrize("text", [b"[]", b"1", b'"a"', b"null"])
def test_an_object_is_asked_for_and_nothing_else_will_do(text: bytes) -> None:
    with pytest.raises(JsonMalformed):
        parse_json_object(text)


@given(JSON_VALUES)
def test_what_was_written_comes_back(value: Any) -> None:
    assert parse_json(to_json(value)) == value
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    try:
        value = parse_json(data)
    except JsonMalformed:
        return
    assert json.loads(data) == value


@given(st.text('{}[]:",ab\\ 1', max_size=24))
def test_agrees_with_a_parser_that_watches_for_equal_names(text: str) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), "twice"
        return dict(pairs)

    try:
        expected = json.loads(text, object_pairs_hook=unique)
    except (ValueError, AssertionError):
        with pytest.raises(JsonMalformed):
            parse_json(text.encode())
    else:
        assert parse_json(text.encode()) == expected


@pytest.mark.vectors
def test_json_test_suite_has_no_wrong_acceptance_and_no_wrong_rejection() -> None:
    folder = vector_folder("jsontestsuite") / "test_parsing"
    accepted = refused = 0
    # Beyond what a number is here: I-JSON asks for IEEE doubles, these parse to infinity.
    for path in sorted(folder.glob("[yn]_*.json")):
        data = path.read_bytes()
        if path.name.startswith("n_"):
            with pytest.raises(JsonMalformed):
                parse_json(data)
            refused += 1
        elif path.name in (
            "y_object_duplicated_key.json",
            "y_object_duplicated_key_and_value.json",
        ):
            # RFC 8259 lets these pass, RFC 7493 (I-JSON) does not.
            with pytest.raises(JsonMalformed):
                parse_json(data)
            accepted += 1
        else:
            parse_json(data)
            accepted += 1
    assert (accepted, refused) == (95, 188)


@pytest.mark.parametrize("text", [b"18446744073709551616", b"[-9223372036854775809]", b"1" * 40])
def test_an_integer_that_would_be_rounded_is_refused(text: bytes) -> None:
    with pytest.raises(JsonMalformed):
        parse_json(text)
    assert parse_json(b"[18446744073709551615, -9223372036854775808]") == [2**64 - 1, -(2**63)]
