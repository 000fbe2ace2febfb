"""The authorization endpoint: login and consent in the holder's browser, in Korean and English.

Plain forms, no script. A session cookie and a token in each form tie the pages together.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request
from markupsafe import Markup

from issuer.authorization.clients import RedirectUriRefused
from issuer.authorization.login import HolderLogin, LoginRefused
from issuer.authorization.server import (
    AuthorizationServer,
    AuthorizationSessionUnknown,
    Pending,
)
from issuer.service import IssuerService
from wallet.encoding.form import single_values
from wallet.errors import RejectedError, SeoulWalletError, UnavailableError
from wallet.protocols.oid4vci.configuration import Label
from wallet.protocols.oid4vci.token import MAX_REDIRECT_CHARACTERS
from wallet.web.bodies import read_form

COOKIE: Final = "seoul_wallet_authorization"
MAX_FORM_BYTES: Final = 16 * 1024
_STYLE: Final = """body{font-family:sans-serif;max-width:36em;margin:2em auto;padding:0 1em;
line-height:1.5}label{display:block;margin:.8em 0}input{font-size:1em;padding:.3em;width:100%}
button{font-size:1em;padding:.6em 1.2em;margin:1em .5em 0 0}.who{font-weight:bold}
.error{border-left:.3em solid #b00;padding-left:.6em}"""


class ForeignForm(RejectedError):
    """The form was sent from another site."""

    code = "foreign_form"
    status = 403


def authorize_blueprint(service: IssuerService, server: AuthorizationServer) -> Blueprint:
    """Return the authorization endpoint and the pages behind it."""
    blueprint = Blueprint("authorize", __name__)
    base = service.identity.base_url
    place = f"{service.identity.path}/authorize"
    issuer_names = service.issuer_metadata().display

    @blueprint.get("/authorize")
    def authorize() -> Response:
        given = single_values(
            list(request.args.items(multi=True)), frozenset(("client_id", "request_uri"))
        )
        if set(given) != {"client_id", "request_uri"}:
            raise RedirectUriRefused("push the request first, then send client_id and request_uri")
        if max(map(len, given.values())) > MAX_REDIRECT_CHARACTERS:
            raise AuthorizationSessionUnknown("the request was used or has expired")
        session = server.begin(given["request_uri"], client_id=given["client_id"])
        elsewhere = server.login.redirect(f"{base}/authorize/return")
        if elsewhere is not None:
            answer = _see_other(elsewhere)
        else:
            pending = server.pending(session)
            answer = _page(_login_page(server.login, pending, place, None))
        answer.set_cookie(
            COOKIE,
            session,
            path=place,
            httponly=True,
            samesite="Lax",
            secure=base.startswith("https:"),
        )
        return answer

    @blueprint.post("/authorize/login")
    def login() -> Response:
        answers = _own_form(base)
        session = request.cookies.get(COOKIE, "")
        try:
            pending = server.authenticate(session, answers.pop("csrf", ""), answers)
        except LoginRefused as error:
            retry = _login_page(server.login, server.pending(session), place, error)
            return _page(retry, error.status)
        return _consent(pending)

    @blueprint.get("/authorize/return")
    def return_from_login() -> Response:
        # The login elsewhere vouches for its answer; the cookie says whose browser this is.
        session = request.cookies.get(COOKIE, "")
        return _consent(server.authenticate(session, None, request.args.to_dict()))

    def _consent(pending: Pending) -> Response:
        configuration = service.catalogue.configurations[pending.configuration_id]
        client = server.clients.client(pending.request.client_id, pending.request.redirect_uri)
        return _page(
            _consent_page(pending, place, configuration.display, issuer_names, client.name),
            to=pending.request.redirect_uri,
        )

    @blueprint.post("/authorize/consent")
    def consent() -> Response:
        answers = _own_form(base)
        session = request.cookies.get(COOKIE, "")
        agreed = answers.get("decision") == "allow"
        answer = _see_other(server.answer(session, answers.get("csrf", ""), agreed=agreed))
        answer.delete_cookie(COOKIE, path=place)
        return answer

    @blueprint.get("/authorize/style.css")
    def style() -> Response:
        answer = Response(_STYLE, content_type="text/css; charset=utf-8")
        answer.headers["Cache-Control"] = "public, max-age=86400"
        return answer

    def failed(error: SeoulWalletError) -> Response:
        # Never a redirect: whoever caused this may not be whom the request names.
        status = 503 if isinstance(error, UnavailableError) else error.status
        text = "잠시 뒤에 다시 시도하십시오." if status == 503 else "이 요청은 계속할 수 없습니다."
        english = "Try again later." if status == 503 else "This request cannot be continued."
        body = Markup('<p class="error">{}<br>{}</p><p><code>{}</code></p>').format(
            text, english, error.code
        )
        return _page(_frame(place, "오류 · Error", body), status)

    blueprint.register_error_handler(SeoulWalletError, failed)
    return blueprint


def _own_form(base: str) -> dict[str, str]:
    request.max_content_length = MAX_FORM_BYTES
    parts = urlsplit(base)
    if request.headers.get("Origin", f"{parts.scheme}://{parts.netloc}") != (
        f"{parts.scheme}://{parts.netloc}"
    ):
        raise ForeignForm("the form was sent from another site")
    return read_form(request)


def _see_other(url: str) -> Response:
    answer = redirect(url, 303)
    return Response(answer.get_data(), 303, {"Location": url})


def _page(html: Markup, status: int = 200, *, to: str | None = None) -> Response:
    answer = Response(str(html), status, content_type="text/html; charset=utf-8")
    # The answer to the form sends the browser on to the wallet, which the form must allow.
    targets = "'self'"
    if to is not None:
        parts = urlsplit(to)
        web = parts.scheme in ("http", "https")
        targets += f" {parts.scheme}://{parts.netloc}" if web else f" {parts.scheme}:"
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {targets}"
    )
    answer.headers["X-Frame-Options"] = "DENY"
    return answer


