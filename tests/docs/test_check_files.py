"""What the commit hook finds in single files."""

from pathlib import Path

import pytest
import yaml

from tools import check_files

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("a.md", b"no end", "exactly one line feed"),
        ("a.md", b"two ends\n\n", "exactly one line feed"),
        ("a.md", b"dos\r\n", "carriage returns"),
        ("a.py", b"\xff\n", "UnicodeDecodeError"),
        ("a.toml", b"a = \n", "TOMLDecodeError"),
        ("a.json", b"{\n", "JSONDecodeError"),
        ("a.yaml", b"a: [\n", "ParserError"),
        ("a.bin", b"\0" * (check_files.MAX_BYTES + 1), "larger than"),
        ("a.pem", b"-----BEGIN EC PRIVATE" + b" KEY-----\n", "private key"),
        ("a.bin", b"\0-----BEGIN PRIVATE" + b" KEY-----\n", "private key"),
    ],
)
def test_names_the_fault_of_a_file(tmp_path: Path, name: str, data: bytes, fault: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert fault in "\n".join(check_files.faults(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.md", b"text\n"),
        ("a.md", b""),
        ("a.toml", b"a = 1\n"),
        ("a.json", b"{}\n"),
        ("a.yaml", b"a: [1]\n"),
        ("a.bin", b"\0" * check_files.MAX_BYTES),
        ("a.pem", b"-----BEGIN PUBLIC KEY-----\n"),
    ],
)
def test_finds_nothing_in_a_good_file(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert check_files.faults(tmp_path / name) == []


def test_every_hook_is_local_so_that_nothing_is_fetched() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert all(".venv/bin/" in hook["entry"] for hook in hooks)
