"""The one rule for Ed25519, on the published edge cases: nothing but what libsodium accepts."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.support.vectors import vector_folder
from wallet.crypto.keys import KeyMalformed, SignatureInvalid, ed25519_public_key

pytestmark = pytest.mark.vectors

# A signature is good when the equation without the cofactor holds and neither A nor R is of small
# order or not canonical.
REFUSED_FLAGS = {
    "low_order_A",
    "low_order_R",
    "non_canonical_A",
    "non_canonical_R",
    "low_order_residue",
}
LIBSODIUM_ROW = "XXXVXXXXXXXX"


def outcome(key: str, signature: str, message: bytes) -> str:
    try:
        ed25519_public_key(bytes.fromhex(key)).verify(bytes.fromhex(signature), message)
    except KeyMalformed:
        return "key refused"
    except SignatureInvalid:
        return "signature refused"
    return "accepted"


def cctv() -> list[dict[str, Any]]:
    folder = vector_folder("cctv-ed25519")
    cases: list[dict[str, Any]] = json.loads((folder / "ed25519vectors.json").read_bytes())
    return cases


def test_the_rule_decides_all_914_cases_of_cctv() -> None:
    cases = cctv()
    outcomes: Counter[str] = Counter()
    wrong = []
    for case in cases:
        expected = not REFUSED_FLAGS & set(case["flags"] or ())
        found = outcome(case["key"], case["sig"], case["msg"].encode())
        outcomes[found] += 1
        if (found == "accepted") != expected:
            wrong.append((case["number"], case["flags"], found))
    assert wrong == []
    assert len(cases) == 914
    assert outcomes["accepted"] == 43


def test_keys_of_small_order_and_other_spellings_are_refused_at_import() -> None:
    for case in cctv():
        if {"low_order_A", "non_canonical_A"} & set(case["flags"] or ()):
            with pytest.raises(KeyMalformed):
                ed25519_public_key(bytes.fromhex(case["key"]))


def test_the_speccheck_row_is_that_of_libsodium() -> None:
    folder = vector_folder("ed25519-speccheck")
    cases = json.loads((folder / "cases.json").read_bytes())
    row = "".join(
        "V"
        if outcome(case["pub_key"], case["signature"], bytes.fromhex(case["message"]))
        == "accepted"
        else "X"
        for case in cases
    )
    assert row == LIBSODIUM_ROW
    published = (folder / "results.md").read_text()
    assert "|LibSodium" in published
    (line,) = [line for line in published.splitlines() if line.startswith("|LibSodium")]
    assert "".join(cell.strip() for cell in line.split("|")[2:-1]) == LIBSODIUM_ROW
