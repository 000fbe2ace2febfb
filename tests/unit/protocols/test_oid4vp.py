"""OpenID4VP on the wallet's side: which links, request objects and responses are good."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.credentials.jose import JwsMalformed, UnsupportedAlgorithm, sign_jws
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.document import (
    DidDocument,
    KeyNotAuthorized,
    build_did_document,
    parse_did_document,
)
from wallet.did.syntax import DidMalformed, parse_did
from wallet.encoding import base64url
from wallet.encoding.base64url import Base64urlMalformed
from wallet.encoding.json import JsonMalformed, JsonObject, to_json
from wallet.errors import SeoulWalletError
from wallet.protocols.client_id import (
    ClientIdMalformed,
    ClientIdMismatch,
    ClientUrlMalformed,
    DidClientId,
    RedirectUriClientId,
    UnsupportedClientIdPrefix,
    parse_client_id,
)
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vp import (
    AuthorizationRequest,
    RequestMalformed,
    RequestNotForWallet,
    UnsupportedRequest,
    VerifiedRequest,
    new_secret,
)
from wallet.protocols.oid4vp_link import (
    build_request_link,
    build_unsigned_request_link,
    parse_request_link,
)
from wallet.protocols.oid4vp_request_object import (
    RequestNotSigned,
    WalletNonceMismatch,
    parse_request_object,
    sign_request_object,
    verify_request_object,
    verify_unsigned_request,
)
from wallet.protocols.oid4vp_response import (
    ErrorResponse,
    PresentationResponse,
    ResponseMalformed,
    build_error_response,
    build_response,
    parse_response,
)
from wallet.protocols.oid4vp_session import Requested, RequestOptions, SessionExpired
from wallet.protocols.oid4vp_transaction import TransactionDataMalformed

NOW = 1_800_000_000
DID = "did:web:verifier.example"
KID = f"{DID}#key-1"
KEY = Es256SigningKey.generate()
CLIENT = DidClientId(parse_did(DID))
QUERY = parse_dcql(
    {"credentials": [{"id": "c", "format": "dc+sd-jwt", "meta": {"vct_values": ["v"]}}]}
)
REQUEST = AuthorizationRequest(
    client_id=CLIENT,
    response_uri="https://verifier.example/responses",
    nonce="a-nonce",
    state="a-state",
    dcql_query=QUERY,
    client_metadata={"client_name": "구청 창구"},
    issued_at=NOW,
    expires_at=NOW + 300,
    purpose="확인",
)
UNSIGNED_CLIENT = RedirectUriClientId("https://verifier.example/responses")
UNSIGNED = AuthorizationRequest(
    client_id=UNSIGNED_CLIENT,
    response_uri="https://verifier.example/responses",
    nonce="a-nonce",
    dcql_query=QUERY,
    expires_at=NOW + 300,
)


def document(did: str = DID, key: Es256SigningKey = KEY) -> DidDocument:
    """The published document of a verifier."""
    return parse_did_document(build_did_document(did, {"key-1": key.public_key}), parse_did(did))


def claims(**changes: Any) -> JsonObject:
    """The claims of a good request object, with changes; None removes."""
    base = {**REQUEST.to_claims(), "aud": "https://self-issued.me/v2", **changes}
    return {name: value for name, value in base.items() if value is not None}


def verified(
    request_claims: JsonObject, *, header: JsonObject | None = None, **changes: Any
) -> VerifiedRequest:
    """Sign the claims and verify them as a wallet does."""
    full = {"typ": "oauth-authz-req+jwt", "kid": KID, **(header or {})}
    signed = parse_request_object(sign_jws(KEY, full, request_claims))
    arguments: dict[str, Any] = {"now": NOW, **changes}
    return verify_request_object(signed, CLIENT, document(), **arguments)


def test_a_signed_request_object_is_verified_and_says_what_was_asked() -> None:
    text = sign_request_object(REQUEST, KEY, kid=KID)
    found = verify_request_object(parse_request_object(text), CLIENT, document(), now=NOW)
    assert found == VerifiedRequest(request=REQUEST, authenticated=True, audience=str(CLIENT))


def test_an_unsigned_request_by_value_is_taken_but_not_authenticated() -> None:
    link = parse_request_link(build_unsigned_request_link(UNSIGNED))
    assert link.request_uri is None
    found = verify_unsigned_request(link.parameters, now=NOW)
    assert found == VerifiedRequest(
        request=UNSIGNED, authenticated=False, audience=str(UNSIGNED.client_id)
    )


def test_an_expired_unsigned_request_is_refused() -> None:
    link = parse_request_link(build_unsigned_request_link(UNSIGNED))
    with pytest.raises(RequestNotForWallet):
        verify_unsigned_request(link.parameters, now=NOW + 360)


VP_6 = [
    ({}, {"typ": "JWT"}, JwsMalformed),
    ({}, {"kid": "did:web:verifier.example#key-2"}, KeyNotAuthorized),
    ({}, {"kid": "did:web:evil.example#key-1"}, ClientIdMismatch),
    ({}, {"kid": "key-1"}, DidMalformed),
    ({"client_id": "redirect_uri:https://verifier.example/responses"}, {}, ClientIdMismatch),
    ({"client_id": "decentralized_identifier:did:web:evil.example"}, {}, ClientIdMismatch),
    ({"client_id": DID}, {}, ClientIdMismatch),
    ({"client_id": None}, {}, JwsMalformed),
    ({"response_uri": "https://evil.example/responses"}, {}, ClientIdMismatch),
    ({"response_uri": "https://verifier.example.evil.example/r"}, {}, ClientIdMismatch),
    ({"response_uri": "https://verifier.example:8443/r"}, {}, ClientIdMismatch),
    ({"response_uri": "http://verifier.example/responses"}, {}, ClientUrlMalformed),
    ({"response_uri": "https://a@verifier.example/r"}, {}, ClientUrlMalformed),
    ({"response_uri": "https://verifier.example\\@evil.example/r"}, {}, ClientUrlMalformed),
    ({"response_uri": None}, {}, ClientUrlMalformed),
    ({"aud": "https://wallet.example"}, {}, RequestNotForWallet),
    ({"aud": ["https://self-issued.me/v2"]}, {}, RequestNotForWallet),
    ({"aud": None}, {}, RequestNotForWallet),
    ({"exp": NOW - 60}, {}, RequestNotForWallet),
    ({"iat": NOW + 120}, {}, RequestNotForWallet),
    ({"nonce": None}, {}, RequestMalformed),
    ({"nonce": "a b"}, {}, RequestMalformed),
    ({"response_mode": "fragment"}, {}, UnsupportedRequest),
    ({"response_mode": "dc_api"}, {}, UnsupportedRequest),
    ({"response_type": "code"}, {}, UnsupportedRequest),
    ({"client_id_scheme": "did"}, {}, UnsupportedRequest),
    ({"presentation_definition": {}}, {}, UnsupportedRequest),
    ({"transaction_data": ["e30"]}, {}, TransactionDataMalformed),
    ({"redirect_uri": "https://verifier.example/"}, {}, UnsupportedRequest),
    ({"dcql_query": None}, {}, RequestMalformed),
]


@pytest.mark.parametrize(("changes", "header", "error"), VP_6)
def test_vp_6_a_request_object_that_does_not_fit_is_refused(
    changes: JsonObject, header: JsonObject, error: type[SeoulWalletError]
) -> None:
    verified(claims())
    with pytest.raises(error):
        verified(claims(**changes), header=header)


def test_vp_6_a_request_object_signed_by_another_key_is_refused() -> None:
    text = sign_request_object(REQUEST, Es256SigningKey.generate(), kid=KID)
    with pytest.raises(SignatureInvalid):
        verify_request_object(parse_request_object(text), CLIENT, document(), now=NOW)


def test_vp_6_a_request_object_without_a_signature_is_refused() -> None:
    header = base64url.encode(to_json({"alg": "none", "typ": "oauth-authz-req+jwt"}))
    with pytest.raises(UnsupportedAlgorithm):
        parse_request_object(f"{header}.{base64url.encode(to_json(claims()))}.")


def test_vp_6_a_document_of_another_did_does_not_vouch() -> None:
    text = parse_request_object(sign_request_object(REQUEST, KEY, kid=KID))
    with pytest.raises(ClientIdMismatch):
        verify_request_object(text, CLIENT, document("did:web:evil.example"), now=NOW)


def test_vp_6_a_client_of_the_other_kind_neither_signs_nor_omits_the_signature() -> None:
    text = parse_request_object(sign_request_object(REQUEST, KEY, kid=KID))
    with pytest.raises(RequestNotSigned):
        verify_request_object(text, UNSIGNED_CLIENT, document(), now=NOW)
    parameters = parse_request_link(build_unsigned_request_link(UNSIGNED)).parameters
    with pytest.raises(RequestNotSigned):
        verify_unsigned_request({**parameters, "client_id": str(CLIENT)}, now=NOW)
    elsewhere = {**parameters, "response_uri": "https://evil.example/"}
    with pytest.raises(ClientIdMismatch):
        verify_unsigned_request(elsewhere, now=NOW)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x509_san_dns:https://verifier.example", ClientIdMalformed),
        ("x509_san_dns:Verifier.example", ClientIdMalformed),
        ("x509_san_dns:redirect_uri:https://verifier.example", ClientIdMalformed),
        ("x509_san_dns:", ClientIdMalformed),
        ("x509_hash:YWJj", ClientIdMalformed),
        ("x509_hash:abc=", Base64urlMalformed),
        ("verifier_attestation:a", UnsupportedClientIdPrefix),
        ("openid_federation:https://a.example", UnsupportedClientIdPrefix),
        ("origin:https://a.example", UnsupportedClientIdPrefix),
        ("pre-registered", UnsupportedClientIdPrefix),
        (DID, UnsupportedClientIdPrefix),
        ("https://verifier.example", UnsupportedClientIdPrefix),
        (f"Decentralized_Identifier:{DID}", UnsupportedClientIdPrefix),
        (f" decentralized_identifier:{DID}", UnsupportedClientIdPrefix),
        ("decentralized_identifier:redirect_uri:https://a.example", DidMalformed),
        (f"decentralized_identifier:{KID}", DidMalformed),
        ("redirect_uri:http://verifier.example", ClientUrlMalformed),
        ("redirect_uri:https://verifier.example/#a", ClientUrlMalformed),
        ("redirect_uri:x509_san_dns:verifier.example", ClientUrlMalformed),
        ("redirect_uri:https://[::1", ClientUrlMalformed),
        ("", ClientIdMalformed),
        (None, ClientIdMalformed),
    ],
)
def test_vp_6_other_client_ids_are_refused_by_name(
    text: object, error: type[SeoulWalletError]
) -> None:
    with pytest.raises(error):
        parse_client_id(text)


@pytest.mark.parametrize(
    "text",
    [
        str(CLIENT),
        "redirect_uri:https://verifier.example/r?a=1",
        "x509_san_dns:client.example.org",
        "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
    ],
)
def test_a_client_id_survives_a_round_trip(text: str) -> None:
    assert str(parse_client_id(text)) == text


def test_http_is_for_localhost_in_development_alone() -> None:
    local = "redirect_uri:http://localhost:8002/responses"
    assert str(parse_client_id(local, development=True)) == local
    with pytest.raises(ClientUrlMalformed):
        parse_client_id(local)
    with pytest.raises(ClientUrlMalformed):
        parse_client_id("redirect_uri:http://localhost.evil.example/", development=True)


def link(**parameters: str) -> str:
    """A link with these parameters."""
    return "openid4vp://?" + urlencode(parameters)


def test_a_link_names_client_and_request_uri() -> None:
    uri = "https://verifier.example/request-objects/1"
    found = parse_request_link(build_request_link(CLIENT, uri, post=True))
    assert (found.client_id, found.request_uri, found.request_uri_method) == (CLIENT, uri, "post")
    assert parse_request_link(build_request_link(CLIENT, uri)).request_uri_method == "get"


GOOD_URI = "https://verifier.example/r"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (link(client_id=str(CLIENT), request_uri="https://evil.example/r"), ClientIdMismatch),
        (link(client_id=str(CLIENT), request_uri="http://verifier.example/r"), ClientUrlMalformed),
        (link(client_id=str(CLIENT), request_uri="file:///etc/passwd"), ClientUrlMalformed),
        (link(client_id=str(CLIENT), nonce="n"), RequestNotSigned),
        (link(client_id=f"redirect_uri:{GOOD_URI}", request_uri=GOOD_URI), RequestNotSigned),
        (link(client_id=str(CLIENT), request="eyJ"), UnsupportedRequest),
        (
            link(client_id=str(CLIENT), request_uri=GOOD_URI, request_uri_method="POST"),
            RequestMalformed,
        ),
        (link(client_id=str(CLIENT), request_uri=GOOD_URI) + "&client_id=a", RequestMalformed),
        (link(request_uri=GOOD_URI), ClientIdMalformed),
        ("https://verifier.example/?client_id=a", RequestMalformed),
        ("openid4vp://", ClientIdMalformed),
        ("openid4vp://?client_id=%ff", RequestMalformed),
        ("openid4vp://?client_id=" + "a" * 70_000, RequestMalformed),
    ],
)
def test_a_link_that_does_not_fit_is_refused_before_anything_is_fetched(
    text: str, error: type[SeoulWalletError]
) -> None:
    with pytest.raises(error):
        parse_request_link(text)


@pytest.mark.parametrize("returned", [None, "another-nonce"])
def test_vp_8_a_wallet_nonce_that_is_missing_or_changed_aborts(returned: str | None) -> None:
    good = claims(wallet_nonce="my-nonce")
    assert verified(good, wallet_nonce="my-nonce").authenticated
    with pytest.raises(WalletNonceMismatch):
        verified(claims(wallet_nonce=returned), wallet_nonce="my-nonce")


def test_a_did_without_a_host_may_name_any_response_uri() -> None:
    did = "did:example:verifier"
    client = DidClientId(parse_did(did))
    request = replace(REQUEST, client_id=client, response_uri="https://anywhere.example/r")
    text = parse_request_object(sign_request_object(request, KEY, kid=f"{did}#key-1"))
    found = verify_request_object(text, client, document(did), now=NOW)
    assert found.request.response_uri == "https://anywhere.example/r"


def test_signing_for_another_did_or_an_unsigned_client_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="kid"):
        sign_request_object(REQUEST, KEY, kid="did:web:other.example#key-1")
    with pytest.raises(ValueError, match="sign"):
        sign_request_object(UNSIGNED, KEY, kid=KID)


def test_a_response_survives_its_form() -> None:
    form = build_response({"c": ["a~", "b~"]}, "s")
    assert parse_response(form) == PresentationResponse({"c": ("a~", "b~")}, "s")
    assert parse_response(build_error_response("access_denied", "s")) == ErrorResponse(
        "access_denied", "s"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"state": "s"},
        {"vp_token": "[]"},
        {"vp_token": "{}"},
        {"vp_token": '{"c":[]}'},
        {"vp_token": '{"c":"a"}'},
        {"vp_token": '{"c":[1]}'},
        {"vp_token": to_json({"c": ["a"] * 65}).decode()},
        {"vp_token": '{"c":["a"]}', "error": "x"},
        {"error": ""},
        {"vp_token": '{"c":["a"]}', "state": "a b"},
    ],
)
def test_a_form_that_is_no_response_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises((ResponseMalformed, JsonMalformed)):
        parse_response(fields)


def test_secrets_have_256_bits_and_differ() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(base64url.decode(secret)) == 32 for secret in made)


ANY = st.text(st.characters(codec=None), max_size=40)


@given(ANY, st.dictionaries(st.sampled_from(["vp_token", "state", "error"]), ANY))
def test_any_text_is_understood_or_a_typed_error(text: str, fields: dict[str, str]) -> None:
    for parse in (
        lambda: parse_request_link(text),
        lambda: parse_request_link("openid4vp://?client_id=" + text),
        lambda: parse_client_id("redirect_uri:https://" + text),
        lambda: parse_request_object(text),
        lambda: parse_response(fields),
        lambda: verify_unsigned_request(
            {"client_id": f"redirect_uri:{GOOD_URI}", "response_type": "vp_token",
             "response_mode": "direct_post", "response_uri": GOOD_URI, "nonce": text,
             "dcql_query": text, "exp": text}, now=NOW),
    ):  # fmt: skip
        with contextlib.suppress(SeoulWalletError):
            parse()


def requested(fetch_until: int) -> Requested:
    """A session of a link that is good until then."""
    return Requested(
        query_name=None,
        query=QUERY,
        purpose="",
        one_holder=True,
        options=RequestOptions(prefix="decentralized_identifier"),
        result_token_digest=b"\x00" * 32,
        created_at=NOW,
        fetch_until=fetch_until,
    )


def test_a_session_moves_on_within_its_times_only() -> None:
    fetched = requested(NOW + 1).fetch(nonce="n", state="s", now=NOW, answer_ttl_s=10)
    answered = fetched.answer({"outcome": "accepted"}, {"c": []}, now=NOW + 9)
    assert answered.disclosed == {"c": []}
    assert answered.collect().disclosed is None
    with pytest.raises(SessionExpired):
        requested(NOW).fetch(nonce="n", state="s", now=NOW, answer_ttl_s=10)
    with pytest.raises(SessionExpired):
        fetched.answer({}, None, now=NOW + 10)
