"""Credentials (VC Data Model 2.0 §4.3 to §4.13; 1.1 §4 as input)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallet.credentials.vcdm.fields import (
    CredentialMalformed,
    check_extent,
    check_text,
    has_type,
    parse_contexts,
    parse_date_time,
    parse_entries,
    parse_id_or_object,
    parse_types,
    parse_url,
)
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError

VERSIONS: Final = {
    "https://www.w3.org/ns/credentials/v2": "2.0",
    "https://www.w3.org/2018/credentials/v1": "1.1",
}
# The members that bound validity, by version, and the ones of the other version.
_DATES: Final = {
    "2.0": ("validFrom", "validUntil", ("issuanceDate", "expirationDate")),
    "1.1": ("issuanceDate", "expirationDate", ("validFrom", "validUntil")),
}
_TYPED: Final = ("refreshService", "termsOfUse", "evidence")


class ValidityPeriodNotStarted(RejectedError):
    """The credential is not valid yet, by its own dates."""

    code = "validity_period_not_started"


class ValidityPeriodEnded(RejectedError):
    """The credential is not valid any more, by its own dates."""

    code = "validity_period_ended"


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential of sound structure, unverified. `document` is as it came, proofs included.

    Times are unix seconds. `subject_ids` are the ids of those subjects that have one.
    """

    document: JsonObject
    version: str
    id: str | None
    types: tuple[str, ...]
    issuer: str
    subjects: tuple[JsonObject, ...]
    subject_ids: frozenset[str]
    valid_from: int | None
    valid_until: int | None
    statuses: tuple[JsonObject, ...]
    schemas: tuple[JsonObject, ...]

    def check_validity(self, now: int, clock_skew_s: int = 0) -> None:
        """Raise `ValidityPeriodNotStarted` or `ValidityPeriodEnded` outside the own dates."""
        if self.valid_from is not None and now + clock_skew_s < self.valid_from:
            raise ValidityPeriodNotStarted("the credential is not valid yet")
        if self.valid_until is not None and now - clock_skew_s > self.valid_until:
            raise ValidityPeriodEnded("the credential is not valid any more")


def parse_credential(document: object) -> Credential:
    """Return the credential of a JSON object. Raises `CredentialMalformed`.

    Does not check proofs, the validity period, or that terms are defined.
    """
    if type(document) is not dict:
        raise CredentialMalformed("a credential is an object")
    version = parse_contexts(document, VERSIONS)
    types = parse_types(document.get("type"), "VerifiableCredential")
    check_extent(document)
    issuer = document.get("issuer")
    for described in (document, issuer) if type(issuer) is dict else (document,):
        for name in ("name", "description"):
            check_text(described, name)
    valid_from, valid_until = _validity(document, version)
    subjects = _subjects(document)
    statuses, schemas = _statuses(document, version), _schemas(document)
    for name in _TYPED:
        if not all(has_type(entry) for entry in parse_entries(document, name)):
            raise CredentialMalformed(f"{name} states its type")
    _check_related(document)
    return Credential(
        document=document,
        version=version,
        id=parse_url(document["id"], "id") if "id" in document else None,
        types=types,
        issuer=parse_id_or_object(document.get("issuer"), "issuer"),
        subjects=subjects,
        subject_ids=frozenset(subject["id"] for subject in subjects if "id" in subject),
        valid_from=valid_from,
        valid_until=valid_until,
        statuses=statuses,
        schemas=schemas,
    )


def _validity(document: JsonObject, version: str) -> tuple[int | None, int | None]:
    begins, ends, foreign = _DATES[version]
    for name in foreign:
        if name in document:
            raise CredentialMalformed(f"{name} is not of data model {version}")
    if version == "1.1" and begins not in document:
        raise CredentialMalformed(f"{begins} is missing")
    valid_from = parse_date_time(document[begins], begins) if begins in document else None
    valid_until = parse_date_time(document[ends], ends) if ends in document else None
    if valid_from is not None and valid_until is not None and valid_until < valid_from:
        raise CredentialMalformed(f"{ends} is before {begins}")
    return valid_from, valid_until


def _subjects(document: JsonObject) -> tuple[JsonObject, ...]:
    subjects = parse_entries(document, "credentialSubject")
    if not subjects:
        raise CredentialMalformed("credentialSubject is missing")
    for subject in subjects:
        if "id" in subject:
            parse_url(subject["id"], "credentialSubject.id")
    return subjects


def _statuses(document: JsonObject, version: str) -> tuple[JsonObject, ...]:
    statuses = parse_entries(document, "credentialStatus")
    for status in statuses:
        if not has_type(status):
            raise CredentialMalformed("credentialStatus states its type")
        if "id" in status or version == "1.1":
            parse_url(status.get("id"), "credentialStatus.id")
    return statuses


def _schemas(document: JsonObject) -> tuple[JsonObject, ...]:
    schemas = parse_entries(document, "credentialSchema")
    for schema in schemas:
        parse_url(schema.get("id"), "credentialSchema.id")
        if not has_type(schema):
            raise CredentialMalformed("credentialSchema states its type")
    return schemas


def _check_related(document: JsonObject) -> None:
    seen = set()
    for resource in parse_entries(document, "relatedResource"):
        url = parse_url(resource.get("id"), "relatedResource.id")
        if url in seen or not ({"digestSRI", "digestMultibase"} & resource.keys()):
            raise CredentialMalformed("a related resource is named once, with its digest")
        seen.add(url)
