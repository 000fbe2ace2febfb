"""Offers, tokens, metadata and credential messages: round trips and refusals."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.encoding import base64url
from wallet.encoding.form import FormMalformed
from wallet.encoding.json import to_json
from wallet.errors import SeoulWalletError
from wallet.protocols.oid4vci.credential import (
    CredentialAnchor,
    CredentialRequest,
    CredentialResponse,
    ReceivedCredential,
    parse_credential_request,
    parse_credential_response,
)
from wallet.protocols.oid4vci.metadata import (
    ClaimDescription,
    CredentialConfiguration,
    IssuerMetadata,
    Label,
    MetadataMismatch,
    issuer_metadata_url,
    parse_issuer_metadata,
)
from wallet.protocols.oid4vci.offer import (
    PRE_AUTHORIZED_CODE_GRANT,
    AuthorizationCodeGrant,
    CredentialOffer,
    CredentialOfferReference,
    TxCodePrompt,
    UnsupportedGrant,
    build_offer_link,
    offer_host,
    parse_credential_offer,
    parse_offer_link,
)
from wallet.protocols.oid4vci.server_metadata import (
    AuthorizationServerMetadata,
    authorization_server_metadata_url,
    parse_authorization_server_metadata,
)
from wallet.protocols.oid4vci.token import (
    ErrorResponse,
    TokenRequest,
    TokenResponse,
    UnsupportedGrantType,
    UnsupportedTokenType,
    parse_error_response,
    parse_nonce_response,
    parse_token_request,
    parse_token_response,
)
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed, check_url

ISSUER = "https://issuer.example/city"
OFFER = CredentialOffer(ISSUER, ("card",), "code", TxCodePrompt("numeric", 6, "여섯 자리"))
METADATA = IssuerMetadata(
    ISSUER,
    f"{ISSUER}/credential",
    f"{ISSUER}/nonce",
    {
        "card": CredentialConfiguration(
            "card",
            "urn:example:card",
            (Label("카드", "ko-KR", "설명"), Label("Card", "en-US")),
            (ClaimDescription(("children", None, "name"), (Label("이름", "ko-KR"),), True),),
            "card",
        )
    },
    (Label("서울", "ko-KR"),),
    ("https://as.example",),
    3,
)
MEMBERS = (
    *("credential_issuer", "credential_configuration_ids", "grants", "tx_code", "proofs", "jwt"),
    *("anchor", "salt", "credentials", "credential", "c_nonce", "access_token", "token_type"),
    *("expires_in", "error", "path", "display", "credential_configurations_supported"),
    *("credential_metadata", "claims", "format", "vct"),
)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)


def changed(value: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a copy with members replaced, or removed where the new value is `...`."""
    merged = {**value, **members}
    return {name: item for name, item in merged.items() if item is not ...}


class TestUrls:
    @pytest.mark.parametrize(
        "url", ["https://h", "https://h/a/b", "https://h:8443/a?b=c", "https://sub.h.example/"]
    )
    def test_accepts_https(self, url: str) -> None:
        assert check_url(url) == url

    @pytest.mark.parametrize(
        "url",
        [
            "http://h",
            "http://localhost",
            "ftp://h",
            "javascript:alert(1)",
            "//h",
            "h",
            "",
            "https://",
            "https://user@h",
            "https://h#f",
            "https://h#",
            "https://h:0",
            "https://h:99999",
            "https://h:x",
            "https://[::1",
            "https://h/a b",
            "https://h/\n",
            "https://h\\@evil",
            "https://다둥이.example",
            "https://h/" + "x" * 2048,
            None,
            5,
        ],
    )
    def test_refuses_what_is_not_an_https_url(self, url: Any) -> None:
        with pytest.raises(Oid4vciMessageMalformed):
            check_url(url)

    def test_development_adds_http_on_localhost_alone(self) -> None:
        assert check_url("http://localhost:8001", development=True)
        for url in ("http://localhost.evil.example", "http://127.0.0.1", "http://h"):
            with pytest.raises(Oid4vciMessageMalformed):
                check_url(url, development=True)

    def test_refuses_a_query_where_none_belongs(self) -> None:
        with pytest.raises(Oid4vciMessageMalformed):
            check_url("https://h?x=1", query=False)

    def test_the_well_known_part_goes_before_the_path(self) -> None:
        assert (
            issuer_metadata_url("https://h/a/b")
            == "https://h/.well-known/openid-credential-issuer/a/b"
        )
        assert (
            authorization_server_metadata_url("https://h:1")
            == "https://h:1/.well-known/oauth-authorization-server"
        )


