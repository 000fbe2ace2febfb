"""The kinds of values that members of credentials have, and their limits."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from wallet.encoding.json import MAX_JSON_DEPTH, JsonObject
from wallet.errors import MalformedError

MAX_URL_CHARACTERS: Final = 2048
MAX_DATA_URL_CHARACTERS: Final = 256 * 1024
MAX_TYPES: Final = 32
MAX_ENTRIES: Final = 64
MAX_VALUES: Final = 10_000
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}:[^\s\x00-\x20<>\"{}|\\^`\x7f]+\Z")
_DATE_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:(Z)|([+-])(\d\d):(\d\d))\Z",
    re.ASCII,
)


class CredentialMalformed(MalformedError):
    """A credential or presentation breaks the structure of its data model."""

    code = "credential_malformed"


def parse_url(value: object, name: str) -> str:
    """Return an absolute URL. Raises `CredentialMalformed`. Does not look at what it names."""
    if type(value) is not str or _URL.match(value) is None:
        raise CredentialMalformed(f"{name} is an absolute URL")
    limit = MAX_DATA_URL_CHARACTERS if value.startswith("data:") else MAX_URL_CHARACTERS
    if len(value) > limit:
        raise CredentialMalformed(f"{name} is longer than {limit} characters")
    return value


def parse_date_time(value: object, name: str) -> int:
    """Return the unix seconds of an XML Schema dateTimeStamp, fractions cut off.

    Raises `CredentialMalformed`, also for a time without offset.
    """
    match = _DATE_TIME.match(value) if type(value) is str else None
    if match is None:
        raise CredentialMalformed(f"{name} is a date and time with an offset")
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    zone = UTC
    try:
        if match[8]:
            hours, minutes = int(match[9]), int(match[10])
            if minutes > 59 or hours > 14:
                raise ValueError
            offset = timedelta(hours=hours, minutes=minutes)
            zone = timezone(-offset if match[8] == "-" else offset)
        return int(datetime(year, month, day, hour, minute, second, tzinfo=zone).timestamp())
    except (ValueError, OverflowError):
        raise CredentialMalformed(f"{name} is a date and time that exists") from None


def format_date_time(at: int) -> str:
    """Return unix seconds as a dateTimeStamp in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_types(value: object, required: str) -> tuple[str, ...]:
    """Return the types of an object, which include `required`. Raises `CredentialMalformed`."""
    types = value if type(value) is list else [value]
    if not 0 < len(types) <= MAX_TYPES or not all(type(each) is str and each for each in types):
        raise CredentialMalformed(f"type is 1 to {MAX_TYPES} strings")
    if required not in types:
        raise CredentialMalformed(f"type includes {required}")
    return tuple(types)


def parse_entries(document: JsonObject, name: str) -> tuple[JsonObject, ...]:
    """Return the objects of a member that holds one or several, none if it is absent.

    Raises `CredentialMalformed`.
    """
    if name not in document:
        return ()
    value = document[name]
    entries = value if type(value) is list else [value]
    if not 0 < len(entries) <= MAX_ENTRIES or not all(
        type(each) is dict and each for each in entries
    ):
        raise CredentialMalformed(f"{name} is one object, or 1 to {MAX_ENTRIES}")
    return tuple(entries)


def has_type(entry: JsonObject) -> bool:
    """Return whether an object states its type, as a string or a list of strings."""
    value = entry.get("type")
    types = value if type(value) is list else [value]
    return bool(types) and all(type(each) is str and each for each in types)


def parse_id_or_object(value: object, name: str) -> str:
    """Return the URL of a member that is a URL, or an object with `id`.

    Raises `CredentialMalformed`.
    """
    if type(value) is dict:
        return parse_url(value.get("id"), f"{name}.id")
    return parse_url(value, name)


def parse_contexts(document: JsonObject, first: dict[str, str]) -> str:
    """Return what `first` says of the first context, which must be there and be known to it.

    Raises `CredentialMalformed`. Whether the others are accepted is for the proof to decide.
    """
    contexts = document.get("@context")
    if type(contexts) is str:
        contexts = [contexts]
    if type(contexts) is not list or not 0 < len(contexts) <= MAX_ENTRIES:
        raise CredentialMalformed("@context is a list")
    version = first.get(contexts[0]) if type(contexts[0]) is str else None
    if version is None:
        raise CredentialMalformed("the first context is that of the data model")
    for context in contexts[1:]:
        if type(context) is not dict:
            parse_url(context, "@context")
    return version


def check_text(document: JsonObject, name: str) -> None:
    """Refuse a `name` or `description` that is neither text nor text with a language."""
    if name not in document:
        return
    value = document[name]
    for text in value if type(value) is list else [value]:
        if type(text) is dict:
            extra = text.keys() - {"@value", "@language", "@direction"}
            fits = text.get("@direction", "ltr") in ("ltr", "rtl")
            fits = fits and type(text.get("@language", "")) is str
            text = text.get("@value") if fits and not extra else None
        if type(text) is not str:
            raise CredentialMalformed(f"{name} is text, or text with a language")


def check_extent(document: JsonObject, *, inside: frozenset[str] = frozenset()) -> None:
    """Refuse a document with too many values, nested too deeply, or with a `proof` inside.

    A `proof` belongs to the whole document; only below the members in `inside` do other secured
    documents stand. Raises `CredentialMalformed`.
    """
    budget = MAX_VALUES
    stack: list[tuple[Any, int]] = [
        (value, 1) for name, value in document.items() if name != "proof" and name not in inside
    ]
    while stack:
        value, depth = stack.pop()
        budget -= 1
        if budget < 0 or depth > MAX_JSON_DEPTH:
            raise CredentialMalformed("too many values, or nested too deeply")
        if type(value) is dict:
            if "proof" in value:
                raise CredentialMalformed("a proof stands where none belongs")
            stack.extend((item, depth + 1) for item in value.values())
        elif type(value) is list:
            stack.extend((item, depth + 1) for item in value)
