"""The published vectors of ecdsa-sd-2023: base proof, derivation, verification."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.vectors import vector_folder
from tests.support.w3c import json_ld
from wallet.credentials.cryptosuites import ecdsa_sd_2023
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.cryptosuites.ecdsa_sd_values import (
    parse_base_proof_value,
    parse_derived_proof_value,
)
from wallet.credentials.data_integrity.groups import group_statements, hmac_labels
from wallet.credentials.data_integrity.issue import derive_credential
from wallet.credentials.data_integrity.proof import ProofMalformed, document_for, parse_proofs
from wallet.credentials.data_integrity.selection import select
from wallet.credentials.data_integrity.verify import ASSERTION, Expectations, verify_proofs
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.did.resolve import resolve_self_contained
from wallet.encoding.multibase import decode_base58btc

pytestmark = [
    pytest.mark.vectors,
    pytest.mark.parametrize("name", ["employ", "prc"]),
]
POINTERS = {"employ": "employ", "prc": "prCred"}


def root() -> Path:
    return vector_folder("vc-di-ecdsa") / "TestVectors"


def step(name: str, file: str) -> Any:
    return json.loads((root() / "ecdsa-sd-2023" / name / f"{file}.json").read_bytes())


def material() -> Any:
    return json.loads((root() / "ecdsa-sd-2023" / "SDKeyMaterial.json").read_bytes())


def pointers(name: str, kind: str) -> list[str]:
    path = root() / f"{POINTERS[name]}{kind}.json"
    listed: list[str] = json.loads(path.read_bytes())
    return listed


def secret_key(pair: str) -> Es256SigningKey:
    return Es256SigningKey.from_secret(
        decode_base58btc(material()[pair]["secretKeyMultibase"])[2:]
    )


def verify(document: dict[str, Any]) -> Any:
    did = parse_proofs(document)[0].verification_method.did
    keys = {str(did): resolve_self_contained(did)}
    (proof,) = verify_proofs(
        document, keys, Expectations(ASSERTION), now=1_800_000_000, json_ld=json_ld()
    )
    return proof


def test_the_steps_of_the_base_proof_agree(name: str) -> None:
    signed = step(name, "addSignedSDBase")
    (proof,) = parse_proofs(signed)
    document = document_for(signed, (), ())
    canonical = json_ld().canonicalize(document)
    assert list(canonical.statements) == step(name, "addBaseDocCanon")
    mandatory = pointers(name, "Mandatory")
    grouped = group_statements(
        document,
        {"mandatory": mandatory},
        hmac_labels(bytes.fromhex(material()["hmacKeyString"])),
        json_ld(),
    )
    assert list(grouped.statements) == step(name, "addBaseDocHMACCanon")
    published = dict(step(name, "addBaseTransform")["mandatory"]["value"])
    assert {i: grouped.statements[i] for i in grouped.groups["mandatory"].matching} == published
    base = parse_base_proof_value(proof.proof_value)
    raw = step(name, "addRawBaseSignatureInfo")
    assert base.base_signature.hex() == raw["baseSignature"]
    assert [signature.hex() for signature in base.signatures] == raw["signatures"]
    assert list(base.mandatory_pointers) == mandatory
    assert base.to_text() == proof.proof_value


def test_the_bytes_that_the_issuer_signs_agree(name: str) -> None:
    signed = step(name, "addSignedSDBase")
    (proof,) = parse_proofs(signed)
    suite = replace(
        ECDSA_SD_2023,
        issue=partial(ecdsa_sd_2023._issue, new_key=lambda: secret_key("proofKeyPair")),
    )
    value, data = suite.base_value(
        document_for(signed, (), ()),
        proof.options,
        secret_key("baseKeyPair"),
        pointers(name, "Mandatory"),
        json_ld(),
        hmac_key=bytes.fromhex(material()["hmacKeyString"]),
    )
    hashes = step(name, "addHashData")
    assert data[:32].hex() == hashes["proofHash"]
    assert data[-32:].hex() == hashes["mandatoryHash"]
    published = parse_base_proof_value(proof.proof_value)
    assert data[32:-32] == published.public_key == value.public_key
    secret_key("baseKeyPair").public_key.verify(published.base_signature, data)
    secret_key("baseKeyPair").public_key.verify(value.base_signature, data)
    configuration = root() / "ecdsa-sd-2023" / name / "addProofConfigCanon.txt"
    assert sha256(configuration.read_bytes()) == data[:32]


def test_the_derived_credential_is_the_published_one_to_the_byte(name: str) -> None:
    signed = step(name, "addSignedSDBase")
    derived = derive_credential(
        signed, pointers(name, "Selective"), ECDSA_SD_2023, json_ld=json_ld()
    )
    assert derived == step(name, "derivedRevealDocument")
    chosen = [*pointers(name, "Mandatory"), *pointers(name, "Selective")]
    assert select(document_for(signed, (), ()), chosen) == step(name, "derivedUnsignedReveal")
    value = parse_derived_proof_value(derived["proof"]["proofValue"])
    indexes = step(name, "derivedAdjMandatoryIndexes")["adjMandatoryIndexes"]
    assert list(value.mandatory_indexes) == indexes
    filtered = step(name, "derivedAdjSignatures")["filteredSignatures"]
    assert [signature.hex() for signature in value.signatures] == filtered


def test_the_published_derived_credential_verifies(name: str) -> None:
    verified = verify(step(name, "derivedRevealDocument"))
    assert verified.signed_input[:32].hex() == step(name, "addHashData")["proofHash"]
    assert verified.signed_input[-32:].hex() == step(name, "addHashData")["mandatoryHash"]


def test_the_published_base_proof_is_not_for_verifiers(name: str) -> None:
    with pytest.raises(ProofMalformed):
        verify(step(name, "addSignedSDBase"))
