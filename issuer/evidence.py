"""The credential types of evidence: what agencies' rules read, drawn from the registers."""

from __future__ import annotations

from datetime import date, timedelta

from issuer.catalogue import CredentialContent, CredentialType
from issuer.register.evidence import EvidenceRegister
from issuer.sessions import Entitlement
from wallet.eligibility.evidence_types import (
    SECTOR_ID,
    EvidenceType,
    EvidenceTypes,
    FactType,
    Text,
    evidence_types,
)
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.configuration import (
    ClaimDescription,
    CredentialConfiguration,
    Label,
)

_SECTOR_LABEL = Text("분야별 개인 식별값", "Person identifier by sector")


class EvidenceCredentialType:
    """One kind of evidence. Every claim is the holder's to show, alone.

    `sector_id` and lists by programme are disclosable member by member, so that no agency sees
    the identifier of another sector, or what another programme paid.
    """

    def __init__(self, kind: EvidenceType, sectors: tuple[str, ...], register: EvidenceRegister):
        self._kind = kind
        self._sectors = sectors
        self._register = register
        self.configuration = CredentialConfiguration(
            id=kind.name,
            vct=kind.vct,
            scope=kind.name,
            display=(
                Label(kind.title.ko, "ko-KR", kind.document.ko),
                Label(kind.title.en, "en-US", kind.document.en),
            ),
            claims=(
                *(_described(claim.name, claim.label) for claim in kind.claims.values()),
                _described(SECTOR_ID, _SECTOR_LABEL),
            ),
        )

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        """Return what the register says that day.

        Raises `SubjectUnknown`, `EvidenceIncomplete`, `RegisterUnavailable`.
        """
        holder = entitlement.holder_id
        claims = self._register.claims(self._kind.name, entitlement.subject_id, holder, on)
        claims[SECTOR_ID] = {
            sector: self._register.sector_id(sector, holder) for sector in self._sectors
        }
        last = on + timedelta(days=self._kind.valid_days)
        return CredentialContent(claims, last, self._members(claims))

    def _members(self, claims: JsonObject) -> tuple[tuple[str, str], ...]:
        nested = [
            name
            for name, claim in self._kind.claims.items()
            if claim.type is FactType.DATES_BY_PROGRAMME
        ]
        return tuple((name, member) for name in (*nested, SECTOR_ID) for member in claims[name])


def _described(name: str, text: Text) -> ClaimDescription:
    return ClaimDescription((name,), (Label(text.ko, "ko-KR"), Label(text.en, "en-US")), True)


def evidence_credential_types(
    register: EvidenceRegister, types: EvidenceTypes | None = None
) -> tuple[CredentialType, ...]:
    """Return the credential types of all kinds of evidence."""
    known = evidence_types() if types is None else types
    return tuple(
        EvidenceCredentialType(kind, known.sectors, register) for kind in known.by_name.values()
    )
