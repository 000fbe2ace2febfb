"""JSON-LD contexts that conformance suites use, for development stacks alone.

The examples context defines every word there is, so nothing undefined is noticed under it; no
production composition has it. Where the files are from is in SOURCES.toml.
"""

from functools import cache
from importlib.resources import files
from typing import Final

from wallet.credentials.jsonld.pinned import pinned_contexts
from wallet.credentials.jsonld.processor import JsonLd

FILES: Final = {
    "https://www.w3.org/ns/credentials/examples/v2": "credentials-examples-v2.jsonld",
    "https://w3id.org/citizenship/v4rc1": "citizenship-v4rc1.jsonld",
}


@cache
def development_json_ld() -> JsonLd:
    """Return the canonicalizer over the pinned contexts and those of the conformance suites."""
    folder = files("seoul_wallet.contexts")
    more = {url: (folder / name).read_bytes() for url, name in FILES.items()}
    return JsonLd(pinned_contexts().extended(more))
