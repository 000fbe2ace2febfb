"""Frames as pictures in a folder: written by segno, read by another library."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from seoul_wallet.files import FileUnusable
from seoul_wallet.frame_pictures import (
    MAX_FILE_BYTES,
    PictureUnreadable,
    read_pictures,
    show_in_terminal,
    write_pictures,
)
from wallet.protocols.frames import (
    FrameMalformed,
    FramesMissing,
    FramesOfAnotherMessage,
    make_frames,
    read_frames,
)

MESSAGE = bytes(range(256)) * 4


def test_pictures_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_pictures(make_frames(MESSAGE), tmp_path / "shown")
    assert read_frames(read_pictures(tmp_path / "shown")) == MESSAGE


def test_pictures_turned_and_scaled_by_a_camera_are_read(tmp_path: Path) -> None:
    write_pictures(make_frames(MESSAGE), tmp_path)
    for number, path in enumerate(sorted(tmp_path.glob("*.png"))):
        with PIL.Image.open(path) as picture:
            seen = picture.convert("L").rotate(7 * (number + 1), expand=True, fillcolor=255)
            seen.resize((seen.width * 3 // 4, seen.height * 3 // 4)).save(path)
    assert read_frames(read_pictures(tmp_path)) == MESSAGE


def test_frames_are_given_as_text_too(tmp_path: Path) -> None:
    for number, text in enumerate(make_frames(MESSAGE)):
        (tmp_path / f"{number}.txt").write_text(text + "\n")
    assert read_frames(read_pictures(tmp_path)) == MESSAGE


def test_says_what_is_missing_of_a_loop(tmp_path: Path) -> None:
    write_pictures(make_frames(MESSAGE), tmp_path)
    (tmp_path / "frame-001.png").unlink()
    with pytest.raises(FramesMissing) as caught:
        read_frames(read_pictures(tmp_path))
    assert caught.value.missing == (1,)


def test_writes_into_an_empty_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "frame-009.png").write_bytes(b"of another message")
    with pytest.raises(FileUnusable):
        write_pictures(make_frames(MESSAGE), tmp_path)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", bytes(MAX_FILE_BYTES + 1)])
def test_refuses_what_is_no_picture_of_a_code(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "frame.png").write_bytes(data)
    with pytest.raises(PictureUnreadable):
        read_pictures(tmp_path)


def test_refuses_codes_that_are_no_frames_and_frames_of_two_messages(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("https://seoul.example/menu")
    with pytest.raises(FrameMalformed):
        read_pictures(tmp_path)
    (tmp_path / "1.txt").write_text(make_frames(MESSAGE)[0])
    (tmp_path / "2.txt").write_text(make_frames(MESSAGE[1:])[1])
    with pytest.raises(FramesOfAnotherMessage):
        read_pictures(tmp_path)


def test_shows_frames_in_the_terminal_for_as_long_as_it_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_in_terminal(make_frames(b"short"), seconds=0.01)
    assert "1/1" in capsys.readouterr().out
