"""전자근로계약: an operator enters the terms, both parties sign one text, each gets a credential.

Signatures are key bindings of the parties' accounts over the transaction data that this issuer
wrote; a verifier collects them (OpenID4VP), this checks and keeps them. What was kept can be
checked again at any time, without the parties.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from issuer.accounts import AccountRecords
from issuer.catalogue import CredentialContent, NotEntitled
from issuer.holder_revocation import issuance_of
from issuer.identity import IssuerIdentity
from issuer.offers import IssuedOffer, Offers
from issuer.ports import IssuanceRecords
from issuer.sessions import Entitlement
from wallet.credentials.account import ACCOUNT, ACCOUNT_ID, ACCOUNT_TYPE
from wallet.credentials.contract import (
    CONTRACT,
    CONTRACT_HASH,
    CONTRACT_TYPE,
    SALT_BYTES,
    ContractTerms,
    Side,
    contract_hash,
    parse_contract_terms,
)
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, RejectedError
from wallet.ports.clock import Clock
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vci.configuration import (
    ClaimDescription,
    CredentialConfiguration,
    Label,
)
from wallet.protocols.oid4vp_transaction import (
    AGREEMENT_TYPE,
    check_transactions,
    parse_transaction_data,
)
from wallet.status.token_status_list import VALID
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.issuer_key import KeySource
from wallet.verification.pipeline import VerifiedProof, verify_proof
from wallet.verification.policy import VerificationPolicy

MAX_SIGNING_S: Final = 30 * 24 * 3600
MAX_SIGNATURE_AGE_S: Final = 3600
_QUERY = parse_dcql(
    {
        "credentials": [
            {
                "id": ACCOUNT,
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [ACCOUNT_TYPE]},
                "claims": [{"path": [ACCOUNT_ID]}],
            }
        ]
    }
)
_LABELS: Final = {
    "role": ("계약 당사자", "Party"),
    "employer": ("사업주", "Employer"),
    "worker": ("근로자", "Worker"),
    "job": ("업무", "Work"),
    "starts_on": ("시작일", "Starts on"),
    "ends_on": ("종료일", "Ends on"),
    "weekly_hours": ("주 소정근로시간", "Hours a week"),
    "monthly_wage_won": ("월 임금", "Monthly wage"),
    "further": ("그 밖의 약속", "Further terms"),
    CONTRACT_HASH: ("계약 해시", "Hash of the contract"),
}


class ContractUnknown(ConflictError):
    """There is no such contract."""

    code = "contract_unknown"
    status = 404


class ContractConflict(ConflictError):
    """This side has signed already, both are one person, or the time to sign is over."""

    code = "contract_conflict"


class ContractSignatureInvalid(RejectedError):
    """The signature is of another text, of another person, or of an account that ended."""

    code = "contract_signature_invalid"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """A contract on record. `audience` is the verifier that collects the signatures.

    `parties` are the register ids by side; times are unix seconds.
    """

    contract_id: str
    parties: Mapping[Side, str]
    terms: ContractTerms = field(repr=False)
    salt: bytes = field(repr=False)
    audience: str
    requested_by: str
    requested_at: int
    sign_until: int

    @property
    def hash(self) -> str:
        """The hash that both sign, base64url."""
        return contract_hash(self.terms.text(), self.salt)

    def agreement(self) -> JsonObject:
        """Return the transaction data that both sides sign, as the verifier is to send it."""
        return {
            "type": AGREEMENT_TYPE,
            "credential_ids": [ACCOUNT],
            "text": self.terms.text(),
            CONTRACT_HASH: self.hash,
            "salt": base64url.encode(self.salt),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureEvidence:
    """What a wallet sent, with what it answered: enough to check the signature years later.

    `presentation` is the account with its key binding, `transaction_data` as it travelled.
    """

    presentation: str = field(repr=False)
    nonce: str
    transaction_data: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractSignature:
    """One side's signature. `signed_at` is what the wallet said, unix seconds."""

    side: Side
    evidence: SignatureEvidence
    signed_at: int


class ContractRecords(Protocol):
    """Contracts and their signatures. Changes are durable; may raise `StorageUnavailable`."""

    def add(self, contract: Contract) -> None:
        """Keep a new contract."""

    def contract(self, contract_id: str) -> Contract:
        """Return one. Raises `ContractUnknown`."""

    def sign(self, contract_id: str, signature: ContractSignature) -> None:
        """Keep a signature. Of N parallel calls for a side one succeeds: `ContractConflict`."""

    def signatures(self, contract_id: str) -> Sequence[ContractSignature]:
        """Return the signatures of a contract, by side."""


