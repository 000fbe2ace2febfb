"""The benefit key: the BBS credential whose secret counts a person once, without naming them.

It is issued blindly over the holder's registered nym key (`wallet.crypto.bbs.registered_nym`), one
secret to a resident for a whole epoch, and it is never shown itself: what agencies see are proofs
of it. It carries what the register of residents knows, so that a programme which needs no more
than that needs no second credential, and `sector_id_<sector>` to recognise evidence of other kinds
as the same person's. `valid_until` is the end of a calendar quarter, the same for everybody, and
stands in for a status, which would single its holder out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Final

from wallet.eligibility.evidence_types import (
    SECTOR_ID,
    ClaimType,
    EvidenceType,
    FactType,
    Text,
    evidence_types,
)

BENEFIT_KEY: Final = "benefit-key"
BENEFIT_KEY_TYPE: Final = "urn:seoul-wallet:benefit-key:1"
# The epoch of the secrets. A new one lets everybody register anew, so it is never a calendar year:
# "once in a life" would end with it.
BENEFIT_EPOCH: Final = "benefits-1"
VALID_UNTIL: Final = "valid_until"
_MONTHS_OF_A_QUARTER: Final = 3
# Nobody gets a key that ends within days: it goes to the end of the next quarter then.
_LEAST_DAYS: Final = 30


def sector_claim(sector: str) -> str:
    """Return the name of the claim by which a person is known in a sector."""
    return f"{SECTOR_ID}_{sector}"


def valid_until(on: date) -> date:
    """Return the last day of a benefit key that is issued on that day."""
    last = _end_of_quarter(on)
    return last if last - on >= timedelta(days=_LEAST_DAYS) else _end_of_quarter(_next(last))


def _end_of_quarter(day: date) -> date:
    month = (day.month - 1) // _MONTHS_OF_A_QUARTER * _MONTHS_OF_A_QUARTER + 1
    beyond = month + _MONTHS_OF_A_QUARTER
    first = date(day.year + beyond // 13, (beyond - 1) % 12 + 1, 1)
    return first - timedelta(days=1)


def _next(day: date) -> date:
    return day + timedelta(days=1)


@cache
def benefit_key_type() -> EvidenceType:
    """Return what the benefit key is as evidence."""
    return EvidenceType(
        BENEFIT_KEY,
        BENEFIT_KEY_TYPE,
        Text("서울 혜택 확인키", "Seoul benefit key"),
        Text("서울 혜택 확인키", "Seoul benefit key"),
        Text("서울지갑", "Seoul Wallet"),
        120,
        _claims(),
    )


def _claims() -> Mapping[str, ClaimType]:
    plain = (
        ClaimType("birth_date", FactType.DATE, Text("생년월일", "Date of birth")),
        ClaimType("seoul_resident", FactType.BOOLEAN, Text("서울 거주", "Resident of Seoul")),
        ClaimType("district", FactType.TEXT, Text("자치구", "District")),
        ClaimType(VALID_UNTIL, FactType.DATE, Text("유효기간", "Valid until")),
    )
    label = Text("분야별 개인 식별값", "Person identifier by sector")
    sectors = (
        ClaimType(sector_claim(sector), FactType.TEXT, label)
        for sector in evidence_types().sectors
    )
    return {claim.name: claim for claim in (*plain, *sectors)}
