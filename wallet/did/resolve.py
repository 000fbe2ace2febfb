"""Resolution of the DIDs that carry their own keys: no I/O."""

from wallet.did.did_jwk import public_key_from_did_jwk
from wallet.did.did_key import public_key_from_multikey
from wallet.did.document import RELATIONSHIPS, DidDocument, single_key_document
from wallet.did.syntax import Did, UnsupportedDidMethod
from wallet.encoding.json import JsonObject

SELF_CONTAINED_METHODS = frozenset(("key", "jwk"))


def resolve_self_contained(did: Did) -> DidDocument:
    """Return the document of a did:key or did:jwk.

    Raises `UnsupportedDidMethod` for any other method, and what a malformed key raises.
    """
    if did.method == "key":
        key = public_key_from_multikey(did.identifier)
        return single_key_document(did, f"{did}#{did.identifier}", key)
    if did.method == "jwk":
        key = public_key_from_did_jwk(did.identifier)
        return single_key_document(did, f"{did}#0", key)
    raise UnsupportedDidMethod(f"did:{did.method} does not carry its own key")


def self_contained_document(did: Did) -> JsonObject:
    """Return the JSON document of a did:key or did:jwk. Raises as `resolve_self_contained`."""
    (method,) = resolve_self_contained(did).methods.values()
    key: JsonObject = {"type": "JsonWebKey", "publicKeyJwk": method.key.jwk}
    if did.method == "key":
        key = {"type": "Multikey", "publicKeyMultibase": did.identifier}
    kind = "multikey" if did.method == "key" else "jwk"
    return {
        "@context": ["https://www.w3.org/ns/did/v1", f"https://w3id.org/security/{kind}/v1"],
        "id": str(did),
        "verificationMethod": [{"id": method.id, "controller": str(did), **key}],
        **{relationship: [method.id] for relationship in RELATIONSHIPS},
    }
