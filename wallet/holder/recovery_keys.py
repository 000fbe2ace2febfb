"""What one recovery secret gives for each issuer: a signing key, and a seal for device names.

Keys of different issuers have nothing in common that an issuer could see. They are derived when
they are used and never stored.
"""

from __future__ import annotations

import secrets
from typing import Final

from wallet.crypto.keys import Es256SigningKey, KeyMalformed
from wallet.crypto.sealing import RootKey, SealBroken
from wallet.encoding import base64url
from wallet.errors import MalformedError

DEVICE_ID_BYTES: Final = 16
MAX_NAME_BYTES: Final = 112
_SALT_BYTES: Final = 16
_ATTEMPTS: Final = 4


class DeviceNameTooLong(MalformedError):
    """The name of a device has more than 112 bytes, about 37 Korean syllables."""

    code = "device_name_too_long"


class RecoveryKeys:
    """Derives from a recovery secret of 32 bytes. `issuer` is a `credential_issuer`."""

    def __init__(self, secret: bytes) -> None:
        self._root = RootKey(secret)

    def signing_key(self, issuer: str) -> Es256SigningKey:
        """Return the recovery key (ES256) of an issuer, always the same one."""
        for attempt in range(_ATTEMPTS):
            context = f"seoul-wallet;issuer-recovery-key;{attempt};{issuer}".encode()
            try:
                return Es256SigningKey.from_secret(self._root.derive(context))
            except KeyMalformed:
                continue  # one in four billion is beyond the order of the curve
        raise AssertionError("no key follows from this secret")

    def seal_device(self, issuer: str, device_id: bytes, name: str) -> str:
        """Return id and name of a device, sealed for the wallet's devices alone, in base64url.

        All are of one length. Raises `DeviceNameTooLong`.
        """
        octets = name.encode("utf-8")
        if len(octets) > MAX_NAME_BYTES:
            raise DeviceNameTooLong(f"the name of a device has at most {MAX_NAME_BYTES} bytes")
        salt = secrets.token_bytes(_SALT_BYTES)
        plaintext = device_id + octets.ljust(MAX_NAME_BYTES, b"\0")
        # The salt makes the context one that is used once.
        sealed = self._root.seal(
            plaintext, context=_context(salt), associated_data=issuer.encode()
        )
        return base64url.encode(salt + sealed)

    def open_device(self, issuer: str, label: str) -> tuple[bytes, str]:
        """Return id and name of a device. Raises `SealBroken`."""
        try:
            octets = base64url.decode(label)
            salt, sealed = octets[:_SALT_BYTES], octets[_SALT_BYTES:]
            plaintext = self._root.unseal(
                sealed, context=_context(salt), associated_data=issuer.encode()
            )
            name = plaintext[DEVICE_ID_BYTES:].rstrip(b"\0").decode("utf-8")
        except (MalformedError, UnicodeDecodeError):
            raise SealBroken("this is no sealed name of a device") from None
        return plaintext[:DEVICE_ID_BYTES], name


def _context(salt: bytes) -> bytes:
    return b"seoul-wallet;device-label;" + salt
