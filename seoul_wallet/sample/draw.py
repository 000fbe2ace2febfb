"""Draws that come out the same on every machine and Python version."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


class Draw:
    """A seeded source of choices. Only `Random.random` is used: its sequence is guaranteed."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        """Return an integer from `low` to `high`, both inclusive."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: Sequence[_Item]) -> _Item:
        return items[self.integer(0, len(items) - 1)]

    def chance(self, percent: int) -> bool:
        return self.integer(1, 100) <= percent

    def weighted(self, weights: Mapping[_Item, int]) -> _Item:
        """Return a key with a chance in proportion to its weight."""
        left = self.integer(1, sum(weights.values()))
        for item, weight in weights.items():
            left -= weight
            if left <= 0:
                return item
        raise ValueError("no weights")