class TestOffers:
    def test_travels_by_value_and_by_reference(self) -> None:
        assert parse_offer_link(build_offer_link(OFFER)) == OFFER
        reference = CredentialOfferReference("https://issuer.example/offers/a?b=c&d=%20")
        assert parse_offer_link(build_offer_link(reference)) == reference
        assert offer_host(OFFER) == "issuer.example"

    def test_the_scheme_is_not_case_sensitive(self) -> None:
        link = build_offer_link(OFFER)
        assert parse_offer_link("OPENID-credential-offer" + link[23:]) == OFFER

    @pytest.mark.parametrize(
        "link",
        [
            "openid-credential-offer://",
            "openid-credential-offer://?credential_offer={}",
            "openid-credential-offer://?credential_offer=",
            "openid-credential-offer://?credential_offer=%ff",
            "openid-credential-offer://?credential_offer_uri=http://issuer.example/o",
            "openid-credential-offer://?credential_offer_uri=javascript:alert(1)",
            "openid-credential-offer://?credential_offer_uri=https://a&credential_offer_uri=https://b",
            "openid-credential-offer://?credential_offer_uri=https://a&credential_offer={}",
            "openid4vp://?credential_offer_uri=https://a",
            "https://issuer.example?credential_offer_uri=https://a",
            "openid-credential-offer:?credential_offer_uri=https://a",
            "다둥이://?credential_offer_uri=https://a",
            "",
            "openid-credential-offer://?credential_offer=" + "x" * 100_000,
        ],
    )
    def test_refuses_a_link_that_is_not_one_offer(self, link: str) -> None:
        with pytest.raises(SeoulWalletError):
            parse_offer_link(link)

    @pytest.mark.parametrize(
        "change",
        [
            {"credential_issuer": ...},
            {"credential_issuer": "http://issuer.example"},
            {"credential_issuer": "https://issuer.example?x"},
            {"credential_configuration_ids": []},
            {"credential_configuration_ids": ["a", "a"]},
            {"credential_configuration_ids": [1]},
            {"credential_configuration_ids": ["a"] * 33},
            {"credential_configuration_ids": "a"},
            {"grants": []},
            {"grants": {PRE_AUTHORIZED_CODE_GRANT: {}}},
            {"grants": {PRE_AUTHORIZED_CODE_GRANT: {"pre-authorized_code": 5}}},
            {"grants": {PRE_AUTHORIZED_CODE_GRANT: {"pre-authorized_code": "x" * 513}}},
        ],
    )
    def test_refuses_an_offer_with_a_bad_member(self, change: dict[str, Any]) -> None:
        with pytest.raises(Oid4vciMessageMalformed):
            parse_credential_offer(changed(OFFER.to_json(), **change))

    @pytest.mark.parametrize(
        "prompt",
        [None, [], {"input_mode": "voice"}, {"length": 0}, {"length": "6"}, {"length": True},
         {"description": "x" * 301}, {"description": 5}],
    )  # fmt: skip
    def test_refuses_a_bad_transaction_code_prompt(self, prompt: Any) -> None:
        value = OFFER.to_json()
        value["grants"][PRE_AUTHORIZED_CODE_GRANT]["tx_code"] = prompt
        with pytest.raises(Oid4vciMessageMalformed):
            parse_credential_offer(value)

    def test_an_empty_prompt_means_digits(self) -> None:
        value = OFFER.to_json()
        value["grants"][PRE_AUTHORIZED_CODE_GRANT]["tx_code"] = {}
        assert parse_credential_offer(value).tx_code == TxCodePrompt()

    def test_an_offer_without_either_code_is_unsupported(self) -> None:
        with pytest.raises(UnsupportedGrant):
            parse_credential_offer(changed(OFFER.to_json(), grants={"urn:other": {}}))

    def test_an_offer_without_grants_is_for_an_authorization_code(self) -> None:
        without: list[dict[str, Any]] = [{}, {"authorization_code": {}}]
        for grants in without:
            read = parse_credential_offer(changed(OFFER.to_json(), grants=grants))
            assert (read.pre_authorized_code, read.authorization_code) == (
                None,
                AuthorizationCodeGrant(),
            )

    def test_an_offer_by_authorization_code_travels(self) -> None:
        offer = CredentialOffer(
            "https://issuer.example",
            ("card",),
            authorization_server="https://as.example",
            authorization_code=AuthorizationCodeGrant("state"),
        )
        assert parse_credential_offer(offer.to_json()) == offer


