"""The day a phone was lost, as `make demo-phone` tells it: two processes, and a real stack."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from seoul_wallet.demo.phones import PhoneProcess, run_phone_demo
from seoul_wallet.demo.scene import DemoFailed

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(180)]


def test_the_story_of_two_phones_ends_well(tmp_path: Path) -> None:
    text = io.StringIO()
    assert run_phone_demo(Console(file=text, width=160), tmp_path), text.getvalue()
    told = text.getvalue()
    assert "✗" not in told
    assert re.search(r"[0-9.]+ s after the report; at most [0-9.]+ s", told)
    # Each phone has a folder of its own, and no word of the phrase is in any file of theirs.
    words = (tmp_path / "paper").read_text("utf-8").split()
    for name in ("old-phone", "new-phone"):
        images = [path.read_bytes() for path in (tmp_path / name).iterdir()]
        assert images
        assert not any(" ".join(words[:2]).encode() in image for image in images)


def test_a_phone_that_ends_in_the_middle_is_noticed(tmp_path: Path) -> None:
    with PhoneProcess(tmp_path / "phone") as phone:
        with pytest.raises(DemoFailed):
            phone.do("present", link="openid4vp://?")
        with pytest.raises(DemoFailed, match="ended"):
            phone.do("no such thing")
