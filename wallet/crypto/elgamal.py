"""Exponential ElGamal over secp256k1: counts that are added up while encrypted.

A ciphertext of v under K is (r G, r K + v G). Sums of ciphertexts hold sums of counts; who
decrypts gets T G and finds the small number T by baby steps and giant steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final

from wallet.crypto.secp256k1 import (
    GENERATOR,
    FixedBase,
    Point,
    add,
    base_multiple,
    encode_point,
    multiply,
    negate,
    subtract,
)
from wallet.errors import MalformedError, RejectedError

MAX_COUNT: Final = 2**40
_MIN_BABY_STEPS: Final = 1024


class CountOutOfRange(RejectedError):
    """What was decrypted is not a count within the bound."""

    code = "total_out_of_range"


class CountBoundTooLarge(MalformedError):
    """A search for counts beyond 2^40 is not attempted."""

    code = "count_bound_too_large"


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """(A, B); either may be the identity in a sum, None, but not in a ballot."""

    a: Point | None
    b: Point | None


def encrypt(key: FixedBase, value: int, randomness: int) -> Ciphertext:
    """Return (randomness G, randomness K + value G). The caller never reuses `randomness`."""
    message = base_multiple(value)
    terms = key.terms(randomness)
    return Ciphertext(
        base_multiple(randomness), add(terms if message is None else (*terms, message))
    )


def add_ciphertexts(ciphertexts: Iterable[Ciphertext]) -> Ciphertext:
    """Return the ciphertext of the sum."""
    listed = list(ciphertexts)
    return Ciphertext(add(item.a for item in listed), add(item.b for item in listed))


def weigh_ciphertexts(ciphertexts: Sequence[Ciphertext], weights: Sequence[int]) -> Ciphertext:
    """Return the ciphertext of the sum of weights[i] * value[i]."""
    pairs = list(zip(ciphertexts, weights, strict=True))
    return Ciphertext(
        add(item.a if weight == 1 else multiply(item.a, weight) for item, weight in pairs),
        add(item.b if weight == 1 else multiply(item.b, weight) for item, weight in pairs),
    )


class CountFinder:
    """Finds T in 0 … bound from T G: about sqrt(bound) steps, whose table is made once."""

    def __init__(self, bound: int) -> None:
        """Raises `CountBoundTooLarge`."""
        if not 0 <= bound <= MAX_COUNT:
            raise CountBoundTooLarge(f"counts are searched up to {MAX_COUNT}")
        self._bound = bound
        # A table entry serves both signs, so the steps between are twice the table wide.
        reach = max(1, min(bound, max(_MIN_BABY_STEPS, isqrt(bound // 2) + 1)))
        self._baby: dict[bytes, int] = {}
        multiples = [GENERATOR]
        while len(multiples) < reach:
            multiples.append(Point.combine_keys([multiples[-1], GENERATOR]))
        for count, point in enumerate(multiples, start=1):
            self._baby[encode_point(point)[1:]] = count
        self._stride = 2 * reach + 1
        self._giant = negate(base_multiple(self._stride))

    def find(self, point: Point | None) -> int:
        """Return T. Raises `CountOutOfRange`."""
        centre = 0
        while centre <= self._bound + self._stride:
            offset = 0 if point is None else self._baby.get(encode_point(point)[1:])
            if offset is not None:
                return self._signed(point, centre, offset)
            point = add((point, self._giant))
            centre += self._stride
        raise CountOutOfRange("no count up to the bound fits")

    def _signed(self, point: Point | None, centre: int, offset: int) -> int:
        is_above = offset == 0 or subtract(point, base_multiple(offset)) is None
        count = centre + offset if is_above else centre - offset
        if not 0 <= count <= self._bound:
            raise CountOutOfRange("the count is outside the bound")
        return count
