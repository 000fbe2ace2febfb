"""The two names of Ed25519 in JOSE: `EdDSA` (RFC 8037) and `Ed25519` (RFC 9864)."""

from __future__ import annotations

import pytest

from wallet.credentials.jose import parse_compact_jws, sign_jws, verify_jws
from wallet.crypto.keys import Ed25519SigningKey, Es256SigningKey, SignatureInvalid, parse_jwk
from wallet.protocols.oid4vp_metadata import FormatsNotSupported, check_format

KEY = Ed25519SigningKey.generate()


@pytest.mark.parametrize("name", ["EdDSA", "Ed25519"])
def test_a_signature_is_good_under_either_name(name: str) -> None:
    token = sign_jws(KEY, {"alg": name}, {"n": 1})
    jws = parse_compact_jws(token, typ=None)
    assert jws.header["alg"] == name
    verify_jws(jws, parse_jwk({**KEY.public_key.jwk, "alg": name}))
    with pytest.raises(SignatureInvalid):
        verify_jws(jws, Ed25519SigningKey.generate().public_key)
    with pytest.raises(SignatureInvalid):
        verify_jws(jws, Es256SigningKey.generate().public_key)


def test_no_other_key_signs_under_the_name_of_ed25519() -> None:
    key = Es256SigningKey.generate()
    jws = parse_compact_jws(sign_jws(key, {"alg": "Ed25519"}, {}), typ=None)
    with pytest.raises(SignatureInvalid):
        verify_jws(jws, key.public_key)


@pytest.mark.parametrize("listed", ["EdDSA", "Ed25519"])
def test_a_verifier_may_list_either_name(listed: str) -> None:
    metadata = {"vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": [listed]}}}
    for used in ("EdDSA", "Ed25519"):
        check_format(metadata, "dc+sd-jwt", {"sd-jwt_alg_values": (used,)})
    with pytest.raises(FormatsNotSupported):
        check_format(metadata, "dc+sd-jwt", {"sd-jwt_alg_values": ("ES256",)})
