"""Handles of what a credential is bound by: keys of the key store, or blindings of commitments."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Final

from wallet.ports.holder import Delete, HeldKeyUnknown, KeyStore, RecordStore, RecordUnknown

NYM_BLIND_KIND: Final = "nym_blind"
_NYM: Final = "nym-"
_NYM_BYTES: Final = 12


def new_nym_handle() -> str:
    """Return a name for the blinding of one commitment."""
    return _NYM + secrets.token_hex(_NYM_BYTES)


def is_nym_handle(handle: str) -> bool:
    """Whether a handle names the blinding of a commitment, and no key."""
    return handle.startswith(_NYM)


def destroy(handles: Iterable[str], keys: KeyStore, records: RecordStore) -> None:
    """Destroy what the handles name; what is not there any more is passed over."""
    for handle in handles:
        try:
            if is_nym_handle(handle):
                records.write(Delete(NYM_BLIND_KIND, handle))
            else:
                keys.delete(handle)
        except (HeldKeyUnknown, RecordUnknown):
            continue
