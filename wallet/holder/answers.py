"""Reading what issuers and verifiers answer over HTTP."""

from __future__ import annotations

from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import MalformedError, RejectedError
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.protocols.oid4vci.token import ErrorResponse, parse_error_response

JSON: str = "application/json"


class AnswerUnexpected(RejectedError):
    """The other side answered with a status or media type that its protocol does not know."""

    code = "answer_unexpected"


def json_answer(answer: HttpAnswer, *, what: str, max_bytes: int) -> JsonObject:
    """Return the JSON object of a 200 answer.

    Raises `PeerUnreachable` for server errors and 429, `AnswerUnexpected` for any other status or
    media type, `JsonMalformed`.
    """
    check_answered(answer, what=what)
    if answer.content_type != JSON:
        raise AnswerUnexpected(f"{what} did not come as {JSON}")
    return parse_json_object(answer.body, max_bytes=max_bytes)


def check_answered(answer: HttpAnswer, *, what: str) -> None:
    """Return for a 200 answer. Raises `PeerUnreachable`, `AnswerUnexpected` as `json_answer`."""
    check_reachable(answer, what=what)
    if answer.status != 200:
        raise AnswerUnexpected(f"{what} was answered with status {answer.status}")


def check_reachable(answer: HttpAnswer, *, what: str) -> None:
    """Return unless the other side says that it cannot answer now. Raises `PeerUnreachable`."""
    if answer.status >= 500 or answer.status == 429:
        raise PeerUnreachable(f"{what} was answered with status {answer.status}")


def refusal_of(answer: HttpAnswer) -> ErrorResponse | None:
    """Return the error of a 400, 401 or 403 answer; an error without a readable body is nameless.

    None for any other status.
    """
    if answer.status not in (400, 401, 403):
        return None
    try:
        return parse_error_response(parse_json_object(answer.body, max_bytes=16 * 1024))
    except MalformedError:
        return ErrorResponse("unnamed")
