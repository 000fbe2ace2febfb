"""Status lists that were verified lately, so that each is verified and unpacked once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, NamedTuple

from wallet.crypto.hashing import sha256
from wallet.crypto.keys import PublicKey
from wallet.verification.issuer_key import KeyHint
from wallet.verification.status import VerifiedStatusList

MAX_KEPT_BYTES: Final = 64 * 1024 * 1024


class CheckedList(NamedTuple):
    """A list, how its token names the key, and the key that it was verified under."""

    hint: KeyHint
    key: PublicKey
    verified: VerifiedStatusList


class CheckedStatusLists:
    """Lists by their whole signed token, its URI and its issuer; together of limited size.

    A list is only as good as its key: whoever takes one from here finds the issuer's key anew and
    compares. Thread-safe.
    """

    def __init__(self, limit_bytes: int = MAX_KEPT_BYTES) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._kept: OrderedDict[tuple[bytes, str, str], CheckedList] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, token: bytes, uri: str, issuer: str) -> CheckedList | None:
        """Return what was kept of exactly this token."""
        name = (sha256(token), uri, issuer)
        with self._lock:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
            return found

    def put(self, token: bytes, checked: CheckedList) -> None:
        """Keep a list; those that were not used for longest may go, this one too if it is big."""
        listed = checked.verified
        name = (sha256(token), listed.uri, listed.issuer)
        with self._lock:
            if name not in self._kept:
                self._size += len(listed.entries.data)
            self._kept[name] = checked
            while self._size > self._limit:
                _, gone = self._kept.popitem(last=False)
                self._size -= len(gone.verified.entries.data)
