"""Credential configurations: what an issuer can issue, in which format (§12.2.4, App. A)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.formats import (
    BBS_NYM_FORMAT,
    JWT_VC_FORMAT,
    LDP_VC_FORMAT,
    SD_JWT_VC_FORMAT,
)
from wallet.credentials.sd_jwt import ClaimPattern
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.key_attestation import (
    KeyAttestationsRequired,
    parse_key_attestations_required,
)
from wallet.protocols.oid4vci.url import (
    Oid4vciMessageMalformed,
    list_of,
    object_of,
    text_member,
    texts_of,
)

FORMATS: Final = frozenset((SD_JWT_VC_FORMAT, JWT_VC_FORMAT, LDP_VC_FORMAT, BBS_NYM_FORMAT))
JWT_PROOF: Final = "jwt"
BBS_NYM_PROOF: Final = "bbs_nym"
MAX_CLAIMS: Final = 200
MAX_LOCALES: Final = 50
MAX_LABEL_CHARACTERS: Final = 300
MAX_TYPES: Final = 16
MAX_URI_CHARACTERS: Final = 2048
# A member of this project: a type whose name is a URN has no address of its own.
TYPE_METADATA_MEMBER: Final = "seoul_wallet_type_metadata"


@dataclass(frozen=True, slots=True)
class Label:
    """A name for people in one language. `description` is for credentials, not for claims."""

    name: str
    locale: str
    description: str | None = None

    def to_json(self) -> JsonObject:
        """Return the item of a `display` array."""
        label: JsonObject = {"name": self.name, "locale": self.locale}
        if self.description is not None:
            label["description"] = self.description
        return label


@dataclass(frozen=True, slots=True)
class ClaimDescription:
    """How to show one claim: its path, names by language, and whether it is always there."""

    path: ClaimPattern
    display: tuple[Label, ...] = ()
    mandatory: bool = False

    def to_json(self) -> JsonObject:
        """Return the item of `claims` (App. B.2)."""
        return {
            "path": list(self.path),
            "mandatory": self.mandatory,
            "display": [label.to_json() for label in self.display],
        }


@dataclass(frozen=True, slots=True)
class TypeMetadataLink:
    """Where the Type Metadata of a credential is (SD-JWT VC §6), and its digest."""

    uri: str
    integrity: str

    def to_json(self) -> JsonObject:
        """Return the value of the member."""
        return {"uri": self.uri, "uri#integrity": self.integrity}


@dataclass(frozen=True, slots=True)
class CredentialConfiguration:
    """One credential type in one format.

    `vct` is the type of an SD-JWT VC and of a BBS credential; `types` and, for Data Integrity,
    `contexts` are those of W3C credentials. The key that a credential is bound to is shown by a
    key proof of type `proof_type`. `type_metadata` is None when its issuer publishes none, and
    `key_attestations` when it asks for no attestation of the key.
    """

    id: str
    vct: str
    display: tuple[Label, ...]
    claims: tuple[ClaimDescription, ...] = ()
    scope: str | None = None
    binding_methods: tuple[str, ...] = ("jwk",)
    signing_algorithms: tuple[str, ...] = ("ES256",)
    proof_algorithms: tuple[str, ...] = ("ES256",)
    format: str = SD_JWT_VC_FORMAT
    types: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    proof_type: str = JWT_PROOF
    type_metadata: TypeMetadataLink | None = None
    key_attestations: KeyAttestationsRequired | None = None

    @property
    def type_name(self) -> str:
        """The type for people to read, where it has no name in their language."""
        return self.vct or (self.types[-1] if self.types else "")

    def to_json(self) -> JsonObject:
        """Return the value in `credential_configurations_supported`."""
        configuration: JsonObject = {"format": self.format, **self._type()}
        if self.scope is not None:
            configuration["scope"] = self.scope
        if self.type_metadata is not None:
            configuration[TYPE_METADATA_MEMBER] = self.type_metadata.to_json()
        return configuration | {
            "cryptographic_binding_methods_supported": list(self.binding_methods),
            "credential_signing_alg_values_supported": list(self.signing_algorithms),
            "proof_types_supported": {self.proof_type: self._proof()},
            # Always there: clients tell version 1.0 from the drafts by it.
            "credential_metadata": {
                "display": [label.to_json() for label in self.display],
                "claims": [claim.to_json() for claim in self.claims],
            },
        }

    def _proof(self) -> JsonObject:
        proof: JsonObject = {"proof_signing_alg_values_supported": list(self.proof_algorithms)}
        if self.key_attestations is not None:
            proof["key_attestations_required"] = self.key_attestations.to_json()
        return proof

    def _type(self) -> JsonObject:
        if self.format in (SD_JWT_VC_FORMAT, BBS_NYM_FORMAT):
            return {"vct": self.vct}
        definition: JsonObject = {"type": list(self.types)}
        if self.format == LDP_VC_FORMAT:
            definition = {"@context": list(self.contexts), **definition}
        return {"credential_definition": definition}


def parse_configuration(name: str, value: object) -> CredentialConfiguration | None:
    """Return one configuration, or None for a format that is not implemented.

    Raises `Oid4vciMessageMalformed`.
    """
    item = object_of(value, "a credential configuration")
    kind = text_member(item, "format", max_characters=100)
    if kind not in FORMATS:
        return None
    metadata = object_of(item.get("credential_metadata", {}), "credential_metadata")
    claims = list_of(metadata.get("claims", []), "claims", max_items=MAX_CLAIMS)
    vct, types, contexts = _parse_type(kind, item)
    proof_type, algorithms, attestations = _parse_proof_type(item)
    return CredentialConfiguration(
        name,
        vct,
        parse_labels(metadata.get("display", [])),
        tuple(_parse_claim(claim) for claim in claims),
        text_member(item, "scope", max_characters=300) if "scope" in item else None,
        _names(item, "cryptographic_binding_methods_supported"),
        _algorithms(item),
        algorithms,
        kind,
        types,
        contexts,
        proof_type,
        _parse_type_metadata(item.get(TYPE_METADATA_MEMBER)),
        attestations,
    )


def _parse_type_metadata(value: object) -> TypeMetadataLink | None:
    if value is None:
        return None
    link = object_of(value, TYPE_METADATA_MEMBER)
    return TypeMetadataLink(
        *(
            text_member(link, name, max_characters=MAX_URI_CHARACTERS)
            for name in ("uri", "uri#integrity")
        )
    )


def _parse_type(
    kind: str, item: Mapping[str, Any]
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    if kind in (SD_JWT_VC_FORMAT, BBS_NYM_FORMAT):
        return text_member(item, "vct", max_characters=2048), (), ()
    definition = object_of(item.get("credential_definition"), "credential_definition")
    types = _type_names(definition, "type")
    if not types:
        raise Oid4vciMessageMalformed("a W3C credential has a type")
    contexts: tuple[str, ...] = ()
    if kind == LDP_VC_FORMAT:
        contexts = _type_names(definition, "@context")
    return "", types, contexts


def _type_names(definition: Mapping[str, Any], member: str) -> tuple[str, ...]:
    return texts_of(definition.get(member), member, max_items=MAX_TYPES, max_characters=2048)


def _parse_proof_type(
    item: Mapping[str, Any],
) -> tuple[str, tuple[str, ...], KeyAttestationsRequired | None]:
    proofs = object_of(item.get("proof_types_supported", {}), "proof_types_supported")
    chosen = next((name for name in (JWT_PROOF, BBS_NYM_PROOF) if name in proofs), None)
    if chosen is None:
        return JWT_PROOF, (), None
    proof = object_of(proofs[chosen], f"proof_types_supported.{chosen}")
    attestations = parse_key_attestations_required(proof.get("key_attestations_required"))
    return chosen, _names(proof, "proof_signing_alg_values_supported"), attestations


def _algorithms(item: Mapping[str, Any]) -> tuple[str, ...]:
    # Formats of COSE list numbers here; names are all that we compare.
    member = "credential_signing_alg_values_supported"
    listed = list_of(item.get(member, []), member, max_items=50)
    return tuple(entry for entry in listed if type(entry) is str and len(entry) <= 100)


def _names(value: Mapping[str, Any], member: str) -> tuple[str, ...]:
    return texts_of(value.get(member, []), member, max_items=50, max_characters=100)


def parse_labels(value: object) -> tuple[Label, ...]:
    """Return the items of a `display` array that have a name. Raises `Oid4vciMessageMalformed`."""
    labels = []
    for entry in list_of(value, "display", max_items=MAX_LOCALES):
        item = object_of(entry, "an item of display")
        if "name" not in item:
            continue
        description = item.get("description")
        if description is not None and type(description) is not str:
            raise Oid4vciMessageMalformed("description is a string")
        labels.append(
            Label(
                text_member(item, "name", max_characters=MAX_LABEL_CHARACTERS),
                text_member(item, "locale", max_characters=64) if "locale" in item else "",
                None if description is None else description[:MAX_LABEL_CHARACTERS],
            )
        )
    return tuple(labels)


def _parse_claim(value: object) -> ClaimDescription:
    claim = object_of(value, "an item of claims")
    path = list_of(claim.get("path"), "path", max_items=32)
    for part in path:
        if not (part is None or type(part) is str or (type(part) is int and part >= 0)):
            raise Oid4vciMessageMalformed("a path holds strings, indexes and null")
    mandatory = claim.get("mandatory", False)
    if not path or type(mandatory) is not bool:
        raise Oid4vciMessageMalformed("a claim has a path, and mandatory is a boolean")
    return ClaimDescription(tuple(path), parse_labels(claim.get("display", [])), mandatory)
