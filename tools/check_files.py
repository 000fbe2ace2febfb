"""Looks at single files before a commit: `python -m tools.check_files FILE...`.

A text ends with one line feed and has no carriage returns; TOML, YAML and JSON parse; no file is
large; none holds a private key. Prints one line per fault and exits with 1 if there is any.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import yaml

MAX_BYTES: Final = 512 * 1024
# In two halves, so that this file does not hold what it looks for.
PRIVATE_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE" + rb" KEY")
PARSERS: Final[Mapping[str, Callable[[str], object]]] = {
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}


def faults(path: Path) -> list[str]:
    """Return what is wrong with a file, one line each."""
    data = path.read_bytes()
    found = []
    if len(data) > MAX_BYTES:
        found.append(f"{path}: larger than {MAX_BYTES} bytes")
    if PRIVATE_KEY.search(data):
        found.append(f"{path}: holds a private key")
    if b"\0" in data:
        return found
    if b"\r" in data:
        found.append(f"{path}: has carriage returns")
    if data and (not data.endswith(b"\n") or data.endswith(b"\n\n")):
        found.append(f"{path}: does not end with exactly one line feed")
    try:
        PARSERS.get(path.suffix, str)(data.decode("utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        found.append(f"{path}: {type(error).__name__}: {str(error).splitlines()[0]}")
    return found


def main() -> int:
    """Check the files named on the command line; return the exit status."""
    found = [fault for name in sys.argv[1:] for fault in faults(Path(name))]
    print("".join(f"{fault}\n" for fault in found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
