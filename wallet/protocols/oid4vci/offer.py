"""Credential offers, by value and by reference, and the links that carry them (§4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from wallet.encoding.form import parse_form, single_values
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import UnsupportedError
from wallet.protocols.oid4vci.url import (
    Oid4vciMessageMalformed,
    check_url,
    object_of,
    text_member,
    texts_of,
)

OFFER_SCHEME: Final = "openid-credential-offer"
# HAIP §4.2 gives wallets of its profile a scheme of their own.
OFFER_SCHEMES: Final = (OFFER_SCHEME, "haip-vci")
PRE_AUTHORIZED_CODE_GRANT: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE_GRANT: Final = "authorization_code"
MAX_OFFER_BYTES: Final = 16 * 1024
MAX_OFFERED_CONFIGURATIONS: Final = 32
MAX_CODE_CHARACTERS: Final = 512
MAX_TX_CODE_CHARACTERS: Final = 64
MAX_DESCRIPTION_CHARACTERS: Final = 300
_INPUT_MODES: Final = ("numeric", "text")


class UnsupportedGrant(UnsupportedError):
    """The offer has no grant that is implemented: neither kind of code."""

    code = "unsupported_grant"


@dataclass(frozen=True, slots=True)
class TxCodePrompt:
    """How to ask the holder for the transaction code that reached them another way (§4.1.1)."""

    input_mode: str = "numeric"
    length: int | None = None
    description: str | None = None

    def to_json(self) -> JsonObject:
        """Return the `tx_code` member."""
        prompt: JsonObject = {"input_mode": self.input_mode}
        if self.length is not None:
            prompt["length"] = self.length
        if self.description is not None:
            prompt["description"] = self.description
        return prompt


@dataclass(frozen=True, slots=True)
class AuthorizationCodeGrant:
    """The holder authorizes the issuing in a browser; `issuer_state` ties that to the offer."""

    issuer_state: str | None = None

    def to_json(self) -> JsonObject:
        """Return the grant's member."""
        return {} if self.issuer_state is None else {"issuer_state": self.issuer_state}


@dataclass(frozen=True, slots=True)
class CredentialOffer:
    """An offer by pre-authorized code, by authorization code, or by either.

    `tx_code` is None when no code is to be asked for.
    """

    credential_issuer: str
    credential_configuration_ids: tuple[str, ...]
    pre_authorized_code: str | None = None
    tx_code: TxCodePrompt | None = None
    authorization_server: str | None = None
    authorization_code: AuthorizationCodeGrant | None = None

    def to_json(self) -> JsonObject:
        """Return the credential offer object."""
        grants: JsonObject = {}
        if self.pre_authorized_code is not None:
            grant: JsonObject = {"pre-authorized_code": self.pre_authorized_code}
            if self.tx_code is not None:
                grant["tx_code"] = self.tx_code.to_json()
            grants[PRE_AUTHORIZED_CODE_GRANT] = grant
        if self.authorization_code is not None:
            grants[AUTHORIZATION_CODE_GRANT] = self.authorization_code.to_json()
        if self.authorization_server is not None:
            for grant in grants.values():
                grant["authorization_server"] = self.authorization_server
        return {
            "credential_issuer": self.credential_issuer,
            "credential_configuration_ids": list(self.credential_configuration_ids),
            "grants": grants,
        }


@dataclass(frozen=True, slots=True)
class CredentialOfferReference:
    """Where an offer is to be fetched (`credential_offer_uri`)."""

    uri: str


