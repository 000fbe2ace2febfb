"""The holders' part of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from issuer.api.openapi_parts import answer, body, object_schema, operation

HOLDER_PATHS: Final[Mapping[str, Any]] = {
    "/revocations": {
        "post": operation(
            "Revoke one credential, by its holder: shown with a key binding to a c_nonce.",
            {
                "204": {"description": "It is revoked, now or before."},
                **{status: answer("oauth") for status in ("400", "413", "503")},
                "415": answer("problem"),
            },
            request=body(
                {
                    **object_schema(
                        {"presentation": {"type": "string", "minLength": 1, "maxLength": 262144}},
                        ("presentation",),
                    ),
                    "additionalProperties": False,
                },
                "application/json",
            ),
        )
    }
}
