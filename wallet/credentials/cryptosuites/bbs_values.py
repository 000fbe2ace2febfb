"""The proof values of bbs-2023, baseline feature: CBOR behind a three-byte header (§3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.proof_values import (
    HMAC_KEY_BYTES,
    encode_components,
    encode_labels,
    parse_ascending,
    parse_bytes,
    parse_components,
    parse_labels,
    parse_mandatory_indexes,
    parse_mandatory_pointers,
)
from wallet.credentials.jsonld.rdfc import MAX_BLANK_NODES
from wallet.crypto.bbs.types import (
    BbsProof,
    BbsPublicKey,
    BbsSignature,
    parse_proof,
    parse_public_key,
    parse_signature,
)

_BASE: Final = b"\xd9\x5d\x02"
_DERIVED: Final = b"\xd9\x5d\x03"
HEADER_BYTES: Final = 64
MAX_PRESENTATION_HEADER_BYTES: Final = 1024
_SHOWN_START: Final = "_:b"


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    """What the issuer hands the holder. Signature and HMAC key would make its uses linkable."""

    signature: BbsSignature
    header: bytes
    public_key: BbsPublicKey
    hmac_key: bytes
    mandatory_pointers: tuple[str, ...]

    def to_text(self) -> str:
        """Return the multibase text."""
        parts = [
            self.signature.octets, self.header, self.public_key.octets, self.hmac_key,
            list(self.mandatory_pointers),
        ]  # fmt: skip
        return encode_components(_BASE, parts)


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """What the holder hands a verifier. `labels` maps canonical labels to those signed.

    `selective_indexes` are positions among the statements that are not mandatory.
    """

    proof: BbsProof
    labels: Mapping[str, str]
    mandatory_indexes: tuple[int, ...]
    selective_indexes: tuple[int, ...]
    presentation_header: bytes

    def to_text(self) -> str:
        """Return the multibase text."""
        labels = encode_labels(self.labels, lambda text: int(text.removeprefix(_SHOWN_START)))
        parts = [
            self.proof.octets, labels, list(self.mandatory_indexes), list(self.selective_indexes),
            self.presentation_header,
        ]  # fmt: skip
        return encode_components(_DERIVED, parts)


def parse_base_proof_value(text: str) -> BaseProofValue:
    """Return a base proof value.

    Raises `ProofMalformed` and the errors of the encodings and of the parsers of BBS.
    """
    signature, header, key, hmac_key, pointers = parse_components(
        text, _BASE, "base proof of bbs-2023 without features"
    )
    return BaseProofValue(
        parse_signature(_bytes(signature)),
        parse_bytes(header, HEADER_BYTES),
        parse_public_key(_bytes(key)),
        parse_bytes(hmac_key, HMAC_KEY_BYTES),
        parse_mandatory_pointers(pointers),
    )


def parse_derived_proof_value(text: str) -> DerivedProofValue:
    """Return a derived proof value. Raises as `parse_base_proof_value` does."""
    proof, labels, mandatory, selective, presentation_header = parse_components(
        text, _DERIVED, "derived proof of bbs-2023 without features"
    )
    if len(_bytes(presentation_header)) > MAX_PRESENTATION_HEADER_BYTES:
        raise ProofMalformed("the presentation header is too long")
    return DerivedProofValue(
        parse_proof(_bytes(proof)),
        parse_labels(labels, _label),
        parse_mandatory_indexes(mandatory),
        parse_ascending(selective, "selective indexes"),
        presentation_header,
    )


def _label(value: object) -> str:
    if type(value) is not int or value >= MAX_BLANK_NODES:
        raise ProofMalformed("the labels that were signed are small whole numbers")
    return f"{_SHOWN_START}{value}"


def _bytes(value: object) -> bytes:
    if type(value) is not bytes:
        raise ProofMalformed("a component is a byte string")
    return value