def parse_credential_offer(value: object, *, development: bool = False) -> CredentialOffer:
    """Return the offer of its JSON value (§4.1.1). Nothing in it is to be trusted.

    Raises `Oid4vciMessageMalformed`, `UnsupportedGrant`. `development` as in `check_url`.
    """
    offer = object_of(value, "a credential offer")
    issuer = check_url(offer.get("credential_issuer"), development=development, query=False)
    ids = texts_of(
        offer.get("credential_configuration_ids"),
        "credential_configuration_ids",
        max_items=MAX_OFFERED_CONFIGURATIONS,
        max_characters=MAX_CODE_CHARACTERS,
    )
    if not ids or len(set(ids)) != len(ids):
        raise Oid4vciMessageMalformed("credential_configuration_ids names each type once")
    # Without grants the authorization server's metadata decide (§4.1.1), and what every server of
    # version 1.0 has is the authorization code.
    grants = object_of(offer.get("grants", {}), "grants") or {AUTHORIZATION_CODE_GRANT: {}}
    known = {
        name: object_of(grants[name], "a grant")
        for name in (PRE_AUTHORIZED_CODE_GRANT, AUTHORIZATION_CODE_GRANT)
        if name in grants
    }
    if not known:
        raise UnsupportedGrant("the offer has neither kind of code")
    servers = {grant["authorization_server"]: None for grant in known.values() if _named(grant)}
    if len(servers) > 1:
        raise Oid4vciMessageMalformed("the grants name different authorization servers")
    pre, code = known.get(PRE_AUTHORIZED_CODE_GRANT), known.get(AUTHORIZATION_CODE_GRANT)
    return CredentialOffer(
        issuer,
        ids,
        None
        if pre is None
        else text_member(pre, "pre-authorized_code", max_characters=MAX_CODE_CHARACTERS),
        None if pre is None or "tx_code" not in pre else _parse_tx_code(pre["tx_code"]),
        next(
            (check_url(server, development=development, query=False) for server in servers), None
        ),
        None if code is None else _parse_code_grant(code),
    )


def _named(grant: Mapping[str, Any]) -> bool:
    server = grant.get("authorization_server")
    if server is not None and type(server) is not str:
        raise Oid4vciMessageMalformed("authorization_server is a string")
    return server is not None


def _parse_code_grant(grant: Mapping[str, Any]) -> AuthorizationCodeGrant:
    if "issuer_state" not in grant:
        return AuthorizationCodeGrant()
    return AuthorizationCodeGrant(
        text_member(grant, "issuer_state", max_characters=MAX_CODE_CHARACTERS)
    )


def _parse_tx_code(value: object) -> TxCodePrompt:
    prompt = object_of(value, "tx_code")
    mode = prompt.get("input_mode", "numeric")
    if mode not in _INPUT_MODES:
        raise Oid4vciMessageMalformed("input_mode is numeric or text")
    length = prompt.get("length")
    if length is not None and (type(length) is not int or not 0 < length <= 64):
        raise Oid4vciMessageMalformed(f"length is 1 to {MAX_TX_CODE_CHARACTERS}")
    description = prompt.get("description")
    if description is not None:
        description = text_member(prompt, "description", max_characters=MAX_DESCRIPTION_CHARACTERS)
    return TxCodePrompt(mode, length, description)


def parse_offer_link(
    link: str, *, development: bool = False
) -> CredentialOffer | CredentialOfferReference:
    """Return the offer in `openid-credential-offer://?…`, or where to fetch it (§4.1.2, §4.1.3).

    Exactly one of `credential_offer` and `credential_offer_uri`. Raises
    `Oid4vciMessageMalformed`, `UnsupportedGrant`, `FormMalformed`, `JsonMalformed`.
    """
    if len(link) > 4 * MAX_OFFER_BYTES or not link.isascii() or not link.isprintable():
        raise Oid4vciMessageMalformed("an offer link is printable ASCII of limited length")
    scheme, separator, rest = link.partition("://")
    if not separator or scheme.lower() not in OFFER_SCHEMES:
        raise Oid4vciMessageMalformed(f"expected a link {OFFER_SCHEME}://")
    query = rest.partition("?")[2].partition("#")[0]
    given = single_values(
        parse_form(query.encode("ascii"), max_bytes=4 * MAX_OFFER_BYTES),
        frozenset(("credential_offer", "credential_offer_uri")),
    )
    if len(given) != 1:
        raise Oid4vciMessageMalformed("expected one of credential_offer, credential_offer_uri")
    if "credential_offer" in given:
        return parse_credential_offer(
            parse_json_object(given["credential_offer"].encode(), max_bytes=MAX_OFFER_BYTES),
            development=development,
        )
    uri = check_url(given["credential_offer_uri"], development=development)
    return CredentialOfferReference(uri)


def build_offer_link(offer: CredentialOffer | CredentialOfferReference) -> str:
    """Return the link of an offer, by value or by reference."""
    if isinstance(offer, CredentialOffer):
        return f"{OFFER_SCHEME}://?credential_offer={quote(to_json(offer.to_json()), safe='')}"
    return f"{OFFER_SCHEME}://?credential_offer_uri={quote(offer.uri, safe='')}"


def offer_host(offer: CredentialOffer) -> str:
    """Return the host (with port) of the offer's issuer: what to show the holder first."""
    return urlsplit(offer.credential_issuer).netloc
