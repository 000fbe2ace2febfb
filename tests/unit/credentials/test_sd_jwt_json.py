"""JSON serialization (RFC 9901 §8): the same presentation, and what JSON alone makes possible."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.attacks import verify
from tests.support.credentials import ISSUER, NOW, World, proof_policy
from wallet.credentials.jose import JwsMalformed, UnsupportedAlgorithm
from wallet.credentials.sd_jwt import SdJwtMalformed, parse_sd_jwt
from wallet.credentials.sd_jwt_json import (
    parse_presented_sd_jwt,
    parse_sd_jwt_json,
    to_flattened_json,
)
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.document import KeyNotAuthorized, build_did_document, parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.encoding.json import JsonMalformed, to_json
from wallet.errors import SeoulWalletError
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.pipeline import verify_proof

WORLD = World()
COMPACT = WORLD.present(WORLD.issue())
FLAT: dict[str, Any] = json.loads(to_flattened_json(COMPACT))


def sign(key: Es256SigningKey, kid: str, payload: str) -> dict[str, Any]:
    protected = base64url.encode(to_json({"alg": "ES256", "typ": "dc+sd-jwt", "kid": kid}))
    signature = key.sign(f"{protected}.{payload}".encode())
    return {"protected": protected, "signature": base64url.encode(signature)}


def general(*others: dict[str, Any]) -> bytes:
    first = {name: FLAT[name] for name in ("protected", "signature", "header")}
    return to_json({"payload": FLAT["payload"], "signatures": [first, *others]})


def test_both_forms_are_one_presentation() -> None:
    assert parse_presented_sd_jwt(to_flattened_json(COMPACT)) == parse_sd_jwt(COMPACT)
    assert parse_presented_sd_jwt(general()) == parse_sd_jwt(COMPACT)
    for text in (to_flattened_json(COMPACT), to_flattened_json(COMPACT).decode(), general()):
        assert verify(WORLD, text).claims == verify(WORLD, COMPACT).claims


def test_a_general_jws_is_good_when_every_signature_is_the_issuers() -> None:
    second = Es256SigningKey.generate()
    keys = {"key-1": WORLD.issuer_key.public_key, "key-2": second.public_key}
    document = parse_did_document(build_did_document(ISSUER, keys), parse_did(ISSUER))
    evidence = Evidence(Fact(document, NOW))
    two = general(sign(second, f"{ISSUER}#key-2", FLAT["payload"]))
    assert verify_proof(two, evidence, proof_policy(), now=NOW).issuer == ISSUER

    forged = general(sign(Es256SigningKey.generate(), f"{ISSUER}#key-2", FLAT["payload"]))
    with pytest.raises(SignatureInvalid):
        verify_proof(forged, evidence, proof_policy(), now=NOW)
    unknown = general(sign(second, "did:web:evil.example#key-1", FLAT["payload"]))
    with pytest.raises(KeyNotAuthorized):
        verify_proof(unknown, evidence, proof_policy(), now=NOW)
    elsewhere = general(sign(second, f"{ISSUER}#key-2", base64url.encode(b"{}")))
    with pytest.raises(SignatureInvalid):
        verify_proof(elsewhere, evidence, proof_policy(), now=NOW)


def test_a_bad_first_signature_is_not_made_good_by_a_second() -> None:
    good = sign(WORLD.issuer_key, f"{ISSUER}#key-1", FLAT["payload"])
    bad = {**sign(Es256SigningKey.generate(), f"{ISSUER}#key-1", FLAT["payload"])}
    value = {
        "payload": FLAT["payload"],
        "signatures": [{**bad, "header": FLAT["header"]}, good],
    }
    with pytest.raises(SignatureInvalid):
        verify(WORLD, to_json(value))


def test_a_key_may_be_named_in_the_unprotected_header_but_not_twice() -> None:
    payload = FLAT["payload"]
    protected = base64url.encode(to_json({"alg": "ES256", "typ": "dc+sd-jwt"}))
    signature = base64url.encode(WORLD.issuer_key.sign(f"{protected}.{payload}".encode()))
    disclosures = FLAT["header"]["disclosures"]
    value = {
        "payload": payload,
        "protected": protected,
        "signature": signature,
        "header": {"kid": f"{ISSUER}#key-1", "disclosures": disclosures},
    }
    assert parse_sd_jwt_json(to_json(value)).jws.kid == f"{ISSUER}#key-1"
    with pytest.raises(SdJwtMalformed):
        parse_sd_jwt_json(to_json({**FLAT, "header": {**FLAT["header"], "kid": "other"}}))


HEAD = FLAT["header"]
BAD: dict[str, tuple[dict[str, Any], type[SeoulWalletError]]] = {
    "no payload": ({"payload": None}, SdJwtMalformed),
    "payload is an object": ({"payload": {}}, SdJwtMalformed),
    "no protected header": ({"protected": None}, SdJwtMalformed),
    "no signature": ({"signature": None}, SdJwtMalformed),
    "flattened and general": ({"signatures": []}, SdJwtMalformed),
    "unknown member": ({"extra": 1}, SdJwtMalformed),
    "alg unprotected": ({"header": {**HEAD, "alg": "none"}}, SdJwtMalformed),
    "jwk unprotected": ({"header": {**HEAD, "jwk": {}}}, SdJwtMalformed),
    "x5c unprotected": ({"header": {**HEAD, "x5c": []}}, SdJwtMalformed),
    "crit unprotected": ({"header": {**HEAD, "crit": []}}, SdJwtMalformed),
    "header is a list": ({"header": []}, SdJwtMalformed),
    "disclosures is a string": ({"header": {"disclosures": "x"}}, SdJwtMalformed),
    "a disclosure is a list": ({"header": {"disclosures": [[]]}}, SdJwtMalformed),
    "a disclosure is empty": ({"header": {"disclosures": [""]}}, SdJwtMalformed),
    "two disclosures in one": (
        {"header": {"disclosures": ["~".join(HEAD["disclosures"])]}},
        SdJwtMalformed,
    ),
    "too many disclosures": ({"header": {"disclosures": ["WyJhIiwxXQ"] * 501}}, SdJwtMalformed),
    "kb_jwt is null": ({"header": {**HEAD, "kb_jwt": None}}, SdJwtMalformed),
    "kb_jwt is empty": ({"header": {**HEAD, "kb_jwt": ""}}, SdJwtMalformed),
    "kb_jwt with a tilde": ({"header": {**HEAD, "kb_jwt": "WyJhIiwxXQ~a.b.c"}}, SdJwtMalformed),
    "payload with a dot": ({"payload": FLAT["payload"] + ".x"}, JwsMalformed),
    "alg none": (
        {"protected": base64url.encode(b'{"alg":"none","typ":"dc+sd-jwt"}')},
        UnsupportedAlgorithm,
    ),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_refuses(case: str) -> None:
    changes, error = BAD[case]
    value = {name: item for name, item in {**FLAT, **changes}.items() if item is not None}
    with pytest.raises(error):
        parse_sd_jwt_json(to_json(value))


@pytest.mark.parametrize(
    "signatures",
    [
        [], None, {}, [1], [{}], [{"protected": "a"}],
        [{"protected": FLAT["protected"], "signature": FLAT["signature"], "x": 1}],
        [{"protected": FLAT["protected"], "signature": FLAT["signature"]}] * 5,
    ],
)  # fmt: skip
def test_refuses_other_signatures(signatures: Any) -> None:
    with pytest.raises(SdJwtMalformed):
        parse_sd_jwt_json(to_json({"payload": FLAT["payload"], "signatures": signatures}))


def test_disclosures_stand_with_the_first_signature_alone() -> None:
    second = sign(WORLD.issuer_key, f"{ISSUER}#key-1", FLAT["payload"])
    with pytest.raises(SdJwtMalformed):
        parse_sd_jwt_json(general({**second, "header": {"disclosures": []}}))


def test_refuses_json_with_a_member_twice_and_beyond_the_limit() -> None:
    with pytest.raises(JsonMalformed):
        parse_sd_jwt_json(b'{"payload":"e30",' + to_json(FLAT)[1:])
    with pytest.raises(JsonMalformed):
        parse_sd_jwt_json(b'{"payload":"' + b"A" * 300_000 + b'"}')


@given(st.binary(max_size=200).map(lambda tail: b"{" + tail))
def test_any_bytes_are_refused_with_a_typed_error(data: bytes) -> None:
    with pytest.raises(SeoulWalletError):
        parse_presented_sd_jwt(data)
