"""Messages cut into frames, and put together from whatever a camera saw."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.errors import ConflictError, MalformedError
from wallet.protocols.frames import (
    MAX_FRAMES,
    MAX_FRAMES_READ,
    MAX_MESSAGE_BYTES,
    FrameMalformed,
    FrameReader,
    FramesMissing,
    FramesOfAnotherMessage,
    make_frames,
    parse_frame,
    read_frames,
)

MESSAGE = bytes(range(256)) * 8
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def of(number: int, total: int, data: str = "ME") -> str:
    return f"SW1/{number}/{total}/{'A' * 52}/{data}"


@settings(max_examples=50)
@given(
    message=st.binary(min_size=1, max_size=3000),
    frame_bytes=st.integers(16, 600),
    data=st.data(),
)
def test_any_order_and_any_repetition_gives_the_message(
    message: bytes, frame_bytes: int, data: st.DataObject
) -> None:
    frames = make_frames(message, frame_bytes=frame_bytes)
    seen = data.draw(st.permutations(list(frames) + data.draw(st.lists(st.sampled_from(frames)))))
    assert read_frames(seen) == message
    assert all(set(text) <= ALPHANUMERIC for text in frames)


def test_a_loop_that_is_joined_late_and_loses_frames_comes_to_its_end() -> None:
    frames = make_frames(MESSAGE, frame_bytes=100)
    reader = FrameReader()
    for turn in range(3):
        for at, text in enumerate(frames):
            if (at + turn) % 3:
                reader.add(text)
    assert reader.is_complete
    assert reader.message() == MESSAGE


def test_tells_which_frames_are_missing() -> None:
    frames = make_frames(MESSAGE, frame_bytes=1000)
    reader = FrameReader()
    reader.add(frames[1])
    assert reader.missing == (1, 3)
    with pytest.raises(FramesMissing) as caught:
        reader.message()
    assert caught.value.missing == (1, 3)
    with pytest.raises(FramesMissing):
        read_frames([])


def test_refuses_a_frame_of_another_message_and_keeps_what_it_has() -> None:
    frames, other = make_frames(MESSAGE, frame_bytes=1000), make_frames(b"another message")
    reader = FrameReader()
    reader.add(frames[0])
    with pytest.raises(FramesOfAnotherMessage):
        reader.add(other[0])
    for text in frames[1:]:
        reader.add(text)
    assert reader.message() == MESSAGE


def test_refuses_frames_that_contradict_each_other() -> None:
    reader = FrameReader()
    reader.add(of(1, 2))
    with pytest.raises(FrameMalformed):
        reader.add(of(1, 2, "MI"))
    with pytest.raises(FrameMalformed):
        reader.add(of(2, 3))


def test_refuses_a_message_that_is_not_the_one_its_frames_name() -> None:
    with pytest.raises(FrameMalformed):
        read_frames([of(1, 1)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://seoul.example",
        of(0, 1),
        of(2, 1),
        of(1, MAX_FRAMES + 1),
        of(1, 1, ""),
        of(1, 1, "M"),
        of(1, 1, "MF"),
        of(1, 1, "me"),
        of(1, 1, "A" * 1640),
        of(1, 1, "A" * 4000),
        of(1, 1) + "\n",
        "SW2" + of(1, 1)[3:],
        "SW1/１/1/" + of(1, 1).partition("/1/1/")[2],
    ],
)
def test_refuses_what_is_no_frame(text: str) -> None:
    with pytest.raises(FrameMalformed):
        parse_frame(text)


@pytest.mark.parametrize("message", [b"", bytes(MAX_MESSAGE_BYTES + 1)])
def test_refuses_messages_of_no_or_too_great_length(message: bytes) -> None:
    with pytest.raises(FrameMalformed):
        make_frames(message)


def test_refuses_a_message_that_needs_too_many_frames() -> None:
    with pytest.raises(FrameMalformed):
        make_frames(bytes(MAX_MESSAGE_BYTES), frame_bytes=16)


def test_gives_up_on_a_loop_that_never_ends() -> None:
    reader = FrameReader()
    first = make_frames(MESSAGE)[0]
    for _ in range(MAX_FRAMES_READ):
        reader.add(first)
    with pytest.raises(FrameMalformed):
        reader.add(first)


FRAMES = st.builds(of, st.integers(0, 9), st.just(3))


@settings(max_examples=100)
@given(texts=st.lists(st.one_of(st.text(max_size=80), FRAMES), max_size=5))
def test_fails_only_with_typed_errors(texts: list[str]) -> None:
    with pytest.raises((MalformedError, ConflictError)):
        read_frames(texts)
