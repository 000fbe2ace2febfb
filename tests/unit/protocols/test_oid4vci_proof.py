"""Key proofs on their own; the issuer's tests run them through its endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.credentials.jose import sign_jws
from wallet.crypto.keys import Ed25519SigningKey, Es256SigningKey
from wallet.did.did_key import did_key_from_public_key
from wallet.errors import SeoulWalletError
from wallet.protocols.oid4vci.proof import (
    KeyProofInvalid,
    KeyProofMalformed,
    KeyProofWithoutNonce,
    build_key_proof,
    verify_key_proof,
)

AUDIENCE = "https://issuer.example"
NOW = 1_800_000_000
KEY = Es256SigningKey.from_secret(b"\x07" * 32)


def proof(header: dict[str, Any] | None = None, **claims: Any) -> str:
    body = {"aud": AUDIENCE, "iat": NOW, "nonce": "n", **claims}
    full = {"typ": "openid4vci-proof+jwt", "jwk": KEY.public_key.jwk, **(header or {})}
    return sign_jws(KEY, {k: v for k, v in full.items() if v is not None}, body)


def test_a_proof_shows_its_key_and_nonce() -> None:
    built = build_key_proof(KEY, audience=AUDIENCE, nonce="n", issued_at=NOW)
    verified = verify_key_proof(built, audience=AUDIENCE, now=NOW)
    assert verified.key.jwk == KEY.public_key.jwk
    assert verified.nonce == "n"


def test_a_did_key_is_as_good_as_its_jwk() -> None:
    did = did_key_from_public_key(KEY.public_key)
    kid = f"{did}#{did.removeprefix('did:key:')}"
    verified = verify_key_proof(proof({"jwk": None, "kid": kid}), audience=AUDIENCE, now=NOW)
    assert verified.key.jwk == KEY.public_key.jwk


def test_another_algorithm_needs_to_be_allowed() -> None:
    key = Ed25519SigningKey.generate()
    built = build_key_proof(key, audience=AUDIENCE, nonce="n", issued_at=NOW)
    with pytest.raises(KeyProofMalformed):
        verify_key_proof(built, audience=AUDIENCE, now=NOW)
    allowed = frozenset(("ES256", "EdDSA"))
    verified = verify_key_proof(built, audience=AUDIENCE, now=NOW, algorithms=allowed)
    assert verified.key.algorithm == "EdDSA"


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"nonce": None}, KeyProofWithoutNonce),
        ({"nonce": ""}, KeyProofMalformed),
        ({"nonce": 5}, KeyProofMalformed),
        ({"nonce": "x" * 513}, KeyProofMalformed),
        ({"exp": NOW - 60}, KeyProofInvalid),
        ({"nbf": NOW + 61}, KeyProofInvalid),
        ({"exp": "soon"}, KeyProofMalformed),
        ({"aud": "https://other.example"}, KeyProofInvalid),
        ({"iat": NOW - 301}, KeyProofInvalid),
    ],
)
def test_refuses_a_bad_claim(claims: dict[str, Any], error: type[SeoulWalletError]) -> None:
    with pytest.raises(error):
        verify_key_proof(proof(**claims), audience=AUDIENCE, now=NOW)


def test_iss_is_the_client_of_the_access_token_if_both_are_known() -> None:
    for client_id in ("app", None):
        for named in (proof(), proof(iss="app")):
            assert verify_key_proof(named, audience=AUDIENCE, now=NOW, client_id=client_id)
    assert verify_key_proof(proof(iss="other"), audience=AUDIENCE, now=NOW)
    for other in ("other", "", 5, ["app"]):
        with pytest.raises(KeyProofInvalid):
            verify_key_proof(proof(iss=other), audience=AUDIENCE, now=NOW, client_id="app")


def test_refuses_every_proof_with_one_character_changed() -> None:
    good = proof()
    for index, char in enumerate(good):
        other = "A" if char != "A" else "B"
        with pytest.raises((KeyProofInvalid, KeyProofMalformed)):
            verify_key_proof(good[:index] + other + good[index + 1 :], audience=AUDIENCE, now=NOW)


@given(text=st.text(max_size=300))
def test_no_text_raises_a_foreign_error(text: str) -> None:
    with pytest.raises(KeyProofMalformed):
        verify_key_proof(text, audience=AUDIENCE, now=NOW)
