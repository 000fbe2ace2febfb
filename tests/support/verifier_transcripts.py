"""Message transcripts: what went over the wire, with what is new each time named, not shown."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from wallet.encoding import base64url
from wallet.encoding.json import parse_json, parse_json_object
from wallet.errors import SeoulWalletError

_SECRET = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43,}(?![A-Za-z0-9_-])")
_DECODED = ("vp_token", "dcql_query", "client_metadata")


def readable(value: Any) -> Any:
    """Return a value with tokens taken apart and everything random replaced by `<random>`."""
    if isinstance(value, dict):
        return {name: _named(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    if not isinstance(value, str):
        return value
    if "~" in value and value.startswith("ey"):
        jws, *disclosures, binding = value.split("~")
        return {
            "credential": readable(jws),
            "disclosures": len(disclosures),
            "key_binding": readable(binding) if binding else None,
        }
    parts = value.split(".")
    if value.startswith("ey") and len(parts) in (3, 5):
        try:
            header = readable(parse_json_object(base64url.decode(parts[0])))
            if len(parts) == 5:
                return {"jwe": header}
            return {"jws": header, "claims": readable(parse_json(base64url.decode(parts[1])))}
        except SeoulWalletError:
            return "<token>"
    return _SECRET.sub("<random>", value)


def _named(name: str, value: Any) -> Any:
    if name == "x5c":
        return [f"<{len(value)} certificates>"]
    return "<random>" if name in ("apu", "apv") else readable(value)


def message(method: str, url: str, body: bytes, status: int, answer: bytes) -> dict[str, Any]:
    """Return one exchange of a transcript."""
    fields = dict(parse_qsl(body.decode())) if body else {}
    sent = {
        name: readable(parse_json(text.encode()) if name in _DECODED else text)
        for name, text in fields.items()
    }
    text = answer.decode()
    said = readable(parse_json(answer)) if text.startswith("{") else readable(text)
    return {"request": f"{method} {readable(url)}", "sent": sent, "status": status, "answer": said}