class EmploymentContractType:
    """The credential of one party. Every term is the holder's to show, alone."""

    configuration = CredentialConfiguration(
        id=CONTRACT,
        vct=CONTRACT_TYPE,
        scope=CONTRACT,
        display=(
            Label("전자근로계약", "ko-KR", "두 당사자가 지갑으로 서명한 근로계약"),
            Label("Employment Contract", "en-US", "Signed by both parties with their wallets"),
        ),
        claims=tuple(
            ClaimDescription((name,), (Label(ko, "ko-KR"), Label(en, "en-US")), True)
            for name, (ko, en) in _LABELS.items()
        ),
    )

    def __init__(self, contracts: ContractRecords) -> None:
        self._contracts = contracts

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        """Return the terms for a party, once both have signed.

        Raises `ContractUnknown`, `NotEntitled`.
        """
        contract = self._contracts.contract(entitlement.subject_id)
        sides = [
            side for side, party in contract.parties.items() if party == entitlement.holder_id
        ]
        if len(sides) != 1 or entitlement.guardian is not None:
            raise NotEntitled(("not_a_party",))
        if {item.side for item in self._contracts.signatures(contract.contract_id)} != set(Side):
            raise NotEntitled(("not_signed_by_both",))
        if on > contract.terms.last_day:
            raise NotEntitled(("term_ended",))
        claims = {
            "role": sides[0].value,
            **{name: value for name, value in contract.terms.to_json().items() if value != []},
            CONTRACT_HASH: contract.hash,
        }
        return CredentialContent(claims, contract.terms.last_day)


class Contracts:
    """What operators do with contracts."""

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        records: ContractRecords,
        accounts: AccountRecords,
        issuances: IssuanceRecords,
        offers: Offers,
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._records = records
        self._accounts = accounts
        self._issuances = issuances
        self._offers = offers
        self._clock = clock

    def enter(
        self,
        terms: JsonObject,
        parties: Mapping[Side, str],
        *,
        audience: str,
        operator: str,
        sign_within_s: int,
    ) -> Contract:
        """Enter a contract for both to sign. Raises `ContractConflict`, `ContractMalformed`."""
        if parties[Side.EMPLOYER] == parties[Side.WORKER]:
            raise ContractConflict("nobody makes a contract with themselves")
        now = self._clock.now()
        contract = Contract(
            contract_id=secrets.token_urlsafe(12),
            parties=dict(parties),
            terms=parse_contract_terms(terms),
            salt=secrets.token_bytes(SALT_BYTES),
            audience=audience,
            requested_by=operator,
            requested_at=now,
            sign_until=now + min(sign_within_s, MAX_SIGNING_S),
        )
        self._records.add(contract)
        return contract

    def contract(self, contract_id: str) -> tuple[Contract, Sequence[ContractSignature]]:
        """Return a contract and its signatures. Raises `ContractUnknown`."""
        return self._records.contract(contract_id), self._records.signatures(contract_id)

    def sign(self, contract_id: str, side: Side, evidence: SignatureEvidence) -> ContractSignature:
        """Keep the signature of one side, once it was found good.

        Raises `ContractUnknown`, `ContractConflict`, `ContractSignatureInvalid`, and the error of
        the step of the verification that decides.
        """
        now = self._clock.now()
        contract = self._records.contract(contract_id)
        if now >= contract.sign_until:
            raise ContractConflict("the time to sign is over")
        verified = self._verify(contract, side, evidence, now)
        if issuance_of(verified, self._identity, self._issuances).status != VALID:
            raise ContractSignatureInvalid("the account was revoked or suspended")
        signature = ContractSignature(
            side=side, evidence=evidence, signed_at=verified.binding["iat"]
        )
        self._records.sign(contract_id, signature)
        return signature

    def check(self, contract_id: str) -> Sequence[ContractSignature]:
        """Check the kept signatures again, each as of its time, and return them.

        Whether an account was revoked since is not asked: it was good when it signed. Raises as
        `sign` does.
        """
        contract, signatures = self.contract(contract_id)
        for item in signatures:
            self._verify(contract, item.side, item.evidence, item.signed_at)
        return signatures

    def _verify(
        self, contract: Contract, side: Side, evidence: SignatureEvidence, now: int
    ) -> VerifiedProof:
        verified = verify_proof(
            evidence.presentation,
            Evidence(Fact(self._identity.key.public_key, now)),
            VerificationPolicy(
                accepted_types=frozenset((ACCOUNT_TYPE,)),
                audience=contract.audience,
                nonce=evidence.nonce,
                trust=None,
                key_sources=frozenset((KeySource.PINNED,)),
                max_binding_age_s=MAX_SIGNATURE_AGE_S,
            ),
            now=now,
        )
        items = parse_transaction_data(list(evidence.transaction_data), _QUERY)
        if [item.body for item in items] != [contract.agreement()]:
            raise ContractSignatureInvalid("another text was signed")
        check_transactions(items, {ACCOUNT: [verified.binding]})
        signer = self._accounts.resident_of(str(verified.claims.get(ACCOUNT_ID)))
        if signer != contract.parties[side]:
            raise ContractSignatureInvalid("another person signed")
        return verified

    def offer(self, contract_id: str, side: Side, *, with_tx_code: bool) -> IssuedOffer:
        """Offer one party its credential; again after a lost phone.

        Raises `ContractUnknown`, `NotEntitled` until both have signed, and what `Offers.offer`
        raises.
        """
        contract = self._records.contract(contract_id)
        entitlement = Entitlement(CONTRACT, contract_id, contract.parties[side])
        (offer,) = self._offers.offer([entitlement], with_tx_code=with_tx_code)
        return offer
