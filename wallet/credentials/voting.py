"""The voting credential: what an issuer signs about a resident for one electoral epoch.

docs/voting.md, section 5.1. The issuer signs it, the wallet checks what it got, and the proofs of
`wallet.voting.eligibility` show parts of it: all three take header, layout and messages from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wallet.crypto.bbs.nym_issuance import NymLayout
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError

VOTING_CREDENTIAL_TYPE: Final = "urn:seoul-wallet:voting-credential:1"
HEADER: Final = b"SW-MVOTE-V1/voting-credential/1"
LAYOUT: Final = NymLayout(messages=4, committed=0, nyms=1)
OVER_14: Final = b"over-14:yes"
VOTING_CLAIMS: Final = ("district", "over_14", "stratum")
MAX_VALUE_CHARACTERS: Final = 64


class VotingClaimsMalformed(MalformedError):
    """The claims are not those of a voting credential."""

    code = "voting_claims_malformed"


def voting_messages(
    *, epoch: str, district: str, stratum: str, is_over_14: bool
) -> tuple[bytes, ...]:
    """The messages of a voting credential, which the issuer signs under `HEADER` and `LAYOUT`."""
    return (
        f"epoch:{epoch}".encode(),
        f"district:{district}".encode(),
        f"stratum:{stratum}".encode(),
        OVER_14 if is_over_14 else b"over-14:no",
    )


def voting_claims(*, district: str, stratum: str, is_over_14: bool) -> JsonObject:
    """The same as claims, as a credential travels over OpenID4VCI."""
    return {"district": district, "over_14": is_over_14, "stratum": stratum}


def messages_of_claims(epoch: str, claims: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Return the messages that these claims stand for. Raises `VotingClaimsMalformed`."""
    if tuple(sorted(claims)) != VOTING_CLAIMS:
        raise VotingClaimsMalformed("a voting credential has the claims " + str(VOTING_CLAIMS))
    district, is_over_14, stratum = (claims[name] for name in VOTING_CLAIMS)
    for text in (epoch, district, stratum):
        if type(text) is not str or not 0 < len(text) <= MAX_VALUE_CHARACTERS:
            raise VotingClaimsMalformed("epoch, district and stratum are short texts")
    if type(is_over_14) is not bool:
        raise VotingClaimsMalformed("over_14 is true or false")
    try:
        return voting_messages(
            epoch=epoch, district=district, stratum=stratum, is_over_14=is_over_14
        )
    except UnicodeEncodeError:
        raise VotingClaimsMalformed("a text of the credential is no Unicode") from None
