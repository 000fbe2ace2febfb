"""JSON-LD contexts that conformance suites use, for development stacks alone.

The examples context defines every word there is, so nothing undefined is noticed under it; no
production composition has it. Where the files are from is in SOURCES.toml.
"""

from functools import cache
from importlib.resources import files
from typing import Final

from wallet.credentials.jsonld.inline import InlineJsonLd
from wallet.credentials.jsonld.pinned import pinned_contexts

FILES: Final = {
    "https://www.w3.org/ns/credentials/examples/v2": "credentials-examples-v2.jsonld",
    "https://w3id.org/citizenship/v4rc1": "citizenship-v4rc1.jsonld",
    "https://w3id.org/vdl/v1": "vdl-v1.jsonld",
}


@cache
def development_json_ld() -> InlineJsonLd:
    """Return the canonicalizer over the pinned contexts and those of the conformance suites.

    It takes contexts given inline too, as published examples have them.
    """
    folder = files("seoul_wallet.contexts")
    more = {url: (folder / name).read_bytes() for url, name in FILES.items()}
    return InlineJsonLd(pinned_contexts().extended(more))
