"""The errors of the ballot box, beyond those of the voting core."""

from __future__ import annotations

from wallet.errors import ConflictError, RejectedError, UnavailableError


class BoardEntryUnknown(ConflictError):
    """No published entry, checkpoint or ballot of this number, size or code."""

    code = "board_entry_unknown"
    status = 404


class BoardKeyDiffers(RejectedError):
    """The configured signing key is not the board's key in the manifest."""

    code = "board_key_differs"


class BallotBoxFull(UnavailableError):
    """As much waits for the next checkpoint as the box keeps; send again afterwards."""

    code = "ballot_box_full"


class BatchesNotOpen(ConflictError):
    """Batches are taken from the close until the end of the board."""

    code = "batches_not_open"
