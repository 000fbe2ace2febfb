"""Having cards issued anew to this device, and the wallet's devices as the issuers know them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from wallet.crypto.sealing import SealBroken
from wallet.errors import ConflictError, SeoulWalletError
from wallet.holder.cards import Card, HeldCredentials
from wallet.holder.intents import Reissue, reissue_id
from wallet.holder.issuer_session import IssuerSession, OfferRefused
from wallet.holder.issuers import InspectedOffer, offer_again
from wallet.holder.receive import IssuancePending, Receiver
from wallet.holder.registering import HeldHolding, Registrar
from wallet.ports.holder import StoreDamaged, StoreFull, StoreUnavailable
from wallet.protocols.oid4vci.recovery import DeviceList, ListedDevice, parse_device_list

# What is wrong with the store itself ends everything; the rest concerns one card or one issuer.
_OURS: Final = (StoreDamaged, StoreFull, StoreUnavailable)


class NotRegistered(ConflictError):
    """The card is not registered with its issuer for recovery: it was received without."""

    code = "not_registered"


class DeviceUnknown(ConflictError):
    """No issuer of this wallet's cards knows such a device of this wallet."""

    code = "device_unknown"


class Outcome(StrEnum):
    """What came of having a card issued anew."""

    REISSUED = "reissued"
    HERE_ALREADY = "here_already"
    WAITING = "waiting"
    NOT_POSSIBLE = "not_possible"


@dataclass(frozen=True, slots=True)
class Reissued:
    """What came of one card. `reason` is a code when it was not possible: one of ours, or the
    issuer's own word."""

    card: Card
    outcome: Outcome
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceAtIssuer:
    """A device at one issuer; `cards` are the configuration ids of what is in use on it."""

    credential_issuer: str
    handle: str
    is_lost: bool
    cards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WalletDevice:
    """A device of this wallet over all issuers. `since` is when the first of them knew it."""

    id: str
    name: str
    is_this: bool
    since: int
    at: tuple[DeviceAtIssuer, ...]

    @property
    def is_lost(self) -> bool:
        """Whether every issuer knows that it is lost."""
        return all(item.is_lost for item in self.at)


@dataclass(frozen=True, slots=True)
class Devices:
    """The wallet's devices; `unreachable` are issuers that did not answer, with the error."""

    devices: tuple[WalletDevice, ...]
    unreachable: tuple[tuple[str, SeoulWalletError], ...] = ()


@dataclass(slots=True)
class _Found:
    name: str
    since: int
    at: list[DeviceAtIssuer] = field(default_factory=list)


