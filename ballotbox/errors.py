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


class TallyNotOpen(ConflictError):
    """Too early or too late for this: shares come after the end of the board, nonces after the
    block of the tie-break, both before the result."""

    code = "tally_not_open"


class AggregateNotReady(UnavailableError):
    """The ballots are still being added up; send the share again in a moment."""

    code = "aggregate_not_ready"


class TrusteeOut(RejectedError):
    """No trustee of this number came through the key ceremony."""

    code = "trustee_out"


class RecordIncomplete(ConflictError):
    """What was asked for is not there yet: the election's key, its result, or its final record."""

    code = "record_incomplete"


class BoardChainDiffers(RejectedError):
    """The configured chain or contract is not the one that the manifest names."""

    code = "board_chain_differs"
