"""What was used lately, kept in memory up to a limit. Below every other module but the errors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class RecentlyUsed(Generic[K, V]):
    """Values by key; what was not used for longest goes when together they are over the limit.

    `size_of` is what one value counts towards `limit`; without it each counts one. A value that
    is over the limit alone is not kept. Thread-safe; `size_of` is called under the lock.
    """

    def __init__(self, limit: int, size_of: Callable[[V], int] = lambda _: 1) -> None:
        self._limit = limit
        self._size_of = size_of
        self._size = 0
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return the value, if it is still kept."""
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def put(self, key: K, value: V) -> None:
        """Keep a value, instead of the one with that key if there is one."""
        with self._lock:
            self._forget(key)
            size = self._size_of(value)
            if size > self._limit:
                return
            self._kept[key] = value
            self._size += size
            while self._size > self._limit:
                _, gone = self._kept.popitem(last=False)
                self._size -= self._size_of(gone)

    def drop(self, key: K) -> None:
        """Forget a value, if it is kept."""
        with self._lock:
            self._forget(key)

    def drop_where(self, is_over: Callable[[V], bool]) -> None:
        """Forget the values of which `is_over` says so."""
        with self._lock:
            for key in [key for key, value in self._kept.items() if is_over(value)]:
                self._forget(key)

    def _forget(self, key: K) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._size -= self._size_of(gone)
