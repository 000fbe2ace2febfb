"""The document of a did:ethr from its changes, as the npm package ethr-did-resolver makes it.

Same members, same order, same names of types, so that a verifier with that resolver and this one
see one document. What it does beyond the method specification is done here too and said there.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from wallet.crypto.ethereum import checksum_address
from wallet.crypto.keys import (
    KeyMalformed,
    PublicKey,
    UnsupportedKey,
    ec_public_key,
    ed25519_public_key,
    secp256k1_public_key,
)
from wallet.did.did_ethr import ChangeKind, DidChange, EthrHistory, EthrIdentifier
from wallet.did.document import (
    MAX_VERIFICATION_METHODS,
    RELATIONSHIPS,
    DidDocument,
    VerificationMethod,
)
from wallet.encoding.json import JsonObject
from wallet.encoding.multibase import MultibaseMalformed, decode_base58btc, encode_base58btc

CONTEXT: Final = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
    "https://w3id.org/security/v3-unstable",
)
RECOVERY_METHOD: Final = "EcdsaSecp256k1RecoveryMethod2020"
SECP256K1_KEY: Final = "EcdsaSecp256k1VerificationKey2019"
ED25519_KEY: Final = "Ed25519VerificationKey2018"
# did/pub/Secp256r1/veriKey/hex: the P-256 key of an issuer that signs with ES256
SECP256R1_KEY: Final = "Secp256r1"
_LAST_INSTANT: Final = 253_402_300_799  # the end of the year 9999
_NOBODY: Final = bytes(20)
_ATTRIBUTE: Final = re.compile(r"did/(pub|svc)/(\w+)(?:/(\w+))?(?:/(\w+))?\Z", re.ASCII)
_USES: Final = {
    "sigAuth": "SignatureAuthentication2018",
    "veriKey": "VerificationKey2018",
    "enc": "KeyAgreementKey2019",
}
_TYPES: Final = {
    "Secp256k1VerificationKey2018": SECP256K1_KEY,
    "Ed25519SignatureAuthentication2018": ED25519_KEY,
    "Secp256k1SignatureAuthentication2018": SECP256K1_KEY,
    "RSAVerificationKey2018": "RSAVerificationKey2018",
    "Ed25519VerificationKey2018": ED25519_KEY,
    "X25519KeyAgreementKey2019": "X25519KeyAgreementKey2019",
}
_EXACT_NUMBER_LIMIT: Final = 2**53
_DOUBLE_LIMIT: Final = 2**1024


@dataclass(frozen=True, slots=True)
class EthrResolution:
    """A document and its metadata: the last change that is in it, and the first that is not."""

    document: JsonObject
    deactivated: bool
    newest: DidChange | None
    next: DidChange | None

    @property
    def metadata(self) -> JsonObject:
        """The DID document metadata (DID Resolution, 4): version ids are block numbers."""
        found: JsonObject = {"deactivated": True} if self.deactivated else {}
        if self.newest is not None:
            found |= {
                "versionId": str(self.newest.block_number),
                "updated": _instant(self.newest.at),
            }
        if self.next is not None:
            found |= {
                "nextVersionId": str(self.next.block_number),
                "nextUpdate": _instant(self.next.at),
            }
        return found


def _instant(at: int) -> str:
    return datetime.fromtimestamp(min(at, _LAST_INSTANT), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ethr_document(
    identifier: EthrIdentifier,
    changes: Iterable[DidChange],
    *,
    now: int,
    block_number: int | None = None,
) -> EthrResolution:
    """Return the document of a did:ethr after `changes`, which are all of it in chain order.

    `now` (unix seconds) decides which delegates and attributes have run out: those whose
    `valid_to` lies before it. With `block_number` (a `versionId`) later changes are left out, and
    `now` should be that block's time. Never raises on what a registry may hold.
    """
    state = _State(identifier)
    newest = following = None
    for change in changes:
        if change.kind is not ChangeKind.OWNER and _name(change) is None:
            continue  # no entry of a document: somebody uses the registry otherwise
        if block_number is not None and change.block_number > block_number:
            following = following or change
            continue
        newest = change
        if not state.apply(change, now):
            return EthrResolution(state.empty(), True, newest, following)
    return EthrResolution(state.document(), False, newest, following)


class _State:
    """The document under way. Entries go by what was set, so that it can be set again or ended."""

    def __init__(self, identifier: EthrIdentifier) -> None:
        self._identifier = identifier
        self._did = str(identifier.did)
        self._controller = identifier.address
        self._keys_seen = 0
        self._services_seen = 0
        self._methods: dict[object, JsonObject] = {}
        self._authentication: dict[object, str] = {}
        self._assertion: dict[object, str] = {}
        self._agreement: dict[object, str] = {}
        self._services: dict[object, JsonObject] = {}

    def apply(self, change: DidChange, now: int) -> bool:
        """Take a change in; False when it deactivated the DID."""
        if change.kind is ChangeKind.OWNER:
            self._controller = change.value
            return change.value != _NOBODY
        name = _name(change) or ""
        entry = (change.kind, name, change.value)
        if change.valid_to and change.valid_to >= now:
            if change.kind is ChangeKind.DELEGATE:
                self._add_delegate(entry, name, change.value)
            else:
                self._add_attribute(entry, name, change.value)
        else:
            self._end(entry, change.kind, name)
        return True

    def _add_delegate(self, entry: object, kind: str, delegate: bytes) -> None:
        self._keys_seen += 1
        if kind not in ("sigAuth", "veriKey"):
            return
        method_id = f"{self._did}#delegate-{self._keys_seen}"
        if kind == "sigAuth":
            self._authentication[entry] = method_id
        self._methods[entry] = self._account(method_id, delegate)
        self._assertion[entry] = method_id

    def _add_attribute(self, entry: object, name: str, value: bytes) -> None:
        match = _ATTRIBUTE.match(name)
        if match is None:
            return
        section, algorithm, use, encoding = match.groups()
        if section == "svc":
            self._add_service(entry, algorithm, value)
            return
        self._keys_seen += 1
        method_id = f"{self._did}#delegate-{self._keys_seen}"
        kind = _TYPES.get(f"{algorithm}{_USES.get(use, use)}", algorithm)
        key = _encoded(encoding, value)
        if key is None:
            return
        self._methods[entry] = {"id": method_id, "type": kind, "controller": self._did, **key}
        if use == "enc":
            self._agreement[entry] = method_id
            return
        if use == "sigAuth":
            self._authentication[entry] = method_id
        self._assertion[entry] = method_id

    def _add_service(self, entry: object, kind: str, value: bytes) -> None:
        self._services_seen += 1
        text = _text(value)
        if text is not None:
            self._services[entry] = {
                "id": f"{self._did}#service-{self._services_seen}",
                "type": kind,
                "serviceEndpoint": _json_or_text(text),
            }

    def _end(self, entry: object, kind: ChangeKind, name: str) -> None:
        if kind is ChangeKind.DELEGATE or name.startswith("did/pub/"):
            self._keys_seen += 1
        elif name.startswith("did/svc/"):
            self._services_seen += 1
        # The resolver that is followed keeps an ended key's name in keyAgreement.
        for entries in (self._methods, self._authentication, self._assertion, self._services):
            entries.pop(entry, None)

    def _account(self, method_id: str, address: bytes) -> JsonObject:
        chain_id = self._identifier.chain_id
        return {
            "id": method_id,
            "type": RECOVERY_METHOD,
            "controller": self._did,
            "blockchainAccountId": f"eip155:{chain_id}:{checksum_address(address)}",
        }

    def empty(self) -> JsonObject:
        """The document of a deactivated DID."""
        return {
            "@context": list(CONTEXT),
            "id": self._did,
            "verificationMethod": [],
            "authentication": [],
            "assertionMethod": [],
        }

    def document(self) -> JsonObject:
        """The document as it is now."""
        own = [f"{self._did}#controller"]
        methods = [self._account(own[0], self._controller)]
        key = self._identifier.public_key
        if key is not None and self._controller == self._identifier.address:
            own.append(f"{self._did}#controllerKey")
            methods.append(
                {
                    "id": own[1],
                    "type": SECP256K1_KEY,
                    "controller": self._did,
                    # as the DID spells it
                    "publicKeyHex": self._did[-2 * len(key) :],
                }
            )
        document = self.empty() | {
            "verificationMethod": [*methods, *self._methods.values()],
            "authentication": [*own, *self._authentication.values()],
            "assertionMethod": [*own, *self._assertion.values()],
        }
        if self._services:
            document["service"] = list(self._services.values())
        if self._agreement:
            document["keyAgreement"] = list(self._agreement.values())
        return document


def _name(change: DidChange) -> str | None:
    return _text(change.name.rstrip(b"\0"))


def _text(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _encoded(encoding: str | None, value: bytes) -> JsonObject | None:
    """Return the member that holds a key in its encoding, or None if it cannot."""
    if encoding in (None, "hex"):
        return {"publicKeyHex": value.hex()}
    if encoding == "base64":
        return {"publicKeyBase64": base64.b64encode(value).decode("ascii")}
    if encoding == "base58":
        return {"publicKeyBase58": encode_base58btc(value)[1:]}
    if encoding == "pem":
        text = _text(value)
        return None if text is None else {"publicKeyPem": text}
    return {"value": value.hex()}


def _json_or_text(text: str) -> Any:
    """Return what JavaScript's JSON.parse makes of a service's endpoint, else the text."""
    try:
        value = json.loads(
            text,
            parse_constant=_refuse,
            parse_int=lambda digits: _number(int(digits)),
            parse_float=lambda digits: _number(float(digits)),
        )
        # a lone surrogate, which a JSON string may escape, is no text
        json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError):
        return text


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _number(number: float) -> float | None:
    """Return a number as JavaScript has it: a double, and null where that has no JSON."""
    if isinstance(number, int) and abs(number) < _EXACT_NUMBER_LIMIT:
        return number
    return float(number) if abs(number) < _DOUBLE_LIMIT else None


def keys_at(history: EthrHistory, at: int) -> DidDocument:
    """Return the keys of a did:ethr at the moment `at`, by relation.

    Changes of that second count, and what ended in it is over: a key that was revoked in the
    second in which it signed has not signed. Accounts without a public key (recovery methods) and
    keys of other types are left out: secp256k1, Ed25519 and P-256 (`Secp256r1`) remain.
    """
    changes = (change for change in history.changes if change.at <= at)
    document = ethr_document(history.identifier, changes, now=at + 1).document
    methods: dict[str, VerificationMethod] = {}
    for entry in document["verificationMethod"][:MAX_VERIFICATION_METHODS]:
        key = _public_key(entry)
        if key is not None:
            methods[entry["id"]] = VerificationMethod(entry["id"], key)
    return DidDocument(
        history.did,
        methods,
        {name: frozenset(document[name]) & methods.keys() for name in RELATIONSHIPS},
    )


_KEYS: Final[Mapping[str, Callable[[bytes], PublicKey]]] = {
    SECP256K1_KEY: secp256k1_public_key,
    ED25519_KEY: ed25519_public_key,
    SECP256R1_KEY: lambda point: ec_public_key("P-256", point),
}


def _public_key(entry: JsonObject) -> PublicKey | None:
    read = _KEYS.get(entry["type"])
    if read is None:
        return None
    try:
        if "publicKeyHex" in entry:
            return read(bytes.fromhex(entry["publicKeyHex"]))
        if "publicKeyBase64" in entry:
            return read(base64.b64decode(entry["publicKeyBase64"]))
        if "publicKeyBase58" in entry:
            return read(decode_base58btc("z" + entry["publicKeyBase58"]))
    except (KeyMalformed, UnsupportedKey, MultibaseMalformed):
        return None
    return None
