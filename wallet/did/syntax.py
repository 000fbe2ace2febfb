"""DIDs and DID URLs (DID Core §3)."""

import re
from dataclasses import dataclass
from typing import Final

from wallet.errors import MalformedError, UnsupportedError

MAX_DID_CHARACTERS: Final = 2048
_DID: Final = re.compile(r"did:([a-z0-9]{1,32}):((?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2}|:)*"
                         r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2}))\Z")  # fmt: skip


class DidMalformed(MalformedError):
    """Not a DID or DID URL, or not one of its method."""

    code = "did_malformed"


class UnsupportedDidMethod(UnsupportedError):
    """A DID method that is not implemented."""

    code = "unsupported_did_method"


@dataclass(frozen=True, slots=True)
class Did:
    """A DID: `did:method:identifier`, without path, query or fragment."""

    method: str
    identifier: str

    def __str__(self) -> str:
        return f"did:{self.method}:{self.identifier}"


@dataclass(frozen=True, slots=True)
class DidUrl:
    """A DID with a fragment: the name of a verification method."""

    did: Did
    fragment: str

    def __str__(self) -> str:
        return f"{self.did}#{self.fragment}"


def parse_did(text: object) -> Did:
    """Return the DID that `text` spells. Raises `DidMalformed`."""
    if type(text) is not str or len(text) > MAX_DID_CHARACTERS:
        raise DidMalformed("a DID is a string of limited length")
    match = _DID.match(text)
    if match is None:
        raise DidMalformed("expected did:method:identifier")
    return Did(match[1], match[2])


def parse_did_url(text: object) -> DidUrl:
    """Return the DID URL of a verification method, `did#fragment`. Raises `DidMalformed`.

    Paths, queries and parameters are refused: nothing here dereferences them.
    """
    if type(text) is not str:
        raise DidMalformed("a DID URL is a string")
    did, separator, fragment = text.partition("#")
    if not separator or not fragment or "#" in fragment or len(fragment) > MAX_DID_CHARACTERS:
        raise DidMalformed("expected did:method:identifier#fragment")
    return DidUrl(parse_did(did), fragment)
