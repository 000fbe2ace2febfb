"""All that is drawn from the registers of evidence, as credential types."""

from __future__ import annotations

from collections.abc import Iterator

from issuer.benefit_key import BenefitKeyType
from issuer.catalogue import CredentialType
from issuer.evidence import evidence_credential_types
from issuer.guardianship import GuardianshipType, WardEvidence
from issuer.register.evidence import EvidenceRegister
from issuer.register.port import FamilyRegister
from wallet.eligibility.evidence_types import evidence_types


def registered_evidence(
    register: EvidenceRegister | None, families: FamilyRegister, *, nyms: bool
) -> Iterator[CredentialType]:
    """Yield the types that these registers back; benefit keys only where secrets are signed."""
    if register is None:
        return
    for kind in evidence_credential_types(register):
        yield WardEvidence(kind, families)
    yield GuardianshipType(families, register, evidence_types().sectors)
    if nyms:
        yield BenefitKeyType(evidence_types().sectors, register)
