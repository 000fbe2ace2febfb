"""The proof values of ecdsa-sd-2023: CBOR behind a three-byte header (§3.5.2 to §3.5.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.proof_values import (
    HMAC_KEY_BYTES,
    encode_components,
    encode_labels,
    parse_bytes,
    parse_components,
    parse_labels,
    parse_mandatory_indexes,
    parse_mandatory_pointers,
)
from wallet.credentials.jsonld.rdfc import MAX_STATEMENTS
from wallet.encoding import base64url

_BASE: Final = b"\xd9\x5d\x00"
_DERIVED: Final = b"\xd9\x5d\x01"
_SIGNATURE_BYTES: Final = 64
_PUBLIC_KEY_BYTES: Final = 35
_LABEL_BYTES: Final = 32
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
        return encode_components(_BASE, parts)


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
        labels = encode_labels(
            self.labels, lambda text: base64url.decode(text.removeprefix(_SHOWN_START))
        )
        parts = [
            self.base_signature, self.public_key, list(self.signatures), labels,
            list(self.mandatory_indexes),
        ]  # fmt: skip
        return encode_components(_DERIVED, parts)


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
    return DerivedProofValue(
        parse_bytes(signature, _SIGNATURE_BYTES),
        parse_bytes(key, _PUBLIC_KEY_BYTES),
        _signatures(signatures),
        parse_labels(labels, _label),
        parse_mandatory_indexes(indexes),
    )


def _label(value: object) -> str:
    return _SHOWN_START + base64url.encode(parse_bytes(value, _LABEL_BYTES))


def _signatures(value: object) -> tuple[bytes, ...]:
    if type(value) is not list or len(value) > MAX_STATEMENTS:
        raise ProofMalformed("the signatures are a list of limited length")
    return tuple(parse_bytes(item, _SIGNATURE_BYTES) for item in value)
