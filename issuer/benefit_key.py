"""The benefit key: issued blindly to everybody in the register of residents, one secret each.

`wallet.eligibility.benefit_key` says what it is for, `issuer.nym` sees to the one secret.
"""

from __future__ import annotations

from datetime import date

from issuer.catalogue import CredentialContent, NotEntitled, with_nym_secret
from issuer.register.evidence import EvidenceRegister
from issuer.sessions import Entitlement
from wallet.eligibility.benefit_key import (
    BENEFIT_EPOCH,
    BENEFIT_KEY,
    BENEFIT_KEY_TYPE,
    VALID_UNTIL,
    benefit_key_type,
    sector_claim,
    valid_until,
)
from wallet.protocols.oid4vci.configuration import (
    ClaimDescription,
    CredentialConfiguration,
    Label,
)

_RESIDENCE = "residence"
_FROM_THE_REGISTER = ("birth_date", "seoul_resident", "district")


def _configuration() -> CredentialConfiguration:
    kind = benefit_key_type()
    return with_nym_secret(
        CredentialConfiguration(
            id=BENEFIT_KEY,
            vct=BENEFIT_KEY_TYPE,
            scope=BENEFIT_KEY,
            display=(
                Label(
                    kind.title.ko, "ko-KR", "같은 혜택을 두 번 받지 않았음을 이름 없이 보이는 열쇠"
                ),
                Label(
                    kind.title.en, "en-US", "Shows, without a name, that a benefit is drawn once"
                ),
            ),
            claims=tuple(
                ClaimDescription(
                    (claim.name,),
                    (Label(claim.label.ko, "ko-KR"), Label(claim.label.en, "en-US")),
                    True,
                )
                for claim in kind.claims.values()
            ),
        )
    )


class BenefitKeyType:
    """What the benefit key says of a resident; a proof of it shows no more than is asked for."""

    configuration = _configuration()

    def __init__(self, sectors: tuple[str, ...], register: EvidenceRegister) -> None:
        self._sectors = sectors
        self._register = register

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        """Return what the register of residents says that day. Nobody gets another's.

        Raises `NotEntitled`, `SubjectUnknown`, `EvidenceIncomplete`, `RegisterUnavailable`.
        """
        holder = entitlement.holder_id
        # One in a guardian's wallet would be taken for the guardian's own.
        if entitlement.subject_id != holder or entitlement.guardian is not None:
            raise NotEntitled(("not_the_resident",))
        said = self._register.claims(_RESIDENCE, holder, holder, on)
        last = valid_until(on)
        claims = {name: said[name] for name in _FROM_THE_REGISTER}
        claims[VALID_UNTIL] = last.isoformat()
        for sector in self._sectors:
            claims[sector_claim(sector)] = self._register.sector_id(sector, holder)
        return CredentialContent(claims, last, nym_epoch=BENEFIT_EPOCH)
