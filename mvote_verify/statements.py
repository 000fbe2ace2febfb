"""Signed statements: `{"body": {…}, "signature": hex}`. Sections 2, 8, 9, 10 and 11."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mvote_verify import curve, forms
from mvote_verify.encodings import canonical_json, frame, parse_json
from mvote_verify.failures import Malformed

_OUTER = {"body": lambda value: value, "signature": forms.hexadecimal(64)}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that nobody has verified yet: `body` is the JSON as it came."""

    kind: str
    body: dict[str, Any]
    signature: bytes

    def signed_by(self, key: curve.Point) -> bool:
        """Whether `key` signed it."""
        message = frame("sign/" + self.kind, canonical_json(self.body))
        return curve.signature_holds(key, self.signature, message)

    def read(self, members: Mapping[str, forms.Form]) -> dict[str, Any]:
        """The body, which has `kind` and exactly these members besides."""
        return forms.members(self.body, {"kind": forms.one_of(self.kind), **members})


def statement_of(value: Any, kind: str) -> Statement:
    """A statement of this kind from JSON; raises `Malformed`."""
    outer = forms.members(value, _OUTER)
    body = outer["body"]
    if not isinstance(body, dict) or body.get("kind") != kind:
        raise Malformed(f"not a statement of the kind {kind}")
    return Statement(kind, body, outer["signature"])


def parse_statement(data: bytes, kind: str) -> Statement:
    """A statement of this kind from canonical JSON; raises `Malformed`."""
    return statement_of(parse_json(data), kind)
