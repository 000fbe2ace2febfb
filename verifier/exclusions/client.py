"""An agency's way to the register of exclusion groups, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from verifier.claims.counting import GroupLink, RegisterUnavailable
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import SeoulWalletError

MAX_ANSWER_BYTES: Final = 4 * 1024


class RegisterAnswer(Protocol):
    """What came back."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> bytes:
        """The body, bounded by the client."""


class RegisterTransport(Protocol):
    """Sends a request; what it raises are typed errors."""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None, body: bytes | None
    ) -> RegisterAnswer:
        """Return the answer of one request."""


class HttpExclusionRegister:
    """`verifier.claims.counting.ExclusionRegister` at `base_url`, with this agency's token."""

    def __init__(self, transport: RegisterTransport, base_url: str, token: str) -> None:
        self._transport = transport
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def claim(self, claim_id: str, group: str, link: GroupLink) -> bool:
        """See `ExclusionRegister.claim`."""
        told = {
            "digest": base64url.encode(link.digest),
            "answer": base64url.encode(link.answer.octets),
            "sealed": link.sealed,
        }
        status, answer = self._send("PUT", group, claim_id, told)
        free = answer.get("free")
        if status != 200 or type(free) is not bool:
            raise RegisterUnavailable(f"the register answered with status {status}")
        return free

    def release(self, claim_id: str, group: str) -> None:
        """See `ExclusionRegister.release`."""
        status, _ = self._send("DELETE", group, claim_id, None)
        if status != 204:
            raise RegisterUnavailable(f"the register answered with status {status}")

    def _send(
        self, method: str, group: str, claim_id: str, told: JsonObject | None
    ) -> tuple[int, JsonObject]:
        url = f"{self._base_url}/v1/exclusion-groups/{group}/claims/{claim_id}"
        body = None if told is None else to_json(told)
        try:
            answer = self._transport.request(method, url, headers=self._headers, body=body)
            if not answer.body:
                return answer.status, {}
            return answer.status, parse_json_object(answer.body, max_bytes=MAX_ANSWER_BYTES)
        except SeoulWalletError as error:
            raise RegisterUnavailable("the register gave no answer") from error
