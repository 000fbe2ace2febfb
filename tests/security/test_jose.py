"""Attacks on JOSE: each must be refused with its own error, and cheaply."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.attacks import HEADER, bound, card, forge, segment, verify
from tests.support.certificates import Authority, x5c
from tests.support.cost import refused
from tests.support.credentials import ISSUER, NOW, World, proof_policy
from wallet.credentials.jose import JwsMalformed, UnsupportedAlgorithm
from wallet.credentials.sd_jwt import SdJwtMalformed
from wallet.crypto.certificates import CertificateMalformed, CertificateNotTrusted
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.did_key import did_key_from_public_key
from wallet.did.document import KeyNotAuthorized
from wallet.encoding import base64url
from wallet.encoding.base64url import Base64urlMalformed
from wallet.encoding.json import JsonMalformed, to_json
from wallet.errors import SeoulWalletError
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.pipeline import verify_proof
from wallet.verification.proof_steps import CredentialExpired

WORLD = World()
ATTACKER = Es256SigningKey.generate()
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ATTACKERS_CA = Authority("Synthetic Root")


def header(**changes: Any) -> dict[str, Any]:
    merged = {**HEADER, **changes}
    return {name: value for name, value in merged.items() if value is not ...}


def presented(head: Mapping[str, Any] | bytes, key: Es256SigningKey | None = None) -> str:
    return bound(WORLD, forge(key or WORLD.issuer_key, head, card(WORLD)))


def test_the_hand_made_presentation_is_good_when_nothing_is_wrong() -> None:
    assert verify(WORLD, presented(HEADER)).issuer == ISSUER
    # Header parameters that point elsewhere are not followed: the issuer's own key counts.
    pointing = header(jku="https://evil.example/keys", x5u="https://evil.example/x5u")
    assert verify(WORLD, presented(pointing)).issuer == ISSUER


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"alg": "none"}, UnsupportedAlgorithm),
        ({"alg": "None"}, UnsupportedAlgorithm),
        ({"alg": "nOnE"}, UnsupportedAlgorithm),
        ({"alg": ""}, UnsupportedAlgorithm),
        ({"alg": "es256"}, UnsupportedAlgorithm),
        ({"alg": "RS256"}, UnsupportedAlgorithm),
        ({"alg": "PS256"}, UnsupportedAlgorithm),
        ({"alg": ["ES256"]}, JwsMalformed),
        ({"alg": {"ES256": 1}}, JwsMalformed),
        ({"alg": None}, JwsMalformed),
        ({"alg": 256}, JwsMalformed),
        ({"alg": ...}, JwsMalformed),
        ({"alg": "ES384"}, SignatureInvalid),
        ({"alg": "ES256K"}, SignatureInvalid),
        ({"alg": "EdDSA"}, SignatureInvalid),
        ({"crit": ["exp"]}, UnsupportedAlgorithm),
        ({"crit": []}, UnsupportedAlgorithm),
        ({"crit": ["b64"], "b64": False}, UnsupportedAlgorithm),
        ({"crit": None}, UnsupportedAlgorithm),
        ({"b64": False}, UnsupportedAlgorithm),
        ({"b64": True}, UnsupportedAlgorithm),
        ({"typ": "kb+jwt"}, JwsMalformed),
        ({"typ": "JWT"}, JwsMalformed),
        ({"typ": "statuslist+jwt"}, JwsMalformed),
        ({"typ": "openid4vci-proof+jwt"}, JwsMalformed),
        ({"typ": "application/application/dc+sd-jwt"}, JwsMalformed),
        ({"typ": ["dc+sd-jwt"]}, JwsMalformed),
        ({"typ": None}, JwsMalformed),
        ({"typ": ...}, JwsMalformed),
        ({"kid": f"{ISSUER}#key-2"}, KeyNotAuthorized),
        ({"kid": "did:web:evil.example#key-1"}, KeyNotAuthorized),
        ({"kid": did_key_from_public_key(ATTACKER.public_key)}, KeyNotAuthorized),
        ({"kid": "../../../../dev/null"}, KeyNotAuthorized),
        ({"kid": "' OR '1'='1"}, KeyNotAuthorized),
        ({"kid": "https://evil.example/key.pem"}, KeyNotAuthorized),
        ({"kid": "key-1"}, KeyNotAuthorized),
        ({"kid": ""}, KeyNotAuthorized),
        ({"kid": f"{ISSUER}#key-1\0"}, KeyNotAuthorized),
        ({"kid": 1}, JwsMalformed),
        ({"kid": [f"{ISSUER}#key-1"]}, JwsMalformed),
        ({"x5c": []}, CertificateMalformed),
        ({"x5c": "MIIB"}, CertificateMalformed),
        ({"x5c": ["not base64 !"]}, CertificateMalformed),
        ({"x5c": [""]}, CertificateMalformed),
        ({"x5c": ["MAA="] * 100_000}, SdJwtMalformed),
    ],
)
def test_refuses_a_header(changes: dict[str, Any], error: type[SeoulWalletError]) -> None:
    made = presented(header(**changes))
    refused(error, lambda: verify(WORLD, made))


def test_no_key_that_the_attacker_brings_along_is_used() -> None:
    jwk = ATTACKER.public_key.jwk
    chain = x5c(ATTACKERS_CA.leaf(ATTACKER), ATTACKERS_CA.der)
    for changes, error in (
        ({"jwk": jwk}, SignatureInvalid),
        ({"jwk": {**jwk, "kid": f"{ISSUER}#key-1"}}, SignatureInvalid),
        ({"jku": "https://evil.example/jwks.json"}, SignatureInvalid),
        ({"x5u": "https://169.254.169.254/cert"}, SignatureInvalid),
        ({"x5c": chain}, CertificateNotTrusted),
        ({"x5c": chain[:1]}, CertificateNotTrusted),
        ({"x5c": chain[:1], "kid": ...}, CertificateNotTrusted),
    ):
        made = presented(header(**changes), ATTACKER)
        refused(error, lambda made=made: verify(WORLD, made))
    pinned = Evidence(Fact(WORLD.issuer_key.public_key, NOW))
    made = presented(header(x5c=chain, jwk=jwk), ATTACKER)
    refused(SignatureInvalid, lambda: verify_proof(made, pinned, proof_policy(), now=NOW))


def test_the_public_key_is_no_mac_secret() -> None:
    key = WORLD.issuer_key.public_key
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.compressed)
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        key.compressed,
        to_json(key.jwk),
        key.jwk["x"].encode(),
        b"",
    ]
    for algorithm, function in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
        for secret in secrets:
            signed = f"{segment(header(alg=algorithm))}.{segment(card(WORLD))}"
            mac = base64url.encode(hmac.digest(secret, signed.encode(), function))
            made = bound(WORLD, f"{signed}.{mac}")
            refused(UnsupportedAlgorithm, lambda made=made: verify(WORLD, made))
    assert hashlib.sha256().name == "sha256"


def test_refuses_signatures_that_are_none() -> None:
    good = forge(WORLD.issuer_key, HEADER, card(WORLD))
    signed, _, encoded = good.rpartition(".")
    signature = base64url.decode(encoded)
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))

    def pair(first: int, second: int) -> bytes:
        return first.to_bytes(32, "big") + second.to_bytes(32, "big")

    forgeries = {
        f"r={a} s={b}": pair(x, y)
        for a, x in (("0", 0), ("1", 1), ("n", N), ("n-1", N - 1), ("2^256-1", 2**256 - 1))
        for b, y in (("0", 0), ("1", 1), ("n", N), ("n-1", N - 1), ("2^256-1", 2**256 - 1))
    }
    forgeries |= {
        "empty": b"",
        "half": signature[:32],
        "63 bytes": signature[:-1],
        "65 bytes": signature + b"\0",
        "65 bytes, zero in front": b"\0" + signature,
        "66 bytes": b"\0" + signature[:32] + b"\0" + signature[32:],
        "128 bytes": signature * 2,
        "DER": encode_dss_signature(r, s),
        "swapped": signature[32:] + signature[:32],
        "r alone right": pair(r, 1),
        "s alone right": pair(1, s),
    }
    assert len(forgeries) == 36
    for forged in forgeries.values():
        made = bound(WORLD, f"{signed}.{base64url.encode(forged)}")
        refused(SignatureInvalid, lambda made=made: verify(WORLD, made))
    # The other of the two signatures that ECDSA has for one message is as good (RFC 7518 §3.4).
    high = base64url.encode(pair(r, N - s))
    assert verify(WORLD, bound(WORLD, f"{signed}.{high}")).issuer == ISSUER


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda text: text + "=", id="padding"),
        pytest.param(lambda text: text + "==", id="padding twice"),
        pytest.param(lambda text: text + "\n", id="newline behind"),
        pytest.param(lambda text: text[:4] + "\n" + text[4:], id="newline inside"),
        pytest.param(lambda text: " " + text, id="space"),
        pytest.param(lambda text: text[:5] + "+" + text[6:], id="plus"),
        pytest.param(lambda text: text[:5] + "/" + text[6:], id="slash"),
        pytest.param(lambda text: text[:5] + "\0" + text[6:], id="NUL"),
        pytest.param(lambda text: text[:5] + "%" + text[6:], id="percent"),
    ],
)
def test_refuses_other_spellings_of_base64url(part: int, spoil: Any) -> None:
    parts = forge(WORLD.issuer_key, HEADER, card(WORLD)).split(".")
    parts[part] = spoil(parts[part])
    refused(Base64urlMalformed, lambda: verify(WORLD, bound(WORLD, ".".join(parts))))


def test_refuses_trailing_bits_that_carry_nothing() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    good = forge(WORLD.issuer_key, HEADER, card(WORLD))
    last = alphabet.index(good[-1])
    # 64 bytes end in a character of which 2 bits count; the other 15 spellings are none.
    for stray in range(1, 16):
        other = good[:-1] + alphabet[(last & 0b110000) | (last + stray) % 16]
        refused(Base64urlMalformed, lambda other=other: verify(WORLD, bound(WORLD, other)))


HEADER_TEXT = to_json(HEADER).decode()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(HEADER_TEXT.encode("utf-16"), id="UTF-16"),
        pytest.param(HEADER_TEXT.encode("utf-16-le"), id="UTF-16LE"),
        pytest.param(HEADER_TEXT.encode("utf-32"), id="UTF-32"),
        pytest.param(HEADER_TEXT.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(b'{"alg":"none",' + HEADER_TEXT[1:].encode(), id="alg twice"),
        pytest.param(b'{"\\u0061lg":"none",' + HEADER_TEXT[1:].encode(), id="alg twice, escaped"),
        pytest.param(HEADER_TEXT[:-1].encode() + b',"typ":"dc+sd-jwt"}', id="typ twice"),
        pytest.param(b"[" + HEADER_TEXT.encode() + b"]", id="a list"),
        pytest.param(b'"ES256"', id="a string"),
        pytest.param(b"null", id="null"),
        pytest.param(b"", id="nothing"),
        pytest.param(HEADER_TEXT.encode() + b"x", id="something behind"),
        pytest.param(HEADER_TEXT.encode() + HEADER_TEXT.encode(), id="two headers"),
        pytest.param(HEADER_TEXT[:-1].encode() + b',"x":NaN}', id="NaN"),
        pytest.param(HEADER_TEXT[:-1].encode() + b',"x":Infinity}', id="Infinity"),
        pytest.param(HEADER_TEXT[:-1].encode() + b',"x":"\\ud800"}', id="lone surrogate"),
        pytest.param(HEADER_TEXT[:-1].encode() + b',"x":"\xff"}', id="not UTF-8"),
        pytest.param(HEADER_TEXT[:-1].encode() + b',"x":"\xc0\x80"}', id="overlong NUL"),
        pytest.param(HEADER_TEXT[:-1].encode() + b',"x":' + b"[" * 50_000, id="50k open"),
        pytest.param(
            HEADER_TEXT[:-1].encode() + b',"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
            id="50k deep",
        ),
        pytest.param(
            HEADER_TEXT[:-1].encode() + b',"x":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_001,
            id="20k objects deep",
        ),
    ],
)
def test_refuses_a_header_that_is_not_strict_json(head: bytes) -> None:
    made = presented(head)
    refused(JsonMalformed, lambda: verify(WORLD, made))


CARD_TEXT = to_json(card(WORLD)).decode()


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b'{"exp":9999999999,' + CARD_TEXT[1:].encode(), id="exp twice"),
        pytest.param(CARD_TEXT[:-1].encode() + b',"iss":"did:web:evil.example"}', id="iss twice"),
        pytest.param(CARD_TEXT[:-1].encode() + b',"i\\u0073s":"x"}', id="iss twice, escaped"),
        pytest.param(CARD_TEXT.replace('"jwk":', '"jwk":1,"jwk":').encode(), id="jwk twice"),
        pytest.param(CARD_TEXT[:-1].encode() + b',"nbf":NaN}', id="NaN"),
        pytest.param(CARD_TEXT[:-1].encode() + b',"nbf":-Infinity}', id="-Infinity"),
        pytest.param(CARD_TEXT[:-1].encode() + b',"nbf":1e999}', id="1e999"),
        pytest.param(
            CARD_TEXT[:-1].encode() + b',"nbf":1' + b"0" * 30 + b"}", id="beyond 64 bits"
        ),
        pytest.param(CARD_TEXT.encode("utf-16"), id="UTF-16"),
        pytest.param(CARD_TEXT.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(forge(ATTACKER, HEADER, card(WORLD)).encode(), id="nested JWT"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"", id="nothing"),
        pytest.param(
            CARD_TEXT[:-1].encode() + b',"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
            id="50k deep",
        ),
    ],
)
def test_refuses_claims_that_are_not_strict_json(payload: bytes) -> None:
    made = bound(WORLD, forge(WORLD.issuer_key, HEADER, payload))
    refused(JsonMalformed, lambda: verify(WORLD, made))


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1900000000", True, [1], {}, -1, 1e18, 253402300800])
def test_refuses_times_that_are_no_numeric_date(name: str, value: object) -> None:
    made = bound(WORLD, forge(WORLD.issuer_key, HEADER, card(WORLD, **{name: value})))
    refused(JwsMalformed, lambda: verify(WORLD, made))


def test_refuses_null_as_a_time_and_exp_of_zero() -> None:
    claims = {**card(WORLD), "exp": None}
    made = bound(WORLD, forge(WORLD.issuer_key, HEADER, claims))
    refused(JwsMalformed, lambda: verify(WORLD, made))
    made = bound(WORLD, forge(WORLD.issuer_key, HEADER, {**claims, "exp": 0}))
    refused(CredentialExpired, lambda: verify(WORLD, made))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("", SdJwtMalformed, id="nothing"),
        pytest.param("~", JwsMalformed, id="a tilde"),
        pytest.param("..~", JsonMalformed, id="two dots"),
        pytest.param("A" * 5_000_000, SdJwtMalformed, id="5 MB"),
        pytest.param("~" * 100_000, SdJwtMalformed, id="100k tildes"),
        pytest.param("." * 100_000 + "~", JwsMalformed, id="100k dots"),
        pytest.param("가" * 1000 + "~", SdJwtMalformed, id="Hangul"),
        pytest.param("\ud800~", SdJwtMalformed, id="lone surrogate"),
        pytest.param("a.b~", JwsMalformed, id="two parts"),
        pytest.param("a.b.c.d~", JwsMalformed, id="four parts"),
        pytest.param(
            segment({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 10**9, "zip": "DEF"})
            + ".AA.AA.AA.AA~",
            JwsMalformed,
            id="a JWE",
        ),
    ],
)
def test_refuses_what_is_no_presentation(text: str, error: type[SeoulWalletError]) -> None:
    refused(error, lambda: verify(WORLD, text))
    if text.isascii():
        refused(error, lambda: verify(WORLD, text.encode()))


def test_a_valid_card_of_another_issuer_is_not_this_issuers() -> None:
    other = World(holder_key=WORLD.holder_key)
    made = bound(WORLD, forge(other.issuer_key, HEADER, card(WORLD)))
    refused(SignatureInvalid, lambda: verify(WORLD, made))
    assert verify(replace(other), bound(WORLD, forge(other.issuer_key, HEADER, card(WORLD))))
