"""The questions that an agency asks again and again, by name; configuration replaces them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.formats import (
    BBS_NYM_FORMAT,
    JWT_VC_FORMAT,
    LDP_VC_FORMAT,
    SD_JWT_VC_FORMAT,
)
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, UnsupportedError
from wallet.protocols.dcql import AKI_AUTHORITY, DcqlQuery, parse_dcql
from wallet.protocols.retention import MAX_RETENTION_DAYS
from wallet.verification.acting import Use

FAMILY_CARD_TYPE: Final = "urn:seoul-wallet:multi-child-family-card:1"
APPOINTMENT_LETTER_TYPE: Final = "urn:seoul-wallet:appointment-letter:1"
MAX_QUERIES: Final = 200
_MEMBERS: Final = frozenset(("dcql_query", "purpose", "one_holder", "retention_days"))
FORMATS: Final = (SD_JWT_VC_FORMAT, JWT_VC_FORMAT, LDP_VC_FORMAT, BBS_NYM_FORMAT)
# Of these a certificate may come along with the credential.
_CERTIFIED: Final = frozenset((SD_JWT_VC_FORMAT, JWT_VC_FORMAT))
# Begins the names under which sessions ask for a programme.
QUERY_PREFIX: Final = "programme:"
# Begins the names under which sessions log somebody in; delegations know it too.
LOGIN_PREFIX: Final = "login:"


class UnsupportedQuery(UnsupportedError):
    """The query asks for what this verifier cannot check."""

    code = "unsupported_query"


class QueryUnknown(MalformedError):
    """No query of that name is configured."""

    code = "query_unknown"


class QueryFileMalformed(MalformedError):
    """The file of named queries is not of its form."""

    code = "query_file_malformed"


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A question with a name. `purpose` is what the holder is told, in Korean and English.

    With `one_holder` all credentials of an answer must be bound to one holder key. For
    `retention_days` wallets are told that what they show is kept; None leaves it to the verifier.
    """

    name: str
    query: DcqlQuery
    purpose: str
    one_holder: bool = True
    retention_days: int | None = None


def use_of(query_name: str | None) -> Use:
    """Return what the answer to a query of that name is for."""
    return Use.LOGIN if (query_name or "").startswith(LOGIN_PREFIX) else Use.PRESENTATION


def check_query_is_supported(query: DcqlQuery) -> None:
    """Return if every credential asked for can be checked here. Raises `UnsupportedQuery`."""
    for item in query.credentials.values():
        if item.format not in FORMATS:
            raise UnsupportedQuery("expected a credential format of " + ", ".join(FORMATS))
        if item.format == BBS_NYM_FORMAT and not item.require_holder_binding:
            raise UnsupportedQuery(f"a presentation of {BBS_NYM_FORMAT} is always bound")
        kinds = {authority.type for authority in item.trusted_authorities}
        if kinds and not (AKI_AUTHORITY in kinds and item.format in _CERTIFIED):
            raise UnsupportedQuery(f"of trusted authorities, {AKI_AUTHORITY} can be checked here")


def _credential(query_id: str, vct: str, *claims: str) -> JsonObject:
    return {
        "id": query_id,
        "format": SD_JWT_VC_FORMAT,
        "meta": {"vct_values": [vct]},
        "claims": [{"path": [name]} for name in claims],
    }


def _single(name: str, purpose: str, credential: JsonObject) -> NamedQuery:
    return NamedQuery(name, parse_dcql({"credentials": [credential]}), purpose)


DEFAULT_QUERIES: Final[Mapping[str, NamedQuery]] = {
    query.name: query
    for query in (
        _single(
            "family-card",
            "다둥이 행복카드 혜택 확인 / Check of multi-child family benefits",
            _credential("card", FAMILY_CARD_TYPE, "child_count", "seoul_resident", "valid_until"),
        ),
        _single(
            "appointment-letter",
            "위촉 사실 확인 / Check of an appointment",
            _credential(
                "letter", APPOINTMENT_LETTER_TYPE, "name", "post", "organisation", "valid_until"
            ),
        ),
    )
}


def parse_named_queries(value: object) -> dict[str, NamedQuery]:
    """Return the queries of their JSON form, `{name: {dcql_query, purpose, one_holder?,
    retention_days?}}`.

    Raises `QueryFileMalformed`, `UnsupportedQuery`, and what `parse_dcql` raises.
    """
    if not isinstance(value, dict) or not 0 < len(value) <= MAX_QUERIES:
        raise QueryFileMalformed(f"expected an object of 1 to {MAX_QUERIES} queries")
    return {name: _parse_named(name, item) for name, item in value.items()}


def _parse_named(name: str, item: Any) -> NamedQuery:
    if not isinstance(item, dict) or not item.keys() <= _MEMBERS:
        raise QueryFileMalformed("a query has " + ", ".join(sorted(_MEMBERS)))
    purpose, one_holder = item.get("purpose"), item.get("one_holder", True)
    if type(purpose) is not str or not purpose or type(one_holder) is not bool:
        raise QueryFileMalformed("purpose is a text and one_holder a boolean")
    days = item.get("retention_days")
    if days is not None and (type(days) is not int or not 0 <= days <= MAX_RETENTION_DAYS):
        raise QueryFileMalformed("retention_days is a whole number of days, within a century")
    query = parse_dcql(item.get("dcql_query"))
    check_query_is_supported(query)
    return NamedQuery(name, query, purpose, one_holder, days)
