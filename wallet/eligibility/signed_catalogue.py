"""The programme catalogue as a city publishes it: documents, and a signed list of their digests.

`{"catalogue": JWS, "documents": […]}`. The JWS (typ `programme-catalogue+jwt`) names publisher,
times, and for every programme its digest and where to apply. The same bytes go to everybody, so
fetching them tells nothing about who fetches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wallet.credentials.jose import claim_time, parse_compact_jws, sign_jws, verify_jws
from wallet.credentials.jwe import EncryptionKey, parse_encryption_jwk
from wallet.crypto.keys import SigningKey
from wallet.did.document import DidDocument
from wallet.eligibility.catalogue import MAX_PROGRAMMES, Catalogue, build_catalogue
from wallet.eligibility.document import Problem, ProgrammeInvalid
from wallet.eligibility.programme import Programme, parse_programme_document
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError, RejectedError

CATALOGUE_TYPE: Final = "programme-catalogue+jwt"
CATALOGUE_MEDIA_TYPE: Final = "application/json"
# A wallet keeps a catalogue as one record of its store.
MAX_CATALOGUE_BYTES: Final = 768 * 1024
MAX_URL_CHARACTERS: Final = 512


class CatalogueMalformed(MalformedError):
    """Not a published catalogue."""

    code = "catalogue_malformed"


class CatalogueNotTrusted(RejectedError):
    """The catalogue is another publisher's, or a document is not the one that was signed."""

    code = "catalogue_not_trusted"


class CatalogueOutdated(ConflictError):
    """The catalogue has expired, or an older one than the one known was offered."""

    code = "catalogue_outdated"


@dataclass(frozen=True, slots=True)
class RegisterKey:
    """The register of exclusion groups as wallets need it: its DID, and the key to seal for."""

    did: str
    key: EncryptionKey

    def to_json(self) -> JsonObject:
        """Return it as it travels."""
        return {"did": self.did, "jwk": self.key.jwk}


@dataclass(frozen=True, slots=True)
class PublishedCatalogue:
    """A catalogue that its publisher signed. Only `verify_published_catalogue` makes one anew.

    `apply_to` has the base URL of the agency that decides on each programme, by programme id.
    `register` counts people over programmes that exclude each other, None if nobody does.
    """

    catalogue: Catalogue
    publisher: str
    issued_at: int
    expires_at: int
    apply_to: Mapping[str, str]
    register: RegisterKey | None = None

    def to_json(self) -> JsonObject:
        """Return the catalogue for a store that vouches for its bytes; see `restore_catalogue`."""
        return {
            "publisher": self.publisher,
            "issued_at": self.issued_at,
            "expires_at": self.expires_at,
            "apply_to": dict(self.apply_to),
            "register": None if self.register is None else self.register.to_json(),
            "documents": [item.document for item in self.catalogue.programmes()],
        }


def restore_catalogue(value: JsonObject) -> PublishedCatalogue:
    """Return the catalogue of its `to_json`, which was verified before it was stored.

    Raises `ProgrammeInvalid` when it is not, `KeyError` and `TypeError` for other JSON.
    """
    programmes = [parse_programme_document(item, "stored") for item in value["documents"]]
    return PublishedCatalogue(
        build_catalogue([(item.name, item) for item in programmes]),
        value["publisher"],
        value["issued_at"],
        value["expires_at"],
        value["apply_to"],
        _register(value.get("register")),
    )


def publish_catalogue(
    catalogue: Catalogue,
    key: SigningKey,
    *,
    publisher: str,
    verification_method: str,
    apply_to: Mapping[str, str],
    issued_at: int,
    expires_at: int,
    register: RegisterKey | None = None,
) -> bytes:
    """Return the bytes to publish; times are unix seconds. `apply_to` has every programme's id."""
    programmes = catalogue.programmes()
    listed = [
        {
            "id": item.id,
            "version": item.version,
            "digest": base64url.encode(item.digest),
            "apply_to": apply_to[item.id],
        }
        for item in programmes
    ]
    claims: JsonObject = {
        "iss": publisher,
        "iat": issued_at,
        "exp": expires_at,
        "programmes": listed,
    }
    if register is not None:
        claims["exclusion_register"] = register.to_json()
    header = {"typ": CATALOGUE_TYPE, "kid": verification_method}
    return to_json(
        {
            "catalogue": sign_jws(key, header, claims),
            "documents": [item.document for item in programmes],
        }
    )


