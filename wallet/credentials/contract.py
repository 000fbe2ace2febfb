"""The employment contract (전자근로계약): its terms, the text that both sides sign, and its hash.

What is signed is transaction data of OpenID4VP: the text that a wallet shows, and the hash of it
under a salt of this contract alone, so that the hash in a credential tells nothing about a text
that somebody guesses.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.encoding.names import parse_text
from wallet.errors import MalformedError

CONTRACT: Final = "employment-contract"
CONTRACT_TYPE: Final = "urn:seoul-wallet:employment-contract:1"
CONTRACT_HASH: Final = "contract_hash"
SALT_BYTES: Final = 32
MAX_FURTHER: Final = 10
MAX_WEEKLY_HOURS: Final = 52
MAX_WAGE_WON: Final = 10**10
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


class ContractMalformed(MalformedError):
    """The terms of a contract are missing, too long, or no such days and numbers."""

    code = "contract_malformed"


class Side(StrEnum):
    """Whose signature, or whose credential, it is."""

    EMPLOYER = "employer"
    WORKER = "worker"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractTerms:
    """What the two agree on. Days are ISO dates in Seoul, both inclusive; wages are a month's.

    `further` is what else they wrote down, a sentence each.
    """

    employer: str
    worker: str
    job: str
    starts_on: str
    ends_on: str
    weekly_hours: int
    monthly_wage_won: int
    further: tuple[str, ...] = ()

    @property
    def last_day(self) -> date:
        """The last day of the term."""
        return date.fromisoformat(self.ends_on)

    def to_json(self) -> JsonObject:
        """Return the terms as they are kept."""
        return {**asdict(self), "further": list(self.further)}

    def text(self) -> str:
        """Return the contract in words: what both are shown, and sign."""
        lines = [
            "근로계약서",
            f"1. 사업주: {self.employer}",
            f"2. 근로자: {self.worker}",
            f"3. 업무: {self.job}",
            f"4. 기간: {self.starts_on}부터 {self.ends_on}까지",
            f"5. 소정근로시간: 주 {self.weekly_hours}시간",
            f"6. 임금: 월 {self.monthly_wage_won:,}원",
        ]
        lines += [f"{number}. {line}" for number, line in enumerate(self.further, 7)]
        # One line: wallets show no line breaks of others, and what is signed is what is shown.
        return " ".join(lines)


def parse_contract_terms(item: JsonObject) -> ContractTerms:
    """Return the terms of their JSON form. Raises `ContractMalformed`, `NameNotAcceptable`."""
    names = set(ContractTerms.__dataclass_fields__)
    if not names - {"further"} <= item.keys() <= names:
        raise ContractMalformed("the terms are " + ", ".join(sorted(names)))
    further = item.get("further", [])
    if type(further) is not list or len(further) > MAX_FURTHER:
        raise ContractMalformed(f"further is a list of at most {MAX_FURTHER} sentences")
    terms = ContractTerms(
        employer=_text(item["employer"]),
        worker=_text(item["worker"]),
        job=_text(item["job"]),
        starts_on=_day(item["starts_on"]),
        ends_on=_day(item["ends_on"]),
        weekly_hours=_number(item["weekly_hours"], MAX_WEEKLY_HOURS),
        monthly_wage_won=_number(item["monthly_wage_won"], MAX_WAGE_WON),
        further=tuple(_text(line) for line in further),
    )
    if terms.starts_on > terms.ends_on:
        raise ContractMalformed("a contract ends after it starts")
    return terms


def _text(value: object) -> str:
    if type(value) is not str:
        raise ContractMalformed("a text is a string")
    return parse_text(value).value


def _day(value: object) -> str:
    if type(value) is not str or not _DAY.match(value):
        raise ContractMalformed("a day is an ISO date")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ContractMalformed("there is no such day") from None
    return value


def _number(value: Any, most: int) -> int:
    if type(value) is not int or not 0 < value <= most:
        raise ContractMalformed(f"a number is 1 to {most}")
    return value


def contract_hash(text: str, salt: bytes) -> str:
    """Return the base64url SHA-256 of the salt and the text in UTF-8."""
    return base64url.encode(sha256(salt + text.encode("utf-8")))
