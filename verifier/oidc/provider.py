"""The use cases of the provider: ask, log in by a presentation, give a code, exchange it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from verifier.oidc.clients import ClientAuthentication
from verifier.oidc.logins import TOKEN_TTL_S, Login, LoginCode, LoginCodeInvalid, Logins
from verifier.oidc.request import (
    Asked,
    AuthenticationRefused,
    answer_url,
    find_client,
    read_request,
)
from verifier.oidc.settings import (
    OPENID,
    PRIVATE_KEY_JWT,
    SCOPE_CLAIMS,
    SECRET_BASIC,
    OidcSettings,
    RelyingParty,
)
from verifier.oidc.tokens import ACR, IdTokens, pairwise_subject
from verifier.queries import LOGIN_PREFIX, NamedQuery
from wallet.credentials.account import ACCOUNT_ID, ACCOUNT_ID_FORM, ACCOUNT_TYPE
from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.credentials.jose import SUPPORTED_ALGORITHMS
from wallet.encoding.json import JsonObject
from wallet.errors import UnsupportedError
from wallet.ports.clock import Clock
from wallet.ports.sessions import SessionStore
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vci.authorization import (
    CHALLENGE_METHOD,
    PkceMismatch,
    check_code_verifier,
)
from wallet.protocols.oid4vp import new_secret

CODE_GRANT: Final = "authorization_code"
QUERY_ID: Final = "account"
DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
AUTHORIZE_PATH: Final = "/oidc/authorize"
TOKEN_PATH: Final = "/oidc/token"  # noqa: S105
USERINFO_PATH: Final = "/oidc/userinfo"
JWKS_PATH: Final = "/oidc/jwks"
# What the relying party is told of a presentation that did not lead to a login.
_FAILURES: Final = {"rejected": "access_denied", "unavailable": "temporarily_unavailable"}


class LoginGrantUnsupported(UnsupportedError):
    """A grant type other than `authorization_code`."""

    code = "login_grant_unsupported"


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that may go on: what to show, and the secret name that the form sends back."""

    name: str
    client: RelyingParty
    query: NamedQuery


