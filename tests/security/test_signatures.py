"""Attacks on signatures (SIG-2, SIG-3, SIG-5, SIG-8); the others are named in attacks.toml."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable

import pytest

from wallet.crypto.keys import (
    Ed25519SigningKey,
    Es256SigningKey,
    KeyMalformed,
    PublicKey,
    SignatureInvalid,
    SigningKey,
    parse_jwk,
)
from wallet.crypto.signing_keys import Es256kSigningKey, Es384SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError

NONCES = int(os.environ.get("SOAK_ECDSA_NONCES", "400"))
ECDSA: dict[str, Callable[[], SigningKey]] = {
    "ES256": Es256SigningKey.generate,
    "ES384": Es384SigningKey.generate,
    "ES256K": Es256kSigningKey.generate,
}
ALL = {**ECDSA, "EdDSA": Ed25519SigningKey.generate}
ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": int(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196a"
        "ccc52973",
        16,
    ),
    "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}


@pytest.mark.parametrize("algorithm", ALL)
def test_sig_2_a_signature_of_any_other_length_is_refused(algorithm: str) -> None:
    key = ALL[algorithm]()
    signature = key.sign(b"data")
    key.public_key.verify(signature, b"data")
    for length in [*range(2 * len(signature) + 1), 1000, 100_000]:
        if length == len(signature):
            continue
        for padded in (
            signature[:length].ljust(length, b"\0"),
            signature[-length:].rjust(length, b"\0") if length else b"",
        ):
            with pytest.raises(SignatureInvalid):
                key.public_key.verify(padded, b"data")


@pytest.mark.parametrize("algorithm", ECDSA)
def test_sig_3_either_s_verifies_and_nothing_else_with_the_same_r(algorithm: str) -> None:
    key, order = ECDSA[algorithm](), ORDERS[algorithm]
    signature = key.sign(b"data")
    size = len(signature) // 2
    r, s = signature[:size], int.from_bytes(signature[size:], "big")
    key.public_key.verify(r + (order - s).to_bytes(size, "big"), b"data")
    for other in {0, 1, s - 1, s + 1, order, order - 1, order + s}:
        if other in (s, order - s) or other >= 1 << 8 * size:
            continue
        with pytest.raises(SignatureInvalid):
            key.public_key.verify(r + other.to_bytes(size, "big"), b"data")


def with_members(key: PublicKey, **changes: object) -> JsonObject:
    return {**key.jwk, **changes}


@pytest.mark.parametrize("algorithm", ECDSA)
def test_sig_5_what_is_no_public_key_of_its_curve_is_refused_at_import(algorithm: str) -> None:
    key = ECDSA[algorithm]()
    public = key.public_key
    assert parse_jwk(public.jwk).jwk == public.jwk
    size = len(base64url.decode(public.jwk["x"]))
    zero, large = base64url.encode(bytes(size)), base64url.encode(b"\xff" * size)
    x, y = public.jwk["x"], public.jwk["y"]
    compressed = base64url.encode(b"\x02" + base64url.decode(x))
    secret = base64url.encode(key.secret())  # type: ignore[attr-defined]
    cases: dict[str, tuple[JsonObject, type[SeoulWalletError]]] = {
        "at infinity": (with_members(public, x=zero, y=zero), KeyMalformed),
        "off the curve": (with_members(public, x=y, y=x), KeyMalformed),
        "coordinate above the prime": (with_members(public, x=large), KeyMalformed),
        "compressed": (with_members(public, x=compressed, y=None), KeyMalformed),
        "without y": ({k: v for k, v in public.jwk.items() if k != "y"}, KeyMalformed),
        "a private key": (with_members(public, d=secret), KeyMalformed),
        "an oct key": ({"kty": "oct", "k": x}, KeyMalformed),
    }
    for other in {"P-256", "P-384", "secp256k1"} - {public.jwk["crv"]}:
        cases[f"on {other}"] = (with_members(public, crv=other), KeyMalformed)
    for name, (jwk, error) in cases.items():
        with pytest.raises(SeoulWalletError) as caught:
            parse_jwk(jwk)
        assert type(caught.value) is error, name


def _sign_some(key: Es256SigningKey, count: int) -> list[bytes]:
    return [key.sign(b"the same data")[:32] for _ in range(count)]


@pytest.mark.soak
def test_sig_8_no_two_signatures_share_their_r() -> None:
    for make in ECDSA.values():
        key = make()
        size = len(key.sign(b"data")) // 2
        found = {key.sign(number.to_bytes(8, "big"))[:size] for number in range(NONCES)}
        assert len(found) == NONCES


def test_sig_8_two_children_of_one_process_do_not_share_their_r() -> None:
    key = Es256SigningKey.generate()
    found = _sign_some(key, 20)
    for _ in range(2):
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            # Later Pythons warn of threads, of which this child starts none.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os.write(writing, b"".join(_sign_some(key, 20)))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            data = stream.read()
        os.waitpid(child, 0)
        found += [data[at : at + 32] for at in range(0, len(data), 32)]
    assert len(found) == len(set(found)) == 60
