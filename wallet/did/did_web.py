"""did:web: where its document is. Fetching it is a port's work (did:web Method Specification)."""

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from wallet.did.syntax import Did, DidMalformed, parse_did

MAX_PORT: Final = 65535
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?\Z")
_LAST_LABEL_IS_A_NUMBER: Final = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)(?::[0-9]+)?\Z")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]{1,255}\Z")


def did_web_document_url(did: Did, *, development: bool = False) -> str:
    """Return the https URL of a did:web's document.

    With `development` the host `localhost` is fetched over http; nothing else changes. IP
    addresses, user information and dot segments are refused. Raises `DidMalformed`.
    """
    if did.method != "web":
        raise DidMalformed("not a did:web")
    encoded_host, *path = did.identifier.split(":")
    host = unquote(encoded_host)
    port = host.rpartition(":")[2] if ":" in host else "443"
    if (
        not _HOST.match(host)
        or ".." in host
        or _LAST_LABEL_IS_A_NUMBER.search(host)
        or not 0 < int(port) <= MAX_PORT
    ):
        raise DidMalformed("a did:web names a DNS host, with an optional port as %3A")
    for segment in path:
        if not _SEGMENT.match(segment) or segment in (".", ".."):
            raise DidMalformed("a did:web path segment is plain text")
    name = host.partition(":")[0]
    scheme = "http" if development and name == "localhost" else "https"
    tail = "/".join([*path, "did.json"]) if path else ".well-known/did.json"
    return f"{scheme}://{host}/{tail}"


def did_web_of_url(url: str) -> str:
    """Return the did:web that goes with the base URL of a service, its path included.

    Raises `DidMalformed`.
    """
    parts = urlsplit(url)
    host = quote(parts.netloc, safe="")
    return str(parse_did(":".join(["did:web:" + host, *filter(None, parts.path.split("/"))])))
