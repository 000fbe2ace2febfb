"""The status lists in their W3C form, for credentials with a `credentialStatus`.

The same statuses as in the Token Status List of the same number, one bit for each purpose.
"""

from __future__ import annotations

import threading
from typing import Final

from issuer.identity import IssuerIdentity
from issuer.ports import IssuanceRecords
from issuer.status import StatusListUnknown
from wallet.credentials.cryptosuites.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from wallet.credentials.data_integrity.issue import ProofOptions, issue_credential
from wallet.credentials.jsonld.pinned import CREDENTIALS_V2
from wallet.credentials.vcdm.fields import format_date_time
from wallet.encoding.json import JsonObject
from wallet.ports.clock import Clock
from wallet.status.bitstring import MIN_ENTRIES, BitstringStatusList
from wallet.status.token_status_list import INVALID, SUSPENDED

# Which status sets the bit of a purpose.
PURPOSES: Final = {"revocation": INVALID, "suspension": SUSPENDED}


class BitstringLists:
    """Signs a list when it is asked for, and serves it again for `reuse_s` seconds."""

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        records: IssuanceRecords,
        clock: Clock,
        reuse_s: int,
        validity_s: int,
    ) -> None:
        self._identity = identity
        self._records = records
        self._clock = clock
        self._reuse_s = reuse_s
        self._validity_s = validity_s
        self._signed: dict[tuple[int, str], tuple[int, JsonObject]] = {}
        self._lock = threading.Lock()

    def credential(self, list_number: int, purpose: str) -> JsonObject:
        """Return the signed BitstringStatusListCredential. Raises `StatusListUnknown`."""
        now, name = self._clock.now(), (list_number, purpose)
        with self._lock:
            signed_at, kept = self._signed.get(name, (0, {}))
        if kept and 0 <= now - signed_at < self._reuse_s:
            return kept
        lists = self._records.lists()
        if list_number not in lists:
            raise StatusListUnknown("there is no such status list")
        bits = BitstringStatusList.empty(max(lists[list_number], MIN_ENTRIES)).with_statuses(
            {
                index: 1
                for index, status in self._records.statuses(list_number).items()
                if status == PURPOSES[purpose]
            }
        )
        signed = self._sign(bits, self._identity.bitstring_list_uri(list_number, purpose), purpose)
        with self._lock:
            self._signed[name] = (now, signed)
        return signed

    def _sign(self, bits: BitstringStatusList, uri: str, purpose: str) -> JsonObject:
        now = self._clock.now()
        unsigned: JsonObject = {
            "@context": [CREDENTIALS_V2],
            "id": uri,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": self._identity.did,
            "validFrom": format_date_time(now),
            "validUntil": format_date_time(now + self._validity_s),
            "credentialSubject": bits.to_credential_subject(uri, purpose),
        }
        options = ProofOptions(self._identity.verification_method, created=now)
        return issue_credential(unsigned, self._identity.key, options, ECDSA_RDFC_2019).document
