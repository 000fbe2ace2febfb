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
    secp256k1_public_key,
    thumbprint,
)
from wallet.crypto.signing_keys import Es256kSigningKey, Es384SigningKey
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.did.did_key import did_key_from_public_key
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
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
KEYS: list[SigningKey] = [
    Es256SigningKey.generate(),
    Ed25519SigningKey.generate(),
    Es384SigningKey.generate(),
    Es256kSigningKey.generate(),
]


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


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_every_key_survives_its_jwk_its_dids_and_its_secret(key: SigningKey) -> None:
    public = key.public_key
    assert parse_jwk({**public.jwk, "use": "sig", "alg": key.algorithm}).jwk == public.jwk
    for text in (did_key_from_public_key(public), did_jwk_from_public_key(public)):
        document = resolve_self_contained(parse_did(text))
        found = document.key_for(None, "assertionMethod")
        found.verify(key.sign(b"data"), b"data")
        assert found.jwk == public.jwk
    again = type(key).from_secret(key.secret())  # type: ignore[attr-defined]
    assert again.public_key.jwk == public.jwk
    with pytest.raises(KeyMalformed):
        type(key).from_secret(bytes(len(key.secret()) + 1))  # type: ignore[attr-defined]


# did:key method specification, section "Test Vectors", secp256k1.
DID_KEY_SECP256K1 = (
    "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
    "h0wVx_2iDlOcblulc8E5iEw1EYh5n1RYtLQfeSTyNc0",
    "O2EATIGbu6DezKFptj5scAIRntgfecanVNXxat1rnwE",
)


def test_reads_a_published_did_key_on_secp256k1() -> None:
    text, x, y = DID_KEY_SECP256K1
    found = resolve_self_contained(parse_did(text)).key_for(None, "assertionMethod")
    assert found.jwk == {"kty": "EC", "crv": "secp256k1", "x": x, "y": y}
    assert did_key_from_public_key(found) == text


SECP256K1_P = 2**256 - 2**32 - 977
SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_es256k_takes_high_s_as_jose_does_and_nothing_out_of_range() -> None:
    key = Es256kSigningKey.generate()
    signature = key.sign(b"data")
    r, s = signature[:32], int.from_bytes(signature[32:], "big")
    high = r + (SECP256K1_N - s).to_bytes(32, "big")
    key.public_key.verify(high, b"data")
    with pytest.raises(SignatureInvalid):
        key.public_key.verify(high, b"date")
    for bad_s in (0, SECP256K1_N, SECP256K1_N + s if s < 2**256 - SECP256K1_N else 2**256 - 1):
        with pytest.raises(SignatureInvalid):
            key.public_key.verify(r + bad_s.to_bytes(32, "big"), b"data")


@pytest.mark.parametrize(("crv", "p"), [("P-256", 2**256 - 2**224 + 2**192 + 2**96 - 1),
                                        ("secp256k1", SECP256K1_P)])  # fmt: skip
def test_coordinates_are_below_the_prime(crv: str, p: int) -> None:
    def text(number: int) -> str:
        return base64url.encode(number.to_bytes(32, "big"))

    for x, y in ((p, 1), (0, p), (p + 1, 1), (0, 0), (2**256 - 1, 2**256 - 1)):
        with pytest.raises(KeyMalformed):
            parse_jwk({"kty": "EC", "crv": crv, "x": text(x), "y": text(y)})


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"}, {"use": None}, {"use": ["sig"]}, {"key_ops": ["sign"]}, {"key_ops": []},
        {"key_ops": "verify"}, {"key_ops": None}, {"alg": "ES384"}, {"alg": "ES256K"},
        {"alg": "none"},
    ],
)  # fmt: skip
def test_refuses_a_jwk_that_is_for_something_else(changes: dict[str, object]) -> None:
    assert parse_jwk({**RFC7515_JWK, "use": "sig", "key_ops": ["verify"], "alg": "ES256"})
    with pytest.raises(KeyMalformed):
        parse_jwk({**RFC7515_JWK, **changes})


def test_the_hybrid_form_of_a_point_is_refused() -> None:
    key = Es256kSigningKey.generate().public_key
    x, y = (base64url.decode(key.jwk[name]) for name in ("x", "y"))
    assert secp256k1_public_key(b"\x04" + x + y).jwk == key.jwk
    for prefix in (b"\x06", b"\x07", b"\x00"):
        with pytest.raises(KeyMalformed):
            secp256k1_public_key(prefix + x + y)