class TestTokens:
    @pytest.mark.parametrize("tx_code", [None, "123456", "숫자 & = +"])
    def test_a_request_travels_as_a_form(self, tx_code: str | None) -> None:
        request = TokenRequest("code/+=&", tx_code)
        assert parse_token_request(request.to_form()) == request

    def test_an_unknown_grant_is_unsupported(self) -> None:
        with pytest.raises(UnsupportedGrantType):
            parse_token_request(b"grant_type=password")

    def test_a_parameter_sent_twice_is_refused(self) -> None:
        body = TokenRequest("code").to_form()
        with pytest.raises(FormMalformed):
            parse_token_request(body + b"&grant_type=" + quote(PRE_AUTHORIZED_CODE_GRANT).encode())

    def test_a_response_travels_as_json(self) -> None:
        response = TokenResponse("token", 600)
        assert parse_token_response(response.to_json()) == response
        assert parse_token_response(
            {"access_token": "token", "token_type": "bearer"}
        ) == TokenResponse("token", 0)

    @pytest.mark.parametrize(
        "change",
        [{"access_token": ""}, {"access_token": "a b"}, {"access_token": "a\r\nX: y"},
         {"access_token": "토큰"}, {"access_token": ...}, {"token_type": ...},
         {"expires_in": -1}, {"expires_in": "600"}, {"expires_in": True}],
    )  # fmt: skip
    def test_refuses_a_response_with_a_bad_member(self, change: dict[str, Any]) -> None:
        with pytest.raises(Oid4vciMessageMalformed):
            parse_token_response(changed(TokenResponse("token", 600).to_json(), **change))

    def test_a_token_of_an_unknown_type_is_unsupported(self) -> None:
        with pytest.raises(UnsupportedTokenType):
            parse_token_response(changed(TokenResponse("t", 1).to_json(), token_type="mac"))

    def test_a_token_bound_to_a_key_travels_with_its_refresh_token_and_identifiers(self) -> None:
        response = TokenResponse("t", 1, "DPoP", "r", {"card": ("one", "two")})
        assert parse_token_response(response.to_json()) == response

    def test_reads_nonces_and_errors(self) -> None:
        assert parse_nonce_response({"c_nonce": "n"}) == "n"
        error = ErrorResponse("invalid_grant", "why")
        assert parse_error_response(error.to_json()) == error
        assert parse_error_response({"error": "x"}) == ErrorResponse("x")
        nonces: list[Any] = [{}, {"c_nonce": 5}, {"c_nonce": ""}, {"c_nonce": "x" * 513}, []]
        for bad in nonces:
            with pytest.raises(Oid4vciMessageMalformed):
                parse_nonce_response(bad)
        errors: list[Any] = [{}, {"error": 5}, {"error": "x", "error_description": 5}, "x"]
        for bad in errors:
            with pytest.raises(Oid4vciMessageMalformed):
                parse_error_response(bad)


