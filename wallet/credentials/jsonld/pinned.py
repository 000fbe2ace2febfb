"""The contexts that come with the library; where they are from is in contexts/SOURCES.toml."""

from functools import cache
from importlib.resources import files
from typing import Final

from wallet.credentials.jsonld.context_set import ContextSet
from wallet.credentials.jsonld.processor import JsonLd

CREDENTIALS_V1: Final = "https://www.w3.org/2018/credentials/v1"
CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"
DATA_INTEGRITY_V1: Final = "https://w3id.org/security/data-integrity/v1"
DATA_INTEGRITY_V2: Final = "https://w3id.org/security/data-integrity/v2"

FILES: Final = {
    CREDENTIALS_V1: "credentials-v1.jsonld",
    CREDENTIALS_V2: "credentials-v2.jsonld",
    DATA_INTEGRITY_V1: "data-integrity-v1.jsonld",
    DATA_INTEGRITY_V2: "data-integrity-v2.jsonld",
    "https://w3id.org/security/multikey/v1": "multikey-v1.jsonld",
    "https://w3id.org/security/jwk/v1": "jwk-v1.jsonld",
    "https://www.w3.org/ns/credentials/status/v1": "bitstring-status-list-v1.jsonld",
}


@cache
def pinned_contexts() -> ContextSet:
    """Return the normative contexts, byte for byte as published."""
    folder = files("wallet.credentials.jsonld") / "contexts"
    return ContextSet({url: (folder / name).read_bytes() for url, name in FILES.items()})


@cache
def pinned_json_ld() -> JsonLd:
    """Return the canonicalizer over `pinned_contexts()` that everyone shares."""
    return JsonLd(pinned_contexts())
