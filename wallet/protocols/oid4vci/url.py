"""The URLs that OpenID4VCI messages carry, and reading members of JSON objects."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from wallet.errors import MalformedError

MAX_URL_CHARACTERS: Final = 2048


class Oid4vciMessageMalformed(MalformedError):
    """A message of OpenID4VCI lacks a member, or one is not of its type or too long."""

    code = "oid4vci_message_malformed"


def check_url(text: object, *, development: bool = False, query: bool = True) -> str:
    """Return `text` if it is an https URL that a message may carry.

    With `development`, http is accepted for the host `localhost` alone. User information,
    fragments, spaces and control characters are refused; a query only with `query`. Whether the
    host may be dialled is for the fetcher to decide. Raises `Oid4vciMessageMalformed`.
    """
    if type(text) is not str or not 0 < len(text) <= MAX_URL_CHARACTERS:
        raise Oid4vciMessageMalformed("a URL is a string of limited length")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise Oid4vciMessageMalformed("a URL is printable ASCII")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Oid4vciMessageMalformed("not a URL") from None
    local = development and parts.scheme == "http" and host == "localhost"
    if not host or port == 0 or (parts.scheme != "https" and not local):
        raise Oid4vciMessageMalformed("expected an https URL")
    if "@" in parts.netloc or "#" in text or ("?" in text and not query):
        raise Oid4vciMessageMalformed("the URL has a part that is not allowed here")
    return text


def insert_well_known(identifier: str, name: str) -> str:
    """Return the well-known URL of `identifier` by insertion before its path (RFC 8414 §3.1)."""
    parts = urlsplit(identifier)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.rstrip('/')}"


def text_member(value: Mapping[str, Any], name: str, *, max_characters: int) -> str:
    """Return a string member that must be there and not empty.

    Raises `Oid4vciMessageMalformed`.
    """
    text = value.get(name)
    if type(text) is not str or not 0 < len(text) <= max_characters:
        raise Oid4vciMessageMalformed(f"{name} is a string of 1 to {max_characters} characters")
    return text


def object_of(value: object, what: str) -> Mapping[str, Any]:
    """Return `value` if it is a JSON object. Raises `Oid4vciMessageMalformed`."""
    if type(value) is not dict:
        raise Oid4vciMessageMalformed(f"{what} is an object")
    return value


def list_of(value: object, what: str, *, max_items: int) -> list[Any]:
    """Return `value` if it is a JSON array of limited length. Raises `Oid4vciMessageMalformed`."""
    if type(value) is not list or len(value) > max_items:
        raise Oid4vciMessageMalformed(f"{what} is an array of at most {max_items} items")
    return value


def texts_of(value: object, what: str, *, max_items: int, max_characters: int) -> tuple[str, ...]:
    """Return an array of strings. Raises `Oid4vciMessageMalformed`."""
    items = list_of(value, what, max_items=max_items)
    for item in items:
        if type(item) is not str or not 0 < len(item) <= max_characters:
            raise Oid4vciMessageMalformed(f"{what} holds strings of limited length")
    return tuple(items)
