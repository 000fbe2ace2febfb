"""What all pages share: the language, the frame around them, and what a query asks for."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, redirect, render_template, request

from verifier.pages.texts import LANGUAGES, TEXTS
from verifier.queries import NamedQuery

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def language() -> str:
    """Return the language of the page: as asked, or what the browser prefers."""
    given = request.args.get("lang", "")
    if given in LANGUAGES:
        return given
    return request.accept_languages.best_match(LANGUAGES, LANGUAGES[0]) or LANGUAGES[0]


def page(template: str, **values: Any) -> Response:
    """Return a page that runs nothing inline and is framed nowhere."""
    spoken = language()
    other = next(name for name in LANGUAGES if name != spoken)
    body = render_template(
        template, language=spoken, other_language=other, text=TEXTS[spoken], **values
    )
    answer = Response(body, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


def redirect_within(path: str) -> Response:
    """Send the browser to another page of ours, in its language."""
    return redirect_to(f"{path}?lang={language()}")


def redirect_to(url: str) -> Response:
    """Send the browser elsewhere by GET."""
    answer = redirect(url, 303)
    return Response(answer.get_data(), 303, headers=list(answer.headers))


def asked_claims(query: NamedQuery) -> list[str]:
    """Return the claims that a query asks for, as people read them."""
    return [
        "/".join("*" if part is None else str(part) for part in claim.path)
        for item in query.query.credentials.values()
        for claim in item.claims
    ]
