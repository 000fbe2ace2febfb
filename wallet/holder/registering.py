"""This device towards issuers, and what it registers there for recovery.

The device's secret stays on it: an export does not have it, so what is restored from one is
another device. Which holding a card is, and of which device, is a record beside the card, and is
in exports.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from wallet.crypto.keys import thumbprint
from wallet.crypto.sealing import RootKey, SealBroken
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import MalformedError
from wallet.holder.recovery import DEVICE_KIND, HOLDING_KIND, Recovery
from wallet.holder.recovery_keys import DEVICE_ID_BYTES, RecoveryKeys
from wallet.ports.clock import Clock
from wallet.ports.holder import (
    Delete,
    Put,
    RecordConflict,
    RecordStore,
    RecordUnknown,
    StoreDamaged,
)
from wallet.protocols.oid4vci.recovery import (
    ID_BYTES,
    MAX_LABELS,
    DeviceList,
    RecoveryAct,
    RecoveryStatement,
    build_recovery_proof,
)

_THIS: Final = "this"
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class HeldHolding:
    """Under which name an issuer has a card, and which device it was issued to."""

    card_id: str
    credential_issuer: str
    holding: str
    device: str

    def to_put(self) -> Put:
        """Return the change that stores it."""
        value = {
            "credential_issuer": self.credential_issuer,
            "holding": self.holding,
            "device": self.device,
        }
        return Put(HOLDING_KIND, self.card_id, to_json(value))


@dataclass(frozen=True, slots=True)
class ThisDevice:
    """The identity of this device: an id for the wallet's devices, a secret, a name for people."""

    id: bytes
    secret: bytes = field(repr=False)
    name: str

    def handle(self, issuer: str) -> str:
        """Return this device's name at an issuer; nobody can match it with another issuer's."""
        context = f"seoul-wallet;device;{issuer}".encode()
        return base64url.encode(RootKey(self.secret).derive(context))


class Registrar:
    """Makes recovery proofs, and remembers holdings."""

    def __init__(self, records: RecordStore, recovery: Recovery, clock: Clock) -> None:
        self._records = records
        self._recovery = recovery
        self._clock = clock

    def keys_of(self, issuer: str) -> RecoveryKeys:
        """What the recovery secret gives; the secret is made when it is first needed.

        That of the phrase before, for an issuer that does not know the new one's yet.
        """
        return RecoveryKeys(self._recovery.secret_for(issuer))

    def this_device(self) -> ThisDevice:
        """Return this device; its identity is made when it is first needed."""
        try:
            value = parse_json_object(self._records.get(DEVICE_KIND, _THIS).payload)
            return ThisDevice(
                base64url.decode(value["id"]), base64url.decode(value["secret"]), value["name"]
            )
        except RecordUnknown:
            made = ThisDevice(
                secrets.token_bytes(DEVICE_ID_BYTES), secrets.token_bytes(_SECRET_BYTES), ""
            )
            try:
                self._write(made, 0)
            except RecordConflict:
                return self.this_device()
            return made
        except (KeyError, TypeError, MalformedError) as error:
            raise StoreDamaged("the identity of this device cannot be read") from error

    def name_device(self, name: str) -> None:
        """Name this device, for the wallet's other devices; issuers are told when they next issue.

        Raises `DeviceNameTooLong`.
        """
        this = self.this_device()
        self.keys_of("").seal_device("", this.id, name)
        self._write(ThisDevice(this.id, this.secret, name), None)

    def _write(self, device: ThisDevice, expected_version: int | None) -> None:
        value = {
            "id": base64url.encode(device.id),
            "secret": base64url.encode(device.secret),
            "name": device.name,
        }
        self._records.write(Put(DEVICE_KIND, _THIS, to_json(value), expected_version))

    def new_holding(self) -> str:
        """Return the name of a holding to come."""
        return secrets.token_urlsafe(ID_BYTES)

    def register_proof(self, issuer: str, holding: str, nonce: str) -> str:
        """Return the proof that goes with a credential request."""
        this, keys = self.this_device(), self.keys_of(issuer)
        statement = RecoveryStatement(
            act=RecoveryAct.REGISTER,
            device=this.handle(issuer),
            label=keys.seal_device(issuer, this.id, this.name),
            holding=holding,
        )
        return self._proof(issuer, statement, nonce)

    def reissue_proof(self, issuer: str, source: str, nonce: str, *, keep: bool) -> str:
        """Return the proof for tokens to have a holding issued anew."""
        device = self.this_device().handle(issuer)
        statement = RecoveryStatement(
            act=RecoveryAct.REISSUE, device=device, source=source, keep=keep
        )
        return self._proof(issuer, statement, nonce)

    def devices_proof(self, issuer: str, nonce: str) -> str:
        """Return the proof for the list of devices."""
        device = self.this_device().handle(issuer)
        return self._proof(
            issuer, RecoveryStatement(act=RecoveryAct.DEVICES, device=device), nonce
        )

    def lost_proof(self, issuer: str, lost: str, nonce: str) -> str:
        """Return the proof that a device is lost."""
        device = self.this_device().handle(issuer)
        statement = RecoveryStatement(act=RecoveryAct.LOST, device=device, lost=lost)
        return self._proof(issuer, statement, nonce)

    def replace_proofs(self, issuer: str, listed: DeviceList, nonce: str) -> tuple[str, str]:
        """Return the proofs, by the old and the new key, that the new one takes its place.

        The names of the devices, the newest ones, are sealed anew for the new key.
        """
        old, new = self.keys_of(issuer), RecoveryKeys(self._recovery.secret())
        labels = {}
        for item in listed.devices[:MAX_LABELS]:
            with suppress(SealBroken):  # not written by one of ours
                labels[item.device] = new.seal_device(issuer, *old.open_device(issuer, item.label))
        ids = [thumbprint(keys.signing_key(issuer).public_key) for keys in (old, new)]
        device = self.this_device().handle(issuer)
        act = RecoveryAct.REPLACE
        return (
            self._proof(
                issuer, RecoveryStatement(act=act, device=device, other=ids[1]), nonce, old
            ),
            self._proof(
                issuer,
                RecoveryStatement(act=act, device=device, other=ids[0], labels=labels),
                nonce,
                new,
            ),
        )

    def _proof(
        self,
        issuer: str,
        statement: RecoveryStatement,
        nonce: str,
        keys: RecoveryKeys | None = None,
    ) -> str:
        return build_recovery_proof(
            (keys or self.keys_of(issuer)).signing_key(issuer),
            statement,
            audience=issuer,
            nonce=nonce,
            issued_at=self._clock.now(),
        )

    def holding_of(self, card_id: str) -> HeldHolding | None:
        """Return what is known of a card's holding."""
        try:
            record = self._records.get(HOLDING_KIND, card_id)
        except RecordUnknown:
            return None
        return HeldHolding(record.record_id, **parse_json_object(record.payload))

    def holdings(self) -> Sequence[HeldHolding]:
        """Return the holdings of all cards."""
        return [
            HeldHolding(record.record_id, **parse_json_object(record.payload))
            for record in self._records.list(HOLDING_KIND)
        ]

    def holding_put(self, card_id: str, issuer: str, holding: str) -> Put:
        """Return the change that stores the holding of a card of this device."""
        device = self.this_device().handle(issuer)
        return HeldHolding(card_id, issuer, holding, device).to_put()

    def forget(self, card_id: str) -> None:
        """Forget a card's holding. None is no error."""
        if self.holding_of(card_id) is not None:
            self._records.write(Delete(HOLDING_KIND, card_id))
