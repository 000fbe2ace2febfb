"""JWE with ECDH-ES: the example of RFC 7518, round trips, and what must be refused."""

import json
import zlib
from collections import Counter
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.cost import refused
from tests.support.vectors import vector_folder
from wallet.credentials.jwe import (
    CONTENT_ENCRYPTIONS,
    DecryptionFailed,
    DecryptionKey,
    JweMalformed,
    UnsupportedEncryption,
    decrypt_jwe,
    derive_content_key,
    encrypt_jwe,
    parse_encryption_jwk,
    parse_jwe,
)
from wallet.crypto.keys import KeyMalformed, UnsupportedKey
from wallet.encoding import base64url
from wallet.encoding.base64url import Base64urlMalformed
from wallet.encoding.json import JsonMalformed, to_json
from wallet.errors import MalformedError, SeoulWalletError, UnsupportedError

KEY = DecryptionKey.generate("kid-1")
PLAINTEXT = "서울".encode() * 40


def sealed(**options: Any) -> str:
    return encrypt_jwe(PLAINTEXT, KEY.public, **{"enc": "A256GCM", **options})


def opened(token: str, key: DecryptionKey = KEY) -> bytes:
    return decrypt_jwe(parse_jwe(token), key)


def header_of(token: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(base64url.decode(token.split(".")[0]))
    return parsed


def with_header(token: str, **changes: Any) -> str:
    merged = {**header_of(token), **changes}
    head = {name: value for name, value in merged.items() if value is not ...}
    return ".".join((base64url.encode(to_json(head)), *token.split(".")[1:]))


def test_derives_the_key_of_rfc_7518_appendix_c() -> None:
    alice = DecryptionKey.from_secret(
        base64url.decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo")
    )
    bob = parse_encryption_jwk(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
            "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        },
        alg_required=False,
    )
    assert alice.public.jwk["x"] == "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"
    key = derive_content_key(alice.agree(bob.key), "A128GCM", apu=b"Alice", apv=b"Bob")
    assert base64url.encode(key) == "VqqN6vgjbSBcIijNcacQGg"


@pytest.mark.parametrize("enc", CONTENT_ENCRYPTIONS)
@pytest.mark.parametrize("plaintext", [b"", b"x" * 15, b"x" * 16, PLAINTEXT])
def test_opens_what_was_sealed(enc: str, plaintext: bytes) -> None:
    token = encrypt_jwe(plaintext, KEY.public, enc=enc, apu=b"wallet", apv=b"nonce")
    assert opened(token) == plaintext
    assert header_of(token)["kid"] == "kid-1"
    assert "d" not in header_of(token)["epk"]


def test_two_seals_share_neither_key_nor_text() -> None:
    first, second = sealed(), sealed()
    assert header_of(first)["epk"] != header_of(second)["epk"]
    assert first.split(".")[3] != second.split(".")[3]


def test_a_key_survives_its_secret_form_and_its_jwk() -> None:
    again = DecryptionKey.from_secret(KEY.secret(), "kid-1")
    assert opened(sealed(), again) == PLAINTEXT
    public = parse_encryption_jwk(KEY.public.jwk)
    assert opened(encrypt_jwe(PLAINTEXT, public, enc="A128GCM")) == PLAINTEXT


@pytest.mark.parametrize("enc", CONTENT_ENCRYPTIONS)
@pytest.mark.parametrize("part", [0, 2, 3, 4])
def test_refuses_one_altered_character_in_any_part(enc: str, part: int) -> None:
    parts = sealed(enc=enc, apu=b"a", apv=b"b").split(".")
    middle = len(parts[part]) // 2
    other = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + other + parts[part][middle + 1 :]
    with pytest.raises((DecryptionFailed, MalformedError, UnsupportedError)):
        opened(".".join(parts))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"alg": "none"}, UnsupportedEncryption),
        ({"alg": "dir"}, UnsupportedEncryption),
        ({"alg": "ECDH-ES+A128KW"}, UnsupportedEncryption),
        ({"alg": "RSA1_5"}, UnsupportedEncryption),
        ({"alg": "PBES2-HS256+A128KW", "p2c": 10**9, "p2s": "AAAA"}, UnsupportedEncryption),
        ({"alg": ["ECDH-ES"]}, JweMalformed),
        ({"alg": ...}, JweMalformed),
        ({"enc": "A192GCM"}, UnsupportedEncryption),
        ({"enc": "A256CBC-HS512"}, UnsupportedEncryption),
        ({"enc": None}, JweMalformed),
        ({"zip": "DEF"}, UnsupportedEncryption),
        ({"zip": None}, UnsupportedEncryption),
        ({"crit": ["exp"]}, UnsupportedEncryption),
        ({"crit": []}, UnsupportedEncryption),
        ({"kid": "kid-2"}, DecryptionFailed),
        ({"kid": ...}, DecryptionFailed),
        ({"kid": 1}, JweMalformed),
        ({"epk": ...}, KeyMalformed),
        ({"epk": []}, KeyMalformed),
        ({"epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}, KeyMalformed),
        ({"epk": {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}}, UnsupportedKey),
        ({"epk": {"kty": "OKP", "crv": "X25519", "x": "AA"}}, UnsupportedKey),
        ({"epk": {**KEY.public.jwk, "y": KEY.public.jwk["x"]}}, KeyMalformed),
        ({"epk": {**KEY.public.jwk, "d": KEY.public.jwk["x"]}}, KeyMalformed),
        ({"apu": 1}, JweMalformed),
        ({"apv": "AA=="}, Base64urlMalformed),
        ({"apv": "A" * 2048}, JweMalformed),
        ({"apv": "Qm9i"}, DecryptionFailed),
        ({"cty": "json"}, DecryptionFailed),
    ],
)
def test_refuses_a_header(changes: dict[str, Any], error: type[SeoulWalletError]) -> None:
    token = with_header(sealed(), **changes)
    refused(error, lambda: opened(token))