class TestMetadata:
    def test_travels_as_json(self) -> None:
        assert parse_issuer_metadata(METADATA.to_json(), credential_issuer=ISSUER) == METADATA
        server = AuthorizationServerMetadata(ISSUER, f"{ISSUER}/token")
        assert parse_authorization_server_metadata(server.to_json(), issuer=ISSUER) == server

    @pytest.mark.parametrize("other", [f"{ISSUER}/", "https://issuer.example", "https://evil"])
    def test_of_another_issuer_is_refused(self, other: str) -> None:
        with pytest.raises(MetadataMismatch):
            parse_issuer_metadata(METADATA.to_json(), credential_issuer=other)
        with pytest.raises(MetadataMismatch):
            parse_authorization_server_metadata(
                AuthorizationServerMetadata(ISSUER, f"{ISSUER}/token").to_json(), issuer=other
            )

    def test_other_formats_are_left_out(self) -> None:
        value = METADATA.to_json()
        value["credential_configurations_supported"]["mdoc"] = {"format": "mso_mdoc"}
        assert parse_issuer_metadata(value, credential_issuer=ISSUER) == METADATA

    @pytest.mark.parametrize(
        "change",
        [{"credential_endpoint": ...}, {"credential_endpoint": "http://issuer.example"},
         {"nonce_endpoint": 5}, {"authorization_servers": ["x"]}, {"display": {}},
         {"batch_credential_issuance": {"batch_size": 0}}, {"batch_credential_issuance": {}},
         {"credential_configurations_supported": []},
         {"credential_configurations_supported": {"x": {"format": "dc+sd-jwt"}}},
         {"credential_configurations_supported": {f"x{n}": {} for n in range(201)}}],
    )  # fmt: skip
    def test_refuses_a_bad_member(self, change: dict[str, Any]) -> None:
        with pytest.raises(Oid4vciMessageMalformed):
            parse_issuer_metadata(changed(METADATA.to_json(), **change), credential_issuer=ISSUER)

    @pytest.mark.parametrize("path", [[], [-1], [1.5], [True], [{}], "x", ["x"] * 33])
    def test_refuses_a_claim_whose_path_is_none(self, path: Any) -> None:
        value = METADATA.to_json()
        card = value["credential_configurations_supported"]["card"]
        card["credential_metadata"]["claims"][0]["path"] = path
        with pytest.raises(Oid4vciMessageMalformed):
            parse_issuer_metadata(value, credential_issuer=ISSUER)


class TestCredentials:
    def test_a_request_travels_as_json(self) -> None:
        request = CredentialRequest("card", ("a", "b"))
        assert parse_credential_request(request.to_json()) == request

    def test_a_response_travels_with_and_without_an_anchor(self) -> None:
        anchor = CredentialAnchor(bytes(range(32)), f"{ISSUER}/receipts/x")
        response = CredentialResponse((ReceivedCredential("a~", anchor), ReceivedCredential("b~")))
        assert parse_credential_response(response.to_json()) == response

    @pytest.mark.parametrize(
        "value",
        [{}, {"credentials": []}, {"credentials": ["a"]}, {"credentials": [{}]},
         {"credential": "a"}, {"transaction_id": "x", "interval": 5},
         {"credentials": [{"credential": "a"}] * 33},
         {"credentials": [{"credential": "a", "anchor": []}]},
         {"credentials": [{"credential": "a", "anchor": {"salt": "AAAA", "receipt_uri": "x"}}]},
         {"credentials": [{"credential": "a", "anchor": {
             "salt": base64url.encode(bytes(32)), "receipt_uri": "http://issuer.example"}}]}],
    )  # fmt: skip
    def test_refuses_a_response_that_is_not_credentials(self, value: Any) -> None:
        with pytest.raises(Oid4vciMessageMalformed):
            parse_credential_response(value)


@given(value=any_json)
def test_no_json_makes_a_parser_raise_a_foreign_error(value: Any) -> None:
    for parse in (
        parse_credential_offer,
        parse_token_response,
        parse_nonce_response,
        parse_error_response,
        parse_credential_request,
        parse_credential_response,
        lambda item: parse_issuer_metadata(item, credential_issuer=ISSUER),
        lambda item: parse_issuer_metadata(
            {**METADATA.to_json(), "credential_configurations_supported": {"x": item}},
            credential_issuer=ISSUER,
        ),
        lambda item: parse_authorization_server_metadata(item, issuer=ISSUER),
    ):
        try:
            parse(value)
        except SeoulWalletError:
            continue


@given(body=st.binary(max_size=200))
def test_no_bytes_make_the_token_parser_raise_a_foreign_error(body: bytes) -> None:
    try:
        parse_token_request(body)
    except SeoulWalletError:
        return


@given(text=st.text(max_size=200))
def test_no_text_makes_the_link_parser_raise_a_foreign_error(text: str) -> None:
    for link in (text, f"openid-credential-offer://?{text}", build_offer_link(OFFER) + text):
        try:
            parse_offer_link(link)
        except SeoulWalletError:
            continue


def test_everything_built_is_json() -> None:
    assert to_json([OFFER.to_json(), METADATA.to_json(), CredentialRequest("a", ("b",)).to_json()])
