"""Signed statements: canonical, of one kind, signed by one key, low s."""

from __future__ import annotations

import pytest

from tests.support.voting import signing_key
from wallet.crypto.keys import SECP256K1_ORDER
from wallet.crypto.secp256k1 import Point, parse_point
from wallet.crypto.signing_keys import Es256kSigningKey, Es384SigningKey
from wallet.voting.statements import (
    Statement,
    StatementMalformed,
    StatementSignatureInvalid,
    parse_statement,
    sign_statement,
    verify_statement,
)

KEY = signing_key("somebody")
BODY = {"kind": "close", "election": "00" * 32, "ballots": 3}
STATEMENT = sign_statement(KEY, BODY)


def point(key: Es256kSigningKey) -> Point:
    return parse_point(key.public_key.compressed)


def test_a_statement_survives_its_encoding_and_verifies() -> None:
    found = parse_statement(STATEMENT.octets)
    assert verify_statement(found, "close", point(KEY)) == BODY


def test_a_statement_is_good_for_its_kind_key_and_body_alone() -> None:
    for statement, kind, key in (
        (STATEMENT, "end", KEY),
        (STATEMENT, "close", signing_key("somebody else")),
        (Statement("close", {**BODY, "ballots": 4}, STATEMENT.signature), "close", KEY),
        (Statement("close", BODY, bytes(64)), "close", KEY),
    ):
        with pytest.raises(StatementSignatureInvalid):
            verify_statement(statement, kind, point(key))


def test_the_same_signature_with_high_s_is_refused() -> None:
    r, s = STATEMENT.signature[:32], int.from_bytes(STATEMENT.signature[32:], "big")
    high = Statement("close", BODY, r + (SECP256K1_ORDER - s).to_bytes(32, "big"))
    with pytest.raises(StatementSignatureInvalid):
        verify_statement(high, "close", point(KEY))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"body":{},"signature":""}',
        STATEMENT.octets + b"\n",
        STATEMENT.octets.replace(b'"ballots":3', b'"ballots":3.0'),
        STATEMENT.octets[:-4] + b'"}',
        STATEMENT.octets.replace(b'"kind":"close"', b'"kind":1'),
        b'{"body":[],"signature":"' + b"00" * 64 + b'"}',
    ],
)
def test_rejects_what_is_no_statement(data: bytes) -> None:
    with pytest.raises(StatementMalformed):
        parse_statement(data)


def test_only_secp256k1_signs() -> None:
    with pytest.raises(StatementMalformed):
        sign_statement(Es384SigningKey.generate(), BODY)
    with pytest.raises(StatementMalformed):
        sign_statement(KEY, {"no": "kind"})
    with pytest.raises(StatementMalformed):
        sign_statement(KEY, {"kind": "close", "ballots": 2**60})
