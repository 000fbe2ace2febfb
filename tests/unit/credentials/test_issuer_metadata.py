"""JWT VC Issuer Metadata: where it is, and what it must say (SD-JWT VC §5)."""

from typing import Any

import pytest

from wallet.credentials.issuer_metadata import (
    IssuerKeysElsewhere,
    IssuerMetadata,
    IssuerMetadataMalformed,
    build_issuer_metadata,
    issuer_metadata_url,
    parse_issuer_metadata,
    parse_jwks,
)
from wallet.crypto.keys import Ed25519SigningKey, Es256SigningKey, KeyMalformed

ISSUER = "https://issuer.example/tenant"
KEY = Es256SigningKey.generate().public_key


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://example.com", "https://example.com/.well-known/jwt-vc-issuer"),
        ("https://example.com/", "https://example.com/.well-known/jwt-vc-issuer"),
        ("https://example.com/a", "https://example.com/.well-known/jwt-vc-issuer/a"),
        ("https://example.com/a/b/", "https://example.com/.well-known/jwt-vc-issuer/a/b"),
        ("https://example.com:8443/a", "https://example.com:8443/.well-known/jwt-vc-issuer/a"),
    ],
)
def test_the_well_known_name_goes_before_the_path(issuer: str, url: str) -> None:
    assert issuer_metadata_url(issuer) == url


@pytest.mark.parametrize(
    "issuer",
    [
        "http://example.com", "https://", "https://a@example.com", "https://example.com?x",
        "https://example.com/#f", "https://example.com/ a", "https://example.com\\a",
        "https://example.com:0", "https://example.com:99999", "ftp://example.com", "",
        "https://[::1", "https://exa\nmple.com", "https://예.kr", "http://localhost:8001",
    ],
)  # fmt: skip
def test_other_issuers_have_no_metadata(issuer: str) -> None:
    with pytest.raises(IssuerMetadataMalformed):
        issuer_metadata_url(issuer)


def test_http_is_for_localhost_in_development_alone() -> None:
    url = issuer_metadata_url("http://localhost:8001", development=True)
    assert url == "http://localhost:8001/.well-known/jwt-vc-issuer"
    with pytest.raises(IssuerMetadataMalformed):
        issuer_metadata_url("http://127.0.0.1:8001", development=True)


def test_keys_are_found_by_name() -> None:
    other = Ed25519SigningKey.generate().public_key
    parsed = parse_issuer_metadata(build_issuer_metadata(ISSUER, {"a": KEY, "b": other}), ISSUER)
    assert isinstance(parsed, IssuerMetadata)
    assert parsed.key_for("a").jwk == KEY.jwk
    assert parsed.key_for("b").algorithm == "EdDSA"


def test_keys_may_be_elsewhere() -> None:
    value = {"issuer": ISSUER, "jwks_uri": "https://issuer.example/keys"}
    assert parse_issuer_metadata(value, ISSUER) == IssuerKeysElsewhere(ISSUER, value["jwks_uri"])


GOOD = build_issuer_metadata(ISSUER, {"a": KEY})


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": ISSUER + "/"},
        {"issuer": None},
        {"jwks_uri": "https://issuer.example/keys"},
        {"jwks": None},
        {"jwks": []},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": {}}},
        {"jwks": {"keys": [{"kid": 1, **KEY.jwk}]}},
        {"jwks": {"keys": [{"kid": "a", **KEY.jwk}, {"kid": "a", **KEY.jwk}]}},
        {"jwks": {"keys": [KEY.jwk] * 101}},
    ],
)
def test_refuses_other_documents(changes: dict[str, Any]) -> None:
    with pytest.raises(IssuerMetadataMalformed):
        parse_issuer_metadata({**GOOD, **changes}, ISSUER)


def test_refuses_private_keys_and_leaves_out_what_it_cannot_use() -> None:
    with pytest.raises(KeyMalformed):
        parse_jwks({"keys": [{**KEY.jwk, "d": "AA"}]})
    rsa = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "rsa"}
    encryption = {**KEY.jwk, "use": "enc", "kid": "enc"}
    keys = parse_jwks({"keys": [rsa, encryption, {**KEY.jwk, "kid": "a"}]})
    assert [kid for kid, _ in keys] == ["a"]
    for uri in ("http://issuer.example/keys", 1, "", "https://a@b/keys"):
        with pytest.raises(IssuerMetadataMalformed):
            parse_issuer_metadata({"issuer": ISSUER, "jwks_uri": uri}, ISSUER)
