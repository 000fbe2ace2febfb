"""A message as frames: short texts for a row of QR codes, shown in a loop until all are read.

`SW1/<number>/<total>/<digest>/<data>` in the characters of QR's alphanumeric mode. Every frame
names the SHA-256 digest of the whole message, so frames may come in any order, more than once and
from somewhere in the middle of the loop, and those of another message are noticed. The digest is
against accidents: who made a message is said by the signature or the encryption inside it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from wallet.crypto.hashing import sha256
from wallet.errors import ConflictError, MalformedError

MAX_MESSAGE_BYTES: Final = 64 * 1024
FRAME_BYTES: Final = 400
MIN_FRAME_BYTES: Final = 16
MAX_FRAME_BYTES: Final = 1024
MAX_FRAMES: Final = 512
# What one reading of a loop may look at, repetitions and stray codes included.
MAX_FRAMES_READ: Final = 16 * MAX_FRAMES
MAX_FRAME_CHARACTERS: Final = 2048
_PREFIX: Final = "SW1"
_FRAME: Final = re.compile(r"SW1/([0-9]{1,3})/([0-9]{1,3})/([A-Z2-7]{52})/([A-Z2-7]+)\Z")


class FrameMalformed(MalformedError):
    """Not a frame of a message, or one that contradicts another of the same message."""

    code = "frame_malformed"


class FramesOfAnotherMessage(ConflictError):
    """A frame belongs to another message than the ones before it: read one loop at a time."""

    code = "frames_of_another_message"


class FramesMissing(ConflictError):
    """Not all frames were read yet. `missing` are their numbers, from 1."""

    code = "frames_missing"

    def __init__(self, missing: tuple[int, ...]) -> None:
        super().__init__(f"{len(missing) or 'all'} frames of the message were not read yet")
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Frame:
    """One part of a message. `number` counts from 1."""

    number: int
    total: int
    digest: bytes
    data: bytes = field(repr=False)

    def text(self) -> str:
        """Return the text of the frame's QR code."""
        digest, data = _base32(self.digest), _base32(self.data)
        return f"{_PREFIX}/{self.number}/{self.total}/{digest}/{data}"


def make_frames(message: bytes, *, frame_bytes: int = FRAME_BYTES) -> tuple[str, ...]:
    """Return the texts of a message's frames, each with up to `frame_bytes` of it.

    Raises `FrameMalformed` for a message that is empty, longer than `MAX_MESSAGE_BYTES`, or would
    need more than `MAX_FRAMES` frames.
    """
    if not MIN_FRAME_BYTES <= frame_bytes <= MAX_FRAME_BYTES:
        raise ValueError(f"a frame has {MIN_FRAME_BYTES} to {MAX_FRAME_BYTES} bytes")
    if not 0 < len(message) <= MAX_MESSAGE_BYTES:
        raise FrameMalformed(f"a message in frames has 1 to {MAX_MESSAGE_BYTES} bytes")
    parts = [message[at : at + frame_bytes] for at in range(0, len(message), frame_bytes)]
    if len(parts) > MAX_FRAMES:
        raise FrameMalformed(f"a message has at most {MAX_FRAMES} frames")
    digest = sha256(message)
    return tuple(
        Frame(number, len(parts), digest, part).text() for number, part in enumerate(parts, 1)
    )


def parse_frame(text: str) -> Frame:
    """Return the frame of a QR code's text. Raises `FrameMalformed`."""
    found = _FRAME.match(text) if len(text) <= MAX_FRAME_CHARACTERS else None
    if found is None:
        raise FrameMalformed("this code is no frame of a message")
    number, total = int(found[1]), int(found[2])
    if not 1 <= number <= total <= MAX_FRAMES:
        raise FrameMalformed("the number of a frame is beyond their total")
    data = _bytes(found[4])
    if len(data) > MAX_FRAME_BYTES:
        raise FrameMalformed(f"a frame has at most {MAX_FRAME_BYTES} bytes")
    return Frame(number, total, _bytes(found[3]), data)


class FrameReader:
    """Puts one message together from its frames, as they come."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}
        self._total = 0
        self._digest = b""
        self._read = 0

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the frames that were not read yet; empty before the first as well."""
        return tuple(at for at in range(1, self._total + 1) if at not in self._parts)

    @property
    def is_complete(self) -> bool:
        """Whether every frame was read."""
        return 0 < self._total == len(self._parts)

    def add(self, text: str) -> bool:
        """Take a frame; return whether the message is complete now. Repeated ones change nothing.

        Raises `FrameMalformed`, `FramesOfAnotherMessage`. What was read before is kept.
        """
        self._read += 1
        if self._read > MAX_FRAMES_READ:
            raise FrameMalformed(f"more than {MAX_FRAMES_READ} codes were read for one message")
        frame = parse_frame(text)
        if not self._total:
            self._total, self._digest = frame.total, frame.digest
        elif frame.digest != self._digest:
            raise FramesOfAnotherMessage("this frame belongs to another message")
        if frame.total != self._total or self._parts.get(frame.number, frame.data) != frame.data:
            raise FrameMalformed("two frames of one message contradict each other")
        if sum(map(len, self._parts.values())) + len(frame.data) > MAX_MESSAGE_BYTES + len(
            self._parts.get(frame.number, b"")
        ):
            raise FrameMalformed(f"a message in frames has at most {MAX_MESSAGE_BYTES} bytes")
        self._parts[frame.number] = frame.data
        return self.is_complete

    def message(self) -> bytes:
        """Return the message. Raises `FramesMissing`, `FrameMalformed`."""
        if not self.is_complete:
            raise FramesMissing(self.missing)
        message = b"".join(self._parts[number] for number in range(1, self._total + 1))
        if not hmac.compare_digest(sha256(message), self._digest):
            raise FrameMalformed("the frames do not add up to the message that they name")
        return message


def read_frames(texts: Iterable[str]) -> bytes:
    """Return the message of its frames, in whatever order.

    Raises `FrameMalformed`, `FramesOfAnotherMessage`, `FramesMissing`.
    """
    reader = FrameReader()
    for text in texts:
        reader.add(text)
    return reader.message()


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        data = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        raise FrameMalformed("the data of a frame is base32") from None
    if _base32(data) != text:
        raise FrameMalformed("the data of a frame is base32 in its one form")
    return data
