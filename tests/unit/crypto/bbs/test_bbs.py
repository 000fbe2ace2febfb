"""BBS signatures and proofs: what must be refused, and that proofs do not link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.support.bbs import (
    HEADER,
    ISSUER,
    MESSAGES,
    OFF_SUBGROUP_G1,
    OFF_SUBGROUP_G2,
    OTHER_ISSUER,
    REFERENCE_SHA_256,
)
from wallet.crypto.bbs.proofs import ProofStatement, derive_proof, verify_proof
from wallet.crypto.bbs.signatures import (
    derive_secret_key,
    generate_secret_key,
    parse_secret_key,
    sign,
    verify_signature,
)
from wallet.crypto.bbs.suite import MAX_CACHED_CONTEXTS, SHA_256, SHAKE_256, Suite
from wallet.crypto.bbs.types import (
    MAX_HEADER_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_MESSAGES,
    MAX_PROOF_BYTES,
    BbsDisclosureMalformed,
    BbsKeyMaterialMalformed,
    BbsLayoutMalformed,
    BbsLimitExceeded,
    BbsOctetsMalformed,
    BbsProofInvalid,
    BbsPublicKey,
    parse_proof,
    parse_public_key,
    parse_signature,
)
from wallet.crypto.bls12_381.backend import GROUP_ORDER, PointMalformed, ScalarMalformed
from wallet.crypto.keys import SignatureInvalid
from wallet.errors import MalformedError, RejectedError

PUBLIC_KEY = ISSUER.public_key
SIGNATURE = sign(ISSUER, MESSAGES, header=HEADER)
SHOWN = (1, 4, 7)
NONCE = b"a nonce of the verifier"
PROOF = derive_proof(
    PUBLIC_KEY, SIGNATURE, MESSAGES, SHOWN, header=HEADER, presentation_header=NONCE
)
STATEMENT = ProofStatement(
    PUBLIC_KEY, 10, tuple((index, MESSAGES[index]) for index in SHOWN), HEADER, NONCE
)
IDENTITY = b"\xc0" + bytes(47)
BAD_POINTS = {
    "identity": IDENTITY,
    "outside the subgroup": OFF_SUBGROUP_G1,
    "not compressed": bytes([PROOF.a_bar[0] & 0x7F]) + PROOF.a_bar[1:],
    "all ones": b"\xff" * 48,
    "zeros": bytes(48),
}
BAD_SCALARS = {"zero": 0, "order": GROUP_ORDER, "largest": 2**256 - 1}


def windows(data: bytes, size: int = 16) -> set[bytes]:
    return {data[start : start + size] for start in range(len(data) - size + 1)}


def flipped(data: bytes) -> list[bytes]:
    """The data with one bit turned in every seventh byte."""
    return [
        data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
        for place in range(0, len(data), 7)
    ]


def refused(parse_and_verify: Callable[[bytes], object], data: bytes) -> bool:
    try:
        parse_and_verify(data)
    except (MalformedError, RejectedError):
        return True
    return False


def test_a_signature_is_good_for_its_messages_header_and_key_alone() -> None:
    verify_signature(PUBLIC_KEY, SIGNATURE, MESSAGES, header=HEADER)
    bad: list[tuple[BbsPublicKey, Sequence[bytes], bytes]] = [
        (OTHER_ISSUER.public_key, MESSAGES, HEADER),
        (PUBLIC_KEY, MESSAGES[:-1], HEADER),
        (PUBLIC_KEY, (*MESSAGES, b""), HEADER),
        (PUBLIC_KEY, MESSAGES[::-1], HEADER),
        (PUBLIC_KEY, (*MESSAGES[:-1], b"attribute 8"), HEADER),
        (PUBLIC_KEY, MESSAGES, HEADER + b"\0"),
        (PUBLIC_KEY, MESSAGES, b""),
    ]
    for public_key, messages, header in bad:
        with pytest.raises(SignatureInvalid):
            verify_signature(public_key, SIGNATURE, messages, header=header)


def test_the_backends_accept_each_others_work() -> None:
    signature = sign(ISSUER, MESSAGES, header=HEADER, suite=REFERENCE_SHA_256)
    assert signature == SIGNATURE
    verify_proof(PROOF, STATEMENT, suite=REFERENCE_SHA_256)
    made = derive_proof(
        PUBLIC_KEY,
        SIGNATURE,
        MESSAGES,
        SHOWN,
        header=HEADER,
        presentation_header=NONCE,
        suite=REFERENCE_SHA_256,
    )
    verify_proof(made, STATEMENT)


def test_refuses_a_signature_with_any_bit_turned() -> None:
    def verify(data: bytes) -> None:
        verify_signature(PUBLIC_KEY, parse_signature(data), MESSAGES, header=HEADER)

    verify(SIGNATURE.octets)
    assert all(refused(verify, data) for data in flipped(SIGNATURE.octets))


def test_refuses_a_proof_with_any_bit_turned() -> None:
    def verify(data: bytes) -> None:
        verify_proof(parse_proof(data), STATEMENT)

    verify(PROOF.octets)
    assert len(PROOF.octets) == 272 + 7 * 32
    assert all(refused(verify, data) for data in flipped(PROOF.octets))


@pytest.mark.parametrize("name", BAD_POINTS)
def test_refuses_points_that_are_no_points(name: str) -> None:
    point = BAD_POINTS[name]
    for proof in (
        replace(PROOF, a_bar=point),
        replace(PROOF, b_bar=point),
        replace(PROOF, d=point),
        replace(PROOF, a_bar=point, b_bar=point, d=point),
    ):
        with pytest.raises(PointMalformed):
            verify_proof(proof, STATEMENT)
        # Only the subgroup needs a backend; the rest does not come through the parser.
        if name == "outside the subgroup":
            assert parse_proof(proof.octets) == proof
        else:
            with pytest.raises(PointMalformed):
                parse_proof(proof.octets)
    with pytest.raises(PointMalformed):
        verify_signature(PUBLIC_KEY, replace(SIGNATURE, a=point), MESSAGES, header=HEADER)
    with pytest.raises(PointMalformed):
        derive_proof(PUBLIC_KEY, replace(SIGNATURE, a=point), MESSAGES, SHOWN, header=HEADER)


@pytest.mark.parametrize(
    "octets",
    [
        b"\xc0" + bytes(95),
        OFF_SUBGROUP_G2,
        PUBLIC_KEY.octets[:-1],
        PUBLIC_KEY.octets[:48],
        bytes(96),
        b"\xff" * 96,
    ],
    ids=["identity", "outside the subgroup", "short", "in G1", "zeros", "ones"],
)
def test_refuses_a_public_key_that_is_no_point_of_g2(octets: bytes) -> None:
    key = BbsPublicKey(octets)
    with pytest.raises(PointMalformed):
        verify_signature(key, SIGNATURE, MESSAGES, header=HEADER)
    # The identity, and what is not canonical, is refused before any point is computed.
    if octets != OFF_SUBGROUP_G2:
        with pytest.raises(PointMalformed):
            parse_public_key(octets)
    # A proof is hashed together with the key first, so either check may speak.
    with pytest.raises((PointMalformed, BbsProofInvalid)):
        verify_proof(PROOF, replace(STATEMENT, public_key=key))


@pytest.mark.parametrize("name", BAD_SCALARS)
def test_refuses_scalars_that_are_zero_or_not_reduced(name: str) -> None:
    scalar = BAD_SCALARS[name].to_bytes(32, "big")
    for start in range(144, len(PROOF.octets), 32):
        with pytest.raises(ScalarMalformed):
            parse_proof(PROOF.octets[:start] + scalar + PROOF.octets[start + 32 :])
    with pytest.raises(ScalarMalformed):
        parse_signature(SIGNATURE.a + scalar)
    with pytest.raises(ScalarMalformed):
        parse_secret_key(scalar)


@pytest.mark.parametrize("length", [0, 1, 79, 81, 112])
def test_refuses_a_signature_of_another_length(length: int) -> None:
    with pytest.raises(BbsOctetsMalformed):
        parse_signature((SIGNATURE.octets * 2)[:length])


def test_refuses_a_proof_of_another_length() -> None:
    octets = PROOF.octets
    for data in (b"", octets[:271], octets[:-1], octets + b"\1", octets[:144]):
        with pytest.raises(BbsOctetsMalformed):
            parse_proof(data)
    one = (1).to_bytes(32, "big")
    longest = octets[:144] + one * ((MAX_PROOF_BYTES - 144) // 32)
    assert len(parse_proof(longest).octets) == MAX_PROOF_BYTES
    with pytest.raises(BbsOctetsMalformed):
        parse_proof(longest + one)
    # One response less or more is well formed, and not a proof about ten messages.
    for data in (octets[:-32], octets + one):
        with pytest.raises(BbsLayoutMalformed):
            verify_proof(parse_proof(data), STATEMENT)


@pytest.mark.parametrize(
    "indexes",
    [(1, 1, 4), (4, 1, 7), (1, 4, 10), (-1, 4, 7), (7, 4, 1), (1, 4, 2**64), (True, 4, 7)],
)
def test_refuses_indexes_that_repeat_descend_or_leave_the_range(indexes: tuple[int, ...]) -> None:
    disclosed = tuple((index, b"attribute") for index in indexes)
    with pytest.raises(BbsDisclosureMalformed):
        verify_proof(PROOF, replace(STATEMENT, disclosed=disclosed))
    with pytest.raises(BbsDisclosureMalformed):
        derive_proof(PUBLIC_KEY, SIGNATURE, MESSAGES, indexes, header=HEADER)


def test_a_proof_shows_its_own_statement_and_no_other() -> None:
    assert verify_proof(PROOF, STATEMENT).statement == STATEMENT
    shown = STATEMENT.disclosed
    for statement in (
        replace(STATEMENT, public_key=OTHER_ISSUER.public_key),
        replace(STATEMENT, header=b""),
        replace(STATEMENT, presentation_header=NONCE + b"\0"),
        replace(STATEMENT, header=NONCE, presentation_header=HEADER),
        replace(STATEMENT, disclosed=(*shown[:-1], (7, b"attribute 8"))),
        replace(STATEMENT, disclosed=(*shown[:-1], (8, MESSAGES[7]))),
        replace(STATEMENT, message_count=11, disclosed=(*shown, (10, b"one more"))),
        replace(STATEMENT, message_count=9, disclosed=shown[:-1]),
    ):
        with pytest.raises(BbsProofInvalid):
            verify_proof(PROOF, statement)
    for count in (9, 11):
        with pytest.raises(BbsLayoutMalformed):
            verify_proof(PROOF, replace(STATEMENT, message_count=count))
    with pytest.raises(BbsProofInvalid):
        verify_proof(PROOF, STATEMENT, suite=SHAKE_256)


def test_a_proof_of_another_issuers_signature_fails_at_the_pairing() -> None:
    foreign = sign(OTHER_ISSUER, MESSAGES, header=HEADER)
    proof = derive_proof(
        PUBLIC_KEY, foreign, MESSAGES, SHOWN, header=HEADER, presentation_header=NONCE
    )
    with pytest.raises(BbsProofInvalid, match="not of a signature of this issuer"):
        verify_proof(proof, STATEMENT)


@pytest.mark.parametrize("shown", [(), tuple(range(10)), (0,), (9,)])
def test_shows_nothing_everything_or_one_message(shown: tuple[int, ...]) -> None:
    proof = derive_proof(PUBLIC_KEY, SIGNATURE, MESSAGES, shown, header=HEADER)
    disclosed = tuple((index, MESSAGES[index]) for index in shown)
    statement = ProofStatement(PUBLIC_KEY, 10, disclosed, HEADER)
    assert verify_proof(parse_proof(proof.octets), statement)
    with pytest.raises(BbsProofInvalid):
        verify_proof(proof, replace(statement, presentation_header=b"x"))


def test_signs_and_proves_no_message_at_all() -> None:
    signature = sign(ISSUER, [])
    verify_signature(PUBLIC_KEY, signature, [])
    proof = derive_proof(PUBLIC_KEY, signature, [], [])
    verify_proof(proof, ProofStatement(PUBLIC_KEY, 0, ()))
    with pytest.raises(SignatureInvalid):
        verify_signature(PUBLIC_KEY, signature, [b""])


def test_two_hundred_proofs_of_one_credential_share_no_sixteen_bytes() -> None:
    seen = windows(SIGNATURE.octets)
    for _ in range(200):
        proof = derive_proof(
            PUBLIC_KEY, SIGNATURE, MESSAGES, SHOWN, header=HEADER, presentation_header=NONCE
        )
        fresh = windows(proof.octets)
        assert len(fresh) == len(proof.octets) - 15
        assert seen.isdisjoint(fresh)
        seen |= fresh
    assert not windows(PROOF.octets).isdisjoint(windows(PROOF.octets[100:]))


def test_key_material_gives_one_key_and_has_a_least_and_a_greatest_length() -> None:
    assert derive_secret_key(b"k" * 32) == derive_secret_key(b"k" * 32)
    assert derive_secret_key(b"k" * 32, b"info") != derive_secret_key(b"k" * 32)
    assert parse_secret_key(ISSUER.secret) == ISSUER
    assert generate_secret_key() != generate_secret_key()
    with pytest.raises(BbsKeyMaterialMalformed):
        derive_secret_key(b"k" * 31)
    with pytest.raises(BbsKeyMaterialMalformed):
        derive_secret_key(b"k" * 32, bytes(65536))


def test_secrets_stay_out_of_representations() -> None:
    assert str(ISSUER.scalar) not in repr(ISSUER)
    assert SIGNATURE.a.hex() not in repr(SIGNATURE)
    assert repr(SIGNATURE) == "BbsSignature()"


def test_refuses_more_than_the_limits() -> None:
    with pytest.raises(BbsLimitExceeded):
        sign(ISSUER, [b""] * (MAX_MESSAGES + 1))
    with pytest.raises(BbsLimitExceeded):
        sign(ISSUER, [bytes(MAX_MESSAGE_BYTES + 1)])
    with pytest.raises(BbsLimitExceeded):
        sign(ISSUER, [], header=bytes(MAX_HEADER_BYTES + 1))
    for statement in (
        replace(STATEMENT, presentation_header=bytes(MAX_HEADER_BYTES + 1)),
        replace(STATEMENT, header=bytes(MAX_HEADER_BYTES + 1)),
        replace(STATEMENT, message_count=MAX_MESSAGES + 1),
        replace(STATEMENT, message_count=-1, disclosed=()),
    ):
        with pytest.raises(BbsLimitExceeded):
            verify_proof(PROOF, statement)


def test_what_is_remembered_of_issuers_stays_bounded() -> None:
    for number in range(MAX_CACHED_CONTEXTS + 5):
        with pytest.raises(SignatureInvalid):
            verify_signature(PUBLIC_KEY, SIGNATURE, [], header=b"%d" % number)
    assert SHA_256.plain._context.cache_info().currsize == MAX_CACHED_CONTEXTS
    verify_signature(PUBLIC_KEY, SIGNATURE, MESSAGES, header=HEADER)


@pytest.mark.parametrize("suite", [SHA_256, SHAKE_256, REFERENCE_SHA_256])
def test_the_base_point_comes_from_its_seed(suite: Suite) -> None:
    # Draft §7.2: create_generators(1) with the seed of the base point in place of the usual one.
    api_id, expand = suite.plain.api_id, suite.ciphersuite.expand
    seed_dst = api_id + b"SIG_GENERATOR_SEED_"
    state = expand(api_id + b"BP_MESSAGE_GENERATOR_SEED", seed_dst, 48)
    state = expand(state + (1).to_bytes(8, "big"), seed_dst, 48)
    point = suite.hash_to_g1(state, api_id + b"SIG_GENERATOR_DST_")
    assert suite.backend.encode_g1(point) == suite.ciphersuite.p1
