"""Our own vectors of the registered nym key: made by one backend, verified by the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import registered_nym_vectors
from tests.support.bbs import REFERENCE_SUITES, SUITES, octets, scalar
from wallet.crypto.bbs.nym_issuance import (
    CommitRandomness,
    NymLayout,
    blind_sign_with_nym,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.nym_proofs import calculate_pseudonym
from wallet.crypto.bbs.registered_nym import (
    NymKey,
    RegisteredCommitment,
    _commit,
    parse_nym_key,
    parse_registered_commitment,
    verify_registered_commitment,
)
from wallet.crypto.bbs.signatures import parse_secret_key
from wallet.crypto.bbs.suite import Suite
from wallet.crypto.bbs.types import parse_public_key
from wallet.errors import SeoulWalletError

BOTH = [
    pytest.param(name, suite, id=f"{name}-{suite.backend.name}")
    for suites in (SUITES, REFERENCE_SUITES)
    for name, suite in suites.items()
]


def load(ciphersuite: str) -> dict[str, Any]:
    text = (registered_nym_vectors.FOLDER / f"{ciphersuite}.json").read_text()
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.mark.parametrize("ciphersuite", SUITES)
def test_the_vectors_are_made_again_byte_for_byte(ciphersuite: str) -> None:
    text = (registered_nym_vectors.FOLDER / f"{ciphersuite}.json").read_text()
    assert registered_nym_vectors.make(ciphersuite, SUITES[ciphersuite]) == text


@pytest.mark.parametrize(("ciphersuite", "suite"), BOTH)
def test_enrolment_and_re_issuance_give_the_published_pseudonym(
    ciphersuite: str, suite: Suite
) -> None:
    vector = load(ciphersuite)
    key = parse_secret_key(bytes.fromhex(vector["secret_key"]), suite=suite)
    assert key.public_key.octets.hex() == vector["public_key"]
    messages, header = octets(vector["messages"]), bytes.fromhex(vector["header"])
    registered: NymKey | None = None
    assert len(vector["valid"]) == 2
    for case in vector["valid"]:
        nonce, committed = bytes.fromhex(case["nonce"]), octets(case["committed_messages"])
        random = case["random_scalars"]
        made, secrets = _commit(
            scalar(vector["prover_nym"]),
            committed,
            key.public_key,
            nonce,
            suite,
            CommitRandomness(
                scalar(random["prover_blind"]),
                scalar(random["s_tilde"]),
                tuple(map(scalar, random["m_tildes"])),
            ),
        )
        assert made.octets.hex() == case["registered_commitment"]
        verified = verify_registered_commitment(
            parse_registered_commitment(bytes.fromhex(case["registered_commitment"])),
            NymLayout(len(messages), len(committed)),
            public_key=key.public_key,
            nonce=nonce,
            registered=registered,
            suite=suite,
        )
        registered = verified.nym_key
        assert registered == parse_nym_key(bytes.fromhex(vector["nym_key"]))
        entropy = scalar(vector["signer_nym_entropy"])
        signature = blind_sign_with_nym(
            key, verified.commitment, entropy, messages, header=header, suite=suite
        )
        assert signature.octets.hex() == case["signature"]
        credential = verify_finalize_with_nym(
            key.public_key, signature, secrets, entropy, messages, header=header, suite=suite
        )
        assert credential.nym_secrets == (scalar(case["nym_secret"]),)
        pseudonym = calculate_pseudonym(
            credential, bytes.fromhex(vector["context_id"]), suite=suite
        )
        assert pseudonym.octets.hex() == case["pseudonym"]
    assert len({case["pseudonym"] for case in vector["valid"]}) == 1


@pytest.mark.parametrize(("ciphersuite", "suite"), BOTH)
def test_every_commitment_that_must_fail_fails_with_its_code(
    ciphersuite: str, suite: Suite
) -> None:
    vector = load(ciphersuite)
    assert len(vector["invalid"]) == 14

    def check(data: bytes) -> RegisteredCommitment:
        commitment = parse_registered_commitment(data)
        verify_registered_commitment(
            commitment,
            NymLayout(len(vector["messages"])),
            public_key=parse_public_key(bytes.fromhex(vector["public_key"])),
            nonce=bytes.fromhex(vector["valid"][0]["nonce"]),
            registered=parse_nym_key(bytes.fromhex(vector["nym_key"])),
            suite=suite,
        )
        return commitment

    assert check(bytes.fromhex(vector["valid"][0]["registered_commitment"]))
    for case in vector["invalid"]:
        with pytest.raises(SeoulWalletError) as caught:
            check(bytes.fromhex(case["registered_commitment"]))
        assert (case["name"], caught.value.code) == (case["name"], case["code"])
