"""The published vectors of w3c/vc-di-eddsa and w3c/vc-di-ecdsa, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.vectors import vector_folder
from tests.support.w3c import json_ld
from wallet.credentials.cryptosuites import CRYPTOSUITES
from wallet.credentials.data_integrity.cryptosuite import WholeDocumentSuite
from wallet.credentials.data_integrity.issue import ProofOptions, add_proof
from wallet.credentials.data_integrity.proof import (
    UnsupportedCryptosuite,
    document_for,
    parse_proofs,
)
from wallet.credentials.data_integrity.verify import ASSERTION, Expectations, verify_proofs
from wallet.credentials.vcdm.credential import parse_credential
from wallet.crypto.keys import (
    Ed25519SigningKey,
    Es256SigningKey,
    SignatureInvalid,
    SigningKey,
)
from wallet.crypto.signing_keys import Es384SigningKey
from wallet.did.resolve import resolve_self_contained
from wallet.encoding.multibase import decode_base58btc

pytestmark = pytest.mark.vectors
NOW = 1_800_000_000


@dataclass(frozen=True)
class Case:
    """A folder of step files of one whole-document suite, and the ending of their names."""

    repository: str
    folder: str
    ending: str
    algorithm: str
    signed: str


CASES = [
    Case("vc-di-eddsa", "eddsa-rdfc-2022", "DataInt", "EdDSA", "signedDataInt"),
    Case("vc-di-eddsa", "eddsa-rdfc-2022/employ", "DataInt", "EdDSA", "signedDataInt"),
    Case("vc-di-eddsa", "eddsa-jcs-2022", "JCS", "EdDSA", "signedJCS"),
    Case("vc-di-ecdsa", "ecdsa-rdfc-2019-p256", "ECDSAP256", "ES256", "signedECDSAP256"),
    Case("vc-di-ecdsa", "ecdsa-rdfc-2019-p256/employ", "ECDSAP256", "ES256", "signedECDSAP256"),
    Case("vc-di-ecdsa", "ecdsa-rdfc-2019-p384", "ECDSAP384", "ES384", "signedECDSAP384"),
    Case("vc-di-ecdsa", "ecdsa-rdfc-2019-p384/employ", "ECDSAP384", "ES384", "signedECDSAP384"),
    Case("vc-di-ecdsa", "ecdsa-jcs-2019-p256", "JCSECDSAP256", "ES256", "signedJCSECDSAP256"),
    Case("vc-di-ecdsa", "ecdsa-jcs-2019-p384", "JCSECDSAP384", "ES384", "signedJCSECDSAP384"),
]
CHAINS = ["signedProofSet1", "signedProofSet2", "signedProofChain1", "signedProofChain2"]


def vectors(repository: str) -> Path:
    return vector_folder(repository) / "TestVectors"


def load(path: Path) -> Any:
    return json.loads(path.read_bytes())


def verify(document: dict[str, Any]) -> tuple[Any, ...]:
    dids = {proof.verification_method.did for proof in parse_proofs(document)}
    keys = {str(did): resolve_self_contained(did) for did in dids}
    return verify_proofs(document, keys, Expectations(ASSERTION), now=NOW, json_ld=json_ld())


def signing_key(path: Path, member: str | None = None) -> SigningKey:
    pair = load(path)
    pair = pair[member] if member else pair
    data = decode_base58btc(pair.get("secretKeyMultibase") or pair["privateKeyMultibase"])
    kinds: dict[bytes, Any] = {
        b"\x80\x26": Ed25519SigningKey,
        b"\x86\x26": Es256SigningKey,
        b"\x87\x26": Es384SigningKey,
    }
    key: SigningKey = kinds[data[:2]].from_secret(data[2:])
    return key


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder)
def test_every_step_of_a_whole_document_proof_agrees(case: Case) -> None:
    folder = vectors(case.repository) / case.folder

    def text(name: str) -> str:
        return (folder / f"{name}{case.ending}.txt").read_bytes().decode()

    signed = load(folder / f"{case.signed}.json")
    (proof,) = parse_proofs(signed)
    suite = CRYPTOSUITES[proof.cryptosuite]
    assert isinstance(suite, WholeDocumentSuite)
    hash_function = suite.hashes[case.algorithm]
    bound, options = suite.bind_contexts(document_for(signed, (), ()), proof.options, json_ld())
    assert load(folder / f"proofConfig{case.ending}.json") == options
    canonical = [suite.canonicalize(part, json_ld(), hash_function) for part in (bound, options)]
    assert canonical[0].decode() == text("canonDoc")
    assert canonical[1].decode() == text("proofCanon")
    assert hash_function(canonical[0]).hex() == text("docHash")
    assert hash_function(canonical[1]).hex() == text("proofHash")
    (verified,) = verify(signed)
    assert verified.signed_input.hex() == text("combinedHash")
    assert suite.decode(proof.proof_value).hex() == text("sigHex")
    assert proof.proof_value == text("sigBTC58")
    parse_credential(document_for(signed, (), ()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder)
def test_a_changed_document_of_the_vectors_is_rejected(case: Case) -> None:
    signed = load(vectors(case.repository) / case.folder / f"{case.signed}.json")
    signed["validFrom"] = "2023-01-01T00:00:01Z"
    with pytest.raises(SignatureInvalid):
        verify(signed)


@pytest.mark.parametrize("case", CASES[:3], ids=lambda case: case.folder)
def test_ed25519_signs_the_vectors_to_the_published_proof_value(case: Case) -> None:
    root = vectors(case.repository)
    signed = load(root / case.folder / f"{case.signed}.json")
    (proof,) = parse_proofs(signed)
    suite = CRYPTOSUITES[proof.cryptosuite]
    assert isinstance(suite, WholeDocumentSuite)
    options = ProofOptions(str(proof.verification_method), created=proof.created)
    secured = add_proof(
        document_for(signed, (), ()),
        signing_key(root / "keyPair.json"),
        options,
        suite,
        ASSERTION,
        json_ld=json_ld(),
    )
    assert secured.document == signed


@pytest.mark.parametrize("name", CHAINS)
def test_proof_sets_and_chains_of_the_vectors_verify(name: str) -> None:
    signed = load(vectors("vc-di-eddsa") / "proof-set-chain" / f"{name}.json")
    count = {"signedProofSet1": 1, "signedProofSet2": 2}.get(name, 2 + int(name[-1]))
    assert len(verify(signed)) == count
    proofs = signed["proof"] if isinstance(signed["proof"], list) else [signed["proof"]]
    proofs[-1]["created"] = "2023-02-24T23:36:39Z"
    with pytest.raises(SignatureInvalid):
        verify(signed)


def test_the_chain_of_the_vectors_is_signed_to_the_published_values() -> None:
    folder = vectors("vc-di-eddsa") / "proof-set-chain"
    document = load(folder / "unsigned.json")
    published = load(folder / "signedProofChain2.json")
    for number, proof in enumerate(parse_proofs(published), start=1):
        suite = CRYPTOSUITES["eddsa-rdfc-2022"]
        assert isinstance(suite, WholeDocumentSuite)
        options = ProofOptions(
            str(proof.verification_method),
            created=proof.created,
            id=proof.id,
            previous=proof.previous,
        )
        key = signing_key(folder / "multiKeyPairs.json", f"keyPair{number}")
        document = add_proof(document, key, options, suite, ASSERTION, json_ld=json_ld()).document
    assert document == published


def signed_documents(repository: str) -> Iterator[tuple[str, Any]]:
    root = vectors(repository)
    for path in sorted(root.rglob("*.json")):
        value = load(path)
        if isinstance(value, dict) and "proof" in value and "issuer" in value:
            proofs = value["proof"] if isinstance(value["proof"], list) else [value["proof"]]
            if all("proofValue" in proof for proof in proofs):
                yield str(path.relative_to(root)), value


def test_every_secured_document_in_the_vectors_is_accounted_for() -> None:
    """What is not verified is named: proofs of an older type, and base proofs for holders."""
    counts = {"verified": 0, "older type": 0, "base proof": 0, "unfinished chain": 0}
    for repository in ("vc-di-eddsa", "vc-di-ecdsa"):
        for name, document in signed_documents(repository):
            if "Ed25519Signature2020" in name:
                with pytest.raises(UnsupportedCryptosuite):
                    verify(document)
                counts["older type"] += 1
            elif "addSignedSDBase" in name:
                counts["base proof"] += 1
            elif "TempDoc" in name:
                counts["unfinished chain"] += 1
            else:
                verify(document)
                counts["verified"] += 1
    assert counts == {
        "verified": 15,
        "older type": 1,
        "base proof": 2,
        "unfinished chain": 2,
    }
