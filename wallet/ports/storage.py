"""What every port that is kept in a database may raise, and how several act as one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from wallet.errors import UnavailableError


class StorageUnavailable(UnavailableError):
    """The database does not answer, is locked, full or damaged, or lacks its tables.

    What was asked for did not happen, unless the connection broke during the commit: then it may
    have. The message names the kind of failure only, never data or an address.
    """

    code = "storage_unavailable"


Together: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Makes one durable step of all that ports over one database do inside the block.

The step is taken when the block ends, also by a typed error that is not `UnavailableError`: a
refusal may count an attempt or use something up. `UnavailableError` and faults undo all of it.
Entering and leaving raise `StorageUnavailable`.
"""
