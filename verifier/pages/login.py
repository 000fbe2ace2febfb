"""Login in the browser: the authorization endpoint, the agreement to go on, and the way back.

What lies between is the page of the presentation, as for every other.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from verifier.browser_sessions import BrowserSessions
from verifier.config import VerifierConfig
from verifier.oidc.provider import AUTHORIZE_PATH, OpenIdProvider
from verifier.oidc.request import AuthenticationRefused
from verifier.pages.browsers import Browsers
from verifier.pages.rendering import asked_claims, page, redirect_to, redirect_within
from verifier.service import VerifierService
from wallet.encoding.form import parse_form
from wallet.ports.sessions import SessionUnknown
from wallet.protocols.oid4vp import ResponseMode
from wallet.protocols.oid4vp_session import Flow, RequestOptions
from wallet.web.bodies import UnsupportedMediaType, read_form

MAX_REQUEST_BYTES: Final = 16 * 1024
LOGIN_PATH: Final = "/oidc/login"
FINISH_PATH: Final = "/oidc/finish"
_FORM: Final = "application/x-www-form-urlencoded"


def login_blueprint(
    provider: OpenIdProvider,
    service: VerifierService,
    sessions: BrowserSessions,
    config: VerifierConfig,
) -> Blueprint:
    """Return the pages of the login; those of the presentation must be mounted too."""
    blueprint = Blueprint("login", __name__)
    browsers = Browsers(config.base_url)

    @blueprint.route(AUTHORIZE_PATH, methods=["GET", "POST"])
    def authorize() -> Response:
        """The authorization endpoint (OIDC Core §3.1.2). 400 for unknown clients and URIs."""
        request.max_content_length = MAX_REQUEST_BYTES
        if request.method == "POST" and request.mimetype != _FORM:
            raise UnsupportedMediaType(f"send {_FORM}")
        data = request.get_data() if request.method == "POST" else request.query_string
        asked = provider.find_client(parse_form(data, max_bytes=MAX_REQUEST_BYTES))
        try:
            begun = provider.begin(asked)
        except AuthenticationRefused as error:
            return redirect_to(provider.refusal_url(asked.redirect_uri, asked.state, error.error))
        cookie = browsers.cookie(request) or browsers.new_cookie()
        answer = page(
            "query.html",
            action=LOGIN_PATH,
            login=begun.name,
            query=begun.query,
            asks=begun.client.name,
            client_id=service.client_id,
            claims=asked_claims(begun.query),
            csrf=browsers.form_token(cookie),
        )
        browsers.keep(answer, cookie)
        return answer

    @blueprint.post(LOGIN_PATH)
    def go_on() -> Response:
        """Open the presentation for this browser, under a new cookie. 403 for foreign forms."""
        request.max_content_length = MAX_REQUEST_BYTES
        fields = read_form(request)
        browsers.check_form(request, fields.get("csrf", ""))
        is_same = fields.get("flow") == Flow.SAME_DEVICE.value
        cookie = browsers.new_cookie()
        lasts_s = config.link_ttl_s + sessions.lifetime_s
        try:
            query = provider.go_on(fields.get("login", ""), cookie, lasts_s=lasts_s)
        except SessionUnknown:
            return page("result.html", result=None)
        created = service.create_request(
            named=query,
            options=RequestOptions(
                prefix=config.client_id_prefix,
                response_mode=ResponseMode.DIRECT_POST_JWT,
                flow=Flow.SAME_DEVICE if is_same else Flow.CROSS_DEVICE,
                return_uri=f"{config.base_url}/present/return" if is_same else None,
            ),
        )
        sessions.keep(cookie, created, onward=FINISH_PATH)
        answer = redirect_within("/present/request")
        browsers.keep(answer, cookie)
        return answer

    @blueprint.get(FINISH_PATH)
    def finish() -> Response:
        """Send the browser that started back to the relying party, once."""
        cookie = browsers.cookie(request) or ""
        try:
            if sessions.state(cookie) != "answered":
                return redirect_within("/present/request")
            login = provider.take_login(cookie)
            _, result = sessions.result(cookie)
        except SessionUnknown:
            return page("result.html", result=None)
        return redirect_to(provider.finish(login, result))

    return blueprint
