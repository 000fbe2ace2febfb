"""The authentication request (OIDC Core §3.1.2.1), and the answers in the browser (§3.1.2.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from verifier.oidc.settings import OPENID, RelyingParty
from wallet.encoding.form import FormMalformed, single_values
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError
from wallet.protocols.oid4vci.authorization import CHALLENGE_METHOD

MAX_OPAQUE_CHARACTERS: Final = 512
MAX_HINT_CHARACTERS: Final = 8192
_NAMES: Final = frozenset(
    (
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "id_token_hint",
        "request",
        "request_uri",
        "registration",
    )
)
_UNSUPPORTED: Final = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
_PROMPTS: Final = frozenset(("none", "login", "consent", "select_account"))
_OPAQUE: Final = re.compile(rf"[\x20-\x7e]{{1,{MAX_OPAQUE_CHARACTERS}}}\Z")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_SECONDS: Final = re.compile(r"[0-9]{1,9}\Z")


class RelyingPartyUnknown(MalformedError):
    """No client has this id, or not this redirect URI to the letter. Nobody is sent there."""

    code = "relying_party_unknown"


class AuthenticationRefused(RejectedError):
    """The login came to nothing; `error` is what the relying party is told (§3.1.2.6)."""

    code = "authentication_refused"

    def __init__(self, error: str) -> None:
        super().__init__(f"the login came to nothing: {error}")
        self.error = error


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthenticationRequest:
    """What a relying party asks. `id_token_hint` is as it came; `scopes` are without `openid`."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    code_challenge: str
    state: str | None = None
    nonce: str | None = None
    id_token_hint: str | None = None

    def to_json(self) -> JsonObject:
        """Return the request as it is kept."""
        return {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scopes": list(self.scopes),
            "code_challenge": self.code_challenge,
            "state": self.state,
            "nonce": self.nonce,
        }

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> AuthenticationRequest:
        """Return the request that `to_json` made; the hint was judged before."""
        return cls(**{**item, "scopes": tuple(item["scopes"])})


@dataclass(frozen=True, slots=True)
class Asked:
    """Parameters of a known client whose answer may go to `redirect_uri`."""

    client: RelyingParty
    redirect_uri: str
    fields: Mapping[str, str]

    @property
    def state(self) -> str | None:
        """The client's `state`, None where it could not be repeated."""
        state = self.fields.get("state")
        return state if state is not None and _OPAQUE.match(state) else None


def find_client(pairs: Sequence[tuple[str, str]], clients: Mapping[str, RelyingParty]) -> Asked:
    """Return who asks; from here on errors may be told to `redirect_uri`.

    The URI is compared letter by letter (RFC 9700 §2.1). Raises `RelyingPartyUnknown`, also for
    a parameter that occurs twice.
    """
    try:
        fields = single_values(list(pairs), _NAMES)
    except FormMalformed:
        raise RelyingPartyUnknown("a parameter occurs twice") from None
    client = clients.get(fields.get("client_id", ""))
    uri = fields.get("redirect_uri", "")
    if client is None or uri not in client.redirect_uris:
        raise RelyingPartyUnknown("no client is registered with this id and redirect_uri")
    # An empty parameter is one that was left out (RFC 6749 §3.1).
    return Asked(client, uri, {name: value for name, value in fields.items() if value})


def read_request(asked: Asked) -> AuthenticationRequest:
    """Return the request. Raises `AuthenticationRefused`.

    Nobody is remembered between logins, so that each one is made with the wallet: `prompt=login`,
    `consent` and `select_account` and every `max_age` are met by that, and `prompt=none` never.
    PKCE is required of every client. Unknown scopes are ignored, and so is `acr_values`.
    """
    fields = asked.fields
    for name, error in _UNSUPPORTED.items():
        if name in fields:
            raise AuthenticationRefused(error)
    if fields.get("response_type") != "code":
        known = "response_type" in fields
        raise AuthenticationRefused("unsupported_response_type" if known else "invalid_request")
    scopes = fields.get("scope", "").split(" ")
    if OPENID not in scopes:
        raise AuthenticationRefused("invalid_scope")
    _check_form(fields)
    prompts = fields.get("prompt", "").split()
    if not _PROMPTS.issuperset(prompts) or ("none" in prompts and len(prompts) > 1):
        raise AuthenticationRefused("invalid_request")
    if "none" in prompts:
        raise AuthenticationRefused("login_required")
    return AuthenticationRequest(
        client_id=asked.client.client_id,
        redirect_uri=asked.redirect_uri,
        scopes=tuple(name for name in dict.fromkeys(scopes) if name in asked.client.scopes),
        code_challenge=fields["code_challenge"],
        state=asked.state,
        nonce=fields.get("nonce"),
        id_token_hint=fields.get("id_token_hint"),
    )


def _check_form(fields: Mapping[str, str]) -> None:
    fits = (
        fields.get("response_mode", "query") == "query"
        and fields.get("code_challenge_method") == CHALLENGE_METHOD
        and _CHALLENGE.match(fields.get("code_challenge", "")) is not None
        and _SECONDS.match(fields.get("max_age", "0")) is not None
        and len(fields.get("id_token_hint", "")) <= MAX_HINT_CHARACTERS
        and all(_OPAQUE.match(fields[name]) for name in ("state", "nonce") if name in fields)
    )
    if not fits:
        raise AuthenticationRefused("invalid_request")


def answer_url(redirect_uri: str, issuer: str, members: Mapping[str, str | None]) -> str:
    """Return where the browser goes on; the answer names its issuer (RFC 9207)."""
    given = {name: value for name, value in members.items() if value is not None}
    separator = "&" if urlsplit(redirect_uri).query else "?"
    return redirect_uri + separator + urlencode({**given, "iss": issuer})
