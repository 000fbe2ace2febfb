"""What goes wrong with the file of a holder's store, in the words of `ports.holder`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from wallet.ports.holder import StoreDamaged, StoreUnavailable
from wallet.ports.storage import StorageUnavailable

# What SQLite answers when nothing is wrong with the file itself.
_PASSING: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
    )
)

# What a person can do something about.
_WHY: Final = {
    sqlite3.SQLITE_BUSY: "another program uses it",
    sqlite3.SQLITE_LOCKED: "another program uses it",
    sqlite3.SQLITE_FULL: "there is no space left",
    sqlite3.SQLITE_READONLY: "the place is read-only",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened for writing",
    sqlite3.SQLITE_IOERR: "the disk fails or is full",
}


@contextmanager
def typed_errors() -> Iterator[None]:
    """Tell a file that cannot be used just now from one that is not what was written."""
    try:
        yield
    except (StorageUnavailable, SQLAlchemyError) as error:
        cause = error.__cause__ if isinstance(error, StorageUnavailable) else error
        code = getattr(getattr(cause, "orig", None), "sqlite_errorcode", None)
        if isinstance(code, int) and code & 0xFF in _PASSING:
            why = _WHY.get(code & 0xFF, "just now")
            raise StoreUnavailable(f"the store cannot be read or written: {why}") from error
        raise StoreDamaged("the file is not a store that can be read") from error
    except (UnicodeDecodeError, OverflowError) as error:
        raise StoreDamaged("the file is not a store that can be read") from error
    except OSError as error:
        why = error.strerror or "just now"
        raise StoreUnavailable(f"the store cannot be read or written: {why}") from error
