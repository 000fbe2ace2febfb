"""Statuses of issued credentials: changing them, signing the lists, publishing their digests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from issuer.identity import IssuerIdentity
from issuer.ports import Issuance, IssuanceRecords, StatusPublication, StatusPublications
from wallet.credentials.jose import sign_jws
from wallet.crypto.hashing import sha256
from wallet.errors import ConflictError
from wallet.ports.clock import Clock
from wallet.ports.facts import AnchorReplica, ChainUnavailable, ReplicaEmpty
from wallet.ports.ledger import LedgerRefused, LedgerWriter
from wallet.status.token_status_list import INVALID, SUSPENDED, VALID, TokenStatusList
from wallet.trust.facts import StatusFact
from wallet.trust.identifiers import status_list_id
from wallet.verification.status import (
    STATUS_LIST_CWT_TYPE,
    STATUS_LIST_TYPE,
    sign_status_list_cwt,
)

MAX_ISSUANCES_LISTED: Final = 500
STATUS_BITS: Final = 2


class StatusListUnknown(ConflictError):
    """There is no status list with this number."""

    code = "status_list_unknown"
    status = 404


class StatusChangeRefused(ConflictError):
    """This status cannot follow the present one; a revoked credential stays revoked."""

    code = "status_change_refused"


class ListForm(StrEnum):
    """The forms in which a list is signed, by their media types (draft §5.1, §5.2)."""

    JWT = f"application/{STATUS_LIST_TYPE}"
    CWT = STATUS_LIST_CWT_TYPE


class StatusReason(StrEnum):
    """Why a status was changed. Codes only: a free text would hold personal data before long."""

    DEVICE_LOST = "device_lost"
    KEY_COMPROMISED = "key_compromised"
    NO_LONGER_ENTITLED = "no_longer_entitled"
    ISSUED_IN_ERROR = "issued_in_error"
    HOLDER_REQUEST = "holder_request"
    UNDER_REVIEW = "under_review"
    REVIEW_CLOSED = "review_closed"
    TERM_ENDED = "term_ended"
    REISSUED = "reissued"


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusTimes:
    """Seconds: how long a signed list is served again, its `ttl`, how long it is valid, and how
    long a published digest stands before it is published anew."""

    reuse_s: int = 60
    ttl_s: int = 300
    validity_s: int = 24 * 3600
    digest_lifetime_s: int = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class _SignedList:
    token: bytes
    signed_at: int


class Statuses:
    """Changes statuses and serves the lists."""

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        records: IssuanceRecords,
        publications: StatusPublications,
        ledger: LedgerWriter,
        replica: AnchorReplica,
        clock: Clock,
        times: StatusTimes,
    ) -> None:
        self._identity = identity
        self._records = records
        self._publications = publications
        self._ledger = ledger
        self._replica = replica
        self._clock = clock
        self._times = times
        self._signed: dict[tuple[int, ListForm], _SignedList] = {}
        self._lock = threading.Lock()

    def issuances_of(self, subject_id: str) -> Sequence[Issuance]:
        """Return the newest `MAX_ISSUANCES_LISTED` issuances of a subject of the register."""
        return self._records.issuances_of(subject_id, limit=MAX_ISSUANCES_LISTED)

    def revoke(self, issuance_id: str, reason: StatusReason) -> None:
        """Revoke for good. Raises `IssuanceUnknown`, `StatusChangeRefused`, `StatusChanged`."""
        self._change(issuance_id, (VALID, SUSPENDED), INVALID, reason)

    def suspend(self, issuance_id: str, reason: StatusReason) -> None:
        """Suspend. Raises as `revoke` does."""
        self._change(issuance_id, (VALID,), SUSPENDED, reason)

    def reinstate(self, issuance_id: str, reason: StatusReason) -> None:
        """End a suspension. Raises as `revoke` does."""
        self._change(issuance_id, (SUSPENDED,), VALID, reason)

    def _change(
        self, issuance_id: str, expected: tuple[int, ...], status: int, reason: StatusReason
    ) -> None:
        issuance = self._records.issuance(issuance_id)
        if issuance.status not in expected:
            raise StatusChangeRefused("this status cannot follow the present one")
        self._records.change_status(
            issuance_id,
            expected=issuance.status,
            status=status,
            reason=reason.value,
            now=self._clock.now(),
        )
        self.changed((issuance.list_number,))

    def changed(self, list_numbers: Iterable[int]) -> None:
        """Sign these lists anew for the next request: statuses in them were changed.

        Other processes' copies are `reuse_s` old at most.
        """
        with self._lock:
            for number, form in product(list_numbers, ListForm):
                self._signed.pop((number, form), None)

    def bits(self, list_number: int) -> TokenStatusList:
        """Return the list's statuses as they are on record. Raises `StatusListUnknown`."""
        size = self._records.lists().get(list_number)
        if size is None:
            raise StatusListUnknown("there is no such status list")
        empty = TokenStatusList.empty(size, STATUS_BITS)
        return empty.with_statuses(dict(self._records.statuses(list_number)))

    def token(self, list_number: int, form: ListForm = ListForm.JWT) -> bytes:
        """Return the Status List Token of a list, at most `reuse_s` old.

        Raises `StatusListUnknown`.
        """
        now = self._clock.now()
        with self._lock:
            known = self._signed.get((list_number, form))
            if known is not None and 0 <= now - known.signed_at < self._times.reuse_s:
                return known.token
            sign = self._sign_jwt if form is ListForm.JWT else self._sign_cwt
            token = sign(list_number, now)
            self._signed[(list_number, form)] = _SignedList(token, now)
            return token

    def _sign_jwt(self, list_number: int, now: int) -> bytes:
        claims = {
            "sub": self._identity.status_list_uri(list_number),
            "iss": self._identity.did,
            "iat": now,
            "exp": now + self._times.validity_s,
            "ttl": self._times.ttl_s,
            "status_list": self.bits(list_number).to_claim(),
        }
        header = {"typ": STATUS_LIST_TYPE, "kid": self._identity.verification_method}
        return sign_jws(self._identity.key, header, claims).encode("ascii")

    def _sign_cwt(self, list_number: int, now: int) -> bytes:
        return sign_status_list_cwt(
            self._identity.key,
            self.bits(list_number),
            uri=self._identity.status_list_uri(list_number),
            issuer=self._identity.did,
            verification_method=self._identity.verification_method,
            issued_at=now,
            expires_at=now + self._times.validity_s,
            ttl_s=self._times.ttl_s,
        )

    def publish_due(self, now: int) -> tuple[str, ...]:
        """Publish the digests that changed or run out; return an error code for each that waits.

        A version is on record before it is submitted, and submitted until the replica shows it,
        which sends it once. The next version waits until then. Waits for no block.
        """
        failures = []
        for list_number in self._records.lists():
            publication = self._due(list_number, now)
            if publication is None:
                continue
            self._publications.record(publication)
            try:
                self._ledger.publish_status(
                    self._identity.chain_id,
                    self._list_id(list_number),
                    publication.digest,
                    publication.version,
                    publication.expires_at,
                )
            except (ChainUnavailable, LedgerRefused) as error:
                failures.append(error.code)
        return tuple(failures)

    def _due(self, list_number: int, now: int) -> StatusPublication | None:
        latest = self._publications.latest(list_number)
        on_chain = self._on_chain(list_number)
        if latest is not None and not latest.confirmed:
            if on_chain is None or on_chain.version < latest.version:
                if latest.expires_at > now:
                    return latest
                # It never arrived and the chain takes it no more: the version is free again.
                return self._publication(list_number, latest.version, now)
            self._publications.confirm(list_number, latest.version)
        digest = self.bits(list_number).digest
        newest = on_chain or latest
        if (
            newest is not None
            and newest.digest == digest
            and newest.expires_at - now > self._times.digest_lifetime_s // 2
        ):
            return None
        # A database restored from a backup may lag behind the chain: the higher version counts.
        versions = [item.version for item in (latest, on_chain) if item is not None]
        return self._publication(list_number, max(versions, default=0) + 1, now)

    def _publication(self, list_number: int, version: int, now: int) -> StatusPublication:
        digest = self.bits(list_number).digest
        expires_at = now + self._times.digest_lifetime_s
        return StatusPublication(list_number, version, digest, expires_at, False)

    def _on_chain(self, list_number: int) -> StatusFact | None:
        try:
            # Accreditation does not matter here, so no schema is named.
            fact = self._replica.anchor_facts(
                self._identity.chain_id, sha256(b""), None, self._list_id(list_number)
            )
        except ReplicaEmpty:
            return None
        return fact.value.status

    def _list_id(self, list_number: int) -> bytes:
        return status_list_id(self._identity.status_list_uri(list_number))
