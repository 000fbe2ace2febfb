"""JSON Canonicalization Scheme (RFC 8785)."""

from typing import Any

import rfc8785

from wallet.errors import MalformedError


class NotCanonicalizable(MalformedError):
    """The value has no canonical form: an integer beyond 2^53, a lone surrogate, NaN."""

    code = "not_canonicalizable"


def canonicalize(value: Any) -> bytes:
    """Return the canonical UTF-8 bytes of a JSON value. Raises `NotCanonicalizable`."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise NotCanonicalizable("the value has no canonical JSON form") from error
