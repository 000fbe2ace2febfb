"""The long runs: every count is set and described, and the kept output names no machine."""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tools import soak

README = soak.KEPT / "README.md"


def _counts_in_tests() -> set[str]:
    texts = (path.read_text("utf-8") for path in (soak.ROOT / "tests").rglob("*.py"))
    return {name for text in texts for name in re.findall(r'environ.*?"(SOAK_[A-Z_]+)"', text)}


def test_every_count_that_a_test_reads_is_set_and_described() -> None:
    names = _counts_in_tests()
    assert names
    assert names == set(soak.COUNTS), (
        "add it to COUNTS in tools/soak.py and to docs/soak/README.md"
    )
    assert names == set(re.findall(r"^\| `(SOAK_[A-Z_]+)`", README.read_text("utf-8"), re.M))


def test_a_count_in_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOAK_KILLS", raising=False)
    assert soak.environment()["SOAK_KILLS"] == soak.COUNTS["SOAK_KILLS"]
    monkeypatch.setenv("SOAK_KILLS", "7")
    assert soak.environment()["SOAK_KILLS"] == "7"


def test_kept_lines_name_no_folder_of_this_machine() -> None:
    line = f"rootdir: {soak.ROOT}\n"
    assert soak.without_machine(line) == "rootdir: .\n"


def test_a_second_run_of_the_same_commit_does_not_overwrite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "KEPT", tmp_path)
    first = soak.kept_path(date(2026, 1, 2), "abc", "trial")
    assert first.name == "2026-01-02-abc-trial.txt"
    first.touch()
    assert soak.kept_path(date(2026, 1, 2), "abc", "trial").name == "2026-01-02-abc-trial-2.txt"


def test_refuses_a_name_that_leads_elsewhere() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.soak", "--issue-name", "../x"],
        cwd=soak.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "a name is lower-case" in done.stderr
