"""Where webhooks go: a file of the operator, never a parameter of a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from wallet.encoding.json import parse_json_object
from wallet.errors import MalformedError
from wallet.protocols.client_id import check_url
from wallet.protocols.standard_webhooks import parse_webhook_secret

MAX_ENDPOINTS: Final = 16
MAX_SECRETS: Final = 2
MAX_FILE_BYTES: Final = 64 * 1024
MAX_NAME_CHARACTERS: Final = 64
_MEMBERS: Final = {"name", "url", "secret_files", "programmes"}


class WebhookFileMalformed(MalformedError):
    """The file of webhook endpoints is not of its form, or a secret's file cannot be read."""

    code = "webhook_file_malformed"


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """One receiver. `programmes` are the ids whose changes it gets, None for all; of two secrets
    both sign, so that one can be renewed."""

    name: str
    url: str
    secrets: tuple[bytes, ...] = field(repr=False)
    programmes: frozenset[str] | None = None

    def takes(self, programme: str) -> bool:
        """Tell whether changes of this programme go here."""
        return self.programmes is None or programme in self.programmes


def read_webhook_endpoints(path: Path, *, development: bool) -> tuple[WebhookEndpoint, ...]:
    """Return the endpoints of a file: `{"endpoints": [{name, url, secret_files, programmes?}]}`.

    Names of secret files are relative to the file. Raises `WebhookFileMalformed`,
    `WebhookSecretMalformed`, `ClientUrlMalformed`, `JsonMalformed`.
    """
    try:
        body = parse_json_object(path.read_bytes(), max_bytes=MAX_FILE_BYTES)
    except OSError:
        raise WebhookFileMalformed("the file of webhook endpoints cannot be read") from None
    listed = body.get("endpoints")
    if type(listed) is not list or len(listed) > MAX_ENDPOINTS or len(body) != 1:
        raise WebhookFileMalformed(f"expected endpoints, at most {MAX_ENDPOINTS}")
    endpoints = tuple(_endpoint(item, path.parent, development) for item in listed)
    if len({item.name for item in endpoints}) != len(endpoints):
        raise WebhookFileMalformed("two endpoints have one name")
    return endpoints


def _endpoint(item: Any, folder: Path, development: bool) -> WebhookEndpoint:
    if type(item) is not dict or not {"name", "url", "secret_files"} <= item.keys() <= _MEMBERS:
        raise WebhookFileMalformed("an endpoint has name, url, secret_files, perhaps programmes")
    name, files = item["name"], item["secret_files"]
    if type(name) is not str or not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise WebhookFileMalformed("name is a text of limited length")
    if type(files) is not list or not 0 < len(files) <= MAX_SECRETS:
        raise WebhookFileMalformed(f"secret_files is a list of 1 to {MAX_SECRETS}")
    programmes = item.get("programmes")
    if programmes is not None and type(programmes) is not list:
        raise WebhookFileMalformed("programmes is a list of ids")
    return WebhookEndpoint(
        name,
        check_url(item["url"], development=development),
        tuple(_secret(folder, file) for file in files),
        None if programmes is None else frozenset(map(str, programmes)),
    )


def _secret(folder: Path, name: object) -> bytes:
    if type(name) is not str:
        raise WebhookFileMalformed("a secret's file is named by a text")
    try:
        return parse_webhook_secret((folder / name).read_text("ascii"))
    except (OSError, UnicodeError):
        raise WebhookFileMalformed("the file of a webhook secret cannot be read") from None
