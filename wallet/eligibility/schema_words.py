"""What the published schema refuses, in words that say what was expected there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from jsonschema.exceptions import ValidationError

MAX_QUOTED: Final = 60
QUOTE: Final = "a text with a comma, or with a colon and a space, needs quotation marks"
_TYPES: Final[Mapping[str, str]] = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
}


def in_words(error: ValidationError, name: str) -> str:
    """Return what is wrong with the part called `name`."""
    say = _WORDS.get(str(error.validator))
    return f"{name}: {error.message if say is None else say(error.validator_value, error)}"


def unknown_field(name: str, known: Mapping[str, object]) -> str:
    """Return that a field is not known, and what may have been meant."""
    said = f"unknown field {quoted(name)}"
    if not name.isidentifier() and " " in name.strip():
        return f"{said}: {QUOTE}"
    close = get_close_matches(name, known, 1)
    return f"{said}; did you mean {close[0]}?" if close else said


def close_to(name: str, known: Mapping[str, object]) -> str:
    """Return what may have been meant, or all that there is."""
    close = get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known) or 'none'}"


def quoted(text: str) -> str:
    """Return a text of the file, cut short."""
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"


def _type(expected: Any, error: ValidationError) -> str:
    found = error.instance
    wanted = _TYPES.get(str(expected), str(expected))
    if found is None:
        return f"expected {wanted}, found nothing"
    if expected == "string" and type(found) in (int, bool):
        return f'expected a text: put {str(found).lower()} in quotation marks, "…"'
    if expected == "integer" and type(found) is str:
        return f"expected a whole number of up to 15 digits, found {quoted(found)!r}"
    return f"expected {wanted}, found {quoted(repr(found))}"


def _required(names: Any, error: ValidationError) -> str:
    found: Any = error.instance
    lacking = [name for name in names if name not in found]
    return f"lacks {', '.join(lacking)}"


def _one(expected: Any, error: ValidationError) -> str:
    listed = expected if isinstance(expected, list) else [expected]
    found = quoted(str(error.instance))
    return f"expected {' or '.join(map(str, listed))}, found {found!r}"


def _pattern(expected: Any, error: ValidationError) -> str:
    return f"{quoted(str(error.instance))!r} is not of the form {expected}"


_WORDS: Final[Mapping[str, Callable[[Any, ValidationError], str]]] = {
    "type": _type,
    "required": _required,
    "enum": _one,
    "const": _one,
    "pattern": _pattern,
    "minimum": lambda limit, error: f"{error.instance} is less than {limit}",
    "maximum": lambda limit, error: f"{error.instance} is more than {limit}",
    "minItems": lambda limit, _: f"has less than {limit} members",
    "maxItems": lambda limit, _: f"has more than {limit} members",
    "minProperties": lambda limit, _: f"has less than {limit} members",
    "maxProperties": lambda limit, _: f"has more than {limit} members",
    "minLength": lambda *_: "is empty",
    "maxLength": lambda limit, _: f"is longer than {limit} characters",
}
