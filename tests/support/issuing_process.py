"""An issuer in a process of its own that is killed in the middle of issuing.

`python -m tests.support.issuing_process FOLDER STEP TOKEN` asks for a credential with TOKEN and
kills itself, with SIGKILL, once STEP is reached: one of `IssuanceStep`, or COMMITTED, when all is
on disk and the answer has not left.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from issuer.issuing import IssuanceStep
from tests.support.issuing import issuer_world

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

COMMITTED: Final = "committed"


class _DiesBeforeAnswering:
    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        self._app(environ, start_response)
        os.kill(os.getpid(), signal.SIGKILL)


def ask_and_die(folder: Path, fatal: str, token: str) -> None:
    """Ask for a credential and die at `fatal`; print the answer if that never happens."""

    def after_step(step: IssuanceStep) -> None:
        if step.value == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    world = issuer_world(folder, after_step=after_step)

    proof = world.proof()
    if fatal == COMMITTED:
        world.client.application.wsgi_app = _DiesBeforeAnswering(  # type: ignore[method-assign]
            world.client.application.wsgi_app
        )
    answer = world.request_credential(token, proof)
    sys.stdout.write(f"{answer.status_code} {answer.text}\n")


if __name__ == "__main__":
    ask_and_die(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
