"""DID syntax, did:key, did:jwk, did:web and documents."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.crypto.keys import Ed25519SigningKey, Es256SigningKey, KeyMalformed, parse_jwk
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.did.did_key import did_key_from_public_key
from wallet.did.did_web import did_web_document_url
from wallet.did.document import KeyNotAuthorized, build_did_document, parse_did_document
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import (
    Did,
    DidMalformed,
    UnsupportedDidMethod,
    parse_did,
    parse_did_url,
)
from wallet.errors import SeoulWalletError

# did:key Method v0.7 §3.1.3 (P-256) and §3.1.1 (Ed25519); did:jwk examples (P-256).
DID_KEY_P256 = "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"
DID_KEY_ED25519 = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
DID_JWK_P256 = (
    "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6"
    "OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
)


@pytest.mark.parametrize("text", [DID_KEY_P256, DID_KEY_ED25519])
def test_the_published_did_keys_resolve_and_come_back(text: str) -> None:
    document = resolve_self_contained(parse_did(text))
    key = document.key_for(f"{text}#{text.removeprefix('did:key:')}", "assertionMethod")
    assert did_key_from_public_key(key) == text
    assert document.key_for(None, "authentication") is key


def test_the_published_did_jwk_resolves() -> None:
    document = resolve_self_contained(parse_did(DID_JWK_P256))
    key = document.key_for(f"{DID_JWK_P256}#0", "assertionMethod")
    assert key.jwk["x"] == "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0"


@pytest.mark.parametrize("key", [Es256SigningKey.generate(), Ed25519SigningKey.generate()])
def test_a_key_becomes_a_did_and_comes_back(key: Es256SigningKey | Ed25519SigningKey) -> None:
    for text in (did_key_from_public_key(key.public_key), did_jwk_from_public_key(key.public_key)):
        document = resolve_self_contained(parse_did(text))
        assert document.key_for(None, "assertionMethod").jwk == key.public_key.jwk


@pytest.mark.parametrize(
    "text",
    [
        "did:key:z6Mk",
        "did:key:" + DID_KEY_ED25519.removeprefix("did:key:")[:-1],
        "did:key:u6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "did:key:z0OIl",
        "did:jwk:e30",
        "did:jwk:bm90IGpzb24",
        "did:jwk:x",
    ],
)
def test_refuses_dids_that_hold_no_key(text: str) -> None:
    with pytest.raises(SeoulWalletError):
        resolve_self_contained(parse_did(text))


def test_refuses_a_did_jwk_with_a_private_key() -> None:
    secret = "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJFZDI1NTE5IiwieCI6IkFBIiwiZCI6IkFBIn0"
    with pytest.raises(KeyMalformed):
        resolve_self_contained(parse_did(secret))


def test_other_methods_do_not_resolve_here() -> None:
    with pytest.raises(UnsupportedDidMethod):
        resolve_self_contained(parse_did("did:web:issuer.example"))


@pytest.mark.parametrize(
    "text",
    ["", "did:", "did:web", "did:web:", "did:Web:a", "did:web:a b", "did:web:a#b", "did:web:a/b",
     "did:web:a?b", "did:web:%zz", "x" * 3000, None, 7, "did:web:é"],
)  # fmt: skip
def test_refuses_what_is_not_a_did(text: object) -> None:
    with pytest.raises(DidMalformed):
        parse_did(text)


@pytest.mark.parametrize("text", ["did:web:a", "did:web:a#", "did:web:a#b#c", "#b", None])
def test_refuses_what_is_not_a_did_url(text: object) -> None:
    with pytest.raises(DidMalformed):
        parse_did_url(text)
    assert str(parse_did_url("did:web:a#key-1")) == "did:web:a#key-1"


# did:web Method Specification §3.2.
@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        (
            "did:web:w3c-ccg.github.io:user:alice",
            "https://w3c-ccg.github.io/user/alice/did.json",
        ),
        (
            "did:web:example.com%3A3000:user:alice",
            "https://example.com:3000/user/alice/did.json",
        ),
        ("did:web:localhost%3A8001", "https://localhost:8001/.well-known/did.json"),
    ],
)
def test_did_web_names_the_published_urls(did: str, url: str) -> None:
    assert did_web_document_url(parse_did(did)) == url


def test_only_localhost_is_fetched_over_http_and_only_in_development() -> None:
    local = parse_did("did:web:localhost%3A8001")
    assert did_web_document_url(local, development=True).startswith("http://localhost:8001/")
    public = parse_did("did:web:issuer.example")
    assert did_web_document_url(public, development=True).startswith("https://")


@pytest.mark.parametrize(
    "identifier",
    ["127.0.0.1", "0x7f.1", "2130706433", "a..b", "a%2Fb", "user%40host", "a:..:b", "a:%2e%2e:b",
     "a%00", "a:b%2Fc", "%5B%3A%3A1%5D", "A.example", "a.example.", "a%3A99999999",
     "a%3A65536", "a%3A0"],
)  # fmt: skip
def test_did_web_names_no_address_and_no_way_out_of_its_path(identifier: str) -> None:
    with pytest.raises(DidMalformed):
        did_web_document_url(Did("web", identifier))


def test_a_document_gives_keys_by_relation() -> None:
    key = Es256SigningKey.generate().public_key
    did = "did:web:issuer.example"
    raw = build_did_document(did, {"key-1": key})
    raw["assertionMethod"] = []
    document = parse_did_document(raw, parse_did(did))
    assert document.key_for("#key-1", "authentication").jwk == key.jwk
    with pytest.raises(KeyNotAuthorized):
        document.key_for("#key-1", "assertionMethod")
    with pytest.raises(KeyNotAuthorized):
        document.key_for("did:web:other.example#key-1", "authentication")
    with pytest.raises(KeyNotAuthorized):
        document.key_for(None, "assertionMethod")


def test_a_document_of_another_did_is_refused() -> None:
    raw = build_did_document("did:web:a.example", {})
    with pytest.raises(DidMalformed):
        parse_did_document(raw, parse_did("did:web:b.example"))


def test_a_key_of_another_controller_is_left_out() -> None:
    did = "did:web:issuer.example"
    raw = build_did_document(did, {"key-1": Es256SigningKey.generate().public_key})
    raw["verificationMethod"][0]["controller"] = "did:web:other.example"
    document = parse_did_document(raw, parse_did(did))
    with pytest.raises(KeyNotAuthorized):
        document.key_for("#key-1", "assertionMethod")


@pytest.mark.parametrize(
    "change",
    [
        {"verificationMethod": {}},
        {"verificationMethod": [1]},
        {"verificationMethod": [{"id": 1}]},
        {"verificationMethod": [{"id": "did:web:other.example#k", "controller": "x"}]},
        {"assertionMethod": [1]},
        {"assertionMethod": "x"},
        {"verificationMethod": [{"id": "#k"}] * 101},
    ],
)
def test_refuses_documents_of_another_form(change: dict[str, object]) -> None:
    did = "did:web:issuer.example"
    with pytest.raises(DidMalformed):
        parse_did_document({"id": did, **change}, parse_did(did))


@given(st.text(max_size=60))
def test_any_text_is_a_did_or_refused(text: str) -> None:
    with contextlib.suppress(DidMalformed):
        assert str(parse_did(text)) == text


@given(st.text("zQ3shmDnae6MkiTBy", min_size=1, max_size=60))
def test_any_did_key_gives_a_key_or_a_typed_error(identifier: str) -> None:
    try:
        document = resolve_self_contained(Did("key", identifier))
    except SeoulWalletError:
        return
    assert parse_jwk(document.key_for(None, "assertionMethod").jwk)
