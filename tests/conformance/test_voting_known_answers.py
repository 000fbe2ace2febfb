"""Known answers of the voting protocol, and a ballot's equations by an arithmetic of its own.

The second half shares nothing with the code under test: plain integers modulo the field prime and
hashlib, written after docs/voting.md, so that a mistake of the library does not pass for right
because it was made twice.
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256, sha512
from typing import Any

import pytest

from tests.support.voting_vectors import FILE, known_answers

P = 2**256 - 2**32 - 977
Q = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GX = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798

Affine = tuple[int, int] | None


@cache
def published() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return value


def test_the_file_is_made_again_byte_for_byte() -> None:
    assert known_answers() == published()


def frame(tag: str, *parts: bytes) -> bytes:
    framed = b"SW-MVOTE-V1/" + tag.encode() + b"\x00"
    for part in parts:
        framed += len(part).to_bytes(8, "big") + part
    return framed


def hex_of(name: str) -> bytes:
    return bytes.fromhex(published()[name])


def add(left: Affine, right: Affine) -> Affine:
    if left is None or right is None:
        return right if left is None else left
    if left[0] == right[0]:
        if (left[1] + right[1]) % P == 0:
            return None
        slope = 3 * left[0] ** 2 * pow(2 * left[1], -1, P)
    else:
        slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, P)
    x = (slope**2 - left[0] - right[0]) % P
    return x, (slope * (left[0] - x) - left[1]) % P


def times(point: Affine, scalar: int) -> Affine:
    result: Affine = None
    scalar %= Q
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def minus(point: Affine) -> Affine:
    return None if point is None else (point[0], P - point[1])


def decode(data: bytes) -> Affine:
    x = int.from_bytes(data[1:], "big")
    y = pow(x**3 + 7, (P + 1) // 4, P)
    assert y * y % P == (x**3 + 7) % P
    return x, y if y & 1 == data[0] & 1 else P - y


def points(name: str) -> list[Affine]:
    data = hex_of(name)
    return [decode(data[at : at + 33]) for at in range(0, len(data), 33)]


def scalars(name: str) -> list[int]:
    data = hex_of(name)
    return [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]


G = decode(b"\x02" + GX.to_bytes(32, "big"))


def challenge() -> int:
    octets = sha512(
        frame(
            "ballot-challenge",
            hex_of("ctx"),
            b"dcp-secp256k1-1",
            b"\x02" + GX.to_bytes(32, "big"),
            hex_of("K"),
            hex_of("ciphertexts"),
            hex_of("bit_commitments"),
            hex_of("rule_commitments"),
        )
    ).digest()
    return int.from_bytes(octets, "big") % Q


def test_digests_lead_from_the_manifest_to_the_tracking_code() -> None:
    answers = published()
    canonical = json.dumps(
        answers["manifest"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()
    h_m = sha256(frame("manifest", canonical)).digest()
    assert h_m == hex_of("h_M")
    h_k = sha256(frame("ceremony", h_m, hex_of("K"))).digest()
    h_e = sha256(frame("election", h_m, h_k)).digest()
    assert h_e == hex_of("h_E")
    sequence = answers["sequence"].to_bytes(4, "big")
    context = sha256(
        frame(
            "ballot-context",
            h_e,
            b"dcp-secp256k1-1",
            hex_of("nullifier"),
            sequence,
            answers["stratum"].encode(),
            answers["district"].encode(),
        )
    ).digest()
    assert context == hex_of("ctx")
    body = b"".join(map(hex_of, ("ciphertexts", "bit_commitments", "rule_commitments", "answers")))
    bd = sha256(frame("ballot", context, body)).digest()
    assert bd == hex_of("bd")
    assert sha256(frame("bind", h_e, bd, sequence)).digest() == hex_of("ph")
    number = int.from_bytes(bd[:13], "big") >> 4
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    letters = "".join(alphabet[number >> 5 * place & 31] for place in reversed(range(20)))
    assert "-".join(letters[at : at + 4] for at in range(0, 20, 4)) == answers["tracking_code"]


def test_all_equations_of_the_ballot_hold() -> None:
    answers = published()
    bits, key, e = answers["bits"], decode(hex_of("K")), challenge()
    ciphertexts, commitments = points("ciphertexts"), points("bit_commitments")
    found = scalars("answers")
    for bit in range(bits):
        a, b = ciphertexts[2 * bit : 2 * bit + 2]
        a0, b0, a1, b1 = commitments[4 * bit : 4 * bit + 4]
        c0, z0, z1 = found[3 * bit : 3 * bit + 3]
        c1 = e - c0
        assert times(G, z0) == add(a0, times(a, c0))
        assert times(key, z0) == add(b0, times(b, c0))
        assert times(G, z1) == add(a1, times(a, c1))
        assert times(key, z1) == add(b1, times(add(b, minus(G)), c1))
    sums = points("rule_commitments")
    for number, rule in enumerate(answers["rules"]):
        a_sum: Affine = None
        b_sum: Affine = minus(times(G, rule["total"]))
        for bit, weight in rule["weights"]:
            a_sum = add(a_sum, times(ciphertexts[2 * bit], weight))
            b_sum = add(b_sum, times(ciphertexts[2 * bit + 1], weight))
        z = found[3 * bits + number]
        assert times(G, z) == add(sums[2 * number], times(a_sum, e))
        assert times(key, z) == add(sums[2 * number + 1], times(b_sum, e))


def test_the_ciphertexts_hold_the_bits_and_the_bits_meet_the_rules() -> None:
    answers = published()
    secret = int.from_bytes(hex_of("election_secret"), "big")
    ciphertexts = points("ciphertexts")
    for bit, value in enumerate(answers["bit_vector"]):
        a, b = ciphertexts[2 * bit : 2 * bit + 2]
        assert add(b, minus(times(a, secret))) == (G if value else None)
    for rule in answers["rules"]:
        total = sum(weight * answers["bit_vector"][bit] for bit, weight in rule["weights"])
        assert total == rule["total"]
    assert answers["bit_vector"][: len(answers["choices"])] == answers["choices"]


@pytest.mark.parametrize(("bound", "weights"), [("5", [1, 2, 2]), ("10", [1, 2, 4, 3])])
def test_covers(bound: str, weights: list[int]) -> None:
    assert published()["cover"][bound] == weights
