"""The 서울패스 account: who gets one, and the random id that stays through every re-issue."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Final, Protocol

from issuer.catalogue import CredentialContent, NotEntitled
from issuer.register.evidence import EvidenceRegister
from issuer.sessions import Entitlement
from wallet.credentials.account import ACCOUNT, ACCOUNT_ID, ACCOUNT_ID_BYTES, ACCOUNT_TYPE
from wallet.encoding import base64url
from wallet.errors import RejectedError
from wallet.protocols.oid4vci.configuration import (
    ClaimDescription,
    CredentialConfiguration,
    Label,
)

VALID_DAYS: Final = 365
_RESIDENCE: Final = "residence"
_LABELS: Final = {
    ACCOUNT_ID: ("계정 식별값", "Account identifier"),
    "birth_date": ("생년월일", "Date of birth"),
    "seoul_resident": ("서울 거주", "Resident of Seoul"),
}


class AccountUnknown(RejectedError):
    """No resident has this account."""

    code = "account_unknown"


class AccountRecords(Protocol):
    """Whose account is whose. Changes are durable; may raise `StorageUnavailable`."""

    def account_of(self, resident_id: str, new_id: str) -> str:
        """Return the resident's account id: `new_id` from the first call on."""

    def resident_of(self, account_id: str) -> str:
        """Return the register id of the account's holder. Raises `AccountUnknown`."""


class AccountType:
    """The account of a resident. It goes to the person alone: login is never for another."""

    configuration = CredentialConfiguration(
        id=ACCOUNT,
        vct=ACCOUNT_TYPE,
        scope=ACCOUNT,
        display=(
            Label("서울패스", "ko-KR", "지갑으로 로그인하고 서명하는 계정"),
            Label("Seoul Pass", "en-US", "The account to log in and to sign with"),
        ),
        claims=tuple(
            ClaimDescription((name,), (Label(ko, "ko-KR"), Label(en, "en-US")), True)
            for name, (ko, en) in _LABELS.items()
        ),
    )

    def __init__(self, accounts: AccountRecords, register: EvidenceRegister) -> None:
        self._accounts = accounts
        self._register = register

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        """Return what the register says, with the account id of the person.

        The id is drawn when the account is first offered, and depends on nothing that is known
        about the person. Raises `NotEntitled`, `SubjectUnknown`, `EvidenceIncomplete`,
        `RegisterUnavailable`.
        """
        holder = entitlement.holder_id
        if entitlement.subject_id != holder or entitlement.guardian is not None:
            raise NotEntitled(("not_the_resident",))
        said = self._register.claims(_RESIDENCE, holder, holder, on)
        drawn = base64url.encode(secrets.token_bytes(ACCOUNT_ID_BYTES))
        claims = {
            ACCOUNT_ID: self._accounts.account_of(holder, drawn),
            "birth_date": said["birth_date"],
            "seoul_resident": said["seoul_resident"],
        }
        return CredentialContent(claims, on + timedelta(days=VALID_DAYS))