def test_the_receiver_says_which_encryptions_it_takes() -> None:
    token = sealed(enc="A128CBC-HS256")
    with pytest.raises(UnsupportedEncryption):
        parse_jwe(token, encryptions=("A128GCM", "A256GCM"))
    with pytest.raises(UnsupportedEncryption):
        parse_jwe(token, encryptions=())
    with pytest.raises(UnsupportedEncryption):
        encrypt_jwe(b"", KEY.public, enc="A192GCM")


def test_a_compressed_bomb_is_never_inflated() -> None:
    bomb = zlib.compress(bytes(100 * 1024 * 1024), 9)
    token = encrypt_jwe(bomb, KEY.public, enc="A256GCM", header={"zip": "DEF"})
    refused(UnsupportedEncryption, lambda: opened(token))


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", JweMalformed),
        ("....", JsonMalformed),
        ("a.b.c", JweMalformed),
        (sealed() + ".AA", JweMalformed),
        (sealed().replace("..", ".AAAA."), JweMalformed),
        ("é" + sealed(), JweMalformed),
        ("A" * 9000 + "....", JweMalformed),
        ("A" * 2_000_000, JweMalformed),
        ("." * 2_000_000, JweMalformed),
        (sealed().rpartition(".")[0] + ".AAAA", JweMalformed),
        (sealed() + "=", Base64urlMalformed),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else value.__name__,
)
def test_refuses_what_is_no_compact_jwe(token: str, error: type[SeoulWalletError]) -> None:
    with pytest.raises(error):
        opened(token)


@pytest.mark.parametrize(
    ("jwk", "error"),
    [
        (None, KeyMalformed),
        ({}, UnsupportedKey),
        ({**KEY.public.jwk, "use": "sig"}, KeyMalformed),
        ({**KEY.public.jwk, "alg": "ECDH-ES+A128KW"}, UnsupportedKey),
        ({k: v for k, v in KEY.public.jwk.items() if k != "alg"}, UnsupportedKey),
        ({**KEY.public.jwk, "d": "AA"}, KeyMalformed),
        ({**KEY.public.jwk, "kid": 7}, KeyMalformed),
        ({**KEY.public.jwk, "x": "A" * 300}, KeyMalformed),
    ],
)
def test_refuses_a_key_to_encrypt_for(jwk: object, error: type[SeoulWalletError]) -> None:
    with pytest.raises(error):
        parse_encryption_jwk(jwk)


def test_refuses_a_private_key_that_is_none() -> None:
    with pytest.raises(KeyMalformed):
        DecryptionKey.from_secret(bytes(32))
    with pytest.raises(UnsupportedKey):
        DecryptionKey(ec.generate_private_key(ec.SECP384R1()))


@pytest.mark.vectors
def test_wycheproof_json_web_encryption() -> None:
    """Every ECDH-ES vector in our content encryptions opens; nothing else does."""
    file = vector_folder("wycheproof") / "json_web_encryption_test.json"
    results: Counter[tuple[str, bool]] = Counter()
    wrong = []
    for group in json.loads(file.read_bytes())["testGroups"]:
        private = group["private"]
        if private.get("crv") != "P-256":
            continue
        key = DecryptionKey.from_secret(base64url.decode(private["d"]))
        for test in group["tests"]:
            profile = private["alg"] == "ECDH-ES" and test["enc"] in CONTENT_ENCRYPTIONS
            token = test["jwe"] if isinstance(test["jwe"], str) else json.dumps(test["jwe"])
            try:
                good = opened(token, key) == bytes.fromhex(test["pt"])
            except SeoulWalletError:
                good = False
            results[(test["result"], good)] += 1
            if good and test["result"] != "valid":
                wrong.append(test["tcId"])
            if profile and test["result"] == "valid" and not good:
                wrong.append(test["tcId"])
    assert wrong == []
    assert results == {("valid", True): 4, ("valid", False): 20, ("invalid", False): 19}


@pytest.mark.vectors
def test_wycheproof_agreement_on_p256() -> None:
    """Points off the curve and of other curves are refused; the others agree on the secret."""
    file = vector_folder("wycheproof") / "ecdh_secp256r1_ecpoint_test.json"
    results: Counter[str] = Counter()
    for group in json.loads(file.read_bytes())["testGroups"]:
        for test in group["tests"]:
            point = bytes.fromhex(test["public"])
            jwk = {
                "kty": "EC",
                "crv": "P-256",
                "x": base64url.encode(point[1 : 1 + (len(point) - 1) // 2]),
                "y": base64url.encode(point[1 + (len(point) - 1) // 2 :]),
            }
            secret = bytes.fromhex(test["private"]).lstrip(b"\0")
            try:
                peer = parse_encryption_jwk(jwk, alg_required=False)
                shared = DecryptionKey.from_secret(secret).agree(peer.key)
            except (KeyMalformed, UnsupportedKey):
                results[f"{test['result']} refused"] += 1
            else:
                assert shared == bytes.fromhex(test["shared"]), test["tcId"]
                results[f"{test['result']} agreed"] += 1
    # Compressed points, which a JWK cannot carry, are among the refused.
    assert results["invalid agreed"] == 0
    assert results["valid refused"] == 0
    assert results["valid agreed"] == 330


def test_errors_do_not_carry_the_plaintext() -> None:
    parts = sealed().split(".")
    broken = ".".join((*parts[:4], base64url.encode(bytes(16))))
    with pytest.raises(DecryptionFailed) as raised:
        opened(broken)
    assert "서울" not in str(raised.value)
    assert raised.value.__cause__ is None
