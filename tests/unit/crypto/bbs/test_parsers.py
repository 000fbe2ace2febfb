"""Any bytes into any parser: a value that gives the same bytes back, or a typed error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bbs import HEADER, ISSUER, MESSAGES, SUITES
from wallet.crypto.bbs.nym_issuance import NymLayout, commit_with_nym, verify_commitment
from wallet.crypto.bbs.proofs import ProofStatement, derive_proof, verify_proof
from wallet.crypto.bbs.registered_nym import (
    commit_with_registered_nym,
    parse_nym_key,
    parse_registered_commitment,
    verify_registered_commitment,
)
from wallet.crypto.bbs.signatures import parse_secret_key, sign, verify_signature
from wallet.crypto.bbs.types import (
    BbsPublicKey,
    BbsSecretKey,
    parse_commitment,
    parse_proof,
    parse_pseudonym,
    parse_public_key,
    parse_signature,
)
from wallet.errors import MalformedError, RejectedError, SeoulWalletError

NONCE = b"sixteen bytes or"
SIGNATURE = sign(ISSUER, MESSAGES, header=HEADER)
PROOF = derive_proof(ISSUER.public_key, SIGNATURE, MESSAGES, (0, 9), header=HEADER)
COMMITMENT, _ = commit_with_nym([7], [b"m"])
REGISTERED, _ = commit_with_registered_nym(7, public_key=ISSUER.public_key, nonce=NONCE)
STATEMENT = ProofStatement(ISSUER.public_key, 10, ((0, MESSAGES[0]), (9, MESSAGES[9])), HEADER)

Parser = tuple[Callable[[bytes], Any], bytes]
PARSERS: dict[str, Parser] = {
    "public key": (parse_public_key, ISSUER.public_key.octets),
    "secret key": (parse_secret_key, ISSUER.secret),
    "signature": (parse_signature, SIGNATURE.octets),
    "proof": (parse_proof, PROOF.octets),
    "commitment": (parse_commitment, COMMITMENT.octets),
    "pseudonym": (parse_pseudonym, REGISTERED.nym_key.octets),
    "nym key": (parse_nym_key, REGISTERED.nym_key.octets),
    "registered commitment": (parse_registered_commitment, REGISTERED.octets),
}


def octets_of(value: Any) -> bytes:
    octets: bytes = value.secret if isinstance(value, BbsSecretKey) else value.octets
    return octets


def near(good: bytes) -> st.SearchStrategy[bytes]:
    """Bytes that resemble good ones: cut, extended, with a changed byte or span."""
    place = st.integers(0, len(good))
    return st.one_of(
        st.binary(max_size=600),
        st.binary(min_size=len(good), max_size=len(good)),
        st.builds(lambda cut: good[:cut], place),
        st.builds(lambda tail: good + tail, st.binary(max_size=64)),
        st.builds(
            lambda at, span: (good[:at] + span + good[at + len(span) :])[: len(good)],
            place,
            st.binary(max_size=48),
        ),
    )


@pytest.mark.parametrize("name", PARSERS)
def test_gives_good_bytes_back(name: str) -> None:
    parse, good = PARSERS[name]
    assert octets_of(parse(good)) == good


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
def test_any_bytes_parse_to_themselves_or_raise_a_typed_error(
    name: str, data: st.DataObject
) -> None:
    parse, good = PARSERS[name]
    octets = data.draw(near(good))
    try:
        assert octets_of(parse(octets)) == octets
    except MalformedError as error:
        code = error.code
    else:
        return
    assert code != MalformedError.code


@given(octets=near(PROOF.octets))
def test_any_bytes_as_a_proof_are_the_proof_or_raise_a_typed_error(octets: bytes) -> None:
    try:
        verify_proof(parse_proof(octets), STATEMENT)
    except (MalformedError, RejectedError):
        assert octets != PROOF.octets
    else:
        assert octets == PROOF.octets


@given(octets=near(SIGNATURE.octets), key=near(ISSUER.public_key.octets))
def test_any_bytes_as_signature_and_key_raise_only_typed_errors(octets: bytes, key: bytes) -> None:
    def accepted(signature: bytes, public_key: bytes) -> bool:
        try:
            verify_signature(
                BbsPublicKey(public_key), parse_signature(signature), MESSAGES, header=HEADER
            )
        except SeoulWalletError:
            return False
        return True

    good = SIGNATURE.octets, ISSUER.public_key.octets
    assert accepted(*good)
    assert accepted(octets, key) is ((octets, key) == good)


@given(octets=near(REGISTERED.octets))
def test_any_bytes_as_a_registered_commitment_raise_only_typed_errors(octets: bytes) -> None:
    try:
        verify_registered_commitment(
            parse_registered_commitment(octets),
            NymLayout(10),
            public_key=ISSUER.public_key,
            nonce=NONCE,
            registered=None,
        )
    except (MalformedError, RejectedError):
        assert octets != REGISTERED.octets
    else:
        assert octets == REGISTERED.octets


@given(octets=near(COMMITMENT.octets))
def test_any_bytes_as_a_commitment_raise_only_typed_errors(octets: bytes) -> None:
    try:
        verify_commitment(parse_commitment(octets), NymLayout(10, 1))
    except (MalformedError, RejectedError):
        assert octets != COMMITMENT.octets
    else:
        assert octets == COMMITMENT.octets


@given(header=st.binary(max_size=32), messages=st.lists(st.binary(max_size=32), max_size=4))
def test_whatever_is_signed_verifies_and_can_be_proved(
    header: bytes, messages: list[bytes]
) -> None:
    for suite in SUITES.values():
        signature = sign(ISSUER, messages, header=header, suite=suite)
        verify_signature(ISSUER.public_key, signature, messages, header=header, suite=suite)
        shown = range(0, len(messages), 2)
        proof = derive_proof(
            ISSUER.public_key, signature, messages, shown, header=header, suite=suite
        )
        disclosed = tuple((index, messages[index]) for index in shown)
        statement = ProofStatement(ISSUER.public_key, len(messages), disclosed, header)
        verify_proof(proof, statement, suite=suite)
        with pytest.raises(RejectedError):
            verify_proof(proof, replace(statement, header=header + b"\0"), suite=suite)
