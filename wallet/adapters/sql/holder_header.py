"""The header row of a holder's store: its key, wrapped by the passphrase."""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from wallet.adapters.sql import holder_tables as tables
from wallet.crypto.sealing import (
    Argon2Parameters,
    PassphraseHashOutOfRange,
    RootKey,
    SealBroken,
    WrappedKey,
    unwrap_key,
    wrap_key,
)
from wallet.ports.holder import (
    PassphraseTooShort,
    PassphraseWrong,
    StoreDamaged,
    StoreTooWeak,
)

FORMAT: Final = 1
MIN_PASSPHRASE_CHARACTERS: Final = 8
_LABEL: Final = b"seoul-wallet;holder-store;1"


def write_new_header(
    connection: Connection, root: RootKey, passphrase: str, parameters: Argon2Parameters
) -> None:
    """Wrap `root` and write the first header. Raises `PassphraseTooShort`."""
    values = _wrapped_values(root, passphrase, parameters)
    connection.execute(insert(tables.header).values(id=1, **values))


def read_root(connection: Connection, passphrase: str, floor: Argon2Parameters) -> RootKey:
    """Return the store key. Raises `PassphraseWrong`, `StoreDamaged`, `StoreTooWeak`.

    The checksum tells an accident from a wrong passphrase; it has no key and stops nobody who
    alters the file on purpose, which then shows as a wrong passphrase.
    """
    row = connection.execute(select(tables.header)).mappings().one_or_none()
    if row is None:
        raise StoreDamaged("the store has no header")
    values = {name: value for name, value in row.items() if name != "id"}
    checksum = values.pop("checksum")
    if _checksum(values) != checksum:
        raise StoreDamaged("the header was altered")
    if values["format"] != FORMAT:
        raise StoreDamaged(f"the store has format {values['format']}, not {FORMAT}")
    parameters = Argon2Parameters(values["memory_kib"], values["time"], values["lanes"])
    wrapped = WrappedKey(parameters, values["salt"], values["sealed"])
    try:
        return unwrap_key(wrapped, passphrase, floor=floor, label=_LABEL)
    except PassphraseHashOutOfRange as error:
        raise StoreTooWeak(str(error)) from None
    except SealBroken:
        raise PassphraseWrong("the passphrase does not open this store") from None


def rewrap(connection: Connection, old: str, new: str, *, floor: Argon2Parameters) -> None:
    """Replace the wrapped key by one under the passphrase `new`. Raises as the others do."""
    root = read_root(connection, old, floor)
    values = _wrapped_values(root, new, floor)
    connection.execute(update(tables.header).where(tables.header.c.id == 1).values(**values))


def _wrapped_values(
    root: RootKey, passphrase: str, parameters: Argon2Parameters
) -> dict[str, Any]:
    if len(unicodedata.normalize("NFC", passphrase)) < MIN_PASSPHRASE_CHARACTERS:
        raise PassphraseTooShort(
            f"a passphrase has at least {MIN_PASSPHRASE_CHARACTERS} characters"
        )
    wrapped = wrap_key(root, passphrase, parameters=parameters, label=_LABEL)
    values: dict[str, Any] = {
        "format": FORMAT,
        "memory_kib": parameters.memory_kib,
        "time": parameters.time,
        "lanes": parameters.lanes,
        "salt": wrapped.salt,
        "sealed": wrapped.sealed,
    }
    return {**values, "checksum": _checksum(values)}


def _checksum(values: dict[str, Any]) -> bytes:
    """Also refuses values of another type: a flipped byte can turn a blob into a number."""
    digest = sha256(_LABEL)
    for name in ("format", "memory_kib", "time", "lanes"):
        if type(values[name]) is not int:
            raise StoreDamaged("the header was altered")
        digest.update(b"%d;" % values[name])
    for name in ("salt", "sealed"):
        if type(values[name]) is not bytes:
            raise StoreDamaged("the header was altered")
        digest.update(b"%d;" % len(values[name]) + values[name])
    return digest.digest()
