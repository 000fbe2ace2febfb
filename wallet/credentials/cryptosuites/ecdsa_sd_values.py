"""The proof values of ecdsa-sd-2023: CBOR behind a three-byte header (§3.5.2 to §3.5.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from wallet.credentials.data_integrity.proof import MAX_PROOF_VALUE_CHARACTERS, ProofMalformed
from wallet.credentials.data_integrity.selection import MAX_POINTERS, parse_pointer
from wallet.credentials.jsonld.rdfc import MAX_BLANK_NODES, MAX_STATEMENTS
from wallet.encoding import base64url
from wallet.encoding.deterministic_cbor import parse_cbor, to_cbor
from wallet.encoding.multibase import decode_base64url, encode_base64url

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
    signature, key, hmac_key, signatures, pointers = _components(text, _BASE)
    if type(pointers) is not list or not 0 < len(pointers) <= MAX_POINTERS:
        raise ProofMalformed(f"a base proof has 1 to {MAX_POINTERS} mandatory pointers")
    for pointer in pointers:
        parse_pointer(pointer)
    return BaseProofValue(
        _bytes(signature, _SIGNATURE_BYTES),
        _bytes(key, _PUBLIC_KEY_BYTES),
        _bytes(hmac_key, _LABEL_BYTES),
        _signatures(signatures),
        tuple(pointers),
    )


def parse_derived_proof_value(text: str) -> DerivedProofValue:
    """Return a derived proof value. Raises `ProofMalformed` and the errors of the encodings.

    Mandatory indexes ascend and there is at least one: a proof without mandatory statements would
    let the holder withhold who issued the credential and until when.
    """
    signature, key, signatures, labels, indexes = _components(text, _DERIVED)
    if type(labels) is not dict or len(labels) > MAX_BLANK_NODES:
        raise ProofMalformed("the label map is a map of limited size")
    shown = {
        f"{_LABEL_START}{number}": _SHOWN_START + base64url.encode(_bytes(label, _LABEL_BYTES))
        for number, label in labels.items()
    }
    if len(set(shown.values())) != len(shown):
        raise ProofMalformed("the label map gives one label twice")
    if type(indexes) is not list or not 0 < len(indexes) <= MAX_STATEMENTS:
        raise ProofMalformed("there are mandatory indexes")
    if any(type(index) is not int for index in indexes) or any(
        later <= earlier for earlier, later in pairwise(indexes)
    ):
        raise ProofMalformed("mandatory indexes are whole numbers that ascend")
    return DerivedProofValue(
        _bytes(signature, _SIGNATURE_BYTES),
        _bytes(key, _PUBLIC_KEY_BYTES),
        _signatures(signatures),
        shown,
        tuple(indexes),
    )


def _components(text: str, header: bytes) -> list[Any]:
    data = decode_base64url(text, max_characters=MAX_PROOF_VALUE_CHARACTERS)
    if not data.startswith(header):
        kind = "derived" if header == _DERIVED else "base"
        raise ProofMalformed(f"not a {kind} proof of ecdsa-sd-2023")
    components = parse_cbor(data[len(header) :])
    if type(components) is not list or len(components) != 5:
        raise ProofMalformed("the proof value has five components")
    return components


def _bytes(value: object, size: int) -> bytes:
    if type(value) is not bytes or len(value) != size:
        raise ProofMalformed(f"a component has {size} bytes")
    return value


def _signatures(value: object) -> tuple[bytes, ...]:
    if type(value) is not list or len(value) > MAX_STATEMENTS:
        raise ProofMalformed("the signatures are a list of limited length")
    return tuple(_bytes(item, _SIGNATURE_BYTES) for item in value)
