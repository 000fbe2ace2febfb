"""Taking the officers' signed batches of paper and on-site votes after the close."""

from __future__ import annotations

from ballotbox.ports import BoxRecords
from wallet.voting.batches import BatchInvalid, verify_batch
from wallet.voting.election import Election
from wallet.voting.statements import parse_statement


def take_batch(records: BoxRecords, election: Election, payload: bytes) -> int:
    """Keep a batch for the next checkpoint and return its number.

    The same bytes again are no error. Raises `StatementMalformed`, `BatchSignatureInvalid`,
    `BatchInvalid` (also for a number that is not the officer's next) and `BatchesNotOpen`.
    """
    batch = verify_batch(parse_statement(payload), election)
    if batch.number > records.last_batch(batch.officer) + 1:
        raise BatchInvalid("an officer's batches are numbered through")
    if records.add_batch(batch.officer, batch.number, payload) != payload:
        raise BatchInvalid("another batch of the officer has this number")
    return batch.number
