"""Keys: published vectors, JWK rules, and signatures that must not verify."""

import json

import pytest

from tests.support.vectors import vector_folder
from wallet.crypto.keys import (
    Ed25519SigningKey,
    Es256SigningKey,
    KeyMalformed,
    PublicKey,
    SignatureInvalid,
    SigningKey,
    UnsupportedKey,
    ec_public_key,
    ed25519_public_key,
    parse_jwk,
    thumbprint,
)
from wallet.encoding.base64url import Base64urlMalformed

# RFC 7515 appendix A.3.1 (P-256) and RFC 8037 appendix A.2 (Ed25519).
RFC7515_JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
RFC8037_JWK = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
KEYS: list[SigningKey] = [Es256SigningKey.generate(), Ed25519SigningKey.generate()]


def test_reads_the_published_jwks_and_computes_the_published_thumbprint() -> None:
    assert parse_jwk(RFC7515_JWK).jwk == RFC7515_JWK
    # RFC 8037 appendix A.3.
    assert thumbprint(parse_jwk(RFC8037_JWK)) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_a_signature_is_good_for_its_key_and_data_alone(key: SigningKey) -> None:
    signature = key.sign(b"data")
    key.public_key.verify(signature, b"data")
    for bad in (
        signature[:-1],
        signature + b"\0",
        b"",
        bytes(64),
        signature[32:] + signature[:32],
    ):
        with pytest.raises(SignatureInvalid):
            key.public_key.verify(bad, b"data")
    with pytest.raises(SignatureInvalid):
        key.public_key.verify(signature, b"date")
    with pytest.raises(SignatureInvalid):
        type(key).generate().public_key.verify(signature, b"data")  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_a_key_comes_back_from_its_secret(key: Es256SigningKey | Ed25519SigningKey) -> None:
    again = type(key).from_secret(key.secret())
    assert again.public_key.jwk == key.public_key.jwk
    with pytest.raises(KeyMalformed):
        type(key).from_secret(b"")


@pytest.mark.parametrize(
    "change",
    [
        {"d": "AA"},
        {"x": None},
        {"x": 1},
        {"x": ""},
        {"x": "AA"},
        {"x": RFC7515_JWK["x"] + "AAA"},
        {"y": RFC7515_JWK["x"]},
        {"alg": "ES384"},
        {"x": "A" * 43, "y": "A" * 43},
    ],
)
def test_refuses_a_jwk_that_is_not_a_public_key_of_its_curve(change: dict[str, object]) -> None:
    with pytest.raises(KeyMalformed):
        parse_jwk({**RFC7515_JWK, **change})


def test_refuses_base64_that_is_not_base64url() -> None:
    with pytest.raises(Base64urlMalformed):
        parse_jwk({**RFC7515_JWK, "x": RFC7515_JWK["x"] + "="})


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct"},
        {"kty": "EC", "crv": "P-521"},
        {"kty": "EC", "crv": ["P-256"]},
        {"kty": "OKP", "crv": "X25519"},
        {"kty": "RSA"},
    ],
)
def test_refuses_key_types_that_are_not_implemented(jwk: dict[str, object]) -> None:
    with pytest.raises(UnsupportedKey):
        parse_jwk(jwk)


@pytest.mark.parametrize("jwk", [None, [], "jwk", 1])
def test_refuses_what_is_not_a_jwk(jwk: object) -> None:
    with pytest.raises(KeyMalformed):
        parse_jwk(jwk)


def group_key(description: dict[str, str]) -> PublicKey:
    if description["type"] == "EDDSAPublicKey" or description.get("curve") == "edwards25519":
        return ed25519_public_key(bytes.fromhex(description["pk"]))
    crv = {"secp256r1": "P-256", "secp384r1": "P-384"}[description["curve"]]
    return ec_public_key(crv, bytes.fromhex(description["uncompressed"]))


@pytest.mark.vectors
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("ecdsa_secp256r1_sha256_p1363_test.json", 262),
        ("ecdsa_secp384r1_sha384_p1363_test.json", 280),
        ("ed25519_test.json", 151),
    ],
)
def test_wycheproof_signatures_have_no_wrong_verdict(name: str, count: int) -> None:
    suite = json.loads((vector_folder("wycheproof") / name).read_text())
    run = 0
    for group in suite["testGroups"]:
        key = group_key(group["publicKey"])
        for case in group["tests"]:
            signature, data = bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
            run += 1
            if case["result"] == "valid":
                key.verify(signature, data)
            else:
                with pytest.raises(SignatureInvalid):
                    key.verify(signature, data)
    assert run == count
