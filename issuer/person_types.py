"""Which credential types are drawn from the registers of evidence about persons."""

from __future__ import annotations

from collections.abc import Iterator

from issuer.accounts import AccountRecords, AccountType
from issuer.benefit_key import BenefitKeyType
from issuer.catalogue import CredentialType
from issuer.contracts import ContractRecords, EmploymentContractType
from issuer.evidence import evidence_credential_types
from issuer.guardianship import GuardianshipType, WardEvidence
from issuer.register.evidence import EvidenceRegister
from issuer.register.port import FamilyRegister
from wallet.eligibility.evidence_types import evidence_types


def person_types(
    evidence: EvidenceRegister | None,
    families: FamilyRegister,
    accounts: AccountRecords,
    contracts: ContractRecords,
    *,
    nyms: bool,
) -> Iterator[CredentialType]:
    """Yield the types, none without a register of evidence.

    Evidence may be given to a child's guardian, the account and the benefit key (with
    `nyms`) to the person alone.
    """
    if evidence is None:
        return
    for kind in evidence_credential_types(evidence):
        yield WardEvidence(kind, families)
    yield AccountType(accounts, evidence)
    # Signed with the account.
    yield EmploymentContractType(contracts)
    sectors = evidence_types().sectors
    if nyms:
        yield BenefitKeyType(sectors, evidence)
    yield GuardianshipType(families, evidence, sectors)
