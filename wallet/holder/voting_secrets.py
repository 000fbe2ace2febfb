"""The root of a person's pseudonyms at an issuer: made once, and in every export.

The issuer registers its key at the first enrolment and takes no other one afterwards, so a wallet
that lost it has no pseudonym until the issuer begins a new epoch. With it, restored from an
export, every pseudonym is as before.
"""

from __future__ import annotations

from typing import Final

from wallet.crypto.bbs.nym_issuance import new_prover_nym
from wallet.crypto.bls12_381.backend import GROUP_ORDER
from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.ports.holder import (
    Put,
    RecordConflict,
    RecordStore,
    RecordUnknown,
    StoreDamaged,
)

VOTING_SECRET_KIND: Final = "voting_secret"  # noqa: S105
_SCALAR_BYTES: Final = 32


class VotingSecrets:
    """One prover_nym for each issuer, in a record store."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def prover_nym(self, credential_issuer: str) -> int:
        """Return the wallet's prover_nym for an issuer; it is stored before it is returned."""
        name = base64url.encode(sha256(credential_issuer.encode()))
        try:
            octets = self._records.get(VOTING_SECRET_KIND, name).payload
        except RecordUnknown:
            octets = new_prover_nym().to_bytes(_SCALAR_BYTES, "big")
            try:
                self._records.write(Put(VOTING_SECRET_KIND, name, octets, expected_version=0))
            except RecordConflict:
                octets = self._records.get(VOTING_SECRET_KIND, name).payload
        nym = int.from_bytes(octets, "big")
        if len(octets) != _SCALAR_BYTES or not 0 < nym < GROUP_ORDER:
            raise StoreDamaged("the voting secret cannot be read")
        return nym
