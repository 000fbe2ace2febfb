"""Pseudonyms against draft-irtf-cfrg-bbs-per-verifier-linkability's fixtures (2026-06-29).

All of them are positive; what must fail is in tests/unit/crypto/bbs.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.bbs import (
    REFERENCE_FIXTURES,
    REFERENCE_SUITES,
    SUITES,
    Fixture,
    commit_randomness,
    load,
    load_all,
    nym_folder,
    octets,
    proof_randomness,
    scalar,
)
from wallet.crypto.bbs.nym_issuance import (
    NymCredential,
    NymLayout,
    ProverSecrets,
    _commit_with_nym,
    blind_sign_with_nym,
    verify_commitment,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.nym_proofs import (
    NymProof,
    NymProofStatement,
    calculate_pseudonym,
    derive_nym_proof_from,
    verify_proof_with_nym,
)
from wallet.crypto.bbs.signatures import parse_secret_key
from wallet.crypto.bbs.suite import Suite
from wallet.crypto.bbs.types import (
    parse_commitment,
    parse_proof,
    parse_pseudonym,
    parse_public_key,
    parse_signature,
)

pytestmark = pytest.mark.vectors

NATIVE = list(SUITES.items())
REFERENCE = list(REFERENCE_SUITES.items())


def layout_of(fixture: Fixture) -> NymLayout:
    return NymLayout(
        len(fixture.get("messages", [])),
        len(fixture["committedMessages"]),
        len(fixture["proverNyms"]),
    )


def check_commitment(fixture: Fixture, suite: Suite) -> None:
    commitment = parse_commitment(bytes.fromhex(fixture["commitmentWithProof"]))
    assert verify_commitment(commitment, layout_of(fixture), suite=suite)
    committed, secrets = _commit_with_nym(
        [scalar(nym) for nym in fixture["proverNyms"]],
        octets(fixture["committedMessages"]),
        suite,
        commit_randomness(fixture),
    )
    assert committed.octets.hex() == fixture["commitmentWithProof"]
    assert secrets.prover_blind == scalar(fixture["proverBlind"])


def finalized(fixture: Fixture, public_key: str, suite: Suite) -> NymCredential:
    secrets = ProverSecrets(
        tuple(octets(fixture["committedMessages"])),
        tuple(scalar(nym) for nym in fixture["proverNyms"]),
        scalar(fixture["proverBlind"]),
    )
    credential = verify_finalize_with_nym(
        parse_public_key(bytes.fromhex(public_key)),
        parse_signature(bytes.fromhex(fixture["signature"])),
        secrets,
        scalar(fixture["signer_nym_entropy"]),
        octets(fixture["messages"]),
        header=bytes.fromhex(fixture["header"]),
        suite=suite,
    )
    assert credential.nym_secrets == tuple(scalar(nym) for nym in fixture["nym_secrets"])
    return credential


def check_signature(fixture: Fixture, suite: Suite) -> None:
    keys = fixture["signerKeyPair"]
    signature = blind_sign_with_nym(
        parse_secret_key(bytes.fromhex(keys["secretKey"]), suite=suite),
        verify_commitment(
            parse_commitment(bytes.fromhex(fixture["commitmentWithProof"])),
            layout_of(fixture),
            suite=suite,
        ),
        scalar(fixture["signer_nym_entropy"]),
        octets(fixture["messages"]),
        header=bytes.fromhex(fixture["header"]),
        suite=suite,
    )
    assert signature.octets.hex() == fixture["signature"]
    finalized(fixture, keys["publicKey"], suite)


def check_proof(fixture: Fixture, suite: Suite) -> None:
    layout = layout_of(fixture)
    assert layout.messages == fixture["L"]
    header, context_id, presentation_header = octets(
        [fixture["header"], fixture["context_id"], fixture["presentationHeader"]]
    )
    disclosed, disclosed_committed = (
        tuple((int(index), bytes.fromhex(message)) for index, message in fixture[name].items())
        for name in ("revealedMessages", "revealedCommittedMessages")
    )
    statement = NymProofStatement(
        parse_public_key(bytes.fromhex(fixture["signerPublicKey"])),
        layout,
        context_id,
        disclosed,
        disclosed_committed,
        header,
        presentation_header,
    )
    pseudonym = parse_pseudonym(bytes.fromhex(fixture["pseudonym"]))
    proof = NymProof(parse_proof(bytes.fromhex(fixture["proof"])), pseudonym)
    assert verify_proof_with_nym(proof, statement, suite=suite).pseudonym == pseudonym
    credential = finalized(fixture, fixture["signerPublicKey"], suite)
    assert calculate_pseudonym(credential, context_id, suite=suite) == pseudonym
    indexes = [index for index, _ in disclosed]
    indexes += [layout.messages + 1 + index for index, _ in disclosed_committed]
    derived = derive_nym_proof_from(
        credential, context_id, indexes, presentation_header, suite, proof_randomness(fixture)
    )
    assert derived == proof


KINDS: list[tuple[str, int, Callable[[Fixture, Suite], None]]] = [
    ("nymCommit", 4, check_commitment),
    ("nymSignature", 6, check_signature),
    ("nymProof", 11, check_proof),
]


@pytest.mark.parametrize(("ciphersuite", "suite"), NATIVE)
def test_the_generators_are_the_published_ones(ciphersuite: str, suite: Suite) -> None:
    fixture = load(nym_folder(ciphersuite) / "generators.json")
    interface = suite.pseudonym
    for name, made in (
        ("generators", interface.generators),
        ("blindGenerators", interface.blind_generators),
    ):
        published = [fixture[name]["Q1"], *fixture[name]["MsgGenerators"]]
        assert len(published) > 5
        assert [value.hex() for value in made(len(published))[1]] == published


@pytest.mark.parametrize(("kind", "count", "check"), KINDS)
@pytest.mark.parametrize(("ciphersuite", "suite"), NATIVE)
def test_every_published_fixture_verifies_and_is_made_again_byte_for_byte(
    ciphersuite: str, suite: Suite, kind: str, count: int, check: Callable[[Fixture, Suite], None]
) -> None:
    fixtures = load_all(nym_folder(ciphersuite) / kind)
    assert len(fixtures) == count
    for _, fixture in fixtures:
        check(fixture, suite)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("kind", "count", "check"), KINDS)
@pytest.mark.parametrize(("ciphersuite", "suite"), REFERENCE)
def test_the_reference_backend_agrees_with_the_published_fixtures(
    ciphersuite: str, suite: Suite, kind: str, count: int, check: Callable[[Fixture, Suite], None]
) -> None:
    fixtures = load_all(nym_folder(ciphersuite) / kind)
    assert len(fixtures) == count
    for _, fixture in fixtures[::-1][:REFERENCE_FIXTURES]:
        check(fixture, suite)
