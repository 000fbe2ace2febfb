"""The credential types of evidence: what agencies' rules read, drawn from the registers."""

from __future__ import annotations

from datetime import date, timedelta

from issuer.catalogue import CredentialContent, CredentialType
from issuer.register.evidence import EvidenceRegister
from issuer.sessions import Entitlement
from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.sd_jwt import ClaimPattern
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
    the identifier of another sector, or what another programme paid. So are records, and what
    each of them says.
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
                *(_described((claim.name,), claim.label) for claim in kind.claims.values()),
                *(
                    _described((claim.name, None, member), label)
                    for claim in kind.claims.values()
                    for member, label in claim.members.items()
                ),
                _described((SECTOR_ID,), _SECTOR_LABEL),
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

    def _members(self, claims: JsonObject) -> tuple[ClaimPath, ...]:
        by_type = {
            kind: [name for name, claim in self._kind.claims.items() if claim.type is kind]
            for kind in (FactType.DATES_BY_PROGRAMME, FactType.RECORDS)
        }
        nested = (*by_type[FactType.DATES_BY_PROGRAMME], SECTOR_ID)
        records = [
            (name, at, member)
            for name in by_type[FactType.RECORDS]
            for at, record in enumerate(claims[name])
            for member in record
        ]
        return (
            *((name, member) for name in nested for member in claims[name]),
            *dict.fromkeys((name, at) for name, at, _ in records),
            *records,
        )


def _described(path: ClaimPattern, text: Text) -> ClaimDescription:
    # A record may lack a member, and a person have no record.
    return ClaimDescription(
        path, (Label(text.ko, "ko-KR"), Label(text.en, "en-US")), len(path) == 1
    )


def evidence_credential_types(
    register: EvidenceRegister, types: EvidenceTypes | None = None
) -> tuple[CredentialType, ...]:
    """Return the credential types of all kinds of evidence."""
    known = evidence_types() if types is None else types
    return tuple(
        EvidenceCredentialType(kind, known.sectors, register) for kind in known.by_name.values()
    )
