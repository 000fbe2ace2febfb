"""Handles of what a credential is bound by: keys of the key store, or blindings of commitments."""

from __future__ import annotations

from collections.abc import Iterable

from wallet.holder.nyms import is_nym_handle
from wallet.holder.recovery import NYM_BLIND_KIND
from wallet.ports.holder import Delete, HeldKeyUnknown, KeyStore, RecordStore, RecordUnknown


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
