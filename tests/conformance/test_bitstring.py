"""The encoded list that the Bitstring Status List specification prints, twice."""

import re

import pytest

from tests.support.vectors import vector_folder
from wallet.status.bitstring import MIN_ENTRIES, parse_encoded_list

pytestmark = pytest.mark.vectors


def test_both_published_lists_decode_to_the_smallest_empty_list() -> None:
    page = (vector_folder("w3c-bitstring-status-list") / "index.html").read_text()
    found = re.findall(r'"encodedList": "<span class="highlight">(u[^<]+)</span>"', page)
    assert len(found) == 2
    for text in found:
        decoded = parse_encoded_list(text)
        assert decoded.entries == MIN_ENTRIES
        assert decoded.data == bytes(MIN_ENTRIES // 8)
