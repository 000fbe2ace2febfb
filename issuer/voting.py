"""The voting credential: one for each resident on the electoral roll, and the roll's census.

docs/voting.md, sections 5.1 and 5.4. What makes it one vote for each resident is `issuer.nym`: one
registered nym key for a resident in an epoch.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Final

from issuer.catalogue import CredentialContent, NotEntitled, RegisterIncomplete, with_nym_secret
from issuer.register.electoral_roll import Census, ElectoralRoll, Voter, take_census
from issuer.sessions import Entitlement
from wallet.credentials.voting import VOTING_CREDENTIAL_TYPE, voting_claims
from wallet.crypto.bbs.types import BbsPublicKey
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.configuration import (
    ClaimDescription,
    CredentialConfiguration,
    Label,
)

VOTING_CREDENTIAL: Final = "voting-credential"
# The epoch in the credential ends it, not a day.
_NO_LAST_DAY: Final = date.max


class VotingCredentialType:
    """What a resident votes with: district, stratum, whether 14 or older, of one epoch."""

    configuration = with_nym_secret(
        CredentialConfiguration(
            id=VOTING_CREDENTIAL,
            vct=VOTING_CREDENTIAL_TYPE,
            scope=VOTING_CREDENTIAL,
            display=(
                Label("주민 투표 자격증명", "ko-KR", "엠보팅에서 이름 없이 한 표를 던지는 자격"),
                Label("Voting credential", "en-US", "For one nameless vote in each mVoting poll"),
            ),
            claims=tuple(
                ClaimDescription((name,), (Label(korean, "ko-KR"), Label(english, "en-US")), True)
                for name, korean, english in (
                    ("district", "자치구 코드", "District code"),
                    ("over_14", "만 14세 이상", "14 or older"),
                    ("stratum", "투표인 구분", "Group of voters"),
                )
            ),
        )
    )

    def __init__(self, roll: ElectoralRoll) -> None:
        self._roll = roll

    def content(self, entitlement: Entitlement, on: date) -> CredentialContent:
        """Return what the roll says, whatever the day. Nobody votes for another.

        Raises `NotEntitled`, `SubjectUnknown`, `RegisterUnavailable`.
        """
        if entitlement.subject_id != entitlement.holder_id:
            raise NotEntitled(("not_the_voter",))
        voter = self._roll.voter(entitlement.subject_id)
        claims = voting_claims(
            district=voter.district, stratum=voter.stratum.value, is_over_14=voter.is_over_14
        )
        return CredentialContent(claims, _NO_LAST_DAY)


@dataclass(frozen=True, slots=True)
class VotingRoll:
    """The roll of an epoch as its manifest needs it."""

    roll: ElectoralRoll
    epoch: str
    issuer_key: BbsPublicKey
    salt: bytes = field(repr=False)

    def manifest_parts(
        self, *, min_age: int | None, districts: Collection[str] | None
    ) -> JsonObject:
        """Return the members `eligibility` and `census` of a manifest for these voters.

        `min_age` is 14 or None, `districts` are codes or None for all. The census counts exactly
        those whose credentials the eligibility admits. Raises `RegisterIncomplete` for an empty
        roll, `RegisterUnavailable`.
        """

        def is_counted(voter: Voter) -> bool:
            return (min_age is None or voter.is_over_14) and (
                districts is None or voter.district in districts
            )

        voters = chain.from_iterable(self.roll.voters())
        census: Census | None = take_census(
            voters, epoch=self.epoch, salt=self.salt, is_counted=is_counted
        )
        if census is None:
            raise RegisterIncomplete("the electoral roll is empty")
        return {
            "eligibility": {
                "issuer_keys": [self.issuer_key.octets.hex()],
                "epoch": self.epoch,
                "districts": None if districts is None else sorted(districts),
                "min_age": min_age,
            },
            "census": census.to_json(),
        }
