"""Which URL a DPoP proof is for (RFC 9449 §4.3)."""

from __future__ import annotations

import pytest

from tests.support.credentials import NOW
from wallet.credentials.jose import sign_jws
from wallet.crypto.keys import Es256SigningKey, thumbprint
from wallet.protocols.oid4vci.dpop import DPOP_TYPE, DpopProofInvalid, verify_dpop_proof

ENDPOINT = "https://issuer.example/department/token"
KEY = Es256SigningKey.generate()


def shown_for(url: object) -> str:
    claims = {"jti": "one", "htm": "POST", "htu": url, "iat": NOW}
    proof = sign_jws(KEY, {"typ": DPOP_TYPE, "jwk": KEY.public_key.jwk}, claims)
    return verify_dpop_proof(proof, method="POST", url=ENDPOINT, now=NOW, access_token=None).jkt


@pytest.mark.parametrize(
    "url",
    [
        ENDPOINT,
        ENDPOINT + "?more=1",
        ENDPOINT + "#part",
        ENDPOINT + "?more=1#part",
        "HTTPS://Issuer.Example:443/department/token",
    ],
)
def test_query_and_fragment_are_left_out_and_spellings_of_a_host_are_one(url: str) -> None:
    assert shown_for(url) == thumbprint(KEY.public_key)


@pytest.mark.parametrize(
    "url",
    [
        None,
        [ENDPOINT],
        "https://issuer.example/department/Token",
        "https://issuer.example/department",
        "https://issuer.example/?/department/token",
        "https://issuer.example#/department/token",
        "https://evil.example/department/token?https://issuer.example/department/token",
        "https://issuer.example@evil.example/department/token",
        "https://evil@issuer.example/department/token",
        "https://issuer.example:8443/department/token",
        "https://issuer.example:port/department/token",
        "http://issuer.example/department/token",
    ],
)
def test_another_url_is_refused(url: object) -> None:
    with pytest.raises(DpopProofInvalid):
        shown_for(url)
