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


def make_folder(path: Path) -> None:
    """Make the folder that a private file will be in, for its owner alone.

    Raises `FileUnusable`.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnusable(f"the folder of {path.name} cannot be made: {error.strerror}") from None
