"""Presentations (VC Data Model 2.0 §4.14; 1.1 §4.10 as input)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallet.credentials.vcdm.credential import VERSIONS
from wallet.credentials.vcdm.fields import (
    CredentialMalformed,
    check_extent,
    has_type,
    parse_contexts,
    parse_entries,
    parse_id_or_object,
    parse_types,
    parse_url,
)
from wallet.encoding.json import JsonObject

MAX_CREDENTIALS: Final = 16
ENVELOPED_CREDENTIAL: Final = "EnvelopedVerifiableCredential"
ENVELOPED_PRESENTATION: Final = "EnvelopedVerifiablePresentation"


@dataclass(frozen=True, slots=True)
class Presentation:
    """A presentation of sound structure, unverified. `credentials` are as they came."""

    document: JsonObject
    version: str
    id: str | None
    types: tuple[str, ...]
    holder: str | None
    credentials: tuple[JsonObject, ...]


def parse_presentation(document: object) -> Presentation:
    """Return the presentation of a JSON object. Raises `CredentialMalformed`.

    Checks neither proofs nor the credentials inside.
    """
    if type(document) is not dict:
        raise CredentialMalformed("a presentation is an object")
    version = parse_contexts(document, VERSIONS)
    types = parse_types(document.get("type"), "VerifiablePresentation")
    check_extent(document, inside=frozenset(("verifiableCredential",)))
    credentials = parse_entries(document, "verifiableCredential")
    if len(credentials) > MAX_CREDENTIALS:
        raise CredentialMalformed(f"more than {MAX_CREDENTIALS} credentials")
    return Presentation(
        document=document,
        version=version,
        id=parse_url(document["id"], "id") if "id" in document else None,
        types=types,
        holder=parse_id_or_object(document["holder"], "holder") if "holder" in document else None,
        credentials=credentials,
    )


def is_enveloped(document: object, kind: str) -> bool:
    """Return whether an object says that it envelops a secured document of this kind."""
    if type(document) is not dict or not has_type(document):
        return False
    types = document["type"]
    return kind in (types if type(types) is list else [types])


def parse_envelope(document: object, kind: str, media_type: str) -> str:
    """Return the compact token that an enveloped credential or presentation carries (§4.13).

    Raises `CredentialMalformed`: the id is `data:` with `media_type`, and nothing is beside it.
    """
    if type(document) is not dict or not is_enveloped(document, kind):
        raise CredentialMalformed(f"expected an object of type {kind}")
    parse_contexts(document, {url: v for url, v in VERSIONS.items() if v == "2.0"})
    if document.keys() - {"@context", "id", "type"}:
        raise CredentialMalformed("an envelope carries nothing beside its content")
    prefix = f"data:{media_type},"
    url = parse_url(document.get("id"), "id")
    if not url.startswith(prefix):
        raise CredentialMalformed(f"the id of the envelope starts with {prefix}")
    return url.removeprefix(prefix)


def envelop(token: str, kind: str, media_type: str) -> JsonObject:
    """Return the object that carries a secured document as a `data:` URL."""
    return {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "id": f"data:{media_type},{token}",
        "type": kind,
    }
