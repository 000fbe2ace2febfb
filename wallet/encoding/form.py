"""Strict `application/x-www-form-urlencoded` (WHATWG URL §5): UTF-8, bounded."""

from typing import Final
from urllib.parse import parse_qsl

from wallet.errors import MalformedError

MAX_FORM_BYTES: Final = 64 * 1024
MAX_FORM_FIELDS: Final = 64


class FormMalformed(MalformedError):
    """Not a form in UTF-8, too large, or a parameter that must be single occurs twice."""

    code = "form_malformed"


def parse_form(
    data: bytes, *, max_bytes: int = MAX_FORM_BYTES, max_fields: int = MAX_FORM_FIELDS
) -> list[tuple[str, str]]:
    """Return the pairs of a form in their order, also those with an empty value.

    Raises `FormMalformed`.
    """
    if len(data) > max_bytes:
        raise FormMalformed(f"the form is longer than {max_bytes} bytes")
    try:
        return parse_qsl(
            data.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(data),
            errors="strict",
            max_num_fields=max_fields,
        )
    except ValueError:
        raise FormMalformed(f"expected at most {max_fields} form fields in UTF-8") from None


def single_values(pairs: list[tuple[str, str]], names: frozenset[str]) -> dict[str, str]:
    """Return the parameters called `names`; others are ignored (RFC 6749 §3.2).

    Raises `FormMalformed` when one of `names` occurs twice.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in names:
            if name in found:
                raise FormMalformed(f"{name} occurs twice")
            found[name] = value
    return found
