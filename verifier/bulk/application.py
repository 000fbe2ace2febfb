"""One application of a batch: a line of JSON of an agency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from wallet.crypto.hashing import sha256
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import ConflictError, MalformedError, RejectedError, UnavailableError

MAX_APPLICATION_BYTES: Final = 256 * 1024
MAX_ID_CHARACTERS: Final = 128
MAX_NAME_CHARACTERS: Final = 48
MAX_PRESENTATIONS: Final = 16
_MEMBERS: Final = {"id", "programme", "version", "presentations"}


class BulkChunkMalformed(MalformedError):
    """The chunk is not newline-delimited JSON, is empty, or has too many applications."""

    code = "bulk_chunk_malformed"


class ApplicationMalformed(MalformedError):
    """The line is no application: not JSON, too long, or members are missing or unknown."""

    code = "application_malformed"


class ApplicationRepeated(ConflictError):
    """An earlier application of the batch has this id."""

    code = "application_repeated"


class PresentationRepeated(RejectedError):
    """An earlier application of the batch was made with one of these presentations."""

    code = "presentation_repeated"


class ApplicationFault(UnavailableError):
    """The application met a fault of this service; it says nothing about the application."""

    code = "application_fault"


class ApplicationDigests(NamedTuple):
    """By what applications are told apart: that of the id, and those of the presentations."""

    of_id: bytes
    of_presentations: frozenset[bytes]

    @property
    def all(self) -> frozenset[bytes]:
        """All of them."""
        return self.of_presentations | {self.of_id}


@dataclass(frozen=True, slots=True)
class Application:
    """What an agency sent: its own id for it, a programme, and presentations by evidence id."""

    id: str
    programme: str
    version: str | None
    presentations: Mapping[str, str]

    def digests(self) -> ApplicationDigests:
        """Return what no other application of the batch may have."""
        texts = self.presentations.values()
        return ApplicationDigests(
            sha256(b"id:" + _octets(self.id)),
            frozenset(sha256(b"presentation:" + _octets(text)) for text in texts),
        )


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def split_chunk(body: bytes, max_applications: int) -> list[bytes]:
    """Return the lines of a chunk, which may end with a newline. Raises `BulkChunkMalformed`."""
    lines = body.removesuffix(b"\n").split(b"\n", max_applications)
    if len(lines) > max_applications:
        raise BulkChunkMalformed(f"a chunk has 1 to {max_applications} applications")
    if not all(line.strip() for line in lines):
        raise BulkChunkMalformed("every line is an application: none is empty")
    return lines


def parse_application(line: bytes) -> Application:
    """Return the application on a line. Raises `ApplicationMalformed`."""
    try:
        body = parse_json_object(line, max_bytes=MAX_APPLICATION_BYTES)
    except MalformedError as error:
        raise ApplicationMalformed(str(error)) from None
    if not body.keys() <= _MEMBERS:
        raise ApplicationMalformed("an application has " + ", ".join(sorted(_MEMBERS)))
    version = None
    if "version" in body:
        version = _text(body, "version", MAX_NAME_CHARACTERS)
    shown = body.get("presentations")
    if type(shown) is not dict or not len(shown) <= MAX_PRESENTATIONS:
        raise ApplicationMalformed(
            f"presentations is an object of up to {MAX_PRESENTATIONS}, by the evidence's id"
        )
    if not all(type(item) is str for item in shown.values()):
        raise ApplicationMalformed("a presentation is a string: a compact SD-JWT")
    return Application(
        _text(body, "id", MAX_ID_CHARACTERS),
        _text(body, "programme", MAX_NAME_CHARACTERS),
        version,
        shown,
    )


def _text(body: JsonObject, name: str, max_characters: int) -> str:
    value = body.get(name)
    if type(value) is not str or not 0 < len(value) <= max_characters:
        raise ApplicationMalformed(f"{name} is a text of 1 to {max_characters} characters")
    return value


def peek_application_id(line: bytes) -> str | None:
    """Return the id on a line that is no application, if it has one: for the answer alone."""
    try:
        value = parse_json_object(line, max_bytes=MAX_APPLICATION_BYTES).get("id")
    except MalformedError:
        return None
    return value if type(value) is str and 0 < len(value) <= MAX_ID_CHARACTERS else None
