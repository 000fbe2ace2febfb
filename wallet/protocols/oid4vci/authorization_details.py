"""`authorization_details` of the type `openid_credential` (§5.1.1, §6.1.1, §6.2, RFC 9396).

A wallet names credential configurations in them, in the authorization request or in the token
request; the token response answers with the credential identifiers to ask for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from wallet.encoding.json import JsonObject, parse_json, to_json
from wallet.errors import MalformedError, RejectedError
from wallet.protocols.oid4vci.offer import MAX_CODE_CHARACTERS
from wallet.protocols.oid4vci.url import (
    Oid4vciMessageMalformed,
    list_of,
    object_of,
    text_member,
    texts_of,
)

AUTHORIZATION_DETAIL_TYPE: Final = "openid_credential"
MAX_AUTHORIZATION_DETAILS: Final = 8
_MAX_IDENTIFIERS: Final = 32


class AuthorizationDetailsInvalid(RejectedError):
    """Authorization details of another type, without their members, or for what is not to be had.

    The protocol has one name for all of it (RFC 9396 §5).
    """

    code = "authorization_details_invalid"


def build_authorization_details(configuration_ids: Sequence[str]) -> str | None:
    """Return the parameter that names these configurations, None for none."""
    details = [
        {"type": AUTHORIZATION_DETAIL_TYPE, "credential_configuration_id": name}
        for name in configuration_ids
    ]
    return to_json(details).decode() if details else None


def parse_authorization_details(text: str) -> tuple[str, ...]:
    """Return the configurations that the parameter of a request names.

    Each may be named once; further members of a detail are ignored. Raises
    `AuthorizationDetailsInvalid`. Whether the configurations exist is not checked.
    """
    try:
        names = _configuration_ids(parse_json(text.encode("utf-8", "surrogatepass")))
    except MalformedError as error:
        raise AuthorizationDetailsInvalid(str(error)) from error
    if not names or len(set(names)) != len(names):
        raise AuthorizationDetailsInvalid("authorization_details names each configuration once")
    return names


def _configuration_ids(details: object) -> tuple[str, ...]:
    names = []
    for entry in list_of(details, "authorization_details", max_items=MAX_AUTHORIZATION_DETAILS):
        detail = object_of(entry, "an authorization detail")
        if detail.get("type") != AUTHORIZATION_DETAIL_TYPE:
            raise AuthorizationDetailsInvalid(
                f"expected details of type {AUTHORIZATION_DETAIL_TYPE}"
            )
        names.append(
            text_member(detail, "credential_configuration_id", max_characters=MAX_CODE_CHARACTERS)
        )
    return tuple(names)


def credential_identifiers_json(identifiers: Mapping[str, Sequence[str]]) -> list[JsonObject]:
    """Return the member of a token response; `identifiers` are by configuration."""
    return [
        {
            "type": AUTHORIZATION_DETAIL_TYPE,
            "credential_configuration_id": name,
            "credential_identifiers": list(of_one),
        }
        for name, of_one in identifiers.items()
    ]


def parse_credential_identifiers(value: object) -> dict[str, tuple[str, ...]]:
    """Return the credential identifiers of a token response, by configuration.

    Details of other types are ignored. Raises `Oid4vciMessageMalformed`.
    """
    found: dict[str, tuple[str, ...]] = {}
    for entry in list_of(value, "authorization_details", max_items=MAX_AUTHORIZATION_DETAILS):
        detail = object_of(entry, "an authorization detail")
        if detail.get("type") != AUTHORIZATION_DETAIL_TYPE:
            continue
        name = text_member(
            detail, "credential_configuration_id", max_characters=MAX_CODE_CHARACTERS
        )
        identifiers = texts_of(
            detail.get("credential_identifiers"),
            "credential_identifiers",
            max_items=_MAX_IDENTIFIERS,
            max_characters=MAX_CODE_CHARACTERS,
        )
        if not identifiers:
            raise Oid4vciMessageMalformed("credential_identifiers is empty")
        found[name] = identifiers
    return found
