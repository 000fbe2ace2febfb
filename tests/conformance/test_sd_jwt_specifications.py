"""Issue, present and verify as published specifications say: 15 of RFC 9901, 17 of sd-jwt-python,
3 of SD-JWT VC.

sd-jwt-python states the claims that a verifier must see; for the drafts they follow from the
specification by a rule of its own in the test's support, which must agree where both are stated.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.sd_jwt_specification import (
    chosen,
    expected_after,
    load_specification,
    unmark,
)
from tests.support.vectors import vector_folder
from wallet.credentials.disclosure import make_disclosable
from wallet.credentials.jose import sign_jws, verify_jws
from wallet.credentials.sd_jwt import (
    KEY_BINDING_TYPE,
    bind_to_key,
    parse_sd_jwt,
    present_sd_jwt,
)
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt, to_flattened_json
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid, parse_jwk
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject

pytestmark = pytest.mark.vectors

SETS = {
    "ietf-sd-jwt": ("examples", 15),
    "sd-jwt-python-testcases": ("tests/testcases", 17),
    "ietf-sd-jwt-vc": ("examples", 3),
}
TYP = "example+sd-jwt"
TYPES = frozenset((TYP, "dc+sd-jwt"))
# The specification itself is at odds with RFC 9901, which gives `kid` a string (RFC 7515 §4.1.4).
NUMERIC_KID = {"header_mod"}


@dataclass
class Keys:
    """The published example keys."""

    issuer: Es256SigningKey
    holder: Es256SigningKey
    audience: str
    nonce: str


def keys(folder: Path) -> Keys:
    settings = yaml.safe_load((folder / "settings.yml").read_bytes())
    stated = settings["key_settings"]
    issuer = stated["issuer_key"] if "issuer_key" in stated else stated["issuer_keys"][0]
    holder = stated["holder_key"]
    loaded = Keys(
        Es256SigningKey.from_secret(base64url.decode(issuer["d"])),
        Es256SigningKey.from_secret(base64url.decode(holder["d"])),
        settings["identifiers"]["verifier"],
        settings["key_binding_nonce"],
    )
    assert loaded.issuer.public_key.jwk["x"] == issuer["x"]
    return loaded


def specifications(name: str) -> list[Path]:
    below, count = SETS[name]
    found = sorted((vector_folder(name) / below).glob("*/specification.yml"))
    assert len(found) == count
    return found


def run(file: Path, hash_name: str = "sha-256") -> tuple[JsonObject, JsonObject]:
    """Return the claims that the verifier finds and those that it should."""
    specification = load_specification(file)
    marked = unmark(specification["user_claims"])
    loaded = keys(file.parent.parent)
    binds = bool(specification.get("key_binding"))
    header: dict[str, Any] = {"typ": TYP, **specification.get("extra_header_parameters", {})}
    if file.parent.name in NUMERIC_KID:
        header["kid"] = str(header["kid"])

    made = make_disclosable(marked.plain, marked.disclosable, decoys=3, hash_name=hash_name)
    claims = made.signed_claims
    if binds:
        claims = {**claims, "cnf": {"jwk": loaded.holder.public_key.jwk}}
    issued = "~".join([sign_jws(loaded.issuer, header, claims), *made.disclosures, ""])

    held = parse_sd_jwt(issued, typ=TYPES)
    processed = held.process(held.jws.peek_claims())
    everything = frozenset(marked.disclosable)
    assert set(processed.paths) == everything
    wanted = chosen(specification["holder_disclosed_claims"], everything)
    presented = present_sd_jwt(
        held,
        frozenset(index for index, path in enumerate(processed.paths) if path in wanted),
    )
    if binds:
        presented = bind_to_key(
            presented,
            loaded.holder,
            audience=loaded.audience,
            nonce=loaded.nonce,
            issued_at=1_700_000_000,
            hash_name=hash_name,
        )
    text: str | bytes = presented
    if specification.get("serialization_format") == "json":
        text = to_flattened_json(presented)

    seen = parse_presented_sd_jwt(text, typ=TYPES)
    verify_jws(seen.jws, loaded.issuer.public_key)
    if binds:
        assert seen.key_binding is not None
        verify_jws(seen.key_binding, parse_jwk(seen.jws.peek_claims()["cnf"]["jwk"]))
        assert seen.key_binding.header["typ"] == KEY_BINDING_TYPE
        assert seen.key_binding.peek_claims()["sd_hash"] == seen.digest(hash_name)
    verified = seen.process(seen.jws.peek_claims()).claims
    if binds:
        verified.pop("cnf")
    expected = expected_after(marked.plain, frozenset(wanted), everything)
    if "expect_verified_user_claims" in specification:
        assert unmark(specification["expect_verified_user_claims"]).plain == expected
    return verified, expected


@pytest.mark.parametrize("name", sorted(SETS))
def test_a_verifier_sees_what_the_specification_expects(name: str) -> None:
    for file in specifications(name):
        verified, expected = run(file)
        assert verified == expected, file.parent.name


@pytest.mark.parametrize("hash_name", ["sha-384", "sha-512"])
def test_the_same_holds_with_the_other_hashes(hash_name: str) -> None:
    for file in specifications("sd-jwt-python-testcases"):
        verified, expected = run(file, hash_name)
        assert verified == expected, file.parent.name


def test_all_17_of_sd_jwt_python_state_what_they_expect() -> None:
    stated = [
        "expect_verified_user_claims" in load_specification(file)
        for file in specifications("sd-jwt-python-testcases")
    ]
    assert stated == [True] * 17


def test_another_issuers_key_verifies_none_of_them() -> None:
    loaded = keys(vector_folder("ietf-sd-jwt") / "examples")
    token = sign_jws(loaded.issuer, {"typ": TYP}, {"iss": "https://issuer.example.com"})
    with pytest.raises(SignatureInvalid):
        verify_jws(parse_sd_jwt(token + "~", typ=TYPES).jws, loaded.holder.public_key)
