"""What a cryptosuite is, and how whole documents are transformed, hashed and signed (§4.2 f.)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from wallet.credentials.data_integrity.proof import Proof, ProofMalformed
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.crypto.hashing import HashFunction
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.encoding import jcs
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError

# The bytes of a signature by JOSE algorithm: a proof value of any other length is not tried.
SIGNATURE_BYTES: Final = {"EdDSA": 64, "ES256": 64, "ES384": 96}


class KeyNotForCryptosuite(RejectedError):
    """The verification method's key is of another kind than the cryptosuite signs with."""

    code = "key_not_for_cryptosuite"


class ContextsDiffer(RejectedError):
    """The proof was made for other contexts than the document has."""

    code = "contexts_differ"


class Cryptosuite(Protocol):
    """A named way to verify a proof on a document."""

    @property
    def name(self) -> str:
        """The value of `cryptosuite`."""

    def verify(
        self, document: JsonObject, proof: Proof, key: PublicKey, json_ld: Canonicalizer
    ) -> bytes:
        """Return the bytes that the issuer signed if the proof on `document` is good.

        `document` holds only the previous proofs that this one covers. Raises `SignatureInvalid`,
        `KeyNotForCryptosuite`, `ProofMalformed` and what canonicalization raises.
        """

    def peek_signed(self, document: JsonObject, proof: Proof, json_ld: Canonicalizer) -> bytes:
        """Return the bytes that the proof says were signed; no signature is verified.

        Raises `ProofMalformed` and what canonicalization raises.
        """


Canonicalize = Callable[[JsonObject, Canonicalizer, HashFunction], bytes]
# (document, proof options) as they came -> as they are transformed.
BindContexts = Callable[[JsonObject, JsonObject, Canonicalizer], tuple[JsonObject, JsonObject]]


@dataclass(frozen=True, slots=True)
class WholeDocumentSuite:
    """A cryptosuite that signs the whole document: named choices over one machinery.

    `hashes` has the hash function by the JOSE algorithm of the key; other keys are refused.
    `carries_context` says that a new proof repeats the document's contexts.
    """

    name: str
    hashes: Mapping[str, HashFunction]
    canonicalize: Canonicalize
    bind_contexts: BindContexts
    encode: Callable[[bytes], str]
    decode: Callable[[str], bytes]
    carries_context: bool

    def hash_data(
        self, document: JsonObject, options: JsonObject, algorithm: str, json_ld: Canonicalizer
    ) -> bytes:
        """Return hash(proof configuration) || hash(document): what is signed."""
        hash_function = hash_for(self.name, self.hashes, algorithm)
        bound, configuration = self.bind_contexts(document, options, json_ld)
        return hash_function(
            self.canonicalize(configuration, json_ld, hash_function)
        ) + hash_function(self.canonicalize(bound, json_ld, hash_function))

    def sign(
        self, document: JsonObject, options: JsonObject, key: SigningKey, json_ld: Canonicalizer
    ) -> tuple[str, bytes]:
        """Return the proof value over `document` and `options`, and the bytes signed."""
        data = self.hash_data(document, options, key.algorithm, json_ld)
        return self.encode(key.sign(data)), data

    def verify(
        self, document: JsonObject, proof: Proof, key: PublicKey, json_ld: Canonicalizer
    ) -> bytes:
        """See `Cryptosuite.verify`."""
        hash_for(self.name, self.hashes, key.algorithm)
        signature = self.decode(proof.proof_value)
        if len(signature) != SIGNATURE_BYTES[key.algorithm]:
            raise ProofMalformed("the proof value is not as long as a signature of the key")
        data = self.hash_data(document, proof.options, key.algorithm, json_ld)
        key.verify(signature, data)
        return data

    def peek_signed(self, document: JsonObject, proof: Proof, json_ld: Canonicalizer) -> bytes:
        """See `Cryptosuite.peek_signed`. The length of the signature tells the algorithm."""
        length = len(self.decode(proof.proof_value))
        fitting = (name for name in self.hashes if SIGNATURE_BYTES[name] == length)
        algorithm = next(fitting, None)
        if algorithm is None:
            raise ProofMalformed("the proof value is not as long as a signature of the suite")
        return self.hash_data(document, proof.options, algorithm, json_ld)


def hash_for(suite: str, hashes: Mapping[str, HashFunction], algorithm: str) -> HashFunction:
    """Return the hash function that goes with a key. Raises `KeyNotForCryptosuite`."""
    if algorithm not in hashes:
        raise KeyNotForCryptosuite(f"{suite} does not sign with {algorithm}")
    return hashes[algorithm]


def rdfc(document: JsonObject, json_ld: Canonicalizer, hash_function: HashFunction) -> bytes:
    """Canonicalize as RDF (RDFC-1.0), with the hash of the suite inside too."""
    return json_ld.canonicalize(document, hash_function).to_bytes()


def jcs_text(document: JsonObject, json_ld: Canonicalizer, hash_function: HashFunction) -> bytes:
    """Canonicalize as JSON (RFC 8785); nothing is hashed on the way."""
    return jcs.canonicalize(document)


def contexts_of_the_document(
    document: JsonObject, options: JsonObject, json_ld: Canonicalizer
) -> tuple[JsonObject, JsonObject]:
    """The proof configuration is read under the document's contexts (rdfc suites)."""
    if "@context" in options:
        raise ProofMalformed("a proof of this suite has no contexts of its own")
    return document, with_context(options, document)


def with_context(options: JsonObject, document: Mapping[str, Any]) -> JsonObject:
    """Return proof options under the contexts of `document`, if it has any."""
    if "@context" not in document:
        return options
    return {"@context": document["@context"], **options}


def contexts_of_the_proof(
    document: JsonObject, options: JsonObject, json_ld: Canonicalizer
) -> tuple[JsonObject, JsonObject]:
    """The document is read under the proof's contexts, with which its own begin (jcs suites).

    JSON canonicalization looks at no definition, so at least the contexts must be known ones.
    Raises `ContextsDiffer`, `UnsupportedContext`.
    """
    if "@context" in document:
        json_ld.check_contexts(document["@context"])
    if "@context" not in options:
        return document, options
    wanted, found = _as_list(options["@context"]), _as_list(document.get("@context"))
    if found[: len(wanted)] != wanted:
        raise ContextsDiffer("the document's contexts do not begin with the proof's")
    return {**document, "@context": options["@context"]}, options


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
