"""What the OpenAPI document says of the endpoints of recovery keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from issuer.api.openapi_parts import (
    Operation,
    answer,
    body,
    json_answer_of,
    object_schema,
    operation,
)

_TEXT: Final = {"type": "string"}
_PROOF: Final = body(object_schema({"proof": _TEXT}, ("proof",)), "application/json")
_ERRORS: Final = {status: answer("oauth") for status in ("400", "413", "503")}

RECOVERY_PATHS: Final[Mapping[str, Mapping[str, Operation]]] = {
    "/recovery/devices": {
        "post": operation(
            "The devices and the record of a recovery key, by proof of it.",
            {
                "200": json_answer_of(
                    "They.",
                    object_schema(
                        {"devices": {"type": "array"}, "events": {"type": "array"}},
                        ("devices", "events"),
                    ),
                ),
                **_ERRORS,
            },
            request=_PROOF,
        )
    },
    "/recovery/lost": {
        "post": operation(
            "A device is lost: what was issued to it is revoked.",
            {"204": {"description": "Revoked."}, **_ERRORS},
            request=_PROOF,
        )
    },
    "/recovery/key": {
        "post": operation(
            "Another recovery key takes the place of one, by proof of both.",
            {"204": {"description": "It does."}, **_ERRORS},
            request=body(
                object_schema({"proof": _TEXT, "new_proof": _TEXT}, ("proof", "new_proof")),
                "application/json",
            ),
        )
    },
}
