"""Runs the long counts and keeps what they printed: `python -m tools.soak`, or `make soak`.

Selected are the tests marked `soak`, with the counts below, and every hypothesis test, with the
profile `soak`. A count given in the environment wins. Output is shown as it comes and kept in
docs/soak/<date>-<commit>.txt, with the paths of this machine taken out. The exit status is that of
pytest. Arguments after `--` go to pytest.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, TextIO

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = ROOT / "docs" / "soak"
COUNTS: Final[Mapping[str, str]] = {
    "SOAK_BALLOT_KILLS": "1000",
    "SOAK_BALLOT_RACES": "1000",
    "SOAK_BBS_REFERENCE": "1000",
    "SOAK_BULK_APPLICATIONS": "1000000",
    "SOAK_DEMO_NODES": "1",
    "SOAK_ECDSA_NONCES": "10000",
    "SOAK_FLIP_STRIDE": "1",
    "SOAK_KILLS": "1000",
    "SOAK_LEAVES": "1000000",
    "SOAK_LINKED_DATA": "50000",
    "SOAK_MUTATION_STRIDE": "1",
    "SOAK_ONE_TIME_ROUNDS": "1000",
    "SOAK_PABULIB_FILES": "5",
    "SOAK_PRESENTATION_ROUNDS": "1000",
    "SOAK_PUBLISHER_KILLS": "200",
    "SOAK_REISSUE_KILLS": "1000",
    "SOAK_REHEARSALS": "1",
    "SOAK_RESIDENTS": "100000",
    "SOAK_SEALED_RECORDS": "1000000",
    "SOAK_TRUSTEE_KILLS": "60",
}
PROFILE: Final = "soak"
SELECTION: Final = "soak or hypothesis"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")


def environment() -> dict[str, str]:
    """Return the environment of the run: ours, with the counts where it has none."""
    return {**COUNTS, **os.environ, "HYPOTHESIS_PROFILE": PROFILE, "PYTHONUNBUFFERED": "1"}


def kept_path(day: date, commit: str, name: str | None) -> Path:
    """Return where the output is kept; an earlier run of the same name gets a follower."""
    stem = "-".join(filter(None, [day.isoformat(), commit, name]))
    candidates = (
        KEPT / f"{stem}{number}.txt" for number in ("", *(f"-{n}" for n in range(2, 100)))
    )
    return next(path for path in candidates if not path.exists())


def without_machine(line: str) -> str:
    """Return a line of output without the folders of this machine."""
    folders = (ROOT, Path(sys.prefix).resolve(), Path.home(), Path(tempfile.gettempdir()))
    for folder, short in zip(folders, (".", ".venv", "~", "TMP"), strict=True):
        line = line.replace(str(folder), short)
    return line


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _head(command: list[str], commit: str, variables: Mapping[str, str]) -> Iterator[str]:
    counts = " ".join(f"{name}={variables[name]}" for name in COUNTS)
    changed = ", with uncommitted changes" if _git("status", "--porcelain") else ""
    yield f"commit   {commit}{changed}\n"
    yield f"command  {counts} HYPOTHESIS_PROFILE={PROFILE} python {shlex.join(command[1:])}\n"
    yield f"machine  {platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
    yield f"Python {platform.python_version()}\n\n"


def main() -> int:
    """Run, show and keep; return pytest's exit status."""
    parser = argparse.ArgumentParser(description="Run the long counts and keep their output.")
    parser.add_argument("--date", type=date.fromisoformat, help="day in the file name; else today")
    parser.add_argument("--issue-name", metavar="NAME", help="suffix of the file name")
    parser.add_argument("pytest", nargs="*", help="further arguments of pytest, after --")
    arguments = parser.parse_args()
    if arguments.issue_name is not None and not _NAME.match(arguments.issue_name):
        parser.error("a name is lower-case letters, digits and hyphens")
    commit = _git("rev-parse", "--short=10", "HEAD")
    path = kept_path(arguments.date or datetime.now(UTC).date(), commit, arguments.issue_name)
    command = [sys.executable, "-m", "pytest", "-m", SELECTION, "-v", "--timeout=0"]
    command += arguments.pytest
    variables = environment()
    # Before the file is there: it would be an uncommitted change itself.
    head = list(_head(command, commit, variables))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as kept:
        for line in head:
            _tell(kept, without_machine(line))
        began = time.monotonic()
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as run:
            for line in run.stdout or ():
                _tell(kept, without_machine(line))
        _tell(kept, f"\nexit status {run.returncode} after {time.monotonic() - began:.0f} s\n")
    print(f"kept in {path.relative_to(ROOT)}")
    return run.returncode


def _tell(kept: TextIO, line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()
    kept.write(line)
    kept.flush()


if __name__ == "__main__":
    raise SystemExit(main())
