"""A second verifier process over the database of a desk: `python -m tests.support.verifier_twin`.

Reads lines of JSON, each a list of requests to send at once, and answers each with a line: the
status and body of every answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support.credentials import World
from tests.support.desk import Desk
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url

ROOT = Path(__file__).resolve().parents[2]
Request = dict[str, Any]
Answer = tuple[int, str]


def save_keys(desk: Desk) -> None:
    """Write the desk's issuer and holder keys, which a twin needs, beside its database."""
    keys = [desk.world.issuer_key, desk.world.holder_key]
    (desk.folder / "world.json").write_text(
        json.dumps([base64url.encode(key.secret()) for key in keys])
    )


def open_again(folder: Path, name: str) -> Desk:
    """Return another desk over the database and keys of the one in `folder`."""
    issuer, holder = (
        Es256SigningKey.from_secret(base64url.decode(text))
        for text in json.loads((folder / "world.json").read_text())
    )
    own = folder / name
    own.mkdir()
    changes = {
        "database_url": f"sqlite:///{folder / 'verifier.db'}",
        "signing_key_file": folder / "signing-key",
    }
    return Desk(own, changes, world=World(issuer_key=issuer, holder_key=holder))


def send_at_once(desk: Desk, requests: Sequence[Request]) -> list[Answer]:
    """Send every request in a thread of its own and return the answers in order."""

    def send(request: Request) -> Answer:
        answer = desk.verifier.app.test_client().open(**request)
        return answer.status_code, answer.get_data(as_text=True)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


class Twin:
    """The other process, over the same database."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.verifier_twin", str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._read() != "ready":
            raise AssertionError("the twin did not start")

    def _read(self) -> str:
        if self._process.stdout is None:
            raise AssertionError("the twin has an output")
        return self._process.stdout.readline().strip()

    def begin(self, requests: Sequence[Request]) -> None:
        """Let the twin send these requests at once."""
        if self._process.stdin is None:
            raise AssertionError("the twin has an input")
        self._process.stdin.write(json.dumps(list(requests)) + "\n")
        self._process.stdin.flush()

    def answers(self) -> list[Answer]:
        """Return what the twin got."""
        return [(status, body) for status, body in json.loads(self._read())]

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


def main(folder: Path) -> None:
    """Answer lines until there are no more."""
    desk = open_again(folder, "twin")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(send_at_once(desk, json.loads(line))) + "\n")
        sys.stdout.flush()
    desk.verifier.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
