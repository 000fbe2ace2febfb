"""Status by Bitstring Status Lists (W3C, version 1.0): the lists that credentials name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from wallet.credentials.data_integrity.verify import DidDocuments, verify_credential
from wallet.credentials.jsonld.seoul import seoul_json_ld
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import UnsupportedError
from wallet.status.bitstring import (
    ENTRY_TYPE,
    BitstringStatusEntry,
    parse_bitstring_status_entry,
)
from wallet.verification.status import StatusListInvalid

MAX_ENTRIES: Final = 4
LIST_CREDENTIAL_TYPE: Final = "BitstringStatusListCredential"


class TooManyStatuses(UnsupportedError):
    """The credential names more status lists than are looked at."""

    code = "too_many_statuses"


@dataclass(frozen=True, slots=True)
class VerifiedBitstringList:
    """A status list credential that the issuer signed, within its dates.

    Times are unix seconds; `ttl_s` is how long a copy may be used. Whether it is fresh enough is
    decided on every use.
    """

    uri: str
    issuer: str
    issued_at: int
    expires_at: int | None
    ttl_s: int | None
    subject: JsonObject = field(repr=False)


class UnsupportedStatusType(UnsupportedError):
    """The credential has a status of a kind that is not looked at."""

    code = "unsupported_status_type"


def bitstring_entries(statuses: Sequence[JsonObject]) -> tuple[BitstringStatusEntry, ...]:
    """Return the entries of a `credentialStatus`, all of which name Bitstring lists.

    One of another kind is not passed over: it may say that the credential is revoked. Raises
    `TooManyStatuses`, `UnsupportedStatusType`, `StatusListMalformed`.
    """
    if len(statuses) > MAX_ENTRIES:
        raise TooManyStatuses(f"more than {MAX_ENTRIES} statuses")
    if any(entry.get("type") != ENTRY_TYPE for entry in statuses):
        raise UnsupportedStatusType("a status of another kind cannot be checked here")
    return tuple(parse_bitstring_status_entry(entry) for entry in statuses)


def verify_bitstring_list(
    data: bytes, *, uri: str, issuer: str, documents: DidDocuments, now: int
) -> VerifiedBitstringList:
    """Return the list at `uri` if `issuer` signed it by Data Integrity and it is valid at `now`.

    Raises `StatusListInvalid`, `JsonMalformed`, and what `verify_credential` raises. Does not
    check its age, nor unpack the bits.
    """
    credential = verify_credential(
        parse_json_object(data), documents, now=now, json_ld=seoul_json_ld()
    ).credential
    if (
        credential.issuer != issuer
        or credential.id not in (None, uri)
        or LIST_CREDENTIAL_TYPE not in credential.types
        or len(credential.subjects) != 1
        or credential.valid_from is None
    ):
        raise StatusListInvalid("the list is not the one that the credential names")
    (subject,) = credential.subjects
    ttl_ms = subject.get("ttl")
    if ttl_ms is not None and (type(ttl_ms) is not int or ttl_ms <= 0):
        raise StatusListInvalid("ttl is a positive whole number of milliseconds")
    return VerifiedBitstringList(
        uri,
        issuer,
        credential.valid_from,
        credential.valid_until,
        None if ttl_ms is None else ttl_ms // 1000,
        subject,
    )
