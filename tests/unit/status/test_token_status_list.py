"""Token Status List: published encodings, and lists that must be refused."""

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.vectors import vector_folder
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object
from wallet.errors import SeoulWalletError
from wallet.status.compression import MAX_LIST_BYTES, StatusListMalformed
from wallet.status.token_status_list import (
    StatusIndexOutOfRange,
    TokenStatusList,
    parse_status_list_claim,
    parse_status_reference,
)

# draft-ietf-oauth-status-list §4.1 (short lists) and appendix "Test vectors" (2^20 entries).
SHORT_1 = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
SHORT_2 = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
LONG = {
    "status_list_encoding1_long_json.md": dict.fromkeys(
        (0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345), 1
    ),
    "status_list_encoding2_long_json.md": {
        0: 1, 1993: 2, 25460: 1, 159495: 3, 495669: 1, 554353: 1, 645645: 2, 723232: 1,
        854545: 1, 934534: 2, 1000345: 3,
    },
    "status_list_encoding4_json.md": {
        0: 1, 1993: 2, 35460: 3, 459495: 4, 595669: 5, 754353: 6, 845645: 7, 923232: 8,
        924445: 9, 934534: 10, 1004534: 11, 1000345: 12, 1030203: 13, 1030204: 14, 1030205: 15,
    },
}  # fmt: skip


def published(name: str) -> TokenStatusList:
    text = (vector_folder("ietf-token-status-list") / "examples" / name).read_text()
    claim = re.sub(r"\s", "", text[text.index("{") :])
    return parse_status_list_claim(parse_json_object(claim.encode()))


@pytest.mark.vectors
def test_reads_the_short_published_lists() -> None:
    one = published("status_list_encoding_json.md")
    assert [one.status(index) for index in range(16)] == SHORT_1
    two = published("status_list_encoding2_json.md")
    assert [two.status(index) for index in range(12)] == SHORT_2


@pytest.mark.vectors
@pytest.mark.parametrize("name", LONG)
def test_reads_the_long_published_lists(name: str) -> None:
    entries = published(name)
    assert entries.size == 2**20
    statuses = LONG[name]
    assert {index: entries.status(index) for index in statuses} == statuses
    rebuilt = TokenStatusList.empty(2**20, entries.bits).with_statuses(statuses)
    assert rebuilt == entries


@pytest.mark.vectors
def test_reads_the_published_list_of_bytes() -> None:
    entries = published("status_list_encoding8_json.md")
    assert (entries.bits, entries.size) == (8, 2**20)
    found = {entries.status(index) for index in range(entries.size)}
    assert found == set(range(256))


def test_the_order_of_bits_is_least_significant_first() -> None:
    assert TokenStatusList.empty(8, 1).with_statuses({0: 1}).data == b"\x01"
    assert TokenStatusList.empty(8, 2).with_statuses({1: 3}).data == b"\x0c\x00"


@given(
    st.sampled_from((1, 2, 4, 8)),
    st.dictionaries(st.integers(0, 999), st.integers(0, 255), max_size=30),
)
def test_what_was_set_is_read_back_and_nothing_else(bits: int, changes: dict[int, int]) -> None:
    fitting = {index: status % (1 << bits) for index, status in changes.items()}
    entries = parse_status_list_claim(
        TokenStatusList.empty(1000, bits).with_statuses(fitting).to_claim()
    )
    for index in range(1000):
        assert entries.status(index) == fitting.get(index, 0)


@pytest.mark.parametrize("index", [-1, 8, 2**63])
def test_an_index_outside_the_list_is_refused(index: int) -> None:
    with pytest.raises(StatusIndexOutOfRange):
        TokenStatusList.empty(8, 1).status(index)
    with pytest.raises(StatusIndexOutOfRange):
        TokenStatusList.empty(8, 1).with_statuses({index: 1})


def claim(compressed: bytes, bits: object = 1) -> dict[str, object]:
    return {"bits": bits, "lst": base64url.encode(compressed)}


GOOD = zlib.compress(bytes(100))


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {},
        {"bits": 1},
        claim(GOOD, 3),
        claim(GOOD, True),
        claim(GOOD, "1"),
        claim(b""),
        claim(zlib.compress(b"")),
        claim(GOOD[:-1]),
        claim(GOOD[:5]),
        claim(GOOD + b"\0"),
        claim(GOOD + GOOD),
        claim(b"\x1f\x8b" + GOOD),
        claim(b"junk"),
    ],
)
def test_refuses_what_is_not_one_complete_zlib_stream(bad: object) -> None:
    with pytest.raises(StatusListMalformed):
        parse_status_list_claim(bad)
    assert parse_status_list_claim(claim(GOOD)).size == 800


def test_a_list_that_inflates_without_end_is_refused() -> None:
    bomb = zlib.compress(bytes(MAX_LIST_BYTES + 1), 9)
    assert len(bomb) < 20_000
    with pytest.raises(StatusListMalformed):
        parse_status_list_claim(claim(bomb))


@pytest.mark.parametrize(
    "reference",
    [None, {}, {"status_list": []}, {"status_list": {"idx": 1}}, {"status_list": {"uri": "u"}},
     {"status_list": {"idx": 1, "uri": ""}}, {"status_list": {"idx": 1, "uri": "u" * 3000}}],
)  # fmt: skip
def test_refuses_a_reference_without_index_or_address(reference: object) -> None:
    with pytest.raises(StatusListMalformed):
        parse_status_reference(reference)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_list_or_a_typed_error(data: bytes) -> None:
    try:
        entries = parse_status_list_claim(claim(data))
    except SeoulWalletError:
        return
    assert entries.size >= 8
