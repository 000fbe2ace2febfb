"""An issuer in a process of its own that is killed in the middle of issuing.

`python -m tests.support.issuing_process FOLDER STEP TOKEN` asks for a credential with TOKEN and
kills itself, with SIGKILL, once STEP is reached.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from issuer.issuing import IssuanceStep
from tests.support.issuing import issuer_world


def ask_and_die(folder: Path, fatal: IssuanceStep, token: str) -> None:
    """Ask for a credential and die at `fatal`; print the answer if that never happens."""

    def after_step(step: IssuanceStep) -> None:
        if step is fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    world = issuer_world(folder, after_step=after_step)
    answer = world.request_credential(token, world.proof())
    sys.stdout.write(f"{answer.status_code} {answer.text}\n")


if __name__ == "__main__":
    ask_and_die(Path(sys.argv[1]), IssuanceStep(sys.argv[2]), sys.argv[3])
