"""What both kinds of status list share: one compressed stream of limited size."""

from __future__ import annotations

import zlib
from typing import Final

from wallet.errors import MalformedError

MAX_LIST_BYTES: Final = 16 * 1024 * 1024
ZLIB_WINDOW: Final = zlib.MAX_WBITS
GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_STEP_BYTES: Final = 1024 * 1024


class StatusListMalformed(MalformedError):
    """The list is not one compressed stream of the stated kind, or it is too large."""

    code = "status_list_malformed"


def inflate_list(compressed: bytes, window: int) -> bytes:
    """Return the bytes of exactly one complete stream, at most `MAX_LIST_BYTES` of them.

    `window` is `ZLIB_WINDOW` or `GZIP_WINDOW`. Raises `StatusListMalformed`.
    """
    inflater = zlib.decompressobj(window)
    chunks: list[bytes] = []
    size = 0
    pending = compressed
    try:
        while not inflater.eof:
            chunk = inflater.decompress(pending, _STEP_BYTES)
            size += len(chunk)
            if size > MAX_LIST_BYTES:
                raise StatusListMalformed(f"the list inflates beyond {MAX_LIST_BYTES} bytes")
            chunks.append(chunk)
            pending = inflater.unconsumed_tail
            if not chunk and not pending and not inflater.eof:
                raise StatusListMalformed("the compressed list is cut off")
    except zlib.error:
        raise StatusListMalformed("the list is not a stream of its compression") from None
    if inflater.unused_data:
        raise StatusListMalformed("bytes follow the compressed list")
    return b"".join(chunks)
