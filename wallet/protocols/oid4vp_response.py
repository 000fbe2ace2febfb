"""OpenID4VP 1.0 responses (§8): what a wallet posts to the verifier's `response_uri`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import MalformedError
from wallet.protocols.oid4vp import OPAQUE

MAX_PRESENTATIONS: Final = 64


class ResponseMalformed(MalformedError):
    """Not an authorization response of OpenID4VP 1.0."""

    code = "vp_response_malformed"


@dataclass(frozen=True, slots=True)
class PresentationResponse:
    """The wallet's answer (§8.1): presentations by the id of the credential query."""

    vp_token: Mapping[str, tuple[str, ...]]
    state: str | None


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The wallet declines or cannot answer (§8.5), for example `access_denied`."""

    error: str
    state: str | None


def build_response(vp_token: Mapping[str, Sequence[str]], state: str | None) -> dict[str, str]:
    """Return the form fields of a direct_post response (§8.2)."""
    fields = {
        "vp_token": to_json({name: list(items) for name, items in vp_token.items()}).decode()
    }
    return fields if state is None else {**fields, "state": state}


def build_error_response(error: str, state: str | None) -> dict[str, str]:
    """Return the form fields of a direct_post error response."""
    return {"error": error} if state is None else {"error": error, "state": state}


def parse_response(fields: Mapping[str, str]) -> PresentationResponse | ErrorResponse:
    """Return the response of its form fields; unknown fields are ignored.

    Raises `ResponseMalformed`, `JsonMalformed`. Verifies nothing.
    """
    state = fields.get("state")
    if state is not None and not OPAQUE.match(state):
        raise ResponseMalformed("state is printable ASCII of limited length")
    if "error" in fields:
        if "vp_token" in fields or not OPAQUE.match(fields["error"]):
            raise ResponseMalformed("an error response has an error code and no vp_token")
        return ErrorResponse(fields["error"], state)
    if "vp_token" not in fields:
        raise ResponseMalformed("vp_token is missing")
    return PresentationResponse(
        parse_vp_token(fields["vp_token"].encode("utf-8", "surrogatepass")), state
    )


def parse_vp_token(data: bytes) -> Mapping[str, tuple[str, ...]]:
    """Return the presentations by query id (§8.1). Raises `ResponseMalformed`, `JsonMalformed`."""
    vp_token = parse_json_object(data)
    count = 0
    for presentations in vp_token.values():
        if type(presentations) is not list or not presentations:
            raise ResponseMalformed("vp_token maps query ids to non-empty lists")
        if any(type(item) is not str for item in presentations):
            raise ResponseMalformed("a presentation is a string")
        count += len(presentations)
    if not 0 < count <= MAX_PRESENTATIONS:
        raise ResponseMalformed(f"a vp_token holds 1 to {MAX_PRESENTATIONS} presentations")
    return {name: tuple(presentations) for name, presentations in vp_token.items()}
