"""Bitstring Status List: bits from the left, one gzip member, no less than 131,072 entries."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cost import refused
from wallet.encoding.multibase import MultibaseMalformed, encode_base64url
from wallet.errors import SeoulWalletError
from wallet.status.bitstring import (
    MIN_ENTRIES,
    BitstringStatusEntry,
    BitstringStatusList,
    check_bitstring_status,
    parse_bitstring_status_entry,
    parse_encoded_list,
)
from wallet.status.compression import MAX_LIST_BYTES, StatusListMalformed
from wallet.status.token_status_list import (
    StatusIndexOutOfRange,
    TokenStatusList,
)

URI = "https://issuer.example/status-lists/1"
SMALLEST = bytes(MIN_ENTRIES // 8)


def packed(data: bytes) -> str:
    return encode_base64url(gzip.compress(data, mtime=0))


def test_the_first_entry_is_the_leftmost_bit() -> None:
    listed = BitstringStatusList.empty().with_statuses({0: 1, 9: 1, MIN_ENTRIES - 1: 1})
    assert listed.data[:2] == b"\x80\x40"
    assert listed.data[-1] == 0x01
    assert [listed.status(index) for index in (0, 1, 8, 9, 10)] == [1, 0, 0, 1, 0]


def test_the_order_is_not_that_of_a_token_status_list() -> None:
    """ST-7: the same bytes read in the other order say something else."""
    ours = BitstringStatusList.empty().with_statuses({0: 1})
    theirs = TokenStatusList(1, ours.data)
    assert theirs.status(0) == 0
    assert theirs.status(7) == 1


@given(
    st.sampled_from([1, 2, 3, 4, 8]),
    st.dictionaries(st.integers(0, MIN_ENTRIES - 1), st.integers(0, 255), max_size=6),
)
def test_what_is_set_is_read_back_from_the_encoded_list(
    size: int, changes: dict[int, int]
) -> None:
    fitting = {index: status % (1 << size) for index, status in changes.items()}
    listed = BitstringStatusList.empty(size=size).with_statuses(fitting)
    again = parse_encoded_list(listed.to_encoded_list(), size=size)
    assert again == listed
    assert again.digest == listed.digest
    for index, status in fitting.items():
        assert again.status(index) == status
        subject = listed.to_credential_subject(URI, "revocation")
        entry = BitstringStatusEntry(URI, index, "revocation", size)
        assert check_bitstring_status(entry, subject) == status


def test_an_entry_comes_back_as_it_went_and_changes_a_neighbour_never() -> None:
    entry = BitstringStatusEntry(URI, 94567, "revocation")
    assert parse_bitstring_status_entry(entry.to_json()) == entry
    wide = BitstringStatusEntry(URI, 5, "message", 4)
    assert parse_bitstring_status_entry(wide.to_json()) == wide
    listed = BitstringStatusList.empty().with_statuses({94567: 1})
    assert [listed.status(94567 + step) for step in (-1, 0, 1)] == [0, 1, 0]
    assert listed.with_statuses({94567: 0}) == BitstringStatusList.empty()


def test_st_1_a_bomb_is_refused_quickly_and_in_little_memory() -> None:
    bomb = packed(bytes(200 * 1024 * 1024))
    assert len(bomb) < 300_000
    refused(StatusListMalformed, lambda: parse_encoded_list(bomb))
    tracemalloc.start()
    with pytest.raises(StatusListMalformed, match="inflates beyond"):
        parse_encoded_list(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 1024 * 1024


def test_st_2_a_second_gzip_member_is_refused() -> None:
    member = gzip.compress(SMALLEST, mtime=0)
    parse_encoded_list(encode_base64url(member))
    for count in (1, 1000):
        with pytest.raises(StatusListMalformed, match="follow"):
            parse_encoded_list(encode_base64url(member + gzip.compress(b"", mtime=0) * count))


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(SMALLEST, mtime=0)[:-1],
        gzip.compress(SMALLEST, mtime=0)[:-8],
        gzip.compress(SMALLEST, mtime=0) + b"\0",
        gzip.compress(SMALLEST, mtime=0)[:-8] + bytes(8),
        zlib.compress(SMALLEST),
        SMALLEST,
        b"",
    ],
)
def test_st_3_what_is_not_one_whole_gzip_member_is_refused(data: bytes) -> None:
    with pytest.raises(StatusListMalformed):
        parse_encoded_list(encode_base64url(data))


@pytest.mark.parametrize(
    "index",
    ["-1", -1, "1.0", 1.0, True, None, 5, "", "05", "+5", " 5", "٥", "5\n", "1e3", "9" * 17],
)
def test_st_4_an_index_that_is_no_whole_number_in_a_string_is_refused(index: Any) -> None:
    entry = {**BitstringStatusEntry(URI, 5, "revocation").to_json(), "statusListIndex": index}
    with pytest.raises(StatusListMalformed):
        parse_bitstring_status_entry(entry)


@pytest.mark.parametrize("index", [MIN_ENTRIES, 2**53, 10**15])
def test_st_4_an_index_behind_the_list_is_refused(index: int) -> None:
    listed = BitstringStatusList.empty()
    entry = parse_bitstring_status_entry(BitstringStatusEntry(URI, index, "revocation").to_json())
    with pytest.raises(StatusIndexOutOfRange):
        check_bitstring_status(entry, listed.to_credential_subject(URI, "revocation"))
    with pytest.raises(StatusIndexOutOfRange):
        listed.with_statuses({index: 1})
    with pytest.raises(StatusIndexOutOfRange):
        listed.with_statuses({0: 2})


@pytest.mark.parametrize("data", [b"", SMALLEST[:-1], b"\0"])
def test_st_5_a_list_that_is_too_short_to_hide_in_is_refused(data: bytes) -> None:
    with pytest.raises(StatusListMalformed, match="at least"):
        parse_encoded_list(packed(data))
    with pytest.raises(StatusListMalformed):
        parse_encoded_list(packed(SMALLEST), size=2)
    with pytest.raises(StatusListMalformed):
        BitstringStatusList.empty(MIN_ENTRIES - 8)
    with pytest.raises(StatusListMalformed):
        BitstringStatusList(bytes(MAX_LIST_BYTES + 1))


def test_an_encoded_list_in_another_base_or_kind_is_refused() -> None:
    text = packed(SMALLEST)
    for other in ("z" + text[1:], text[1:], "U" + text[1:]):
        with pytest.raises(MultibaseMalformed):
            parse_encoded_list(other)
    for other in (None, 5, [text]):  # type: ignore[assignment]
        with pytest.raises(StatusListMalformed):
            parse_encoded_list(other)


def test_a_list_about_another_purpose_is_refused() -> None:
    listed = BitstringStatusList.empty().with_statuses({5: 1})
    entry = BitstringStatusEntry(URI, 5, "revocation")
    subject = listed.to_credential_subject(URI, "suspension")
    with pytest.raises(StatusListMalformed, match="purpose"):
        check_bitstring_status(entry, subject)
    both = {**subject, "statusPurpose": ["suspension", "revocation"]}
    assert check_bitstring_status(entry, both) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["type", "statusListIndex", "statusSize", "statusPurpose"]))
def test_any_json_raises_only_our_errors(value: Any, name: str) -> None:
    entry = BitstringStatusEntry(URI, 5, "revocation")
    for candidate in (value, {**entry.to_json(), name: value}):
        try:
            parsed = parse_bitstring_status_entry(candidate)
        except SeoulWalletError:
            continue
        assert parsed.index >= 0
    with pytest.raises(SeoulWalletError):
        check_bitstring_status(entry, value)
