"""What every port that is kept in a database may raise."""

from wallet.errors import UnavailableError


class StorageUnavailable(UnavailableError):
    """The database does not answer, is locked, full or damaged, or lacks its tables.

    What was asked for did not happen, unless the connection broke during the commit: then it may
    have. The message names the kind of failure only, never data or an address.
    """

    code = "storage_unavailable"
