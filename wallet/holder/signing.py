"""A key of a key store as a `SigningKey`."""

from wallet.crypto.keys import PublicKey
from wallet.ports.holder import HeldKey, KeyStore


class HeldSigningKey:
    """Signs inside the key store; this process never has the secret."""

    def __init__(self, keys: KeyStore, held: HeldKey) -> None:
        self._keys = keys
        self._held = held

    @property
    def algorithm(self) -> str:
        return self._held.public_key.algorithm

    @property
    def public_key(self) -> PublicKey:
        return self._held.public_key

    def sign(self, data: bytes) -> bytes:
        """Return the JOSE signature. Raises what `KeyStore.sign` raises."""
        return self._keys.sign(self._held.handle, data)
