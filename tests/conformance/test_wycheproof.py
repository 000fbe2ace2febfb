"""Wycheproof: ECDSA on three curves, Ed25519, JWS, JWK. No wrong accept, no wrong reject."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.support.vectors import vector_folder
from wallet.credentials.jose import parse_compact_jws, verify_jws
from wallet.crypto.keys import (
    PublicKey,
    SignatureInvalid,
    ec_public_key,
    ed25519_public_key,
    parse_jwk,
    secp256k1_public_key,
)
from wallet.errors import SeoulWalletError

pytestmark = pytest.mark.vectors

CURVES = {"secp256r1": ("P-256", 32), "secp384r1": ("P-384", 48), "secp256k1": ("", 32)}


def groups(name: str) -> Iterator[dict[str, Any]]:
    file = vector_folder("wycheproof") / f"{name}_test.json"
    yield from json.loads(file.read_bytes())["testGroups"]


def ec_key(public: dict[str, Any]) -> PublicKey:
    point = bytes.fromhex(public["uncompressed"])
    if public["curve"] == "secp256k1":
        return secp256k1_public_key(point)
    return ec_public_key(CURVES[public["curve"]][0], point)


def accepts(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except SignatureInvalid:
        return False
    return True


def judge(results: Counter[str], wrong: list[int], test: dict[str, Any], accepted: bool) -> None:
    assert test["result"] in ("valid", "invalid")
    results[test["result"]] += 1
    if accepted != (test["result"] == "valid"):
        wrong.append(test["tcId"])


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ecdsa_secp256r1_sha256_p1363", {"valid": 173, "invalid": 89}),
        ("ecdsa_secp384r1_sha384_p1363", {"valid": 193, "invalid": 87}),
        ("ecdsa_secp256k1_sha256_p1363", {"valid": 167, "invalid": 85}),
    ],
)
def test_ecdsa_in_the_form_of_jose(name: str, counts: dict[str, int]) -> None:
    results: Counter[str] = Counter()
    wrong: list[int] = []
    for group in groups(name):
        key = ec_key(group["publicKey"])
        for test in group["tests"]:
            message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
            judge(results, wrong, test, accepts(key, signature, message))
    assert wrong == []
    assert results == counts


def from_der(signature: bytes, size: int) -> bytes:
    """Return r || s of strict DER, or what no verifier takes."""
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except (ValueError, OverflowError):
        return b""


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ecdsa_secp256r1_sha256", {"valid": 174, "invalid": 310}),
        ("ecdsa_secp384r1_sha384", {"valid": 194, "invalid": 310}),
        ("ecdsa_secp256k1_sha256", {"valid": 168, "invalid": 308}),
    ],
)
def test_ecdsa_whose_der_is_decoded_strictly_first(name: str, counts: dict[str, int]) -> None:
    results: Counter[str] = Counter()
    wrong: list[int] = []
    for group in groups(name):
        key = ec_key(group["publicKey"])
        size = CURVES[group["publicKey"]["curve"]][1]
        for test in group["tests"]:
            message = bytes.fromhex(test["msg"])
            signature = from_der(bytes.fromhex(test["sig"]), size)
            judge(results, wrong, test, accepts(key, signature, message))
    assert wrong == []
    assert results == counts


def test_ed25519() -> None:
    results: Counter[str] = Counter()
    wrong: list[int] = []
    for group in groups("ed25519"):
        key = ed25519_public_key(bytes.fromhex(group["publicKey"]["pk"]))
        for test in group["tests"]:
            message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
            judge(results, wrong, test, accepts(key, signature, message))
    assert wrong == []
    assert results == {"valid": 88, "invalid": 63}


# Valid for others, refused here by profile: RFC 8725 leaves the choice of algorithms to the
# application, and ours are ES256, ES384, ES256K and EdDSA. By the algorithm of the key:
EXEMPT = {
    "json_web_signature": {
        "HS256": 10, "RS256": 8, "RS384": 4, "RS512": 4, "PS256": 8, "PS384": 4, "PS512": 4,
        "ES521": 2,  # the key of RFC 7520 on P-521
    },
    "json_web_key": {"HS256": 2, "HS384": 1, "HS512": 1, "RS256": 1},
    "json_web_crypto": {"HS256": 2, "RS256": 1, "A256KW": 1, "ECDH-ES+A128KW": 1},
}  # fmt: skip
ACCEPTED = {"json_web_signature": 2, "json_web_key": 0, "json_web_crypto": 1}
TOTAL = {"json_web_signature": 401, "json_web_key": 26, "json_web_crypto": 83}


def jose_keys(group: dict[str, Any]) -> list[dict[str, Any]]:
    jwk = group.get("public") or group["private"]
    listed: list[dict[str, Any]] = jwk.get("keys", [jwk])
    return listed


def jose_accepts(group: dict[str, Any], token: str) -> bool:
    """Tell whether exactly one key of the group, the one of its `kid`, verifies the token."""
    try:
        jws = parse_compact_jws(token, typ=None)
        (jwk,) = [key for key in jose_keys(group) if key.get("kid") == jws.kid]
        verify_jws(jws, parse_jwk(jwk))
    except (SeoulWalletError, ValueError):
        return False
    return True


@pytest.mark.parametrize("name", sorted(TOTAL))
def test_json_web_signatures_and_keys(name: str) -> None:
    exempt: Counter[str] = Counter()
    total = accepted = 0
    wrong = []
    for group in groups(name):
        algorithm = jose_keys(group)[0].get("alg")
        for test in group["tests"]:
            total += 1
            token = test.get("jws") or test.get("jwe") or ""
            good = jose_accepts(group, token if isinstance(token, str) else json.dumps(token))
            accepted += good
            if test["result"] == "valid" and not good:
                exempt[str(algorithm)] += 1
            elif test["result"] != "valid" and good:
                wrong.append(test["tcId"])
    assert wrong == []
    assert exempt == EXEMPT[name]
    assert (total, accepted) == (TOTAL[name], ACCEPTED[name])
