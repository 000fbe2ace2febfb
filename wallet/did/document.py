"""DID documents, reduced to what verification needs (DID Core §5, Controlled Identifiers §2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.keys import PublicKey, UnsupportedKey, parse_jwk
from wallet.did.did_key import multikey_from_public_key, public_key_from_multikey
from wallet.did.syntax import Did, DidMalformed, parse_did
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError

MAX_VERIFICATION_METHODS: Final = 100
RELATIONSHIPS: Final = ("assertionMethod", "authentication")


class KeyNotAuthorized(RejectedError):
    """The verification method is unknown, or not in the relation that this use needs."""

    code = "key_not_authorized"


@dataclass(frozen=True, slots=True)
class VerificationMethod:
    """A key of a DID: its absolute DID URL and the key itself."""

    id: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class DidDocument:
    """The verification methods of a DID, by relation.

    `relationships` maps a relation (`assertionMethod`, `authentication`) to method ids.
    """

    did: Did
    methods: Mapping[str, VerificationMethod]
    relationships: Mapping[str, frozenset[str]]

    def key_for(self, method_id: str | None, relationship: str) -> PublicKey:
        """Return the key of `method_id` if it may be used for `relationship`.

        `method_id` may be absolute, a bare fragment with `#`, or None when the relation has
        exactly one key. Raises `KeyNotAuthorized`.
        """
        allowed = self.relationships.get(relationship, frozenset())
        if method_id is None:
            if len(allowed) != 1:
                raise KeyNotAuthorized(f"{relationship} names {len(allowed)} keys; say which")
            (method_id,) = allowed
        if method_id.startswith("#"):
            method_id = f"{self.did}{method_id}"
        method = self.methods.get(method_id)
        if method is None or method_id not in allowed:
            raise KeyNotAuthorized(f"the key is not in {relationship} of its DID document")
        return method.key


def _absolute(did: Did, reference: object) -> str:
    if type(reference) is not str or not reference:
        raise DidMalformed("a verification method id is a string")
    return f"{did}{reference}" if reference.startswith("#") else reference


def _parse_method(did: Did, value: object) -> VerificationMethod | None:
    if not isinstance(value, dict):
        raise DidMalformed("a verification method is an object")
    method_id = _absolute(did, value.get("id"))
    if not method_id.startswith(f"{did}#"):
        raise DidMalformed("a verification method belongs to its document's DID")
    if value.get("controller") != str(did):
        # Keys that another DID controls are its own to prove with, not this document's.
        return None
    try:
        if "publicKeyJwk" in value:
            return VerificationMethod(method_id, parse_jwk(value["publicKeyJwk"]))
        if "publicKeyMultibase" in value:
            key = public_key_from_multikey(value["publicKeyMultibase"])
            return VerificationMethod(method_id, key)
    except UnsupportedKey:
        return None
    return None


def parse_did_document(document: Mapping[str, Any], expected: Did) -> DidDocument:
    """Return the document of `expected`.

    Keys of unknown types and of other controllers are left out. Raises `DidMalformed`, also when
    the document's `id` is another DID, and `KeyMalformed`.
    """
    if document.get("id") != str(expected):
        raise DidMalformed("the document's id is not the DID that was resolved")
    methods: dict[str, VerificationMethod] = {}

    def add(value: object) -> str | None:
        method = _parse_method(expected, value)
        if method is None:
            return None
        if method.id in methods or len(methods) >= MAX_VERIFICATION_METHODS:
            raise DidMalformed("a verification method occurs twice, or there are too many")
        methods[method.id] = method
        return method.id

    for value in _list(document, "verificationMethod"):
        add(value)
    relationships = {}
    for relationship in RELATIONSHIPS:
        ids = set()
        for value in _list(document, relationship):
            method_id = add(value) if isinstance(value, dict) else _absolute(expected, value)
            if method_id is not None:
                ids.add(method_id)
        relationships[relationship] = frozenset(ids)
    return DidDocument(expected, methods, relationships)


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name, [])
    if not isinstance(value, list) or len(value) > MAX_VERIFICATION_METHODS:
        raise DidMalformed(f"{name} is a list of limited length")
    return value


def single_key_document(did: Did, method_id: str, key: PublicKey) -> DidDocument:
    """Return the document of a DID that is one key, good for every relation."""
    return DidDocument(
        did,
        {method_id: VerificationMethod(method_id, key)},
        {relationship: frozenset((method_id,)) for relationship in RELATIONSHIPS},
    )


def build_did_document(did: str, keys: Mapping[str, PublicKey]) -> JsonObject:
    """Return the JSON document of `did` with `keys` by fragment, each for assertions and login.

    A BBS key is a Multikey, for assertions alone.
    """
    parse_did(did)
    ids = {f"{did}#{fragment}": key for fragment, key in keys.items()}
    contexts = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"]
    signing = [name for name, key in ids.items() if not isinstance(key, BbsVerificationKey)]
    if len(signing) != len(ids):
        contexts.append("https://w3id.org/security/multikey/v1")
    return {
        "@context": contexts,
        "id": did,
        "verificationMethod": [
            {"id": name, "controller": did, **_method_key(key)} for name, key in ids.items()
        ],
        "assertionMethod": list(ids),
        "authentication": signing,
    }


def _method_key(key: PublicKey) -> JsonObject:
    if isinstance(key, BbsVerificationKey):
        return {"type": "Multikey", "publicKeyMultibase": multikey_from_public_key(key)}
    return {"type": "JsonWebKey", "publicKeyJwk": key.jwk}
