"""Status lists that were verified lately, so that each is verified and unpacked once."""

from __future__ import annotations

from typing import Final, NamedTuple

from wallet.crypto.hashing import sha256
from wallet.crypto.keys import PublicKey
from wallet.recent import RecentlyUsed
from wallet.verification.issuer_key import KeyHint
from wallet.verification.status import VerifiedStatusList

MAX_KEPT_BYTES: Final = 64 * 1024 * 1024


class ListName(NamedTuple):
    """What a kept list is found by: the digest of its whole signed token, its URI, its issuer."""

    digest: bytes
    uri: str
    issuer: str

    @classmethod
    def of(cls, token: bytes, uri: str, issuer: str) -> ListName:
        """Return the name of the list in `token`."""
        return cls(sha256(token), uri, issuer)


class CheckedList(NamedTuple):
    """A list, how its token names the key, and the key that it was verified under."""

    hint: KeyHint
    key: PublicKey
    verified: VerifiedStatusList


def checked_lists(limit_bytes: int = MAX_KEPT_BYTES) -> RecentlyUsed[ListName, CheckedList]:
    """Return a place for verified lists, together of limited size.

    A list is only as good as its key: whoever takes one from there finds the issuer's key anew
    and compares.
    """
    return RecentlyUsed(limit_bytes, lambda checked: len(checked.verified.entries.data))