class OpenIdProvider:
    """Logs people in at relying parties, by presentations that the verifier asks for."""

    def __init__(
        self, settings: OidcSettings, tokens: IdTokens, store: SessionStore, clock: Clock
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._logins = Logins(store)
        self._clock = clock
        self._clients = ClientAuthentication(
            settings.clients, store, frozenset((tokens.issuer, tokens.issuer + TOKEN_PATH))
        )

    @property
    def jwks(self) -> JsonObject:
        """The key set of the ID tokens."""
        return self._tokens.jwks

    def discovery(self) -> JsonObject:
        """Return the provider's metadata (OpenID Connect Discovery 1.0 §3)."""
        issuer = self._tokens.issuer
        return {
            "issuer": issuer,
            "authorization_endpoint": issuer + AUTHORIZE_PATH,
            "token_endpoint": issuer + TOKEN_PATH,
            "userinfo_endpoint": issuer + USERINFO_PATH,
            "jwks_uri": issuer + JWKS_PATH,
            "scopes_supported": [OPENID, *sorted(SCOPE_CLAIMS)],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [CODE_GRANT],
            "acr_values_supported": [ACR],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [self._tokens.key.public_key.algorithm],
            "token_endpoint_auth_methods_supported": [SECRET_BASIC, PRIVATE_KEY_JWT],
            "token_endpoint_auth_signing_alg_values_supported": sorted(SUPPORTED_ALGORITHMS),
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "acr",
                "amr",
                "at_hash",
                *sorted(name for _, name in SCOPE_CLAIMS.values()),
            ],
            "code_challenge_methods_supported": [CHALLENGE_METHOD],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "ui_locales_supported": ["ko", "en"],
        }

    def find_client(self, pairs: Sequence[tuple[str, str]]) -> Asked:
        """Return who asks. Raises `RelyingPartyUnknown`: nobody is sent anywhere then."""
        return find_client(pairs, self._settings.clients)

    def begin(self, asked: Asked) -> Begun:
        """Keep what a client asks until the person goes on. Raises `AuthenticationRefused`."""
        request = read_request(asked)
        expected = None
        if request.id_token_hint is not None:
            expected = self._tokens.hinted_subject(request.id_token_hint, request.client_id)
        name = self._logins.keep_asked(
            Login(asked=request, expected_sub=expected), now=self._clock.now()
        )
        return Begun(name, asked.client, login_query(asked.client, request.scopes))

    def go_on(self, name: str, cookie: str, *, lasts_s: int) -> NamedQuery:
        """Bind the login to a browser; return what its wallet is asked for.

        Raises `SessionUnknown`.
        """
        now = self._clock.now()
        login = self._logins.take_asked(name, now=now)
        self._logins.keep(cookie, login, expires_at=now + lasts_s)
        client = self._settings.clients[login.asked.client_id]
        return login_query(client, login.asked.scopes)

    def take_login(self, cookie: str) -> Login:
        """Return the login of a browser, once. Raises `SessionUnknown`."""
        return self._logins.take(cookie, now=self._clock.now())

    def refusal_url(self, redirect_uri: str, state: str | None, error: str) -> str:
        """Return where the browser takes an error."""
        return answer_url(redirect_uri, self._tokens.issuer, {"error": error, "state": state})

    def finish(self, login: Login, result: Mapping[str, Any]) -> str:
        """Return where the browser goes with a code, or with an error; `result` is the decision.

        The code knows what the wallet showed and the client may be told, and nothing else.
        """
        asked = login.asked
        try:
            code = self._logins.new_code(
                self._code(login, result, self._settings.clients[asked.client_id]),
                now=self._clock.now(),
            )
        except AuthenticationRefused as error:
            return self.refusal_url(asked.redirect_uri, asked.state, error.error)
        return answer_url(
            asked.redirect_uri, self._tokens.issuer, {"code": code, "state": asked.state}
        )

    def _code(self, login: Login, result: Mapping[str, Any], client: RelyingParty) -> LoginCode:
        if result["outcome"] != "accepted":
            raise AuthenticationRefused(_FAILURES[result["outcome"]])
        shown = (result.get("credentials") or {}).get(QUERY_ID, [])
        if len(shown) != 1:
            raise AuthenticationRefused("access_denied")
        claims = shown[0]["claims"]
        account_id = claims.get(ACCOUNT_ID)
        if type(account_id) is not str or not ACCOUNT_ID_FORM.match(account_id):
            raise AuthenticationRefused("access_denied")
        sub = pairwise_subject(self._settings.pairwise_key, client.sector_identifier, account_id)
        if login.expected_sub not in (None, sub):
            raise AuthenticationRefused("login_required")
        told = (SCOPE_CLAIMS[scope] for scope in login.asked.scopes)
        return LoginCode(
            client_id=client.client_id,
            redirect_uri=login.asked.redirect_uri,
            code_challenge=login.asked.code_challenge,
            nonce=login.asked.nonce,
            sub=sub,
            auth_time=result["checked_at"],
            claims={name: claims[source] for source, name in told if source in claims},
        )

    def exchange(self, authorization: str | None, fields: Mapping[str, str]) -> JsonObject:
        """Return the token response (OIDC Core §3.1.3).

        A code is used up by the first authenticated request that names it, right or wrong. Raises
        `RelyingPartyNotAuthenticated`, `LoginGrantUnsupported`, `LoginCodeInvalid`.
        """
        now = self._clock.now()
        client = self._clients.authenticate(authorization, fields, now=now)
        if fields.get("grant_type") != CODE_GRANT:
            raise LoginGrantUnsupported(f"grant_type is {CODE_GRANT}")
        access_token = new_secret()
        code = self._logins.spend(fields.get("code", ""), access_token, now=now)
        self._check(code, client, fields)
        self._logins.keep_token(access_token, {"sub": code.sub, **code.claims}, now=now)
        id_token = self._tokens.issue(
            client_id=client.client_id,
            sub=code.sub,
            nonce=code.nonce,
            auth_time=code.auth_time,
            access_token=access_token,
            now=now,
        )
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": TOKEN_TTL_S,
            "id_token": id_token,
        }

    @staticmethod
    def _check(code: LoginCode, client: RelyingParty, fields: Mapping[str, str]) -> None:
        if code.client_id != client.client_id:
            raise LoginCodeInvalid("the code is another client's")
        if fields.get("redirect_uri") != code.redirect_uri:
            raise LoginCodeInvalid("redirect_uri is not the one of the request")
        try:
            check_code_verifier(fields.get("code_verifier", ""), code.code_challenge)
        except PkceMismatch:
            raise LoginCodeInvalid("code_verifier is not that of the code challenge") from None

    def userinfo(self, access_token: str) -> JsonObject:
        """Return the claims of the scopes, as far as they were shown. Raises `UserinfoRefused`."""
        return self._logins.userinfo(access_token, now=self._clock.now())


def login_query(client: RelyingParty, scopes: Sequence[str]) -> NamedQuery:
    """Return what a wallet is asked for: the account, and the claims that may stay behind."""
    wanted = [SCOPE_CLAIMS[scope][0] for scope in scopes]
    names = [ACCOUNT_ID, *wanted]
    credential: JsonObject = {
        "id": QUERY_ID,
        "format": SD_JWT_VC_FORMAT,
        "meta": {"vct_values": [ACCOUNT_TYPE]},
        "claims": [{"id": name, "path": [name]} for name in names],
    }
    if wanted:
        credential["claim_sets"] = [names, [ACCOUNT_ID]]
    purpose = f"서울패스 로그인: {client.name} / Login with Seoul Pass: {client.name}"
    return NamedQuery(
        LOGIN_PREFIX + client.client_id, parse_dcql({"credentials": [credential]}), purpose
    )
