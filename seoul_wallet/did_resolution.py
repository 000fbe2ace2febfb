"""DID Resolution over HTTP (W3C DID Resolution 1.0, "HTTP(S) Binding"): `GET …/identifiers/<did>`.

A client asks for the whole result, or for the document alone; an error is told in a result in any
case. What a host publishes and is no DID document is 422 here, not 500: the fault is not ours.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from flask import Response

from wallet.did.syntax import Did, UnsupportedDidMethod, parse_did
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, SeoulWalletError, UnsupportedError
from wallet.ports.facts import DidResolver, DidUnresolvable
from wallet.web.application import accepted_type, json_answer

RESOLUTION_CONTEXT: Final = "https://w3id.org/did-resolution/v1"
RESULT_TYPES: Final = ("application/did-resolution", "application/json", "application/ld+json")
DOCUMENT_TYPES: Final = ("application/did", "application/did+json", "application/did+ld+json")
_ERRORS: Final = "https://www.w3.org/ns/did#"


class _Failure(NamedTuple):
    name: str
    status: int


_INVALID_DID: Final = _Failure("INVALID_DID", 400)
_NOT_FOUND: Final = _Failure("NOT_FOUND", 404)
_NOT_ACCEPTABLE: Final = _Failure("REPRESENTATION_NOT_SUPPORTED", 406)
_INVALID_DOCUMENT: Final = _Failure("INVALID_DID_DOCUMENT", 422)
_METHOD_NOT_SUPPORTED: Final = _Failure("METHOD_NOT_SUPPORTED", 501)


class DocumentResolver(DidResolver, Protocol):
    """Resolves DIDs, for our own use and as they were published."""

    def resolve_json(self, did: Did) -> JsonObject:
        """Return the document as published. Raises as `resolve` does."""


def answer_resolution(dids: DocumentResolver, did: str) -> Response:
    """Answer the request at hand for a DID, as what its `Accept` names."""
    media_type = accepted_type((*RESULT_TYPES, *DOCUMENT_TYPES))
    if media_type is None:
        return _failed(_NOT_ACCEPTABLE, "a DID document is JSON", "representation_not_supported")
    try:
        document = dids.resolve_json(parse_did(did))
    except SeoulWalletError as error:
        return _failed(_failure(error), str(error), error.code)
    if media_type in DOCUMENT_TYPES:
        return json_answer(document, content_type=media_type)
    return _result(document, {"contentType": DOCUMENT_TYPES[0]}, 200, media_type)


def _failure(error: SeoulWalletError) -> _Failure:
    if isinstance(error, UnsupportedDidMethod):
        return _METHOD_NOT_SUPPORTED
    if isinstance(error, DidUnresolvable):
        return _NOT_FOUND
    if isinstance(error, (MalformedError, UnsupportedError)):
        return _INVALID_DID
    return _INVALID_DOCUMENT


def _failed(failure: _Failure, title: str, code: str) -> Response:
    problem = {"type": _ERRORS + failure.name, "title": title, "code": code}
    return _result(None, {"error": problem}, failure.status, RESULT_TYPES[0])


def _result(
    document: JsonObject | None, metadata: JsonObject, status: int, media_type: str
) -> Response:
    result = {
        "@context": RESOLUTION_CONTEXT,
        "didDocument": document,
        "didResolutionMetadata": metadata,
        "didDocumentMetadata": {},
    }
    answer = json_answer(result, status, content_type=media_type)
    answer.vary.add("Accept")
    return answer
