"""BBS against the fixtures of draft-irtf-cfrg-bbs-signatures, on both backends."""

from __future__ import annotations

import pytest

from tests.support.bbs import (
    REFERENCE_FIXTURES,
    REFERENCE_SUITES,
    SUITES,
    Fixture,
    bbs_folder,
    load,
    load_all,
    octets,
    proof_randomness,
    scalar,
)
from wallet.crypto.bbs.proofs import ProofStatement, _derive_proof, verify_proof
from wallet.crypto.bbs.signatures import (
    derive_secret_key,
    parse_secret_key,
    sign,
    verify_signature,
)
from wallet.crypto.bbs.suite import Suite
from wallet.crypto.bbs.types import (
    BbsDisclosureMalformed,
    BbsProofInvalid,
    parse_proof,
    parse_public_key,
    parse_signature,
)
from wallet.crypto.bls12_381.backend import encode_scalar
from wallet.crypto.keys import SignatureInvalid

pytestmark = pytest.mark.vectors

BOTH = [
    pytest.param(ciphersuite, suite, id=f"{ciphersuite}-{suite.backend.name}")
    for suites in (SUITES, REFERENCE_SUITES)
    for ciphersuite, suite in suites.items()
]
NATIVE = list(SUITES.items())
REFERENCE = list(REFERENCE_SUITES.items())


@pytest.mark.parametrize(("ciphersuite", "suite"), BOTH)
def test_key_generation_gives_the_published_key_pair(ciphersuite: str, suite: Suite) -> None:
    fixture = load(bbs_folder(ciphersuite) / "keypair.json")
    key = derive_secret_key(*octets([fixture["keyMaterial"], fixture["keyInfo"]]), suite=suite)
    assert key.secret.hex() == fixture["keyPair"]["secretKey"]
    assert key.public_key.octets.hex() == fixture["keyPair"]["publicKey"]


@pytest.mark.parametrize(("ciphersuite", "suite"), BOTH)
def test_hashing_to_scalars_gives_the_published_scalars(ciphersuite: str, suite: Suite) -> None:
    single = load(bbs_folder(ciphersuite) / "h2s.json")
    message, dst = octets([single["message"], single["dst"]])
    assert suite.hash_to_scalar(message, dst) == scalar(single["scalar"])
    mapped = load(bbs_folder(ciphersuite) / "MapMessageToScalarAsHash.json")
    assert len(mapped["cases"]) == 10
    messages = octets(case["message"] for case in mapped["cases"])
    assert suite.plain.messages_to_scalars(messages) == [
        scalar(case["scalar"]) for case in mapped["cases"]
    ]


@pytest.mark.parametrize(("ciphersuite", "suite"), BOTH)
def test_the_mocked_random_scalars_come_from_their_seed(ciphersuite: str, suite: Suite) -> None:
    fixture = load(bbs_folder(ciphersuite) / "mockedRng.json")
    seed, dst = octets([fixture["seed"], fixture["dst"]])
    uniform = suite.ciphersuite.expand(seed, dst, 48 * fixture["count"])
    order = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
    assert fixture["mockedScalars"] == [
        encode_scalar(int.from_bytes(uniform[start : start + 48], "big") % order).hex()
        for start in range(0, len(uniform), 48)
    ]


@pytest.mark.parametrize(("ciphersuite", "suite"), BOTH)
def test_the_generators_are_the_published_ones(ciphersuite: str, suite: Suite) -> None:
    fixture = load(bbs_folder(ciphersuite) / "generators.json")
    _, generators = suite.plain.generators(11)
    assert suite.ciphersuite.p1.hex() == fixture["P1"]
    assert [value.hex() for value in generators] == [fixture["Q1"], *fixture["MsgGenerators"]]


def check_signature(fixture: Fixture, suite: Suite) -> bool:
    """Check one signature fixture; return whether it is one of the valid ones."""
    public_key = parse_public_key(bytes.fromhex(fixture["signerKeyPair"]["publicKey"]))
    signature = parse_signature(bytes.fromhex(fixture["signature"]))
    header, messages = bytes.fromhex(fixture["header"]), octets(fixture["messages"])
    if not fixture["result"]["valid"]:
        with pytest.raises(SignatureInvalid):
            verify_signature(public_key, signature, messages, header=header, suite=suite)
        return False
    verify_signature(public_key, signature, messages, header=header, suite=suite)
    key = parse_secret_key(bytes.fromhex(fixture["signerKeyPair"]["secretKey"]), suite=suite)
    assert sign(key, messages, header=header, suite=suite) == signature
    return True


def check_proof(fixture: Fixture, suite: Suite) -> bool:
    """Check one proof fixture; return whether it is one of the valid ones."""
    public_key = parse_public_key(bytes.fromhex(fixture["signerPublicKey"]))
    header, presentation_header = octets([fixture["header"], fixture["presentationHeader"]])
    messages, indexes = octets(fixture["messages"]), fixture["disclosedIndexes"]
    proof = parse_proof(bytes.fromhex(fixture["proof"]))
    statement = ProofStatement(
        public_key,
        len(indexes) + len(proof.m_hats),
        tuple((index, messages[index]) for index in indexes),
        header,
        presentation_header,
    )
    if not fixture["result"]["valid"]:
        repeated = indexes != sorted(set(indexes))
        with pytest.raises(BbsDisclosureMalformed if repeated else BbsProofInvalid):
            verify_proof(proof, statement, suite=suite)
        return False
    assert verify_proof(proof, statement, suite=suite).statement is statement
    derived = _derive_proof(
        public_key,
        parse_signature(bytes.fromhex(fixture["signature"])),
        messages,
        indexes,
        header,
        presentation_header,
        suite,
        proof_randomness(fixture),
    )
    assert derived.octets.hex() == fixture["proof"]
    return True


@pytest.mark.parametrize(("ciphersuite", "suite"), NATIVE)
def test_every_published_signature_and_proof_gets_its_verdict_and_the_valid_ones_their_bytes(
    ciphersuite: str, suite: Suite
) -> None:
    signatures = load_all(bbs_folder(ciphersuite) / "signature")
    proofs = load_all(bbs_folder(ciphersuite) / "proof")
    assert (len(signatures), len(proofs)) == (10, 15)
    verdicts = [check_signature(fixture, suite) for _, fixture in signatures]
    verdicts += [check_proof(fixture, suite) for _, fixture in proofs]
    # 16 and 34 over the two ciphersuites.
    assert (verdicts.count(True), verdicts.count(False)) == (8, 17)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("ciphersuite", "suite"), REFERENCE)
def test_the_reference_backend_agrees_with_the_published_fixtures(
    ciphersuite: str, suite: Suite
) -> None:
    for folder, check in (("signature", check_signature), ("proof", check_proof)):
        fixtures = load_all(bbs_folder(ciphersuite) / folder)
        for wanted in (True, False):
            # The last ones have the most messages.
            of_kind = [f for _, f in reversed(fixtures) if f["result"]["valid"] is wanted]
            for fixture in of_kind[:REFERENCE_FIXTURES]:
                assert check(fixture, suite) is wanted
