"""The browser's side of a session: its secret cookie, the token and the origin of its forms."""

from __future__ import annotations

import hmac
import re
from typing import Final

from flask import Request, Response

from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.errors import RejectedError
from wallet.protocols.oid4vp import new_secret

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")


class FormNotFromPage(RejectedError):
    """A form was not sent from this verifier's own page in the same browser."""

    code = "form_not_from_page"
    status = 403


class Browsers:
    """Reads and sets the cookie; over https it is bound to the host by its name."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._secure = base_url.startswith("https:")
        self._name = "__Host-seoul-verifier" if self._secure else "seoul-verifier"

    def cookie(self, request: Request) -> str | None:
        """Return the browser's secret, None if it has none of the right form."""
        value = request.cookies.get(self._name, "")
        return value if _SECRET.match(value) else None

    @staticmethod
    def new_cookie() -> str:
        """Return a new secret."""
        return new_secret()

    def keep(self, response: Response, cookie: str) -> None:
        """Set the cookie. Lax: a wallet's link back must bring it along."""
        response.set_cookie(
            self._name, cookie, secure=self._secure, httponly=True, samesite="Lax", path="/"
        )

    @staticmethod
    def form_token(cookie: str) -> str:
        """Return the token of this browser's forms; nobody else can compute it."""
        return base64url.encode(sha256(b"form:" + cookie.encode("ascii")))

    def check_form(self, request: Request, token: str) -> str:
        """Return the cookie if the form came from our page in this browser.

        Raises `FormNotFromPage`.
        """
        cookie = self.cookie(request)
        if cookie is None or not hmac.compare_digest(
            token.encode("utf-8", "surrogatepass"), self.form_token(cookie).encode()
        ):
            raise FormNotFromPage("the form is not of this browser's page")
        if request.headers.get("Origin", self._base_url) != self._base_url:
            raise FormNotFromPage("the form came from another page")
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise FormNotFromPage("the form came from another page")
        return cookie
