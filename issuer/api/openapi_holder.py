"""The holders' part of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from issuer.api.openapi_parts import (
    answer,
    body,
    json_answer_of,
    object_schema,
    operation,
    path_parameter,
)

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
    },
    "/types/{name}": {
        "get": operation(
            "The Type Metadata of a credential type (SD-JWT VC 6).",
            {"200": json_answer_of("The document.", {"type": "object"})},
            parameters=[path_parameter("name")],
        )
    },
    "/types/{name}/{file}": {
        "get": operation(
            "A picture of a credential type, with places for claims.",
            {
                "200": {
                    "description": "The SVG template.",
                    "content": {"image/svg+xml": {"schema": {"type": "string"}}},
                }
            },
            parameters=[path_parameter("name"), path_parameter("file")],
        )
    },
}
