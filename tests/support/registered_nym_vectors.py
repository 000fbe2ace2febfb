"""Makes tests/vectors/bbs_registered_nym: run `python -m tests.support.registered_nym_vectors`.

Every random scalar comes from a seed, so that the same file is made again. Two commitments of
one holder (enrolment and re-issuance), the credentials signed over them, and commitments that
must be refused, each with the code of its error.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tests.support.bbs import OFF_SUBGROUP_G1, SUITES
from wallet.crypto.bbs.nym_issuance import (
    CommitRandomness,
    NymLayout,
    ProverSecrets,
    _commit_with_nym,
    answer_commitment,
    blind_sign_with_nym,
    commitment_points,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.nym_proofs import calculate_pseudonym
from wallet.crypto.bbs.registered_nym import (
    RegisteredCommitment,
    _challenge,
    _commit,
    nym_key,
    verify_registered_commitment,
)
from wallet.crypto.bbs.signatures import derive_secret_key
from wallet.crypto.bbs.suite import Suite
from wallet.crypto.bbs.types import BbsPublicKey, BbsSecretKey
from wallet.crypto.bls12_381.backend import encode_scalar

FOLDER: Final = Path(__file__).parents[1] / "vectors" / "bbs_registered_nym"
HEADER: Final = b"registered nym key, test vectors"
MESSAGES: Final = (b"district: Mapo-gu (synthetic)", b"epoch: 2026")
COMMITTED: Final = ((), (b"a committed message",))
NONCES: Final = (b"c_nonce of the enrolment", b"c_nonce of the re-issuance")
CONTEXT_ID: Final = b"seoul:ballot:test-vectors"


def seeded_scalar(suite: Suite, label: str) -> int:
    """A scalar that depends on the label alone."""
    return suite.hash_to_scalar(label.encode(), b"REGISTERED_NYM_VECTORS_MOCK_SCALAR")


def seeded_randomness(suite: Suite, label: str, committed: int) -> CommitRandomness:
    """The random scalars of the commitment called `label`."""
    return CommitRandomness(
        seeded_scalar(suite, f"{label} prover_blind"),
        seeded_scalar(suite, f"{label} s_tilde"),
        tuple(seeded_scalar(suite, f"{label} m_tilde {place}") for place in range(committed)),
    )


def _commitment(
    suite: Suite, public_key: BbsPublicKey, prover_nym: int, place: int
) -> tuple[RegisteredCommitment, ProverSecrets, CommitRandomness]:
    randomness = seeded_randomness(suite, f"commitment {place}", len(COMMITTED[place]) + 1)
    made, secrets = _commit(
        prover_nym, COMMITTED[place], public_key, NONCES[place], suite, randomness
    )
    return made, secrets, randomness


def _valid(
    suite: Suite, key: BbsSecretKey, prover_nym: int, entropy: int, place: int
) -> dict[str, Any]:
    made, secrets, randomness = _commitment(suite, key.public_key, prover_nym, place)
    verified = verify_registered_commitment(
        made,
        NymLayout(len(MESSAGES), len(COMMITTED[place])),
        public_key=key.public_key,
        nonce=NONCES[place],
        registered=nym_key(prover_nym, suite=suite) if place else None,
        suite=suite,
    )
    signature = blind_sign_with_nym(
        key, verified.commitment, entropy, MESSAGES, header=HEADER, suite=suite
    )
    credential = verify_finalize_with_nym(
        key.public_key, signature, secrets, entropy, MESSAGES, header=HEADER, suite=suite
    )
    return {
        "nonce": NONCES[place].hex(),
        "committed_messages": [message.hex() for message in COMMITTED[place]],
        "random_scalars": {
            "prover_blind": encode_scalar(randomness.prover_blind).hex(),
            "s_tilde": encode_scalar(randomness.s_tilde).hex(),
            "m_tildes": [encode_scalar(tilde).hex() for tilde in randomness.m_tildes],
        },
        "registered_commitment": made.octets.hex(),
        "signature": signature.octets.hex(),
        "nym_secret": encode_scalar(credential.nym_secrets[-1]).hex(),
        "pseudonym": calculate_pseudonym(credential, CONTEXT_ID, suite=suite).octets.hex(),
    }


def _two_secrets(
    suite: Suite, key: BbsSecretKey, registered: int, committed: int, *, one_blinding: bool
) -> bytes:
    """A cheat who knows both secrets shows the key of one and commits to the other."""
    interface = suite.pseudonym
    randomness = seeded_randomness(suite, "two secrets", 1)
    c, c_bar = commitment_points(interface, (committed,), randomness)
    k_tilde = randomness.m_tildes[0] if one_blinding else seeded_scalar(suite, "k_tilde")
    k = nym_key(registered, suite=suite)
    k_bar = nym_key(k_tilde, suite=suite).octets
    challenge = _challenge(suite, key.public_key, 1, (c, c_bar, k.octets, k_bar), NONCES[0])
    answer = answer_commitment(c, (committed,), randomness, challenge)
    return RegisteredCommitment(k, answer).octets


def _invalid(suite: Suite, key: BbsSecretKey, prover_nym: int) -> list[dict[str, Any]]:
    """Commitments to be refused; all are presented with the nonce of the enrolment."""
    enrolment, _, randomness = _commitment(suite, key.public_key, prover_nym, 0)
    another = seeded_scalar(suite, "another prover_nym")
    of_another, _ = _commit(another, (), key.public_key, NONCES[0], suite, randomness)
    plain, _ = _commit_with_nym([prover_nym], (), suite, randomness)
    mine, theirs = enrolment.nym_key, nym_key(another, suite=suite)
    elsewhere = derive_secret_key(b"the issuer of another city, synthetic", suite=suite)
    stranger, _ = _commit(prover_nym, (), elsewhere.public_key, NONCES[0], suite, randomness)
    late, _ = _commit(prover_nym, (), key.public_key, NONCES[1], suite, randomness)
    inner = enrolment.commitment
    invalid, point = "bbs_commitment_invalid", "bls12_381_point_malformed"
    answered = replace(enrolment, commitment=replace(inner, challenge=1)).octets
    unanswered = enrolment.octets[:-64] + bytes(32) + enrolment.octets[-32:]
    cheats = [
        _two_secrets(suite, key, prover_nym, another, one_blinding=shared)
        for shared in (True, False)
    ]
    cases: list[tuple[str, bytes, str]] = [
        ("another prover_nym, honestly proved", of_another.octets, "bbs_nym_key_mismatch"),
        ("another prover_nym, registered key", mine.octets + of_another.octets[48:], invalid),
        ("the key of another, right commitment", theirs.octets + inner.octets, invalid),
        ("a plain commitment after the registered key", mine.octets + plain.octets, invalid),
        ("two secrets, one blinding", cheats[0], invalid),
        ("two secrets, a blinding for each", cheats[1], invalid),
        ("made for another issuer", stranger.octets, invalid),
        ("made for another nonce", late.octets, invalid),
        ("a key that is the identity", b"\xc0" + bytes(47) + inner.octets, point),
        ("a key outside the subgroup", OFF_SUBGROUP_G1 + inner.octets, point),
        ("another challenge", answered, invalid),
        ("a response of zero", unanswered, "bls12_381_scalar_malformed"),
        ("cut short", enrolment.octets[:-1], "bbs_octets_malformed"),
        ("one response too many", enrolment.octets + encode_scalar(1), "bbs_layout_malformed"),
    ]
    return [
        {"name": name, "registered_commitment": octets.hex(), "code": code}
        for name, octets, code in cases
    ]


def make(ciphersuite: str, suite: Suite) -> str:
    """The text of the vector file of a ciphersuite."""
    key = derive_secret_key(b"issuer of the registered nym vectors, synthetic", suite=suite)
    prover_nym, entropy = (
        seeded_scalar(suite, label) for label in ("prover_nym", "signer_nym_entropy")
    )
    document = {
        "ciphersuite": ciphersuite,
        "secret_key": key.secret.hex(),
        "public_key": key.public_key.octets.hex(),
        "header": HEADER.hex(),
        "messages": [message.hex() for message in MESSAGES],
        "prover_nym": encode_scalar(prover_nym).hex(),
        "signer_nym_entropy": encode_scalar(entropy).hex(),
        "nym_key": nym_key(prover_nym, suite=suite).octets.hex(),
        "context_id": CONTEXT_ID.hex(),
        "valid": [_valid(suite, key, prover_nym, entropy, place) for place in (0, 1)],
        "invalid": _invalid(suite, key, prover_nym),
    }
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    for name, each in SUITES.items():
        (FOLDER / f"{name}.json").write_text(make(name, each))
