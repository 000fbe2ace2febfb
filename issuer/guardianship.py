"""The guardianship certificate, and evidence about a child that goes to its guardian's wallet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from issuer.catalogue import CredentialContent, CredentialType, NotEntitled
from issuer.register.evidence import EvidenceRegister
from issuer.register.guardianship_rule import (
    GuardianshipGrant,
    GuardianshipRefusal,
    check_guardianship,
)
from issuer.register.port import FamilyRegister
from issuer.sessions import Entitlement
from wallet.credentials.delegation import GUARDIAN, GUARDIANSHIP_TYPE, HELD_BY
from wallet.protocols.oid4vci.configuration import (
    ClaimDescription,
    CredentialConfiguration,
    Label,
)
from wallet.verification.guardianship import ACTS, RELATION, WARD, GuardianActs

GUARDIANSHIP: Final = "guardianship"
# How long one certificate stands before the register is asked again.
VALID_DAYS: Final = 365


class GuardianshipType:
    """The certificate of a parent or guardian (법정대리인 확인서) for one child.

    Each member of `ward` names the child in one sector and is disclosable alone. How the guardian
    acts is always visible: a verifier must not have to rely on its being asked for.
    """

    configuration = CredentialConfiguration(
        id=GUARDIANSHIP,
        vct=GUARDIANSHIP_TYPE,
        scope=GUARDIANSHIP,
        display=(
            Label("법정대리인 확인서", "ko-KR", "자녀를 대신하거나 함께 증명할 수 있는 자격"),
            Label("Guardianship", "en-US", "The right to act for a child, or with it"),
        ),
        claims=tuple(
            ClaimDescription((name,), (Label(korean, "ko-KR"), Label(english, "en-US")), True)
            for name, korean, english in (
                (RELATION, "자녀와의 관계", "Relation to the child"),
                (ACTS, "대리 방식", "Acts alone or with the child"),
                ("name", "보호자 성명", "Name of the guardian"),
                ("child_name", "자녀 성명", "Name of the child"),
                (WARD, "자녀의 분야별 식별값", "Child's identifier by sector"),
            )
        ),
    )

    def __init__(
        self, families: FamilyRegister, evidence: EvidenceRegister, sectors: tuple[str, ...]
    ) -> None:
        self._families = families
        self._evidence = evidence
        self._sectors = sectors

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        """Return what the certificate says that day.

        The subject is the family, the holder the guardian. Raises `NotEntitled`,
        `SubjectUnknown`, `RegisterUnavailable`.
        """
        child_id = entitlement.ward_id or ""
        grant = granted(
            self._families, entitlement.subject_id, entitlement.holder_id, child_id, on
        )
        return CredentialContent(
            {
                RELATION: grant.relation.value,
                "name": grant.guardian_name,
                "child_name": grant.child_name,
                WARD: {
                    sector: self._evidence.sector_id(sector, child_id) for sector in self._sectors
                },
            },
            min(grant.last_day, on + timedelta(days=VALID_DAYS)),
            tuple((WARD, sector) for sector in self._sectors),
            {ACTS: (GuardianActs.ALONE if grant.acts_alone else GuardianActs.JOINTLY).value},
        )


def granted(
    families: FamilyRegister, family_id: str, guardian_id: str, child_id: str, on: date
) -> GuardianshipGrant:
    """Return the guardianship of that day. Raises `NotEntitled` and what the register raises."""
    decision = check_guardianship(families.family(family_id), guardian_id, child_id, on)
    if decision.grant is None:
        raise NotEntitled(tuple(reason.value for reason in decision.reasons))
    return decision.grant


_HELD_BY: Final = ClaimDescription(
    (HELD_BY,), (Label("보관하는 사람", "ko-KR"), Label("Held by", "en-US"))
)


class WardEvidence:
    """Evidence about a child, for the wallet of a guardian who acts alone.

    It says visibly that a guardian holds it, so nobody takes it for evidence about its holder, and
    ends at the latest when the child is old enough to hold its own.
    """

    def __init__(self, kind: CredentialType, families: FamilyRegister) -> None:
        self._kind = kind
        self._families = families
        self.configuration = replace(
            kind.configuration, claims=(*kind.configuration.claims, _HELD_BY)
        )

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        """Return the kind's content; for a guardian, marked as held by one.

        Raises as the kind's does, and `NotEntitled` for who is no guardian acting alone.
        """
        content = self._kind.content(entitlement, on)
        if entitlement.guardian is None:
            return content
        family_id, guardian_id = entitlement.guardian
        grant = granted(self._families, family_id, guardian_id, entitlement.holder_id, on)
        if not grant.acts_alone:
            raise NotEntitled((GuardianshipRefusal.MUST_HOLD_OWN.value,))
        return replace(
            content,
            valid_until=min(content.valid_until, grant.last_day),
            visible={**content.visible, HELD_BY: GUARDIAN},
        )
