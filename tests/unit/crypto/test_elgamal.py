"""Counts under encryption, and finding them again."""

import random

import pytest

from wallet.crypto.elgamal import (
    MAX_COUNT,
    CountBoundTooLarge,
    CountFinder,
    CountOutOfRange,
    add_ciphertexts,
    encrypt,
    weigh_ciphertexts,
)
from wallet.crypto.secp256k1 import FixedBase, base_multiple, multiply, secret_multiple, subtract

SECRET = 123456789
KEY = FixedBase(secret_multiple(SECRET), window_bits=5)


def test_a_sum_of_ciphertexts_holds_the_sum() -> None:
    values = [0, 1, 1, 5]
    items = [encrypt(KEY, value, 100 + value + at) for at, value in enumerate(values)]
    total = add_ciphertexts(items)
    assert CountFinder(10).find(subtract(total.b, multiply(total.a, SECRET))) == 7
    weighed = weigh_ciphertexts(items, [1, 2, 3, 4])
    assert CountFinder(50).find(subtract(weighed.b, multiply(weighed.a, SECRET))) == 25


@pytest.mark.parametrize("bound", [0, 1, 2, 19, 1023, 1024, 5000, 3_000_000])
def test_finds_every_count_up_to_the_bound_and_none_beyond(bound: int) -> None:
    finder = CountFinder(bound)
    chosen = {0, bound, bound // 2, max(0, bound - 1)}
    chosen |= {random.Random(bound).randint(0, bound) for _ in range(5)}
    for count in chosen:
        assert finder.find(base_multiple(count)) == count
    for count in (-1, bound + 1, bound + 2, -bound - 1, 2**200):
        with pytest.raises(CountOutOfRange):
            finder.find(base_multiple(count))


def test_does_not_search_beyond_2_to_the_40() -> None:
    with pytest.raises(CountBoundTooLarge):
        CountFinder(MAX_COUNT + 1)
