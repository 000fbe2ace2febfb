"""What a wallet answered, in the clear, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from verifier.requests import answer_key
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.ports.sessions import SessionUnknown
from wallet.protocols.oid4vp_response import (
    AnyResponse,
    EncryptedResponse,
    ErrorResponse,
    PresentationResponse,
    decrypt_response,
)
from wallet.protocols.oid4vp_session import Fetched

# What a wallet may say instead of answering (OpenID4VP §8.5); any other word is `wallet_error`.
WALLET_ERRORS: Final = frozenset(
    (
        "access_denied", "invalid_request", "invalid_client", "invalid_transaction_data",
        "vp_formats_not_supported", "wallet_unavailable",
    )
)  # fmt: skip


class ResponseNotEncrypted(RejectedError):
    """The answer came in the clear although the request asked for an encrypted one."""

    code = "response_not_encrypted"


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer that was taken: where the holder's browser goes on, "" for nowhere, and the
    receipt of a decision, None unless the wallet named a key for it."""

    return_uri: str
    receipt: JsonObject | None


def open_response(
    session_id: str, session: Fetched, response: AnyResponse
) -> PresentationResponse | ErrorResponse:
    """Return the answer in the clear, if it came as the request asked. An error may come plain."""
    secret = session.key_secret
    if isinstance(response, EncryptedResponse):
        if secret is None:
            raise SessionUnknown("the session does not wait for an encrypted answer")
        return decrypt_response(response, answer_key(session_id, secret))
    if isinstance(response, PresentationResponse) and secret is not None:
        raise ResponseNotEncrypted("this request asks for an encrypted answer")
    return response
