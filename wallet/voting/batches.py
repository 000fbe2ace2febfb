"""Batches of paper, on-site and survey votes: totals in the clear that an officer signs.

docs/voting.md, section 9. They come onto the board after the close, so they show no running
result, and are shown apart from what was decrypted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError
from wallet.voting.board import BATCH, election_body
from wallet.voting.election import Election
from wallet.voting.statements import (
    STATEMENT_SHAPE,
    Statement,
    StatementMalformed,
    StatementSignatureInvalid,
)

SOURCES = ("paper", "on_site", "survey")


class BatchSignatureInvalid(RejectedError):
    """A batch that no officer of the manifest signed."""

    code = "batch_signature"


class BatchInvalid(MalformedError):
    """A batch whose members are out of bounds, or whose number is not the officer's next."""

    code = "batch_invalid"


@dataclass(frozen=True, slots=True)
class Batch:
    """Totals of `ballots` clear ballots of one stratum value, one for each project."""

    officer: int
    number: int
    source: str
    stratum: str
    ballots: int
    totals: tuple[int, ...]

    def body(self, election: Election) -> JsonObject:
        """The body, for the officer to sign."""
        return {
            "kind": BATCH,
            "election": election.digest.hex(),
            "officer": self.officer,
            "number": self.number,
            "source": self.source,
            "stratum": self.stratum,
            "ballots": self.ballots,
            "totals": list(self.totals),
        }


def verify_batch(statement: Statement, election: Election) -> Batch:
    """Return the batch that an officer signed.

    Raises `BatchSignatureInvalid` or `BatchInvalid`. Its number is not checked; whether the
    officer counted truly cannot be.
    """
    officers = election.manifest.officers
    officer = statement.body.get("officer")
    if type(officer) is not int or not 1 <= officer <= len(officers):
        raise BatchSignatureInvalid("the batch names no officer of this election")
    try:
        body = election_body(statement, BATCH, election, officers[officer - 1].signing_key)
        return _read(body, election)
    except StatementSignatureInvalid as error:
        raise BatchSignatureInvalid("the officer did not sign this batch") from error
    except StatementMalformed as error:
        raise BatchInvalid(f"the batch is out of bounds: {error}") from error


def check_batch_numbers(batches: Sequence[Batch]) -> None:
    """Return if each officer's batches are numbered from 1 without gap. Raises `BatchInvalid`."""
    last: dict[int, int] = {}
    for batch in batches:
        last[batch.officer] = last.get(batch.officer, 0) + 1
        if batch.number != last[batch.officer]:
            raise BatchInvalid("an officer's batches are not numbered through")


def _read(body: JsonObject, election: Election) -> Batch:
    shape, manifest = STATEMENT_SHAPE, election.manifest
    shape.members(
        body,
        *("kind", "election", "officer", "number", "source", "stratum", "ballots", "totals"),
    )
    ballots = shape.integer(body["ballots"], low=1)
    strata = [member for stratum in manifest.strata for member in stratum.members]
    projects, highest = len(manifest.projects), ballots * manifest.layout.max_value
    return Batch(
        shape.integer(body["officer"]),
        shape.integer(body["number"], low=1),
        shape.choice(body["source"], *SOURCES),
        shape.choice(body["stratum"], *strata),
        ballots,
        shape.items(
            body["totals"],
            lambda total: shape.integer(total, high=highest),
            low=projects,
            high=projects,
        ),
    )