def _frame(place: str, title: str, body: Markup) -> Markup:
    return Markup(
        '<!doctype html><html lang="ko"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>{}</title>'
        '<link rel="stylesheet" href="{}/style.css"></head><body><h1>{}</h1>{}</body></html>'
    ).format(title, place, title, body)


def _login_page(
    login: HolderLogin, pending: Pending, place: str, error: LoginRefused | None
) -> Markup:
    fields = Markup("").join(
        Markup(
            '<label>{}<br>{}<input name="{}" autocomplete="off" maxlength="64" required></label>'
        ).format(field.label_ko, field.label_en, field.name)
        for field in login.fields
    )
    refused = Markup("")
    if error is not None:
        refused = Markup('<p class="error">확인되지 않았습니다.<br>Not recognised.</p>')
    form = Markup(
        '{}<form method="post" action="{}/login"><input type="hidden" name="csrf" value="{}">{}'
        "<button>본인 확인 · Continue</button></form>"
    ).format(refused, place, pending.csrf, fields)
    return _frame(place, "본인 확인 · Who are you?", form)


def _named(labels: tuple[Label, ...], language: str) -> str:
    return next((item.name for item in labels if item.locale.startswith(language)), "")


def _consent_page(
    pending: Pending,
    place: str,
    credential: tuple[Label, ...],
    issuer: tuple[Label, ...],
    client_name: str,
) -> Markup:
    wallet = client_name or pending.request.client_id
    host = urlsplit(pending.request.redirect_uri)
    body = Markup(
        '<p><span class="who">{}</span>에서 <span class="who">{}</span>을(를) 지갑 앱 '
        '<span class="who">{}</span>에 발급합니다.</p>'
        '<p><span class="who">{}</span> issues your <span class="who">{}</span> to the wallet '
        '<span class="who">{}</span> (<code>{}</code>).</p>'
        '<form method="post" action="{}/consent"><input type="hidden" name="csrf" value="{}">'
        '<button name="decision" value="allow">동의 · Agree</button>'
        '<button name="decision" value="deny">거절 · Refuse</button></form>'
    ).format(
        _named(issuer, "ko"),
        _named(credential, "ko"),
        wallet,
        _named(issuer, "en"),
        _named(credential, "en"),
        wallet,
        host.netloc or host.scheme,
        place,
        pending.csrf,
    )
    return _frame(place, "발급 동의 · Consent", body)