class Reissuer:
    """Talks to issuers by the wallet's recovery keys."""

    def __init__(self, *, receiver: Receiver, held: HeldCredentials, registrar: Registrar) -> None:
        self._receiver = receiver
        self._held = held
        self._registrar = registrar

    def name_device(self, name: str) -> None:
        """Name this device, for the wallet's other devices. Raises `DeviceNameTooLong`."""
        self._registrar.name_device(name)

    def reissue(self, card_id: str, *, keep: bool = False, again: bool = False) -> Reissued:
        """Have one card issued to this device on new keys, in place of what is here.

        The copies of the device that it was issued to before are revoked, unless `keep`, which is
        for one device more. A card that was issued to this device already stays as it is, unless
        `again`. Raises `CardUnknown`, and when the store fails; everything else is told.
        """
        card = self._held.get(card_id).card()
        try:
            known = self._registrar.holding_of(card_id)
            if known is None:
                raise NotRegistered("this card is not registered for recovery")
            here = self._registrar.this_device().handle(known.credential_issuer)
            if known.device == here and not again:
                return Reissued(card, Outcome.HERE_ALREADY)
            self._reissue(card_id, known, keep)
        except _OURS:
            raise
        except IssuancePending:
            return Reissued(card, Outcome.WAITING)
        except OfferRefused as error:
            return Reissued(card, Outcome.NOT_POSSIBLE, error.error)
        except SeoulWalletError as error:
            return Reissued(card, Outcome.NOT_POSSIBLE, error.code)
        return Reissued(self._held.get(card_id).card(), Outcome.REISSUED)

    def reissue_all(
        self,
        *,
        keep: bool = False,
        again: bool = False,
        tell: Callable[[Reissued, int, int], None] = lambda _, done, total: None,
    ) -> tuple[Reissued, ...]:
        """Have all cards issued to this device; `tell` gets each with how many of how many.

        What was cut short goes on. One that fails keeps no other from being tried.
        """
        cards = self._held.all()
        told = []
        for done, held in enumerate(cards, start=1):
            told.append(self.reissue(held.id, keep=keep, again=again))
            tell(told[-1], done, len(cards))
        return tuple(told)

    def _reissue(self, card_id: str, known: HeldHolding, keep: bool) -> None:
        held = self._held.get(card_id)
        offer = offer_again(known.credential_issuer, held.configuration_id)
        inspected = self._receiver.inspect(offer)
        if inspected.metadata.recovery is None:
            raise NotRegistered("the issuer takes no recovery keys any more")
        reissue = Reissue(card_id, known.holding, keep)
        begun = self._receiver.begun(reissue_id(reissue))
        if begun is not None:
            try:
                self._receiver.go_on(begun, inspected)
            except OfferRefused:
                # Perhaps what it was about to fetch was issued, and the answer did not arrive:
                # the issuer gives it anew for what is asked from the start.
                pass
            else:
                return
        self._receiver.go_on(self._receiver.begin_reissue(inspected, reissue), inspected)

    def devices(self) -> Devices:
        """Return the wallet's devices, this one first, as all issuers of its cards know them."""
        found: dict[bytes, _Found] = {}
        unreachable = []
        for issuer, held in self._by_issuer().items():
            try:
                listed = self.listed(held[0])
            except _OURS:
                raise
            except SeoulWalletError as error:
                unreachable.append((issuer, error))
                continue
            for item in listed.devices:
                self._add(found, issuer, item)
        this = self._registrar.this_device().id
        devices = [
            # In hex: what begins with a hyphen would be an option on a command line.
            WalletDevice(name.hex(), each.name, name == this, each.since, tuple(each.at))
            for name, each in found.items()
        ]
        ordered = sorted(
            devices, key=lambda device: (not device.is_this, -device.since, device.id)
        )
        return Devices(tuple(ordered), tuple(unreachable))

    def lost(self, device_id: str) -> tuple[tuple[str, SeoulWalletError | None], ...]:
        """Tell every issuer that knows a device that it is lost: its copies alone are revoked.

        Returns each issuer with the error, if it could not be told. Raises `DeviceUnknown`.
        """
        known = self.devices()
        device = next((item for item in known.devices if item.id == device_id), None)
        if device is None:
            raise DeviceUnknown("there is no such device of this wallet")
        told: list[tuple[str, SeoulWalletError | None]] = list(known.unreachable)
        for item in device.at:
            try:
                if not item.is_lost:
                    self._tell_lost(item)
            except _OURS:
                raise
            except SeoulWalletError as error:
                told.append((item.credential_issuer, error))
            else:
                told.append((item.credential_issuer, None))
        return tuple(told)

    def _by_issuer(self) -> dict[str, list[HeldHolding]]:
        found: dict[str, list[HeldHolding]] = defaultdict(list)
        for item in self._registrar.holdings():
            found[item.credential_issuer].append(item)
        return found

    def session_with(self, held: HeldHolding) -> tuple[IssuerSession, InspectedOffer]:
        """Return the way to talk to the issuer of a holding, and its metadata."""
        configuration_id = self._held.get(held.card_id).configuration_id
        inspected = self._receiver.inspect(offer_again(held.credential_issuer, configuration_id))
        return self._receiver.session(inspected, None), inspected

    def listed(self, held: HeldHolding) -> DeviceList:
        """Return what the issuer of a holding knows of the wallet's devices.

        Raises `NotRegistered`, `OfferRefused`, and as `inspect_offer` does.
        """
        session, inspected = self.session_with(held)
        if inspected.metadata.recovery is None:
            raise NotRegistered("the issuer takes no recovery keys any more")
        proof = self._registrar.devices_proof(held.credential_issuer, session.nonce())
        return parse_device_list(
            session.post_recovery(inspected.metadata.recovery.devices_endpoint, proof)
        )

    def _tell_lost(self, item: DeviceAtIssuer) -> None:
        held = self._by_issuer()[item.credential_issuer]
        session, inspected = self.session_with(held[0])
        if inspected.metadata.recovery is None:
            raise NotRegistered("the issuer takes no recovery keys any more")
        proof = self._registrar.lost_proof(item.credential_issuer, item.handle, session.nonce())
        session.post_recovery(inspected.metadata.recovery.lost_endpoint, proof)

    def _add(self, found: dict[bytes, _Found], issuer: str, item: ListedDevice) -> None:
        try:
            device_id, name = self._registrar.keys_of(issuer).open_device(issuer, item.label)
        except SealBroken:
            # Not one of ours can have written this: it is shown under the issuer's name for it.
            device_id, name = item.device.encode(), ""
        each = found.setdefault(device_id, _Found(name, item.at))
        each.since = min(each.since, item.at)
        each.name = each.name or name
        cards = [held.configuration_id for held in item.holdings if held.state == "active"]
        is_lost = item.state == "lost"
        each.at.append(DeviceAtIssuer(issuer, item.device, is_lost, tuple(sorted(cards))))
