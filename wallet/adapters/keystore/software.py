"""`ports.holder.KeyStore` in software: private keys are records in the encrypted store."""

from typing import Final

from wallet.crypto.keys import Es256SigningKey, KeyMalformed, thumbprint
from wallet.ports.holder import (
    Delete,
    HeldKey,
    HeldKeyUnknown,
    KeyStoreUnavailable,
    Put,
    RecordStore,
    RecordUnknown,
    StoreDamaged,
    StoreUnavailable,
)

KIND: Final = "key"


class SoftwareKeyStore:
    """Keeps P-256 keys in a `RecordStore`; a handle is the key's RFC 7638 thumbprint.

    A secret is in the memory of this process while it signs. Also raises what the store raises
    when it is damaged.
    """

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def generate(self) -> HeldKey:
        """See `KeyStore.generate`."""
        key = Es256SigningKey.generate()
        handle = thumbprint(key.public_key)
        try:
            self._records.write(Put(KIND, handle, key.secret(), expected_version=0))
        except StoreUnavailable as error:
            raise KeyStoreUnavailable("the new key cannot be stored just now") from error
        return HeldKey(handle, key.public_key)

    def find(self, handle: str) -> HeldKey:
        """See `KeyStore.find`."""
        return HeldKey(handle, self._load(handle).public_key)

    def sign(self, handle: str, data: bytes) -> bytes:
        """See `KeyStore.sign`."""
        return self._load(handle).sign(data)

    def delete(self, handle: str) -> None:
        """See `KeyStore.delete`."""
        try:
            self._records.write(Delete(KIND, handle))
        except RecordUnknown:
            raise HeldKeyUnknown("there is no key with this handle") from None
        except StoreUnavailable as error:
            raise KeyStoreUnavailable("the key cannot be deleted just now") from error

    def _load(self, handle: str) -> Es256SigningKey:
        try:
            return Es256SigningKey.from_secret(self._records.get(KIND, handle).payload)
        except RecordUnknown:
            raise HeldKeyUnknown("there is no key with this handle") from None
        except StoreUnavailable as error:
            raise KeyStoreUnavailable("the key cannot be read just now") from error
        except KeyMalformed:
            raise StoreDamaged("a stored key is none") from None
