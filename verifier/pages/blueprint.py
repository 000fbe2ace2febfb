"""The pages: `/present`, one page per query, the request under way, the way back, the outcome."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone
from importlib.resources import files
from typing import Final

import segno
from flask import Blueprint, Response, abort, request
from markupsafe import Markup

from verifier.browser_sessions import BrowserSessions
from verifier.config import VerifierConfig
from verifier.pages.browsers import Browsers
from verifier.pages.rendering import asked_claims, language, page, redirect_within
from verifier.pages.texts import TEXTS
from verifier.queries import NamedQuery
from verifier.service import VerifierService
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import ConflictError
from wallet.ports.sessions import SessionUnknown
from wallet.protocols.oid4vp import ResponseMode
from wallet.protocols.oid4vp_session import Flow, RequestOptions
from wallet.web.application import json_answer
from wallet.web.bodies import read_form

MAX_FORM_BYTES: Final = 4096
_ASSETS: Final = {
    "verifier.css": "text/css; charset=utf-8",
    "verifier.js": "text/javascript; charset=utf-8",
}
_SEOUL: Final = timezone(timedelta(hours=9))


def pages_blueprint(
    service: VerifierService, sessions: BrowserSessions, config: VerifierConfig
) -> Blueprint:
    """Return the pages for the queries that the configuration opens to everyone."""
    blueprint = Blueprint("pages", __name__, template_folder="templates")
    browsers = Browsers(config.base_url)
    queries = {name: config.queries[name] for name in sorted(config.page_queries)}
    _mount_request_pages(blueprint, sessions, config, browsers)

    @blueprint.get("/assets/<name>")
    def asset(name: str) -> Response:
        """The pages' one style sheet and one script."""
        if name not in _ASSETS:
            abort(404)
        data = (files("verifier.pages") / "assets" / name).read_bytes()
        answer = Response(data, content_type=_ASSETS[name])
        answer.headers["Cache-Control"] = "public, max-age=300"
        return answer

    @blueprint.get("/present")
    def choose() -> Response:
        """Everything that may be asked here."""
        return page("queries.html", queries=list(queries.values()))

    @blueprint.get("/present/<name>")
    def ask(name: str) -> Response:
        """Who asks for what, and the two ways to answer."""
        query = _known(queries, name)
        cookie = browsers.cookie(request) or browsers.new_cookie()
        answer = page(
            "query.html",
            action=f"/present/{query.name}",
            query=query,
            asks=config.display_name,
            client_id=service.client_id,
            claims=asked_claims(query),
            csrf=browsers.form_token(cookie),
        )
        browsers.keep(answer, cookie)
        return answer

    @blueprint.post("/present/<name>")
    def start(name: str) -> Response:
        """Open a session for this browser, under a new cookie. 403 for foreign forms."""
        request.max_content_length = MAX_FORM_BYTES
        query = _known(queries, name)
        fields = read_form(request)
        browsers.check_form(request, fields.get("csrf", ""))
        is_same = fields.get("flow") == Flow.SAME_DEVICE.value
        created = service.create_request(
            query_name=query.name,
            options=RequestOptions(
                prefix=config.client_id_prefix,
                response_mode=ResponseMode.DIRECT_POST_JWT,
                flow=Flow.SAME_DEVICE if is_same else Flow.CROSS_DEVICE,
                return_uri=f"{config.base_url}/present/return" if is_same else None,
            ),
        )
        cookie = browsers.new_cookie()
        sessions.keep(cookie, created)
        answer = redirect_within("/present/request")
        browsers.keep(answer, cookie)
        return answer

    return blueprint


def _mount_request_pages(
    blueprint: Blueprint, sessions: BrowserSessions, config: VerifierConfig, browsers: Browsers
) -> None:
    @blueprint.get("/present/request")
    def under_way() -> Response:
        """The QR code or link of this browser's request; once answered, the outcome."""
        try:
            onward = sessions.onward(browsers.cookie(request) or "")
            if onward is not None:
                return redirect_within(onward)
            link, about = sessions.result(browsers.cookie(request) or "")
        except SessionUnknown:
            return page("result.html", result=None)
        if about["state"] == "answered":
            return page(
                "result.html",
                result=about,
                claims=_claims(about),
                facts_as_of=_moment(about.get("facts_as_of")),
            )
        is_waiting = about["state"] == "requested"
        is_cross = about["flow"] == Flow.CROSS_DEVICE.value
        return page(
            "request.html",
            state=about["state"],
            qr=_qr_code(link) if is_waiting and is_cross else None,
            link=link if is_waiting and not is_cross else None,
            expires=TEXTS[language()]["expires"].format(seconds=config.link_ttl_s),
        )

    @blueprint.get("/present/status")
    def status() -> Response:
        """How this browser's request stands: `state`, nothing else."""
        try:
            state = sessions.state(browsers.cookie(request) or "")
        except SessionUnknown:
            state = "gone"
        return json_answer({"state": state})

    @blueprint.get("/present/return")
    def come_back() -> Response:
        """Where a wallet on this device sends the browser, with its response code.

        The code opens the result for the browser that started, and for no other; any other
        outcome looks the same from outside.
        """
        try:
            sessions.redeem(browsers.cookie(request) or "", request.args.get("response_code", ""))
        except ConflictError:
            return page("result.html", result=None)
        return redirect_within("/present/request")


def _known(queries: dict[str, NamedQuery], name: str) -> NamedQuery:
    if name not in queries:
        abort(404)
    return queries[name]


def _qr_code(link: str) -> Markup:
    out = io.BytesIO()
    segno.make(link, error="m").save(
        out, kind="svg", xmldecl=False, svgclass=None, lineclass=None, omitsize=True
    )
    # Made here from a link of our own: paths and numbers, no text of strangers.
    return Markup(out.getvalue().decode("utf-8"))  # noqa: S704


def _claims(result: JsonObject) -> list[tuple[str, str]]:
    shown = []
    for credentials in (result.get("credentials") or {}).values():
        for credential in credentials:
            for name, value in credential["claims"].items():
                text = value if isinstance(value, str) else to_json(value).decode()
                shown.append((name, text))
    return shown


def _moment(at: int | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, _SEOUL).strftime("%Y-%m-%d %H:%M")
