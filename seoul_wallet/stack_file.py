"""Where the command line finds the stack that `serve` started: a file for this user alone.

It names addresses and files, and no secret; the tokens are in a file of their own beside it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from wallet.adapters.http.fetch import GuardedClient
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError, UnavailableError

NAME: Final = "stack.json"
VARIABLE: Final = "SEOUL_WALLET_STACK"


class StackNotRunning(ConflictError):
    """No stack was started by this user, or its file cannot be read: run `make serve`."""

    code = "stack_not_running"


class StackAnsweredBadly(UnavailableError):
    """A service of the stack answered with an error; the message holds its code."""

    code = "stack_answered_badly"


def stack_file() -> Path:
    """Return the place of the file: SEOUL_WALLET_STACK, else the user's folder for programs."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else Path(click.get_app_dir("seoul-wallet")) / NAME


def write_private(path: Path, value: JsonObject) -> None:
    """Write a JSON file that its owner alone can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(to_json(value))


def read_stack() -> JsonObject:
    """Return what `serve` wrote. Raises `StackNotRunning`."""
    return read_private(stack_file())


def read_private(path: Path) -> JsonObject:
    """Return a JSON file of this user. Raises `StackNotRunning`."""
    try:
        return parse_json_object(path.read_bytes())
    except (OSError, MalformedError):
        raise StackNotRunning("there is no running stack, or not of this user") from None


def call(
    stack: JsonObject, method: str, url: str, *, bearer: str, body: JsonObject | None = None
) -> tuple[int, JsonObject]:
    """Send a request to a service of the stack; return status and body of a 2xx answer.

    Raises `StackAnsweredBadly`, `FetchFailed`.
    """
    client = GuardedClient(allow_loopback_http=True, ca_file=stack["trust_anchor"])
    headers = {"Authorization": f"Bearer {bearer}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        answer = client.request(
            method, url, headers=headers, body=None if body is None else to_json(body)
        )
    finally:
        client.close()
    value = parse_json_object(answer.body) if answer.body else {}
    if not 200 <= answer.status < 300:
        code, detail = value.get("code", ""), value.get("detail", "")
        raise StackAnsweredBadly(f"status {answer.status} {code}: {detail}")
    return answer.status, value
