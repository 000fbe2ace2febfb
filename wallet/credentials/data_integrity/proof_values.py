"""What the proof values of the disclosing cryptosuites are made of: CBOR behind a header.

ECDSA §3.5.2 ff., BBS §3.3: five components, of which pointers, positions and label map are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from wallet.credentials.data_integrity.proof import MAX_PROOF_VALUE_CHARACTERS, ProofMalformed
from wallet.credentials.data_integrity.selection import MAX_POINTERS, parse_pointer
from wallet.credentials.jsonld.rdfc import MAX_BLANK_NODES, MAX_STATEMENTS
from wallet.encoding.deterministic_cbor import parse_cbor, to_cbor
from wallet.encoding.multibase import decode_base64url, encode_base64url

HMAC_KEY_BYTES: Final = 32
_COMPONENTS: Final = 5
_CANONICAL_LABEL: Final = "_:c14n"


def encode_components(header: bytes, components: list[Any]) -> str:
    """Return the multibase text of a proof value."""
    return encode_base64url(header + to_cbor(components))


def parse_components(text: str, header: bytes, kind: str) -> list[Any]:
    """Return the five components of a proof value with this header. Raises `ProofMalformed`."""
    data = decode_base64url(text, max_characters=MAX_PROOF_VALUE_CHARACTERS)
    if not data.startswith(header):
        raise ProofMalformed(f"not a {kind}")
    components = parse_cbor(data[len(header) :])
    if type(components) is not list or len(components) != _COMPONENTS:
        raise ProofMalformed(f"the proof value has {_COMPONENTS} components")
    return components


def parse_bytes(value: object, size: int) -> bytes:
    """Return a component of `size` bytes. Raises `ProofMalformed`."""
    if type(value) is not bytes or len(value) != size:
        raise ProofMalformed(f"a component has {size} bytes")
    return value


def parse_mandatory_pointers(value: object) -> tuple[str, ...]:
    """Return the pointers of a base proof. Raises `ProofMalformed`, `PointerMalformed`."""
    if type(value) is not list or not 0 < len(value) <= MAX_POINTERS:
        raise ProofMalformed(f"a base proof has 1 to {MAX_POINTERS} mandatory pointers")
    for pointer in value:
        parse_pointer(pointer)
    return tuple(value)


def parse_ascending(value: object, name: str) -> tuple[int, ...]:
    """Return whole numbers that ascend, possibly none. Raises `ProofMalformed`."""
    if type(value) is not list or len(value) > MAX_STATEMENTS:
        raise ProofMalformed(f"{name} are a list of limited length")
    if any(type(index) is not int for index in value) or any(
        later <= earlier for earlier, later in pairwise(value)
    ):
        raise ProofMalformed(f"{name} are whole numbers that ascend")
    return tuple(value)


def parse_mandatory_indexes(value: object) -> tuple[int, ...]:
    """Return the mandatory indexes of a derived proof, at least one. Raises `ProofMalformed`.

    A proof without mandatory statements would let the holder withhold who issued the credential
    and until when.
    """
    indexes = parse_ascending(value, "mandatory indexes")
    if not indexes:
        raise ProofMalformed("there are mandatory indexes")
    return indexes


def encode_labels(
    labels: Mapping[str, str], compress: Callable[[str], int | bytes]
) -> dict[int, int | bytes]:
    """Return a label map as it is written: canonical numbers to labels that were signed."""
    return {
        int(canonical.removeprefix(_CANONICAL_LABEL)): compress(signed)
        for canonical, signed in labels.items()
    }


def parse_labels(value: object, expand: Callable[[object], str]) -> dict[str, str]:
    """Return a label map: canonical labels to those that were signed, no two alike.

    `expand` reads one label that was signed. Raises `ProofMalformed`, and what `expand` raises.
    """
    if type(value) is not dict or len(value) > MAX_BLANK_NODES:
        raise ProofMalformed("the label map is a map of limited size")
    labels = {f"{_CANONICAL_LABEL}{at}": expand(signed) for at, signed in value.items()}
    if len(set(labels.values())) != len(labels):
        raise ProofMalformed("the label map gives one label twice")
    return labels
