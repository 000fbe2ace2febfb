"""Appointment letters: one operator asks, another approves, then the letter can be offered."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from issuer.calendar import seoul_day
from issuer.catalogue import APPOINTMENT_LETTER, Catalogue
from issuer.offers import IssuedOffer, Offers
from issuer.ports import Letter, LetterConflict, LetterRecords, LetterState
from issuer.sessions import Entitlement
from wallet.errors import RejectedError
from wallet.ports.clock import Clock

MAX_LETTERS_LISTED: Final = 500


class SameOperator(RejectedError):
    """The operator who asked for a letter cannot approve it."""

    code = "same_operator"


class Letters:
    """Requests, approvals and offers of appointment letters."""

    def __init__(
        self, *, records: LetterRecords, catalogue: Catalogue, offers: Offers, clock: Clock
    ) -> None:
        self._records = records
        self._catalogue = catalogue
        self._offers = offers
        self._clock = clock

    def request_letter(self, appointment_id: str, *, operator: str) -> Letter:
        """Ask for a letter. Raises `LetterConflict`, `NotEntitled`, `SubjectUnknown`."""
        now = self._clock.now()
        self._catalogue.type_of(APPOINTMENT_LETTER).content(
            _entitlement(appointment_id), seoul_day(now)
        )
        letter = Letter(
            secrets.token_urlsafe(12), appointment_id, LetterState.REQUESTED, operator, now
        )
        self._records.add(letter)
        return letter

    def approve_letter(self, letter_id: str, *, operator: str) -> Letter:
        """Approve a letter that someone else asked for.

        Raises `SameOperator`, `LetterConflict`, `LetterUnknown`.
        """
        if self._records.letter(letter_id).requested_by == operator:
            raise SameOperator("another operator must approve this letter")
        self._records.approve(letter_id, operator=operator, now=self._clock.now())
        return self._records.letter(letter_id)

    def offer_letter(self, letter_id: str, *, with_tx_code: bool) -> IssuedOffer:
        """Offer an approved letter to its holder; again after a lost phone.

        Raises `LetterConflict`, `LetterUnknown`, and what `Offers.offer` raises.
        """
        letter = self._records.letter(letter_id)
        if letter.state is not LetterState.APPROVED:
            raise LetterConflict("the letter is not approved")
        (offer,) = self._offers.offer(
            [_entitlement(letter.appointment_id)], with_tx_code=with_tx_code
        )
        return offer

    def letters(self, state: LetterState) -> Sequence[Letter]:
        """Return the oldest `MAX_LETTERS_LISTED` letters in a state."""
        return self._records.letters(state, limit=MAX_LETTERS_LISTED)


def _entitlement(appointment_id: str) -> Entitlement:
    return Entitlement(APPOINTMENT_LETTER, appointment_id, appointment_id)
