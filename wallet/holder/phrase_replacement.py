"""Replacing the recovery phrase: another secret for exports, and other keys at the issuers.

The new phrase takes the place of the old one in one step of the store; from then on exports are
under it alone. Each issuer that cards are registered with is told afterwards; until one is, the
old secret is kept for that issuer, also in exports. So at every moment the wallet can speak to
every issuer, and what was cut short goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallet.crypto.recovery_phrase import (
    PhraseLanguage,
    RecoveryPhrase,
    generate_recovery_phrase,
)
from wallet.errors import SeoulWalletError
from wallet.holder.issuer_session import OfferRefused
from wallet.holder.recovery import Recovery
from wallet.holder.registering import Registrar
from wallet.holder.reissue import NotRegistered, Reissuer
from wallet.ports.holder import StoreDamaged, StoreFull, StoreUnavailable
from wallet.protocols.oid4vci.recovery import DeviceList

_OURS: Final = (StoreDamaged, StoreFull, StoreUnavailable)
# The issuer's word for a key that is not the latest: this device may only not have heard.
KEY_REPLACED: Final = "recovery_key_replaced"


@dataclass(frozen=True, slots=True)
class Told:
    """What telling one issuer gave: nothing, or why it still has the old key."""

    credential_issuer: str
    error: SeoulWalletError | None = None


class PhraseReplacement:
    """Replaces the recovery phrase of a wallet."""

    def __init__(self, recovery: Recovery, registrar: Registrar, devices: Reissuer) -> None:
        self._recovery = recovery
        self._registrar = registrar
        self._devices = devices

    @staticmethod
    def new_phrase(language: PhraseLanguage) -> RecoveryPhrase:
        """Return a phrase to write down before `replace`. The wallet does not know it yet."""
        return generate_recovery_phrase(language)

    def replace(self, phrase: RecoveryPhrase) -> tuple[Told, ...]:
        """Put `phrase` in the place of the wallet's recovery phrase, and tell the issuers.

        Also what another device of the wallet, or one that was restored from an old export, does
        with the new phrase as it was typed. Exports and shares of the old phrase stay readable by
        it, but what they restore is given nothing by issuers. Raises when the store fails; an
        issuer that could not be told is in the answer, and `finish` tells it later.
        """
        issuers = frozenset(item.credential_issuer for item in self._registrar.holdings())
        self._recovery.replace(phrase, issuers)
        return self.finish()

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The issuers that have yet to be told."""
        return self._recovery.issuers_of_old()

    def finish(self) -> tuple[Told, ...]:
        """Tell the issuers that have yet to be told."""
        return tuple(self._told(issuer) for issuer in self.unfinished)

    def give_up(self, issuer: str) -> None:
        """Forget the old key of an issuer that is gone. Its cards cannot be issued anew."""
        self._recovery.forget_old(issuer)

    def _told(self, issuer: str) -> Told:
        try:
            self._tell(issuer)
        except _OURS:
            raise
        except SeoulWalletError as error:
            return Told(issuer, error)
        self._recovery.forget_old(issuer)
        return Told(issuer)

    def _tell(self, issuer: str) -> None:
        held = [item for item in self._registrar.holdings() if item.credential_issuer == issuer]
        if not held:
            return  # the last card of this issuer was removed
        session, inspected = self._devices.session_with(held[0])
        offer = inspected.metadata.recovery
        if offer is None or offer.key_endpoint is None:
            raise NotRegistered("the issuer cannot replace recovery keys")
        try:
            listed = self._devices.listed(held[0])
        except OfferRefused as error:
            if error.error != KEY_REPLACED:
                raise
            listed = DeviceList(())  # by this key, if the answer got lost; the issuer knows
        proof, new_proof = self._registrar.replace_proofs(issuer, listed, session.nonce())
        session.post_recovery(offer.key_endpoint, proof, new_proof=new_proof)
