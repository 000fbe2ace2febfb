"""Holders revoke copies of their own: whoever proves possession of a copy's key may end it.

A delegation is taken back like this, for it has a copy of its own. Nobody else's copy can be
ended, and the issuer learns no reason.
"""

from __future__ import annotations

import re
from typing import Final

from issuer.identity import IssuerIdentity
from issuer.nonces import Nonces
from issuer.ports import Issuance, IssuanceRecords, IssuanceUnknown
from issuer.sessions import NonceInvalid
from issuer.status import Statuses, StatusReason
from wallet.credentials.jose import claim_string
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.ports.clock import Clock
from wallet.status.token_status_list import INVALID, parse_status_reference
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.issuer_key import KeySource
from wallet.verification.pipeline import VerifiedProof, verify_proof
from wallet.verification.policy import VerificationPolicy

_LIST_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}\Z")


class HolderRevocations:
    """Revokes what its holder shows."""

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        records: IssuanceRecords,
        statuses: Statuses,
        nonces: Nonces,
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._records = records
        self._statuses = statuses
        self._nonces = nonces
        self._clock = clock

    def revoke(self, presentation: str) -> None:
        """Revoke the SD-JWT VC that is presented to this issuer, bound to a fresh c_nonce.

        Returns for one that is revoked already. Raises the error of the step that decides,
        `NonceInvalid`, and `IssuanceUnknown` for what is not on record here.
        """
        now = self._clock.now()
        sd_jwt = parse_sd_jwt(presentation)
        nonce = "" if sd_jwt.key_binding is None else _nonce(sd_jwt.key_binding.peek_claims())
        verified = verify_proof(
            presentation,
            Evidence(Fact(self._identity.key.public_key, now)),
            VerificationPolicy(
                accepted_types=frozenset((claim_string(sd_jwt.jws.peek_claims(), "vct"),)),
                audience=self._identity.base_url,
                nonce=nonce,
                trust=None,
                key_sources=frozenset((KeySource.PINNED,)),
                # What a guardian holds it may also end.
                accepts_held_by_guardian=True,
            ),
            now=now,
        )
        self._nonces.use(nonce, now=now)
        issuance = issuance_of(verified, self._identity, self._records)
        if issuance.status != INVALID:
            self._statuses.revoke(issuance.issuance_id, StatusReason.HOLDER_REQUEST)


def issuance_of(
    verified: VerifiedProof, identity: IssuerIdentity, records: IssuanceRecords
) -> Issuance:
    """Return the issuance on record of what was presented. Raises `IssuanceUnknown`."""
    reference = parse_status_reference(verified.claims.get("status"))
    number = reference.uri.rpartition("/")[2]
    if not _LIST_NUMBER.match(number) or reference.uri != identity.status_list_uri(int(number)):
        raise IssuanceUnknown("there is no such issuance")
    return records.issuance_at(int(number), reference.index)


def _nonce(claims: dict[str, object]) -> str:
    nonce = claims.get("nonce")
    if type(nonce) is not str or not nonce:
        raise NonceInvalid("the presentation is bound to no nonce")
    return nonce
