"""Files that commands read and write."""

from __future__ import annotations

from pathlib import Path

from wallet.errors import MalformedError


class FileUnusable(MalformedError):
    """A file that an option names cannot be read or written, or is there already."""

    code = "file_unusable"


def read_file(path: Path) -> bytes:
    """Return a file's bytes. Raises `FileUnusable`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnusable(f"{path.name} cannot be read: {error.strerror}") from None


def write_new_file(path: Path, data: bytes) -> None:
    """Write a file that is not there yet. Raises `FileUnusable`."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise FileUnusable(f"{path.name} cannot be written: {error.strerror}") from None