def verify_published_catalogue(
    data: bytes, *, publisher: str, document: DidDocument, now: int, not_before: int = 0
) -> PublishedCatalogue:
    """Return the catalogue if `publisher` signed it and every document is the one it signed for.

    `document` is the publisher's DID document; `not_before` the time of the newest catalogue
    seen, so that an old one is not offered again. Raises `CatalogueMalformed`, `JsonMalformed`,
    `JwsMalformed`, `SignatureInvalid`, `KeyNotAuthorized`, `CatalogueNotTrusted`,
    `CatalogueOutdated`, `ProgrammeInvalid`, `KeyMalformed`, `UnsupportedKey`.
    """
    value = parse_json_object(data, max_bytes=MAX_CATALOGUE_BYTES)
    token, documents = value.get("catalogue"), value.get("documents")
    if type(token) is not str or type(documents) is not list:
        raise CatalogueMalformed("expected a signed list and its documents")
    jws = parse_compact_jws(token, typ=CATALOGUE_TYPE)
    if str(document.did) != publisher:
        raise CatalogueNotTrusted("the keys are of another publisher")
    verify_jws(jws, document.key_for(jws.kid, "assertionMethod"))
    claims = jws.peek_claims()
    if claims.get("iss") != publisher:
        raise CatalogueNotTrusted("the catalogue names another publisher")
    issued_at = claim_time(claims, "iat", required=True) or 0
    expires_at = claim_time(claims, "exp", required=True) or 0
    if now >= expires_at or issued_at < not_before:
        raise CatalogueOutdated("a newer catalogue is needed")
    listed = _listed(claims.get("programmes"))
    if len(listed) != len(documents):
        raise CatalogueNotTrusted("the documents are not those of the list")
    programmes = [_programme(item, entry) for item, entry in zip(documents, listed, strict=True)]
    return PublishedCatalogue(
        build_catalogue([(item.name, item) for item in programmes]),
        publisher,
        issued_at,
        expires_at,
        _addresses(listed),
        _register(claims.get("exclusion_register")),
    )


def _register(value: object) -> RegisterKey | None:
    if value is None:
        return None
    did = value.get("did") if type(value) is dict else None
    if type(value) is not dict or type(did) is not str or len(did) > MAX_URL_CHARACTERS:
        raise CatalogueMalformed("exclusion_register names a did and a jwk")
    return RegisterKey(did, parse_encryption_jwk(value.get("jwk")))


def _listed(value: object) -> list[JsonObject]:
    if type(value) is not list or len(value) > MAX_PROGRAMMES:
        raise CatalogueMalformed(f"the list has at most {MAX_PROGRAMMES} programmes")
    for entry in value:
        if type(entry) is not dict or any(
            type(entry.get(name)) is not str or len(entry[name]) > MAX_URL_CHARACTERS
            for name in ("id", "version", "digest", "apply_to")
        ):
            raise CatalogueMalformed("an entry names id, version, digest and apply_to")
    return value


def _programme(document: object, entry: JsonObject) -> Programme:
    programme = parse_programme_document(document, f"{entry['id']}@{entry['version']}")
    if (programme.id, programme.version) != (entry["id"], entry["version"]) or (
        base64url.encode(programme.digest) != entry["digest"]
    ):
        raise CatalogueNotTrusted("a document is not the one that was signed for")
    return programme


def _addresses(listed: list[JsonObject]) -> dict[str, str]:
    addresses: dict[str, str] = {}
    for entry in listed:
        if addresses.setdefault(entry["id"], entry["apply_to"]) != entry["apply_to"]:
            problem = Problem(entry["id"], 0, "two versions are applied for at different places")
            raise ProgrammeInvalid([problem])
    return addresses
