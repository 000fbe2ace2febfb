"""What the documents say is there: links, tests named, code blocks, commands."""

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

from mvote_verify.cli import arguments as verifier_arguments
from seoul_wallet.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
# Also in an item of a list, where it is indented.
FENCE = re.compile(
    r"^(?P<indent> *)(?P<mark>```+)(?P<language>[\w-]*)[^\n]*\n"
    r"(?P<body>.*?)^(?P=indent)(?P=mark)$",
    re.M | re.S,
)
INLINE = re.compile(r"(?<!`)`((?:seoul-wallet|mvote-verify)\s[^`]+)`(?!`)")
LINK = re.compile(r"\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.M)
TEST_NAME = re.compile(r"\btest_[a-z0-9_]{4,}\b(?!\.py)")
SHELL = ("sh", "shell", "console", "bash")


def _documents() -> list[Path]:
    top = [path for path in ROOT.glob("*.md") if path.is_file()]
    return sorted(top + [path for path in (ROOT / "docs").rglob("*.md") if path.is_file()])


def _prose(text: str) -> str:
    return FENCE.sub("", text)


def _anchors(path: Path) -> set[str]:
    headings = HEADING.findall(_prose(path.read_text("utf-8")))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def broken_links(path: Path) -> list[str]:
    """Return the relative links of a document that lead nowhere."""
    broken = []
    for link in LINK.finditer(_prose(path.read_text("utf-8"))):
        target = link["target"]
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        leads_to = (path.parent / name).resolve() if name else path
        is_markdown = leads_to.suffix == ".md" and leads_to.is_file()
        if not leads_to.exists() or (anchor and is_markdown and anchor not in _anchors(leads_to)):
            broken.append(target)
    return broken


def blocks(path: Path, *languages: str) -> list[str]:
    """Return the code blocks of a document in these languages, in order."""
    found = FENCE.finditer(path.read_text("utf-8"))
    return [textwrap.dedent(match["body"]) for match in found if match["language"] in languages]


def commands(path: Path) -> list[str]:
    """Return the command lines of a document's shell blocks, without prompts and output."""
    lines = []
    for match in FENCE.finditer(path.read_text("utf-8")):
        if match["language"] not in SHELL:
            continue
        body = textwrap.dedent(match["body"]).replace("\\\n", " ").splitlines()
        prompted = any(line.startswith("$ ") for line in body)
        lines += [
            line.removeprefix("$ ").partition(" #")[0].strip()
            for line in body
            if line.startswith("$ ") or not prompted
        ]
    return [line for line in lines if line and not line.startswith("#")]


def _words_after(line: str, program: str) -> list[str] | None:
    words = shlex.split(line)
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    if not words or words[0].rpartition("/")[2] != program:
        return None
    return words[1:]


def inline_commands(path: Path) -> list[str]:
    """Return the commands that stand in the sentences of a document."""
    found = INLINE.findall(_prose(path.read_text("utf-8")))
    # Three dots stand for whatever else is said.
    lines = (" ".join(command.split()) for command in found)
    return [line for line in lines if "…" not in line and "..." not in line]


def missing_target(line: str) -> str | None:
    """Return what a `make` line names and the Makefile does not have, or None."""
    words = _words_after(line, "make")
    if words is None:
        return None
    targets = [word for word in words if re.match(r"[a-z][a-z0-9-]*$", word)]
    done = subprocess.run(
        [shutil.which("make") or "make", "-n", *targets],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return None if done.returncode == 0 else done.stderr.strip()


def missing_command(line: str) -> str | None:
    """Return the word of a `seoul-wallet` line that is no command or option, or None."""
    words = _words_after(line, "seoul-wallet")
    if words is None:
        return None
    command: click.Command = main
    for position, word in enumerate(words):
        if not isinstance(command, click.Group) or word.startswith("-"):
            return _missing_option(command, words[position:])
        below = command.get_command(click.Context(command), word)
        if below is None:
            return word
        command = below
    return None


def missing_verifier_option(line: str) -> str | None:
    """Return the option of an `mvote-verify` line that it does not have, or None."""
    words = _words_after(line, "mvote-verify")
    if words is None:
        return None
    known = {name for action in verifier_arguments()._actions for name in action.option_strings}
    return next((word for word in words if word.startswith("--") and word not in known), None)


def _missing_option(command: click.Command, words: list[str]) -> str | None:
    with click.Context(command) as context:
        parameters = command.get_params(context)
    known = {
        name for parameter in parameters for name in [*parameter.opts, *parameter.secondary_opts]
    }
    named = [word.partition("=")[0] for word in words if word.startswith("--")]
    return next((name for name in named if name not in known), None)


def _ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", _documents(), ids=_ids)
def test_relative_links_lead_somewhere(path: Path) -> None:
    assert broken_links(path) == []


@pytest.mark.parametrize("path", _documents(), ids=_ids)
def test_every_test_that_is_named_exists(path: Path) -> None:
    sources = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("*.py"))
    defined = set(re.findall(r"def (test_\w+)", sources))
    named = set(TEST_NAME.findall(path.read_text("utf-8")))
    assert sorted(named - defined) == []


@pytest.mark.parametrize("path", _documents(), ids=_ids)
def test_python_blocks_run(path: Path) -> None:
    source = "\n".join(blocks(path, "python"))
    if not source:
        return
    # A fresh interpreter per file: blocks of one file share names, files do not.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _OFFLINE + source],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


_OFFLINE = """
import socket as _socket
def _refuse(*_args, **_named):
    raise AssertionError("a documented block opens a socket")
_socket.socket.connect = _socket.socket.connect_ex = _refuse
_socket.getaddrinfo = _refuse
"""


@pytest.mark.parametrize("path", _documents(), ids=_ids)
def test_commands_in_shell_blocks_exist(path: Path) -> None:
    lines = commands(path)
    assert [(line, missing_target(line)) for line in lines if missing_target(line)] == []
    lines += inline_commands(path)
    assert [(line, missing_command(line)) for line in lines if missing_command(line)] == []
    wrong = [line for line in lines if missing_verifier_option(line)]
    assert wrong == []


@pytest.mark.parametrize("path", _documents(), ids=_ids)
def test_a_help_text_in_a_document_is_the_real_one(path: Path) -> None:
    for body in blocks(path, "text", "console", ""):
        shown = re.search(r"^Usage: seoul-wallet ((?:[a-z-]+ )*)", body, re.M)
        if shown is None:
            continue
        command: click.Command = main
        info = "seoul-wallet"
        for word in shown[1].split():
            assert isinstance(command, click.Group)
            below = command.get_command(click.Context(command), word)
            assert below is not None
            command, info = below, f"{info} {word}"
        with click.Context(command, info_name=info, terminal_width=80) as context:
            assert command.get_help(context).strip() in body


def test_a_broken_link_a_wrong_anchor_and_a_wrong_command_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Here it is\n[a](missing.md) [b](page.md#nowhere) [c](#here-it-is) [d](https://e.test)\n"
        "```console\n$ make no-such-target  # why\nmake printed-by-it\n$ seoul-wallet nothing\n"
        "$ seoul-wallet demo --wrong 1\n$ seoul-wallet demo --seed 1\n$ FOO=1 make test\n```\n",
        "utf-8",
    )
    assert broken_links(page) == ["missing.md", "page.md#nowhere"]
    lines = commands(page)
    assert lines[0] == "make no-such-target"
    assert [missing_target(line) is not None for line in lines] == [True] + [False] * 4
    assert [missing_command(line) for line in lines] == [None, "nothing", "--wrong", None, None]
    page.write_text(
        "1. Do\n\n   ```sh\n   seoul-wallet demo --wrong 1\n   ```\n\n   and"
        " `mvote-verify X --wrong`,\n   `seoul-wallet\n   nothing`, `seoul-wallet …`.\n",
        "utf-8",
    )
    lines = commands(page) + inline_commands(page)
    assert [missing_command(line) for line in lines] == ["--wrong", None, "nothing"]
    assert [missing_verifier_option(line) for line in lines] == [None, "--wrong", None]


def test_blocks_of_one_file_share_their_names_and_a_socket_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 1\n```\ntext\n```python\nassert x == 1\n```\n", "utf-8")
    assert blocks(page, "python") == ["x = 1\n", "assert x == 1\n"]
    code = (
        _OFFLINE
        + "import urllib3\nurllib3.PoolManager(retries=False).request('GET', 'http://[::1]:9')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "a documented block opens a socket" in done.stderr
