"""W3C credentials for tests: contexts beyond the pinned ones, keys, a card, and PyLD as a peer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pyld import jsonld

from wallet.credentials.data_integrity.issue import ProofOptions
from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.context_set import ContextSet
from wallet.credentials.jsonld.pinned import CREDENTIALS_V2, pinned_contexts
from wallet.credentials.jsonld.processor import JsonLd
from wallet.credentials.jsonld.rdfc import CanonicalDataset
from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.bbs.signatures import derive_secret_key
from wallet.crypto.bbs.types import BbsSecretKey
from wallet.crypto.hashing import HashFunction, sha256
from wallet.crypto.keys import (
    Ed25519SigningKey,
    Es256SigningKey,
    PublicKey,
    SigningKey,
)
from wallet.crypto.signing_keys import Es384SigningKey
from wallet.did.did_key import did_key_from_public_key
from wallet.did.document import DidDocument
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did
from wallet.encoding.json import JsonObject, parse_json_object, to_json

NOW = 1_800_000_000
CARD_CONTEXT = "https://seoul.example/contexts/family-card/v1"
EXAMPLES_V2 = "https://www.w3.org/ns/credentials/examples/v2"
CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"
CHALLENGE = "c-0S6_WzA2Mj0123456789"
DOMAIN = "https://verifier.example"
_FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "contexts"
_TERM = "https://seoul.example/terms#"

_CARD_DEFINITIONS: JsonObject = {
    "@protected": True,
    "id": "@id",
    "type": "@type",
    "FamilyCardCredential": {
        "@id": f"{_TERM}FamilyCardCredential",
        "@context": {"@protected": True, "cardNumber": f"{_TERM}cardNumber"},
    },
    "CardHolder": {
        "@id": f"{_TERM}CardHolder",
        "@context": {
            "@protected": True,
            "givenName": f"{_TERM}givenName",
            "childCount": f"{_TERM}childCount",
            "seoulResident": f"{_TERM}seoulResident",
            "validInMonth": {
                "@id": f"{_TERM}validInMonth",
                "@type": "http://www.w3.org/2001/XMLSchema#gYearMonth",
            },
            "children": {
                "@id": f"{_TERM}children",
                "@context": {"@protected": True, "birthMonth": f"{_TERM}birthMonth"},
            },
            "order": {"@id": f"{_TERM}order", "@container": "@list"},
            "extra": {"@id": f"{_TERM}extra", "@type": "@json"},
        },
    },
}


@cache
def contexts() -> ContextSet:
    """Return the pinned contexts, those of published vectors, and one of a card."""
    return pinned_contexts().extended(
        {
            EXAMPLES_V2: (_FOLDER / "credentials-examples-v2.jsonld").read_bytes(),
            CITIZENSHIP: (_FOLDER / "citizenship-v4rc1.jsonld").read_bytes(),
            CARD_CONTEXT: to_json({"@context": _CARD_DEFINITIONS}),
        }
    )


@cache
def json_ld() -> JsonLd:
    """Return the canonicalizer of the tests."""
    return JsonLd(contexts())


class PyldCanonicalizer:
    """The same job by PyLD: slow, lossy on undefined terms, written by other people."""

    def __init__(self, known: ContextSet) -> None:
        self.contexts = known
        self._parsed = {url: parse_json_object(data) for url, data in known.documents.items()}

    def _load(self, url: str, options: JsonObject) -> JsonObject:
        return {"contextUrl": None, "documentUrl": url, "document": self._parsed[url]}

    def _options(self) -> JsonObject:
        loader: Callable[[str, JsonObject], JsonObject] = self._load
        return {"documentLoader": loader, "format": "application/n-quads"}

    def check_contexts(self, value: object) -> None:
        self.contexts.urls(value)

    def to_nquads(self, document: JsonObject) -> str:
        nquads: str = jsonld.to_rdf(document, self._options())
        return nquads

    def canonicalize(
        self, document: JsonObject, hash_function: HashFunction = sha256
    ) -> CanonicalDataset:
        assert hash_function is sha256, "PyLD knows SHA-256 only"
        text = jsonld.normalize(document, {**self._options(), "algorithm": "URDNA2015"})
        return CanonicalDataset(tuple(line + "\n" for line in text.split("\n") if line), {})


class Controller:
    """A did:key of some kind, its document and its verification method."""

    def __init__(self, public_key: PublicKey) -> None:
        self.public_key = public_key
        self.did = did_key_from_public_key(public_key)
        self.document: DidDocument = resolve_self_contained(parse_did(self.did))
        self.method = f"{self.did}#{self.did.removeprefix('did:key:')}"

    def options(self, **changes: Any) -> ProofOptions:
        """Return the options of a proof made a minute ago."""
        return ProofOptions(**{"verification_method": self.method, "created": NOW - 60, **changes})


class Signer(Controller):
    """One that signs bytes."""

    def __init__(self, key: SigningKey) -> None:
        super().__init__(key.public_key)
        self.key = key


class BbsSigner(Controller):
    """One that signs lists of messages."""

    def __init__(self, key: BbsSecretKey) -> None:
        super().__init__(BbsVerificationKey(key.public_key))
        self.key = key


def ed25519(seed: int = 1) -> Signer:
    """Return a signer that is the same in every run."""
    return Signer(Ed25519SigningKey.from_secret(bytes([seed]) * 32))


def p256(seed: int = 1) -> Signer:
    """Return a signer that is the same in every run."""
    return Signer(Es256SigningKey.from_secret(bytes([seed]) * 32))


def p384(seed: int = 1) -> Signer:
    """Return a signer that is the same in every run."""
    return Signer(Es384SigningKey.from_secret(bytes([seed]) * 48))


def bls(seed: int = 1) -> BbsSigner:
    """Return a signer that is the same in every run."""
    return BbsSigner(derive_secret_key(bytes([seed]) * 32))


def documents(*signers: Controller) -> dict[str, DidDocument]:
    """Return the DID documents of `signers`, by DID."""
    return {signer.did: signer.document for signer in signers}


def card(issuer: str, holder: str | None = None) -> JsonObject:
    """Return an unsigned credential of a synthetic family."""
    subject: JsonObject = {
        "type": "CardHolder",
        "givenName": "합성",
        "childCount": 2,
        "seoulResident": True,
        "validInMonth": "2034-02",
        "children": [{"birthMonth": "2015-03"}, {"birthMonth": "2018-11"}],
    }
    return {
        "@context": [CREDENTIALS_V2, CARD_CONTEXT],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "FamilyCardCredential"],
        "issuer": issuer,
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2034-02-28T15:00:00Z",
        "cardNumber": "SYNTHETIC-0001",
        "credentialSubject": subject if holder is None else {"id": holder, **subject},
    }


def presentation(holder: str, *credentials: JsonObject) -> JsonObject:
    """Return an unsigned presentation."""
    return {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": list(credentials),
    }


def same_dataset(one: str, other: str) -> bool:
    """Return whether two N-Quads texts are the same dataset up to blank node labels."""
    return rdfc.canonicalize(one).statements == rdfc.canonicalize(other).statements
