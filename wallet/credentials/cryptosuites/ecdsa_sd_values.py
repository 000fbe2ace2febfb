"""The proof values of ecdsa-sd-2023: CBOR behind a three-byte header (§3.5.2 to §3.5.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wallet.credentials.data_integrity.disclosure import (
    HMAC_KEY_BYTES,
    parse_bytes,
    parse_components,
    parse_mandatory_indexes,
    parse_mandatory_pointers,
)
from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.jsonld.rdfc import MAX_BLANK_NODES, MAX_STATEMENTS
from wallet.encoding import base64url
from wallet.encoding.deterministic_cbor import to_cbor
from wallet.encoding.multibase import encode_base64url

_BASE: Final = b"\xd9\x5d\x00"
_DERIVED: Final = b"\xd9\x5d\x01"
_SIGNATURE_BYTES: Final = 64
_PUBLIC_KEY_BYTES: Final = 35
_LABEL_BYTES: Final = 32
_LABEL_START: Final = "_:c14n"
_SHOWN_START: Final = "_:u"


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    """What the issuer hands the holder. The HMAC key and the unused signatures are private."""

    base_signature: bytes
    public_key: bytes
    hmac_key: bytes
    signatures: tuple[bytes, ...]
    mandatory_pointers: tuple[str, ...]

    def to_text(self) -> str:
        """Return the multibase text."""
        parts = [
            self.base_signature, self.public_key, self.hmac_key, list(self.signatures),
            list(self.mandatory_pointers),
        ]  # fmt: skip
        return encode_base64url(_BASE + to_cbor(parts))


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """What the holder hands a verifier. `labels` maps canonical labels to those signed."""

    base_signature: bytes
    public_key: bytes
    signatures: tuple[bytes, ...]
    labels: Mapping[str, str]
    mandatory_indexes: tuple[int, ...]

    def to_text(self) -> str:
        """Return the multibase text."""
        labels = {
            int(label.removeprefix(_LABEL_START)): base64url.decode(shown[len(_SHOWN_START) :])
            for label, shown in self.labels.items()
        }
        parts = [
            self.base_signature, self.public_key, list(self.signatures), labels,
            list(self.mandatory_indexes),
        ]  # fmt: skip
        return encode_base64url(_DERIVED + to_cbor(parts))


def parse_base_proof_value(text: str) -> BaseProofValue:
    """Return a base proof value. Raises `ProofMalformed` and the errors of the encodings."""
    signature, key, hmac_key, signatures, pointers = parse_components(
        text, _BASE, "base proof of ecdsa-sd-2023"
    )
    return BaseProofValue(
        parse_bytes(signature, _SIGNATURE_BYTES),
        parse_bytes(key, _PUBLIC_KEY_BYTES),
        parse_bytes(hmac_key, HMAC_KEY_BYTES),
        _signatures(signatures),
        parse_mandatory_pointers(pointers),
    )


def parse_derived_proof_value(text: str) -> DerivedProofValue:
    """Return a derived proof value. Raises `ProofMalformed` and the errors of the encodings."""
    signature, key, signatures, labels, indexes = parse_components(
        text, _DERIVED, "derived proof of ecdsa-sd-2023"
    )
    if type(labels) is not dict or len(labels) > MAX_BLANK_NODES:
        raise ProofMalformed("the label map is a map of limited size")
    shown = {
        f"{_LABEL_START}{number}": _SHOWN_START
        + base64url.encode(parse_bytes(label, _LABEL_BYTES))
        for number, label in labels.items()
    }
    if len(set(shown.values())) != len(shown):
        raise ProofMalformed("the label map gives one label twice")
    return DerivedProofValue(
        parse_bytes(signature, _SIGNATURE_BYTES),
        parse_bytes(key, _PUBLIC_KEY_BYTES),
        _signatures(signatures),
        shown,
        parse_mandatory_indexes(indexes),
    )


def _signatures(value: object) -> tuple[bytes, ...]:
    if type(value) is not list or len(value) > MAX_STATEMENTS:
        raise ProofMalformed("the signatures are a list of limited length")
    return tuple(parse_bytes(item, _SIGNATURE_BYTES) for item in value)
