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
from wallet.errors import ConflictError, MalformedError, RejectedError, UnavailableError

NAME: Final = "stack.json"
VARIABLE: Final = "SEOUL_WALLET_STACK"
_TEXTS: Final = ("issuer", "verifier", "tokens")


class StackNotRunning(ConflictError):
    """No stack was started by this user, or its file cannot be read: run `make serve`."""

    code = "stack_not_running"


class StackAnsweredBadly(UnavailableError):
    """A service of the stack answered with a fault; the message holds its code."""

    code = "stack_answered_badly"


class StackRequestMalformed(MalformedError):
    """A service of the stack cannot take what it was sent; the message begins with its code."""

    code = "stack_request_malformed"


class StackConflict(ConflictError):
    """What a service of the stack has does not go with it; the message begins with its code."""

    code = "stack_conflict"


class StackRefused(RejectedError):
    """A service of the stack refuses; the message begins with its code."""

    code = "stack_refused"


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
    stack = read_private(stack_file())
    if any(type(stack.get(name)) is not str for name in _TEXTS) or "trust_anchor" not in stack:
        raise StackNotRunning("the file of the stack is not one that `serve` wrote")
    return stack


def read_private(path: Path) -> JsonObject:
    """Return a JSON file of this user. Raises `StackNotRunning`."""
    try:
        return parse_json_object(path.read_bytes())
    except (OSError, MalformedError):
        raise StackNotRunning("there is no running stack, or not of this user") from None


def call(
    stack: JsonObject,
    method: str,
    url: str,
    *,
    bearer: str | None = None,
    body: JsonObject | None = None,
) -> tuple[int, JsonObject]:
    """Send a request to a service of the stack; return status and body of a 2xx answer.

    Raises `StackRequestMalformed` (400, 413, 415), `StackConflict` (404, 409, 410),
    `StackRefused` (any other 4xx), `StackAnsweredBadly`, `FetchFailed`.
    """
    client = GuardedClient(allow_loopback_http=True, ca_file=stack["trust_anchor"])
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
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
        told = f"{value.get('code', '')}: {value.get('detail', '')}"
        if answer.status in (400, 413, 415):
            raise StackRequestMalformed(told)
        if answer.status in (404, 409, 410):
            raise StackConflict(told)
        if 400 <= answer.status < 500:
            raise StackRefused(told)
        raise StackAnsweredBadly(f"status {answer.status} {told}")
    return answer.status, value
