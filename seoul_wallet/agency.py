"""What the agency's commands share: the query as it was named, and the sessions that it opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from seoul_wallet.stack_file import StackNotRunning, read_private, write_private
from wallet.encoding.json import JsonMalformed, JsonObject, parse_json
from wallet.errors import ConflictError, MalformedError

SESSIONS: Final = "verifier-sessions"


class SessionNotKept(ConflictError):
    """No request with this session was opened from here, with the stack that runs now."""

    code = "session_not_kept"


class FileUnreadable(MalformedError):
    """A file that the command line names cannot be read."""

    code = "file_unreadable"


def asked_query(query: str) -> JsonObject:
    """Return the part of a request that says what is asked: a configured name, or a JSON file.

    Raises `FileUnreadable`, `JsonMalformed`.
    """
    path = Path(query)
    return {"dcql_query": read_json(path)} if path.suffix == ".json" else {"query": query}


def keep_session(stack: JsonObject, opened: JsonObject) -> None:
    """Write down how the result of a request is collected, for this user alone."""
    kept = {"result_uri": opened["result_uri"], "result_token": opened["result_token"]}
    write_private(_session_file(stack, opened["request_id"]), kept)


def kept_session(stack: JsonObject, session: str) -> JsonObject:
    """Return what was written down. Raises `SessionNotKept`."""
    try:
        return read_private(_session_file(stack, session))
    except StackNotRunning:
        raise SessionNotKept("no request of the stack that runs has this session") from None


def read_json(path: Path) -> Any:
    """Return the value in a JSON file. Raises `FileUnreadable`, `JsonMalformed`."""
    try:
        return parse_json(path.read_bytes())
    except OSError:
        raise FileUnreadable(f"{path.name} cannot be read") from None
    except JsonMalformed as error:
        raise JsonMalformed(f"{path.name}: {error}") from None


def _session_file(stack: JsonObject, session: str) -> Path:
    name = "".join(c for c in session if c.isalnum() or c in "-_")
    return Path(stack["tokens"]).parent / SESSIONS / f"{name}.json"
