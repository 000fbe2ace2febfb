"""The JSON-LD context of this project's credential types, beside the normative ones.

Its URL is a URN: nobody fetches it, everybody who reads these credentials has it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from wallet.credentials.jsonld.context_set import ContextSet
from wallet.credentials.jsonld.pinned import pinned_contexts
from wallet.credentials.jsonld.processor import JsonLd
from wallet.encoding.json import JsonObject, to_json

SEOUL_CONTEXT: Final = "urn:seoul-wallet:context:1"
VOCABULARY: Final = "urn:seoul-wallet:vocabulary:1#"
# The W3C types, and the names under which their issuers are accredited in every format.
REGISTERED_TYPES: Final = {
    "MultiChildFamilyCard": "urn:seoul-wallet:multi-child-family-card:1",
    "AppointmentLetter": "urn:seoul-wallet:appointment-letter:1",
}
# In a presentation by Data Integrity: the anchor receipt as JSON text.
RECEIPT_TERM: Final = "anchor_receipt"
# `name` is not here: the context of the data model defines it, and protects it.
CLAIMS: Final = (
    "seoul_resident",
    "child_count",
    "youngest_birth_month",
    "valid_until",
    "holder_role",
    "post",
    "organisation",
    "term_from",
    "serial",
    "seal_text",
    "signer_title",
)


def seoul_context() -> JsonObject:
    """Return the context document."""
    names = (*REGISTERED_TYPES, *CLAIMS, RECEIPT_TERM)
    terms = {name: VOCABULARY + name for name in names}
    return {"@context": {"@protected": True, **terms}}


@cache
def seoul_contexts() -> ContextSet:
    """Return the pinned contexts with this one."""
    return pinned_contexts().extended({SEOUL_CONTEXT: to_json(seoul_context())})


@cache
def seoul_json_ld() -> JsonLd:
    """Return the canonicalizer over `seoul_contexts()` that everyone shares."""
    return JsonLd(seoul_contexts())
