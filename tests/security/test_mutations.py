"""Every signed object, changed in every simple way, is refused; the unchanged one is accepted.

A mutant may be accepted only where it is the same statement: for a presentation, where the
verified claims are equal.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.attacks import bound, forge, verify
from tests.support.credentials import ISSUER, NOW, STATUS_URI
from tests.support.signed_objects import (
    CREDENTIAL,
    KINDS,
    NAME,
    OTHER_TYPES,
    TYPE_IS_OPTIONAL,
    WORLD,
    Signed,
    signed_objects,
    status_list,
)
from wallet.crypto.keys import Ed25519SigningKey, Es256SigningKey
from wallet.crypto.signing_keys import Es256kSigningKey, Es384SigningKey
from wallet.encoding import base64url
from wallet.encoding.cbor import parse_cbor, to_cbor
from wallet.encoding.json import to_json
from wallet.errors import SeoulWalletError
from wallet.status.token_status_list import TokenStatusList
from wallet.verification.status import sign_status_list_cwt

_TYPE = re.compile(r'"([a-z0-9-]+\+(?:sd-)?jwt)"')
# Every how many positions a character is changed; 1 is all of them.
STRIDE = int(os.environ.get("SOAK_MUTATION_STRIDE", "11"))


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signed]:
    """One good object of every kind."""
    return signed_objects(tmp_path_factory.mktemp("issuer"))


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, payload, signature = token.split(".")
    return (
        json.loads(base64url.decode(head)),
        json.loads(base64url.decode(payload)),
        signature,
    )


def unsigned_changes(signed: Signed) -> Iterator[tuple[str, str]]:
    """Changes that someone without the key can make."""
    head, payload, signature = signed.token.split(".")
    header, claims, _ = parts(signed.token)
    for name in claims:
        rest = {key: value for key, value in claims.items() if key != name}
        yield f"without {name}", f"{head}.{base64url.encode(to_json(rest))}.{signature}"
        null = {**claims, name: None}
        yield f"{name} null", f"{head}.{base64url.encode(to_json(null))}.{signature}"
    for name in header:
        rest = {key: value for key, value in header.items() if key != name}
        yield f"header without {name}", f"{base64url.encode(to_json(rest))}.{payload}.{signature}"
    turned = dict(reversed(claims.items()))
    yield "members reversed", f"{head}.{base64url.encode(to_json(turned))}.{signature}"
    added = {**claims, "added": 1}
    yield "a member added", f"{head}.{base64url.encode(to_json(added))}.{signature}"
    for label, order in (("021", (0, 2, 1)), ("102", (1, 0, 2)), ("210", (2, 1, 0))):
        pieces = (head, payload, signature)
        yield f"parts in the order {label}", ".".join(pieces[index] for index in order)
    for algorithm in ("none", "HS256", "ES384", "ES256K", "EdDSA", "RS256"):
        swapped = base64url.encode(to_json({**header, "alg": algorithm}))
        yield f"alg {algorithm}", f"{swapped}.{payload}.{signature}"
        yield f"alg {algorithm}, no signature", f"{swapped}.{payload}."
    yield "no signature", f"{head}.{payload}."
    raw = base64url.decode(signature)
    for at in range(len(raw)):
        flipped = raw[:at] + bytes([raw[at] ^ 0x80]) + raw[at + 1 :]
        yield f"signature byte {at}", f"{head}.{payload}.{base64url.encode(flipped)}"
    body = base64url.decode(payload)
    for at in range(0, len(body), 5):
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        yield f"payload byte {at}", f"{head}.{base64url.encode(flipped)}.{signature}"


def with_other_keys(signed: Signed) -> Iterator[tuple[str, str]]:
    """The same statement, signed well by others, with the algorithm of their key."""
    header, claims, _ = parts(signed.token)
    for key in (
        Es256SigningKey.generate(),
        Es384SigningKey.generate(),
        Es256kSigningKey.generate(),
        Ed25519SigningKey.generate(),
    ):
        for algorithm in {key.algorithm, "ES256"}:
            yield (
                f"signed by a {key.algorithm} key as {algorithm}",
                forge(key, {**header, "alg": algorithm}, claims),
            )


@pytest.mark.parametrize("kind", KINDS)
def test_no_change_by_others_is_accepted(objects: dict[str, Signed], kind: str) -> None:
    signed = objects[kind]
    assert signed.check(signed.token) is not None
    tried = 0
    for label, token in (*unsigned_changes(signed), *with_other_keys(signed)):
        assert token != signed.token, label
        tried += 1
        try:
            signed.check(token)
        except SeoulWalletError:
            continue
        pytest.fail(f"{kind}: {label} was accepted")
    assert tried > 100


@pytest.mark.parametrize("kind", KINDS)
def test_what_must_be_there_is_missed_though_the_rightful_key_signs(
    objects: dict[str, Signed], kind: str
) -> None:
    signed = objects[kind]
    header, claims, _ = parts(signed.token)
    assert signed.check(forge(signed.key, header, claims)) is not None
    for name in signed.needed:
        rest = {key: value for key, value in claims.items() if key != name}
        for changed in (rest, {**claims, name: None}, {**claims, name: [claims[name]]}):
            if kind == "key proof" and changed.get(name) == [claims["aud"]]:
                continue  # RFC 7519 §4.1.3: one audience may stand in a list
            if kind == "W3C credential" and changed.get(name) == [claims["credentialSubject"]]:
                continue  # VC Data Model 2.0 §4.8: one subject, or a list of them
            try:
                signed.check(forge(signed.key, header, changed))
            except SeoulWalletError:
                continue
            pytest.fail(f"{kind}: {name} as {changed.get(name)} was accepted")
    for name in ("alg", "typ"):
        rest = {key: value for key, value in header.items() if key != name}
        if name == "typ" and kind in TYPE_IS_OPTIONAL:
            continue
        with pytest.raises(SeoulWalletError):
            signed.check(forge(signed.key, rest, claims))


def test_every_type_of_token_that_is_signed_here_has_its_table(
    objects: dict[str, Signed],
) -> None:
    assert tuple(objects) == KINDS
    root = Path(__file__).resolve().parents[2]
    sources = [
        path for name in ("wallet", "issuer", "verifier") for path in (root / name).rglob("*.py")
    ]
    written = {found for path in sources for found in _TYPE.findall(path.read_text("utf-8"))}
    tabled = {parts(signed.token)[0]["typ"] for signed in objects.values()}
    assert written - tabled == OTHER_TYPES.keys()


def test_no_kind_of_object_stands_for_another(objects: dict[str, Signed]) -> None:
    for kind, signed in objects.items():
        for other, foreign in objects.items():
            if kind != other:
                with pytest.raises(SeoulWalletError):
                    signed.check(foreign.token)
                header, claims, _ = parts(foreign.token)
                with pytest.raises(SeoulWalletError):
                    signed.check(forge(signed.key, header, claims))


def test_no_changed_byte_of_a_status_list_as_cwt_is_accepted() -> None:
    token = sign_status_list_cwt(
        WORLD.issuer_key,
        TokenStatusList.empty(64),
        uri=STATUS_URI,
        issuer=ISSUER,
        verification_method=f"{ISSUER}#key-1",
        issued_at=NOW,
        expires_at=NOW + 60,
        ttl_s=60,
    )
    assert status_list(token) is not None
    for at in range(len(token)):
        for mask in (1, 0x80):
            changed = token[:at] + bytes([token[at] ^ mask]) + token[at + 1 :]
            with pytest.raises(SeoulWalletError):
                status_list(changed)
        with pytest.raises(SeoulWalletError):
            status_list(token[:at])
    protected, unprotected, payload, signature = parse_cbor(token[1:])
    for parts_ in (
        [protected, unprotected, signature, payload],
        [protected, {1: -7}, payload, signature],
        [b"", unprotected, payload, signature],
        [protected, unprotected, payload, b""],
    ):
        with pytest.raises(SeoulWalletError):
            status_list(b"\xd2" + to_cbor(parts_))


@pytest.mark.soak
def test_no_presentation_with_one_changed_character_has_other_claims() -> None:
    good = bound(WORLD, CREDENTIAL, [NAME])
    honest = verify(WORLD, good).claims
    tried = accepted = 0
    for at in range(0, len(good), STRIDE):
        for character in ("A", "B", "_", "~", ".", "="):
            if good[at] == character:
                continue
            tried += 1
            try:
                claims = verify(WORLD, good[:at] + character + good[at + 1 :]).claims
            except SeoulWalletError:
                continue
            assert claims == honest, at
            accepted += 1
        with pytest.raises(SeoulWalletError):
            verify(WORLD, good[:at] + good[at + 1 :])
    assert tried > 5 * (len(good) // STRIDE - 1)
    assert accepted == 0
