"""Attacks on key binding (RFC 9901 §7.3): what a thief of a presentation or a credential tries."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.attacks import HEADER, bound, card, digest, disclosure, forge, verify
from tests.support.cost import refused
from tests.support.credentials import AUDIENCE, ISSUER, NONCE, NOW, World
from wallet.credentials.jose import JwsMalformed, UnsupportedAlgorithm
from wallet.crypto.keys import Es256SigningKey, KeyMalformed, SignatureInvalid, UnsupportedKey
from wallet.encoding.base64url import Base64urlMalformed
from wallet.errors import SeoulWalletError
from wallet.verification.proof_steps import (
    AudienceMismatch,
    HolderBindingInvalid,
    HolderBindingMissing,
    NonceMismatch,
)

WORLD = World()
THIEF = Es256SigningKey.generate()
NAME = disclosure("salt", "name", "김합성")
ROLE = disclosure("salt", "holder_role", "parent")
TOKEN = forge(WORLD.issuer_key, HEADER, card(WORLD, _sd=[digest(NAME), digest(ROLE)]))
KB: dict[str, Any] = {"alg": "ES256", "typ": "kb+jwt"}


def with_cnf(cnf: object) -> str:
    return forge(WORLD.issuer_key, HEADER, {**card(WORLD), "cnf": cnf})


def moved(before: list[str], after: list[str]) -> str:
    """Return a binding made over `before`, shown with `after`."""
    binding = bound(WORLD, TOKEN, before).rpartition("~")[2]
    return "~".join([TOKEN, *after, binding])


def b(**changes: Any) -> Callable[[], str]:
    return lambda: bound(WORLD, TOKEN, [NAME], **changes)


CASES: dict[str, tuple[Callable[[], str], type[SeoulWalletError]]] = {
    "no binding": (lambda: f"{TOKEN}~{NAME}~", HolderBindingMissing),
    "no binding, no disclosures": (lambda: f"{TOKEN}~", HolderBindingMissing),
    "binding without disclosures before it": (lambda: moved([NAME], []), HolderBindingInvalid),
    "a disclosure taken away": (lambda: moved([NAME, ROLE], [NAME]), HolderBindingInvalid),
    "a disclosure added": (lambda: moved([NAME], [NAME, ROLE]), HolderBindingInvalid),
    "disclosures in another order": (
        lambda: moved([NAME, ROLE], [ROLE, NAME]),
        HolderBindingInvalid,
    ),
    "aud is another verifier": (b(aud="https://other.example"), AudienceMismatch),
    "aud is a list": (b(aud=[AUDIENCE]), AudienceMismatch),
    "aud is a list with another": (b(aud=[AUDIENCE, "https://other.example"]), AudienceMismatch),
    "aud is missing": (b(aud=None), AudienceMismatch),
    "aud with a slash behind": (b(aud=AUDIENCE + "/"), AudienceMismatch),
    "its own exp has passed": (b(exp=NOW - 60), HolderBindingInvalid),
    "its own exp is text": (b(exp=str(NOW + 60)), JwsMalformed),
    "its own nbf is to come": (b(nbf=NOW + 61), HolderBindingInvalid),
    "aud in capitals": (b(aud=AUDIENCE.upper()), AudienceMismatch),
    "aud of a longer host": (b(aud=AUDIENCE + ".other.example"), AudienceMismatch),
    "nonce of another request": (b(nonce="another"), NonceMismatch),
    "nonce is missing": (b(nonce=None), JwsMalformed),
    "nonce is empty": (b(nonce=""), JwsMalformed),
    "nonce is a number": (b(nonce=1), JwsMalformed),
    "nonce is a list": (b(nonce=[NONCE]), JwsMalformed),
    "nonce with a space behind": (b(nonce=NONCE + " "), NonceMismatch),
    "nonce in capitals": (b(nonce=NONCE.upper()), NonceMismatch),
    "nonce beyond ASCII": (b(nonce="가" * 8), NonceMismatch),
    "iat is missing": (b(iat=None), JwsMalformed),
    "iat is a string": (b(iat=str(NOW)), JwsMalformed),
    "iat is true": (b(iat=True), JwsMalformed),
    "iat is old": (b(iat=NOW - 361), HolderBindingInvalid),
    "iat is in the future": (b(iat=NOW + 61), HolderBindingInvalid),
    "iat is negative": (b(iat=-1), JwsMalformed),
    "sd_hash is missing": (b(sd_hash=None), JwsMalformed),
    "sd_hash is a number": (b(sd_hash=1), JwsMalformed),
    "sd_hash is empty": (b(sd_hash=""), HolderBindingInvalid),
    "sd_hash of the credential alone": (b(sd_hash=digest(TOKEN)), HolderBindingInvalid),
    "sd_hash by another hash": (b(hash_name="sha-512"), HolderBindingInvalid),
    "typ is JWT": (b(header={**KB, "typ": "JWT"}), JwsMalformed),
    "typ is missing": (b(header={"alg": "ES256"}), JwsMalformed),
    "typ is the credential's": (b(header={**KB, "typ": "dc+sd-jwt"}), JwsMalformed),
    "alg is none": (b(header={**KB, "alg": "none"}), UnsupportedAlgorithm),
    "alg is HS256": (b(header={**KB, "alg": "HS256"}), UnsupportedAlgorithm),
    "alg is another than the key's": (b(header={**KB, "alg": "ES384"}), SignatureInvalid),
    "crit": (b(header={**KB, "crit": ["x"], "x": 1}), UnsupportedAlgorithm),
    "signed by a thief": (b(key=THIEF), SignatureInvalid),
    "signed by a thief who shows the key": (
        b(key=THIEF, header={**KB, "jwk": THIEF.public_key.jwk}),
        SignatureInvalid,
    ),
    "signed by the issuer": (b(key=WORLD.issuer_key), SignatureInvalid),
    "the credential in its place": (lambda: f"{TOKEN}~{NAME}~{TOKEN}", JwsMalformed),
    "a binding of another presentation": (
        lambda: f"{TOKEN}~{NAME}~" + bound(WORLD, TOKEN).rpartition("~")[2],
        HolderBindingInvalid,
    ),
    "two bindings": (
        lambda: bound(WORLD, TOKEN) + "~" + bound(WORLD, TOKEN).rpartition("~")[2],
        Base64urlMalformed,
    ),
    "cnf is missing": (
        lambda: bound(WORLD, forge(WORLD.issuer_key, HEADER, card(WORLD, cnf=None))),
        HolderBindingMissing,
    ),
    "cnf is null": (lambda: bound(WORLD, with_cnf(None)), HolderBindingMissing),
    "cnf names a kid alone": (
        lambda: bound(WORLD, with_cnf({"kid": "did:jwk:e30#0"})),
        HolderBindingMissing,
    ),
    "cnf.jwk is a string": (lambda: bound(WORLD, with_cnf({"jwk": "x"})), KeyMalformed),
    "cnf.jwk is null": (lambda: bound(WORLD, with_cnf({"jwk": None})), KeyMalformed),
    "cnf.jwk is symmetric": (
        lambda: bound(WORLD, with_cnf({"jwk": {"kty": "oct", "k": "AAAA"}})),
        KeyMalformed,
    ),
    "cnf.jwk is private": (
        lambda: bound(WORLD, with_cnf({"jwk": {**WORLD.holder_key.public_key.jwk, "d": "AA"}})),
        KeyMalformed,
    ),
    "cnf.jwk is on another curve": (
        lambda: bound(
            WORLD, with_cnf({"jwk": {**WORLD.holder_key.public_key.jwk, "crv": "P-521"}})
        ),
        UnsupportedKey,
    ),
    "cnf.jwk is off the curve": (
        lambda: bound(
            WORLD,
            with_cnf({"jwk": {**WORLD.holder_key.public_key.jwk, "y": THIEF.public_key.jwk["y"]}}),
        ),
        KeyMalformed,
    ),
    "cnf.jwk is for encryption": (
        lambda: bound(WORLD, with_cnf({"jwk": {**WORLD.holder_key.public_key.jwk, "use": "enc"}})),
        KeyMalformed,
    ),
    "cnf.jwk is the thief's": (
        lambda: bound(WORLD, with_cnf({"jwk": THIEF.public_key.jwk})),
        SignatureInvalid,
    ),
}


def test_the_binding_that_the_attacks_start_from_is_good() -> None:
    assert verify(WORLD, bound(WORLD, TOKEN, [NAME])).issuer == ISSUER
    assert verify(WORLD, bound(WORLD, TOKEN, [NAME], iat=NOW - 360)).issuer == ISSUER
    assert verify(WORLD, bound(WORLD, TOKEN, [NAME], iat=NOW + 60)).issuer == ISSUER


@pytest.mark.parametrize("case", sorted(CASES))
def test_refuses(case: str) -> None:
    make, error = CASES[case]
    made = make()
    refused(error, lambda: verify(WORLD, made))


def test_there_are_at_least_27_cases() -> None:
    assert len(CASES) >= 27
