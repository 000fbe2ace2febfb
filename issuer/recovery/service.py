"""What the owner of a recovery key may do: register, get tokens to have a holding issued anew,
see the devices, report one as lost."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from issuer.catalogue import Catalogue
from issuer.identity import IssuerIdentity
from issuer.nonces import Nonces
from issuer.recovery.policy import COOLING_OFF_DESK, RecoveryPolicy
from issuer.recovery.ports import (
    ContactChannel,
    ContactUnavailable,
    DeviceLost,
    EventKind,
    Holding,
    HoldingReplaced,
    HoldingState,
    HoldingUnknown,
    HoldingWithdrawn,
    Notice,
    NoticeKind,
    Origin,
    RecoveryEvent,
    RecoveryKeyReplaced,
    RecoveryRecords,
    Registration,
)
from issuer.sessions import Entitlement
from issuer.status import Statuses
from wallet.ports.clock import Clock
from wallet.protocols.oid4vci.recovery import (
    MAX_DEVICES,
    MAX_EVENTS,
    MAX_HOLDINGS,
    DeviceList,
    ListedDevice,
    ListedEvent,
    ListedHolding,
    RecoveryAct,
    RecoveryOffer,
    RecoveryProofInvalid,
    VerifiedRecoveryProof,
    verify_recovery_proof,
)

MAX_EVENTS_LISTED: Final = 500
MAX_NOTICES_AT_ONCE: Final = 100
# A wallet that loses an answer gets the holding again from what it lost; so long a row of lost
# answers does not happen.
MAX_ANSWERS_LOST: Final = 64
_ID_BYTES: Final = 16


def new_id() -> str:
    """Return the name of an event or a notice."""
    return secrets.token_urlsafe(_ID_BYTES)


class Recoveries:
    """The use cases of recovery keys. Every method may raise `StorageUnavailable`."""

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        catalogue: Catalogue,
        records: RecoveryRecords,
        nonces: Nonces,
        statuses: Statuses,
        channel: ContactChannel,
        clock: Clock,
        policy: RecoveryPolicy,
    ) -> None:
        self._identity = identity
        self._catalogue = catalogue
        self._records = records
        self._nonces = nonces
        self._statuses = statuses
        self._channel = channel
        self._clock = clock
        self._policy = policy

    @property
    def offer(self) -> RecoveryOffer:
        """What the metadata says."""
        base = f"{self._identity.base_url}/recovery"
        return RecoveryOffer(f"{base}/devices", f"{base}/lost", f"{base}/key")

    def registration(self, proof: str, nonces: Collection[str]) -> Registration:
        """Return what a credential request registers.

        `nonces` are those of the key proofs beside it, which were used up with them. Raises
        `RecoveryProofMalformed`, `RecoveryProofInvalid`.
        """
        verified = self._verified(proof, RecoveryAct.REGISTER)
        if verified.nonce not in nonces:
            raise RecoveryProofInvalid("the nonce is not that of a key proof of this request")
        said = verified.statement
        return Registration(verified.key_id, said.holding or "", said.device, said.label)

    def entitlement(self, proof: str) -> Entitlement:
        """Return what a token request by recovery proof is entitled to; it is put on record.

        Raises `RecoveryProofMalformed`, `RecoveryProofInvalid`, `NonceInvalid`,
        `HoldingUnknown`, `HoldingReplaced`, `HoldingWithdrawn`, `DeviceLost`,
        `RecoveryTooOften`.
        """
        now = self._clock.now()
        verified = self._once(proof, RecoveryAct.REISSUE)
        said = verified.statement
        self._check_not_lost(verified.key_id, said.device)
        found, keep = self._source(verified.key_id, said.source or "", said.device, said.keep)
        if self._records.is_withdrawn(found.holding_id):
            raise HoldingWithdrawn("the department withdrew this credential")
        type_id = self._catalogue.type_of(found.configuration_id).kind.configuration.id
        desk = self._policy.desk_of(type_id)
        self._records.note(
            RecoveryEvent(
                new_id(), verified.key_id, EventKind.REISSUE_ASKED, said.device,
                found.holding_id, now,
            ),
            # What is issued at once is told once, when it was.
            None if desk is None
            else Notice(new_id(), found.holder_id, NoticeKind.REISSUE_ASKED, now),
            most=self._policy.max_acts,
            since=now - self._policy.window_s,
        )  # fmt: skip
        return Entitlement(
            found.configuration_id,
            found.subject_id,
            found.holder_id,
            held_by=desk,
            ward_id=found.ward_id,
            guardian=found.guardian,
            recovers=found.holding_id,
            keeps=keep,
        )

    def origin(self, entitlement: Entitlement, registration: Registration | None) -> Origin | None:
        """Return what an issuance is anew from. Raises `RecoveryProofInvalid`."""
        if entitlement.recovers is None:
            return None
        if registration is None:
            raise RecoveryProofInvalid("what is issued anew is registered again")
        return Origin(entitlement.recovers, entitlement.keeps)

    def cooling_off_s(self, entitlement: Entitlement) -> int | None:
        """Return after how many seconds a held re-issue is free, None when never by itself."""
        if entitlement.held_by != COOLING_OFF_DESK:
            return None
        kind = self._catalogue.type_of(entitlement.configuration_id)
        return self._policy.cooling_off_s.get(kind.kind.configuration.id)

    def devices(self, proof: str) -> DeviceList:
        """Return the devices and the record of a key.

        Raises `RecoveryProofMalformed`, `RecoveryProofInvalid`, `NonceInvalid`.
        """
        key_id = self._once(proof, RecoveryAct.DEVICES).key_id
        held: dict[str, list[ListedHolding]] = defaultdict(list)
        for item in self._records.holdings(key_id, limit=MAX_HOLDINGS):
            held[item.device].append(
                ListedHolding(
                    item.holding_id, item.configuration_id, item.state.value, item.registered_at
                )
            )
        return DeviceList(
            tuple(
                ListedDevice(
                    item.device,
                    item.label,
                    "active" if item.lost_at is None else "lost",
                    item.registered_at,
                    tuple(held[item.device]),
                )
                for item in self._records.devices(key_id, limit=MAX_DEVICES)
            ),
            tuple(
                ListedEvent(item.kind.value, item.device, item.at)
                for item in self._records.events(key_id, limit=MAX_EVENTS)
            ),
        )

    def lost(self, proof: str) -> None:
        """Revoke what is on a device that was lost, and nothing else.

        Raises `RecoveryProofMalformed`, `RecoveryProofInvalid`, `NonceInvalid`, `DeviceLost` when
        it is the lost one that speaks, `HoldingUnknown`, `RecoveryTooOften`.
        """
        now = self._clock.now()
        verified = self._once(proof, RecoveryAct.LOST)
        said, key_id = verified.statement, verified.key_id
        self._check_not_lost(key_id, said.device)
        event = RecoveryEvent(new_id(), key_id, EventKind.DEVICE_LOST, said.device, None, now)
        since = now - self._policy.window_s
        changed = self._records.mark_lost(
            event, said.lost or "", most=self._policy.max_acts, since=since
        )
        self._statuses.changed(changed)

    def replace_key(self, proof: str, new_proof: str) -> None:
        """Let what was registered by one key belong to another, who both sign for it.

        Raises `RecoveryProofMalformed`, `RecoveryProofInvalid`, `NonceInvalid`, `DeviceLost`,
        `RecoveryKeyReplaced`, `RecoveryTooOften`.
        """
        now = self._clock.now()
        old = self._verified(proof, RecoveryAct.REPLACE)
        new = self._verified(new_proof, RecoveryAct.REPLACE)
        if (old.key_id, new.key_id) != (new.statement.other, old.statement.other):
            raise RecoveryProofInvalid("the proofs do not name each other's key")
        if old.key_id == new.key_id or old.nonce != new.nonce:
            raise RecoveryProofInvalid("the proofs are of one key, or of two nonces")
        self._nonces.use(old.nonce, now=now)
        self._check_not_lost(old.key_id, old.statement.device)
        self._records.replace_key(
            RecoveryEvent(
                new_id(), old.key_id, EventKind.KEY_REPLACED, old.statement.device, None, now
            ),
            new.key_id,
            new.statement.labels,
            most=self._policy.max_acts,
            since=now - self._policy.window_s,
        )

    def events(self) -> Sequence[RecoveryEvent]:
        """Return the newest `MAX_EVENTS_LISTED` events, for operators."""
        return self._records.events(None, limit=MAX_EVENTS_LISTED)

    def tell_due(self) -> tuple[str, ...]:
        """Tell people what happened; return the error code when that must wait."""
        for notice in self._records.waiting_notices(limit=MAX_NOTICES_AT_ONCE):
            try:
                self._channel.tell(notice)
            except ContactUnavailable as error:
                return (error.code,)
            self._records.mark_told(notice.notice_id, now=self._clock.now())
        return ()

    def _verified(self, proof: str, act: RecoveryAct) -> VerifiedRecoveryProof:
        return verify_recovery_proof(
            proof, act=act, audience=self._identity.base_url, now=self._clock.now()
        )

    def _once(self, proof: str, act: RecoveryAct) -> VerifiedRecoveryProof:
        verified = self._verified(proof, act)
        self._nonces.use(verified.nonce, now=self._clock.now())
        if self._records.successor(verified.key_id) is not None:
            raise RecoveryKeyReplaced("this wallet has a new recovery phrase")
        return verified

    def _check_not_lost(self, key_id: str, device: str) -> None:
        try:
            found = self._records.device(key_id, device)
        except HoldingUnknown:
            return  # a new one
        if found.lost_at is not None:
            raise DeviceLost("this device was reported as lost")

    def _source(self, key_id: str, source: str, device: str, keep: bool) -> tuple[Holding, bool]:
        """Return what to issue from, and whether it stays: what this device already got of it, if
        the answer was lost on the way, and then that one does not stay."""
        found = self._own(key_id, source)
        for _ in range(MAX_ANSWERS_LOST):
            following = self._records.reissued_as(found.holding_id, device)
            if following is None:
                break
            found, keep = following, False
        if found.state is HoldingState.REPLACED:
            raise HoldingReplaced("it was issued anew to another device")
        return found, keep

    def _own(self, key_id: str, holding_id: str) -> Holding:
        found = self._records.holding(holding_id)
        if found.key_id != key_id:
            raise HoldingUnknown("there is no such holding")
        return found
