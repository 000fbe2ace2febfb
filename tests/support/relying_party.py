"""A site that logs people in by Seoul Pass: Authlib, requests, and a browser that keeps cookies.

Authlib makes the requests, takes the code from the answer and checks the ID token, as any
relying party would; nothing of the verifier is used here but its URLs.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from verifier.oidc.settings import OidcSettings, parse_oidc_settings
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject

# Noon in Seoul: what everybody here has for the present.
NOW: Final = int(datetime(2026, 11, 2, 3, tzinfo=UTC).timestamp())
LIBRARY: Final = "library"
CLINIC: Final = "clinic"
LIBRARY_URI: Final = "https://library.example/callback"
CLINIC_URI: Final = "https://clinic.example/callback"
SECRET: Final = "synthetic-client-secret-of-32-bytes"
CLINIC_KEY: Final = Es256SigningKey.from_secret(sha256(b"synthetic key of the clinic"))


def relying_parties() -> OidcSettings:
    """Return two sites: one with a secret that may ask for more, one with a key."""
    return parse_oidc_settings(
        {
            "pairwise_key": base64url.encode(sha256(b"synthetic pairwise key")),
            "clients": {
                LIBRARY: {
                    "name": "합성 도서관",
                    "redirect_uris": [LIBRARY_URI, f"{LIBRARY_URI}?from=app"],
                    "scopes": ["birthdate", "seoul_resident"],
                    "client_secret_digest": sha256(SECRET.encode()).hex(),
                },
                CLINIC: {
                    "name": "합성 보건소",
                    "redirect_uris": [CLINIC_URI],
                    "jwks": {"keys": [CLINIC_KEY.public_key.jwk]},
                },
            },
        }
    )


def _private_key() -> ECKey:
    d = base64url.encode(CLINIC_KEY.secret())
    return ECKey.import_key({**CLINIC_KEY.public_key.jwk, "d": d})


class Browser(requests.Session):
    """A browser that follows what stays at the provider, and stops at the site's address."""

    def __init__(self, provider: str) -> None:
        super().__init__()
        self.provider = provider

    def open(self, url: str) -> requests.Response:
        """Open a page; return the last answer of the provider."""
        answer = self.get(url, allow_redirects=False, timeout=10)
        while answer.status_code == 303 and not self._leaves(answer):
            answer = self.get(self._target(answer), allow_redirects=False, timeout=10)
        return answer

    def _target(self, answer: requests.Response) -> str:
        target = answer.headers["Location"]
        return target if "://" in target else self.provider + target

    def _leaves(self, answer: requests.Response) -> bool:
        return not self._target(answer).startswith(self.provider)

    def agree(self, page: requests.Response, flow: str = "same_device") -> requests.Response:
        """Press the button that goes on with a login."""
        form = {
            name: unescape(_found(rf'name="{name}" value="([^"]+)"', page.text))
            for name in ("csrf", "login")
        }
        return self.post(
            f"{self.provider}/oidc/login",
            data={**form, "flow": flow},
            headers={"Origin": self.provider},
            allow_redirects=False,
            timeout=10,
        )

    def wallet_link(self) -> str:
        """Return the link on the page of the request under way."""
        page = self.open(f"{self.provider}/present/request")
        return unescape(_found(r'href="(openid4vp://[^"]+)"', page.text))


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]


@dataclass
class Site:
    """One relying party over Authlib's OAuth2Session."""

    provider: str
    client_id: str = LIBRARY
    redirect_uri: str = LIBRARY_URI
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    scope: str = "openid"

    def __post_init__(self) -> None:
        by_key = self.client_id == CLINIC
        self.metadata: JsonObject = requests.get(
            f"{self.provider}/.well-known/openid-configuration", timeout=10
        ).json()
        self.session = OAuth2Session(
            client_id=self.client_id,
            client_secret=_private_key() if by_key else SECRET,
            token_endpoint_auth_method="private_key_jwt" if by_key else "client_secret_basic",
            redirect_uri=self.redirect_uri,
            scope=self.scope,
            code_challenge_method="S256",
        )
        self.session.register_client_auth_method(
            PrivateKeyJWT(
                self.metadata["token_endpoint"],
                claims={"iat": NOW, "exp": NOW + 300},
                alg="ES256",
            )
        )

    def start(self, **more: str) -> str:
        """Return the URL that the site sends the browser to."""
        url, self.state = self.session.create_authorization_url(
            self.metadata["authorization_endpoint"],
            code_verifier=self.verifier,
            nonce=self.nonce,
            **more,
        )
        return str(url)

    def exchange(self, callback: str, **changes: Any) -> JsonObject:
        """Take the code of the answer; raise what Authlib raises for a foreign state or error."""
        answer = parse_qs(urlsplit(callback).query)
        # RFC 9207: an answer of another issuer is a mix-up.
        assert answer["iss"] == [self.metadata["issuer"]]
        token = self.session.fetch_token(
            self.metadata["token_endpoint"],
            authorization_response=callback,
            state=self.state,
            **{"code_verifier": self.verifier, **changes},
        )
        return dict(token)

    def claims(self, token: JsonObject, *, now: int) -> JsonObject:
        """Return the claims of the ID token, checked as OIDC Core §3.1.3.7 says."""
        keys = KeySet.import_key_set(requests.get(self.metadata["jwks_uri"], timeout=10).json())
        decoded = jwt.decode(token["id_token"], keys, algorithms=["ES256"])
        jwt.JWTClaimsRegistry(
            now=now,
            iss={"essential": True, "value": self.metadata["issuer"]},
            aud={"essential": True, "value": self.client_id},
            nonce={"essential": True, "value": self.nonce},
            exp={"essential": True},
            auth_time={"essential": True},
        ).validate(decoded.claims)
        return dict(decoded.claims)

    def userinfo(self, token: JsonObject) -> requests.Response:
        """Ask who the bearer of the access token is."""
        return requests.get(
            self.metadata["userinfo_endpoint"],
            headers={"Authorization": f"Bearer {token['access_token']}"},
            timeout=10,
        )
