"""What decides between projects that are equal in everything else (docs/voting.md, section 11).

A future block's hash and nonces that the trustees committed to before the vote: whoever proposes
the block knows no nonce, whoever knows a nonce does not choose the block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wallet.crypto.transcript import digest
from wallet.encoding import jcs
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.voting.board import election_body
from wallet.voting.ceremony import CeremonyResult
from wallet.voting.ceremony_messages import NONCE_BYTES, tie_digest
from wallet.voting.election import Election
from wallet.voting.statements import STATEMENT_SHAPE, Statement
from wallet.voting.trustee import TrusteeSecrets

KIND = "tie_nonce"
_NO_COMMITMENT = bytes(32)


class TieNonceDiffers(RejectedError):
    """A nonce is not the one that its trustee committed to before the vote."""

    code = "tie_nonce_differs"


@dataclass(frozen=True, slots=True)
class TieBlock:
    """The first block of the manifest's chain at or after the named time."""

    number: int
    hash: bytes
    time: int


@dataclass(frozen=True, slots=True)
class TieBreak:
    """The seed, and the trustees whose nonce was not revealed."""

    seed: bytes
    withheld: tuple[int, ...]

    def place(self, project: str) -> bytes:
        """Where a project stands among equals: ascending."""
        return digest("tie", self.seed, project.encode("utf-8"))


def tie_nonce_body(election: Election, own: TrusteeSecrets) -> JsonObject:
    """The trustee's nonce, for it to sign, once the block exists and not before."""
    return {
        "kind": KIND,
        "election": election.digest.hex(),
        "trustee": own.trustee,
        "nonce": own.tie_nonce.hex(),
    }


def verify_tie_nonce(statement: Statement, trustee: int, ceremony: CeremonyResult) -> bytes:
    """Return the nonce of a trustee.

    Raises `StatementSignatureInvalid`, `StatementMalformed` or `TieNonceDiffers`.
    """
    election = ceremony.election
    manifest = election.manifest
    body = election_body(statement, KIND, election, manifest.trustees[trustee - 1].signing_key)
    STATEMENT_SHAPE.members(body, "kind", "election", "trustee", "nonce")
    nonce = STATEMENT_SHAPE.octets(body["nonce"], NONCE_BYTES)
    expected = ceremony.ties.get(trustee)
    if body["trustee"] != trustee or tie_digest(manifest, trustee, nonce) != expected:
        raise TieNonceDiffers("the nonce is not what was committed to")
    return nonce


def break_ties(
    block: TieBlock, nonces: Sequence[Statement | None], ceremony: CeremonyResult
) -> TieBreak:
    """Return the seed from one statement or None for each trustee, in order.

    A nonce that is missing is replaced by its commitment and its trustee named. One that is there
    must be right: leave out what `verify_tie_nonce` refuses. Raises as `verify_tie_nonce`, or
    `StatementMalformed` for another number of nonces. That the block is the right one is not
    checked: it takes a chain.
    """
    election = ceremony.election
    if len(nonces) != len(election.manifest.trustees):
        raise STATEMENT_SHAPE.refuse("there is one nonce, or null, for each trustee")
    parts, withheld = [], []
    for trustee, statement in enumerate(nonces, start=1):
        if statement is None:
            parts.append(ceremony.ties.get(trustee, _NO_COMMITMENT))
            withheld.append(trustee)
        else:
            parts.append(verify_tie_nonce(statement, trustee, ceremony))
    seed = digest("tie-seed", election.digest, block.hash, *parts)
    return TieBreak(seed, tuple(withheld))


def tie_octets(election: Election, block: TieBlock, nonces: Sequence[Statement | None]) -> bytes:
    """The bytes of tie.json."""
    return jcs.canonicalize(
        {
            "kind": "tie",
            "election": election.digest.hex(),
            "block": {"number": block.number, "hash": block.hash.hex(), "time": block.time},
            "nonces": [
                None
                if statement is None
                else {"body": statement.body, "signature": statement.signature.hex()}
                for statement in nonces
            ],
        }
    )
