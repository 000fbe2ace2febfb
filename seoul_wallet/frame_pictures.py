"""Frames as people's devices have them: pictures in a folder, or codes that follow one another in
the terminal."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
import segno

from seoul_wallet.files import FileUnusable
from wallet.errors import MalformedError, UnsupportedError
from wallet.protocols.frames import MAX_FRAMES_READ, FrameReader

FRAMES_A_SECOND: Final = 3
PICTURE_SCALE: Final = 4
MAX_FILE_BYTES: Final = 4 * 1024 * 1024


class PictureUnreadable(MalformedError):
    """A picture cannot be opened, is too large, or no code is found in it."""

    code = "picture_unreadable"


class DecoderMissing(UnsupportedError):
    """Codes in pictures are read by zxing-cpp, which is not installed: `seoul-wallet[camera]`."""

    code = "decoder_missing"


def write_pictures(frames: Sequence[str], folder: Path) -> None:
    """Write one PNG a frame into a new or empty folder. Raises `FileUnusable`."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileUnusable("frames are written into a folder of their own")
    for number, text in enumerate(frames, 1):
        part = folder / f".frame-{number:03}.part"
        with part.open("wb") as file:
            segno.make_qr(text, error="m").save(file, kind="png", scale=PICTURE_SCALE)
        # Whoever watches the folder sees a picture complete or not at all.
        part.rename(folder / f"frame-{number:03}.png")


def show_in_terminal(frames: Sequence[str], *, seconds: float) -> None:
    """Show the frames one after another, in a loop, for so long or until Ctrl-C."""
    ends_at = time.monotonic() + seconds
    try:
        while time.monotonic() < ends_at:
            for number, text in enumerate(frames, 1):
                picture = io.StringIO()
                segno.make_qr(text, error="l").terminal(out=picture, compact=True)
                click.clear()
                click.echo(f"{picture.getvalue()}{number}/{len(frames)}")
                time.sleep(1 / FRAMES_A_SECOND)
    except KeyboardInterrupt:
        click.echo()


def read_pictures(folder: Path) -> tuple[str, ...]:
    """Return the texts of the frames in a folder's pictures, until the message is complete.

    In the order of their names; a `.txt` file counts as the text of one code. Raises
    `PictureUnreadable`, `DecoderMissing`, and what `FrameReader.add` raises.
    """
    reader, texts = FrameReader(), []
    for path in sorted(folder.glob("*"))[:MAX_FRAMES_READ]:
        if path.suffix not in (".png", ".txt"):
            continue
        for text in _texts(path):
            texts.append(text)
            if reader.add(text):
                return tuple(texts)
    return tuple(texts)


def _texts(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        raise PictureUnreadable(f"{path.name} cannot be read") from None
    if len(data) > MAX_FILE_BYTES:
        raise PictureUnreadable(f"{path.name} is larger than {MAX_FILE_BYTES} bytes")
    if path.suffix == ".txt":
        yield data.decode("utf-8", "replace").strip()
        return
    found = _decode(data)
    if not found:
        raise PictureUnreadable(f"there is no code in {path.name}")
    yield from found


def _decode(data: bytes) -> list[str]:
    # Only who reads pictures needs them, and they are an extra.
    try:
        import PIL.Image
        import zxingcpp
    except ImportError:
        raise DecoderMissing("install the extra `camera`, or give frames as text") from None
    try:
        with PIL.Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            grey = picture.convert("L")
    except (OSError, ValueError, PIL.Image.DecompressionBombError):
        return []
    codes = zxingcpp.read_barcodes(
        grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
    return [code.text for code in codes]
