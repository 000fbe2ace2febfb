"""What lies between the steps of a login, in the session store. Each is used once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from verifier.oidc.request import AuthenticationRequest
from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import RejectedError
from wallet.ports.sessions import SessionConflict, SessionStore, SessionUnknown
from wallet.protocols.oid4vp import new_secret

ASKED_KIND: Final = "oidc_asked"
LOGIN_KIND: Final = "oidc_login"
CODE_KIND: Final = "oidc_code"
TOKEN_KIND: Final = "oidc_token"  # noqa: S105
ASKED_TTL_S: Final = 600
CODE_TTL_S: Final = 60
TOKEN_TTL_S: Final = 300


class LoginCodeInvalid(RejectedError):
    """The code was never given, has expired, was used, or is another client's."""

    code = "login_code_invalid"


class UserinfoRefused(RejectedError):
    """There is no such access token, or no more."""

    code = "userinfo_refused"
    status = 401


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A login on its way: what was asked, and who it has to be, if the client said so."""

    asked: AuthenticationRequest
    expected_sub: str | None = None

    def to_bytes(self) -> bytes:
        return to_json({"asked": self.asked.to_json(), "expected_sub": self.expected_sub})

    @classmethod
    def from_bytes(cls, data: bytes) -> Login:
        item = parse_json_object(data)
        return cls(
            asked=AuthenticationRequest.from_json(item["asked"]),
            expected_sub=item["expected_sub"],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginCode:
    """What a code stands for. `spent_on` names the access token that it was exchanged for."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    nonce: str | None
    sub: str
    auth_time: int
    claims: JsonObject
    spent_on: str | None = None


class Logins:
    """Keeps them. Methods raise what the store raises besides what they name."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def keep_asked(self, login: Login, *, now: int) -> str:
        """Keep what was asked before the person agreed to go on; return its secret name."""
        name = new_secret()
        self._store.create(ASKED_KIND, name, login.to_bytes(), expires_at=now + ASKED_TTL_S)
        return name

    def take_asked(self, name: str, *, now: int) -> Login:
        """Return it, once. Raises `SessionUnknown`."""
        return Login.from_bytes(self._store.take(ASKED_KIND, name, now=now))

    def keep(self, cookie: str, login: Login, *, expires_at: int) -> None:
        """Bind the login to the browser with this secret cookie."""
        self._store.create(LOGIN_KIND, cookie, login.to_bytes(), expires_at=expires_at)

    def take(self, cookie: str, *, now: int) -> Login:
        """Return the login of a browser, once. Raises `SessionUnknown`."""
        return Login.from_bytes(self._store.take(LOGIN_KIND, cookie, now=now))

    def new_code(self, code: LoginCode, *, now: int) -> str:
        """Return a new code."""
        name = new_secret()
        self._store.create(CODE_KIND, name, to_json(asdict(code)), expires_at=now + CODE_TTL_S)
        return name

    def spend(self, name: str, access_token: str, *, now: int) -> LoginCode:
        """Use a code up, whatever comes of it, and return what it stands for.

        Of N parallel calls exactly one succeeds. A code that comes again ends the access token
        that it was exchanged for (RFC 6749 §4.1.2). Raises `LoginCodeInvalid`.
        """
        try:
            stored = self._store.load(CODE_KIND, name, now=now)
            code = LoginCode(**parse_json_object(stored.state))
            if code.spent_on is None:
                self._store.replace(
                    CODE_KIND,
                    name,
                    to_json(asdict(replace(code, spent_on=token_name(access_token)))),
                    expected_version=stored.version,
                    # As long as the token lives, a second use must find out.
                    expires_at=now + TOKEN_TTL_S,
                )
                return code
        except (SessionUnknown, SessionConflict):
            raise LoginCodeInvalid("the code is not good") from None
        self._end_token(code.spent_on, now)
        raise LoginCodeInvalid("the code was used")

    def _end_token(self, name: str, now: int) -> None:
        try:
            self._store.take(TOKEN_KIND, name, now=now)
        except SessionUnknown:
            return  # Nobody got a token, or it has ended already.

    def keep_token(self, access_token: str, told: JsonObject, *, now: int) -> None:
        """Keep what the userinfo endpoint tells the bearer of a token."""
        self._store.create(
            TOKEN_KIND, token_name(access_token), to_json(told), expires_at=now + TOKEN_TTL_S
        )

    def userinfo(self, access_token: str, *, now: int) -> dict[str, Any]:
        """Return it. Raises `UserinfoRefused`."""
        try:
            stored = self._store.load(TOKEN_KIND, token_name(access_token), now=now)
        except SessionUnknown:
            raise UserinfoRefused("the access token is not good") from None
        return parse_json_object(stored.state)


def token_name(access_token: str) -> str:
    """Return the name under which a token is kept; the token itself is nowhere."""
    return base64url.encode(sha256(access_token.encode("utf-8", "surrogatepass")))
