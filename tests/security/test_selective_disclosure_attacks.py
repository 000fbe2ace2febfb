"""LD-10: proofs of selective disclosure with parts removed, swapped, repeated or mistyped."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.cost import refused
from tests.support.w3c import (
    NOW,
    Signer,
    card,
    documents,
    json_ld,
    p256,
)
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.cryptosuites.ecdsa_sd_values import (
    _DERIVED,
    parse_derived_proof_value,
)
from wallet.credentials.data_integrity.issue import (
    derive_credential,
    issue_disclosable_credential,
)
from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.verify import (
    verify_credential,
)
from wallet.crypto.keys import KeyMalformed, SignatureInvalid
from wallet.encoding.base64url import Base64urlMalformed
from wallet.encoding.deterministic_cbor import DeterministicCborMalformed, parse_cbor, to_cbor
from wallet.encoding.json import JsonObject
from wallet.encoding.multibase import decode_base64url, encode_base64url
from wallet.errors import SeoulWalletError

MAX_SECONDS = 1.0


def verify(document: JsonObject, *signers: Signer) -> None:
    verify_credential(document, documents(*signers), now=NOW, json_ld=json_ld())


MANDATORY = ["/issuer", "/validFrom", "/validUntil"]
POINTERS = ["/credentialSubject/childCount", "/credentialSubject/children"]


def disclosed(pointers: list[str] = POINTERS) -> tuple[JsonObject, Signer]:
    issuer = p256()
    base = issue_disclosable_credential(
        card(issuer.did),
        issuer.key,
        issuer.options(),
        ECDSA_SD_2023,
        mandatory_pointers=MANDATORY,
        json_ld=json_ld(),
    ).document
    return derive_credential(base, pointers, ECDSA_SD_2023, json_ld=json_ld()), issuer


def with_components(document: JsonObject, change: Callable[[list[Any]], Any]) -> JsonObject:
    changed = copy.deepcopy(document)
    data = decode_base64url(changed["proof"]["proofValue"], max_characters=100_000)
    components = parse_cbor(data[3:])
    change(components)
    changed["proof"]["proofValue"] = encode_base64url(_DERIVED + to_cbor(components))
    return changed


def _swap_labels(components: list[Any]) -> None:
    labels = components[3]
    labels[0], labels[1] = labels[1], labels[0]


COMPONENTS: dict[str, tuple[Callable[[list[Any]], Any], type[SeoulWalletError]]] = {
    "index removed": (lambda parts: parts[4].pop(), ProofMalformed),
    "index twice": (lambda parts: parts[4].append(parts[4][-1]), ProofMalformed),
    "index out of range": (lambda parts: parts[4].append(4000), ProofMalformed),
    "index beyond 64 bits": (lambda parts: parts[4].append(2**64 - 1), ProofMalformed),
    "no index": (lambda parts: parts[4].clear(), ProofMalformed),
    "indexes unordered": (lambda parts: parts[4].reverse(), ProofMalformed),
    "index moved": (lambda parts: parts[4].append(parts[4].pop() + 1), SignatureInvalid),
    "index as text": (lambda parts: parts[4].append("9"), ProofMalformed),
    "labels swapped": (_swap_labels, SignatureInvalid),
    "label twice": (lambda parts: parts[3].update({1: parts[3][0]}), ProofMalformed),
    "label missing": (lambda parts: parts[3].pop(0), ProofMalformed),
    "label too many": (lambda parts: parts[3].update({9: bytes(32)}), ProofMalformed),
    "label too short": (lambda parts: parts[3].update({0: bytes(31)}), ProofMalformed),
    "signature dropped": (lambda parts: parts[2].pop(), ProofMalformed),
    "signatures swapped": (lambda parts: parts[2].reverse(), SignatureInvalid),
    "signature cut": (lambda parts: parts[2].append(parts[2].pop()[:-1]), ProofMalformed),
    "base signature of another": (
        lambda parts: parts.__setitem__(0, parts[2][0]),
        SignatureInvalid,
    ),
    "key of another": (
        lambda parts: parts.__setitem__(1, b"\x80\x24" + p256(9).key.public_key.compressed),  # type: ignore[attr-defined]
        SignatureInvalid,
    ),
    "key off the curve": (
        lambda parts: parts.__setitem__(1, b"\x80\x24\x02" + b"\xff" * 32),
        KeyMalformed,
    ),
    "component added": (lambda parts: parts.append(b""), ProofMalformed),
    "component dropped": (lambda parts: parts.pop(), ProofMalformed),
}


@pytest.mark.parametrize("name", COMPONENTS)
def test_ld_10_a_changed_component_of_a_derived_proof_is_refused(name: str) -> None:
    document, issuer = disclosed()
    verify(document, issuer)
    change, error = COMPONENTS[name]
    changed = with_components(document, change)
    with pytest.raises((error, SignatureInvalid) if name == "key off the curve" else error):
        verify(changed, issuer)


@pytest.mark.parametrize(
    "data",
    [
        to_cbor([1]) + b"\0",
        b"\x9f\x01\xff",
        b"\x5f\x41\x00\xff",
        b"\xa2\x00\x01\x00\x02",
        b"\xa2\x01\x01\x00\x02",
        b"\xd8\x40\x41\x00",
        b"\xc1" * 50_000 + b"\x00",
        b"\x81" * 50_000 + b"\x00",
        b"\x18\x17",
        b"\x19\x00\xff",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xbb\x00\x00\x00\x00\xff\xff\xff\xff",
        b"\x20",
        b"\xf5",
        b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00",
        b"\xa1\x61\x61\x00",
        b"\x61\xff",
        b"",
    ],
    ids=lambda data: data[:6].hex(),
)
def test_ld_10_cbor_that_is_not_deterministic_is_refused(data: bytes) -> None:
    document, issuer = disclosed()
    document["proof"]["proofValue"] = encode_base64url(_DERIVED + data)
    refused(DeterministicCborMalformed, lambda: verify(document, issuer), within_s=MAX_SECONDS)


def test_ld_10_what_is_mandatory_cannot_be_withheld() -> None:
    document, issuer = disclosed()
    for name in ("validUntil", "validFrom"):
        withheld = {key: value for key, value in document.items() if key != name}
        with pytest.raises((SignatureInvalid, ProofMalformed)):
            verify(withheld, issuer)
    with pytest.raises(ProofMalformed, match="validUntil must be mandatory"):
        issue_disclosable_credential(
            card(issuer.did),
            issuer.key,
            issuer.options(),
            ECDSA_SD_2023,
            mandatory_pointers=["/issuer", "/validFrom"],
            json_ld=json_ld(),
        )


def test_ld_10_statements_of_two_credentials_do_not_mix() -> None:
    one, issuer = disclosed()
    other, _ = disclosed()
    mixed = copy.deepcopy(one)
    taken = parse_derived_proof_value(other["proof"]["proofValue"])
    mixed = with_components(mixed, lambda parts: parts.__setitem__(2, list(taken.signatures)))
    with pytest.raises(SignatureInvalid):
        verify(mixed, issuer)


def test_ld_10_a_base_proof_is_not_accepted_by_a_verifier() -> None:
    issuer = p256()
    base = issue_disclosable_credential(
        card(issuer.did),
        issuer.key,
        issuer.options(),
        ECDSA_SD_2023,
        mandatory_pointers=MANDATORY,
        json_ld=json_ld(),
    ).document
    with pytest.raises(ProofMalformed):
        verify(base, issuer)
    derived, _ = disclosed()
    derived["proof"]["proofValue"] = "u" + derived["proof"]["proofValue"][1:] + "A"
    with pytest.raises((Base64urlMalformed, DeterministicCborMalformed)):
        verify(derived, issuer)
