"""Applying for a child: the guardianship that a programme's query may ask for beside evidence.

A guardianship says no fact that a rule reads. It names the child by its identifier in the
programme's sector, as the evidence does, and is joined with it by
`wallet.verification.guardianship`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from wallet.credentials.delegation import GUARDIANSHIP_TYPE
from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.eligibility.evidence_types import EvidenceType, Text
from wallet.protocols.dcql import CredentialQuery, DcqlQuery
from wallet.verification.guardianship import RELATION, WARD

# What decides where nobody may apply without a guardian; outside the rule, as decisions name it.
GUARDIAN_CLAUSE: Final = "acting-guardian"
_UNREAD: Final = frozenset((RELATION, WARD))


@cache
def guardianship_type() -> EvidenceType:
    """Return what the guardianship certificate is as evidence: none of its claims is a fact."""
    title = Text("법정대리인 확인서", "Guardianship")
    return EvidenceType(
        "guardianship",
        GUARDIANSHIP_TYPE,
        title,
        title,
        Text("서울지갑 또는 동주민센터", "Seoul Wallet or a community service centre"),
        365,
        {},
    )


def is_guardianship(credential: CredentialQuery) -> bool:
    """Return whether a query asks for a guardianship certificate."""
    return GUARDIANSHIP_TYPE in credential.vct_values and credential.format == SD_JWT_VC_FORMAT


def is_read_by_nobody(credential: CredentialQuery, claim: str) -> bool:
    """Return whether this is what a guardianship is asked for: no fact of the rule."""
    return is_guardianship(credential) and claim in _UNREAD


def needs_guardian(query: DcqlQuery, guardianship: str | None) -> bool:
    """Return whether no answer to the query is complete without the guardianship."""
    return any(
        found.required and all(guardianship in option for option in found.options)
        for found in query.sets()
    )
