"""Message transcripts: what was said, with everything that differs between two runs taken out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.issuer_network import Message
from wallet.credentials.jose import parse_compact_jws
from wallet.encoding.json import JsonObject, parse_json, to_json
from wallet.errors import SeoulWalletError

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "oid4vci_transcripts"
# Values that the protocol fixes stay; all others are named by their kind.
_KEPT = frozenset(
    ("grant_type", "response_type", "code_challenge_method", "token_type", "error", "event",
     "credential_configuration_id", "scope", "type", "expires_in", "interval", "client_id",
     "redirect_uri")
)  # fmt: skip
_DOCUMENTS = frozenset(("credential_endpoint", "issuer", "vct"))
_PLACES = ("/offers/",)
_HEADERS = ("content-type", "authorization", "dpop", "accept")


def transcript(messages: Iterable[Message]) -> str:
    """Return the transcript as text, one message after the other."""
    return "\n".join(_message(message) for message in messages)


def check_transcript(name: str, messages: Iterable[Message]) -> None:
    """Compare with the kept transcript; SEOUL_WALLET_RECORD=1 keeps this one instead."""
    path = FOLDER / f"{name}.txt"
    made = transcript(messages)
    if os.environ.get("SEOUL_WALLET_RECORD") == "1":
        FOLDER.mkdir(parents=True, exist_ok=True)
        path.write_text(made, "utf-8")
    assert made == path.read_text("utf-8")


def _message(message: Message) -> str:
    path = urlsplit(message.url).path
    for place in _PLACES:
        if path.startswith(place):
            path = f"{place}…"
    lines = [f"> {message.method} {path}"]
    given = {name.lower(): value for name, value in message.headers.items()}
    lines += [f"> {name}: {_header(name, given[name])}" for name in _HEADERS if name in given]
    if message.body:
        lines.append(f"> {_body(given.get('content-type', ''), message.body)}")
    answer_type = message.answer_headers.get("content-type", "")
    lines.append(f"< {message.status} {answer_type}".rstrip())
    if "dpop-nonce" in message.answer_headers:
        lines.append("< dpop-nonce: …")
    if message.answer:
        lines.append(f"< {_body(answer_type, message.answer)}")
    return "\n".join(lines) + "\n"


def _header(name: str, value: str) -> str:
    if name == "authorization":
        return value.partition(" ")[0] + " …"
    return _jwt(value) if name == "dpop" else value


def _body(content_type: str, body: bytes) -> str:
    if content_type.startswith("application/x-www-form-urlencoded"):
        return _text(dict(parse_qsl(body.decode())))
    if content_type.startswith("application/json"):
        value = parse_json(body)
        # Metadata are kept by the tests of the documents; here their members say enough.
        if isinstance(value, dict) and _DOCUMENTS & value.keys():
            value = dict.fromkeys(value, "…")
        return _text(value)
    if content_type.startswith("application/jwt"):
        return "JWE" if body.count(b".") == 4 else _jwt(body.decode())
    return f"{len(body.split())} words"


def _text(value: Any) -> str:
    return to_json(_shape("", value)).decode()


def _shape(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shape(key, value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_shape(name, item) for item in value]
    if not isinstance(value, str):
        return value
    if name in _KEPT:
        return value
    return _jwt(value)


def _jwt(value: str) -> str:
    try:
        jws = parse_compact_jws(value.partition("~")[0], typ=None)
    except SeoulWalletError:
        return "…"
    claims: JsonObject = jws.peek_claims()
    return f"{jws.header.get('typ')} of {', '.join(sorted(claims))}"
