"""Standard Webhooks 1.0.0: how a webhook is signed, so that its receiver knows sender and time.

Headers `webhook-id`, `webhook-timestamp` (unix seconds of this attempt) and `webhook-signature`:
`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, one for each secret, separated by spaces.
A secret is `whsec_` and base64 of 24 to 64 bytes.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from wallet.errors import MalformedError, RejectedError

SECRET_PREFIX: Final = "whsec_"  # noqa: S105
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64
TOLERANCE_S: Final = 300
MAX_BODY_BYTES: Final = 20 * 1024
MAX_ID_CHARACTERS: Final = 128
MAX_SIGNATURES: Final = 8
_VERSION: Final = "v1,"


class WebhookSecretMalformed(MalformedError):
    """Not a secret of Standard Webhooks: `whsec_` and base64 of 24 to 64 bytes."""

    code = "webhook_secret_malformed"


class WebhookMalformed(MalformedError):
    """The headers of a webhook are missing or not of their form."""

    code = "webhook_malformed"


class WebhookInvalid(RejectedError):
    """No secret at hand signed this webhook, or its time is too far from now."""

    code = "webhook_invalid"


def parse_webhook_secret(text: str) -> bytes:
    """Return the bytes of a secret. Raises `WebhookSecretMalformed`, without the secret."""
    encoded = text.strip().removeprefix(SECRET_PREFIX)
    try:
        secret = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise WebhookSecretMalformed("a secret is base64 after whsec_") from None
    if not MIN_SECRET_BYTES <= len(secret) <= MAX_SECRET_BYTES:
        limits = f"{MIN_SECRET_BYTES} to {MAX_SECRET_BYTES}"
        raise WebhookSecretMalformed(f"a secret has {limits} bytes")
    return secret


def webhook_headers(
    body: bytes, *, webhook_id: str, secrets: Sequence[bytes], now: int
) -> dict[str, str]:
    """Return the headers of one attempt. A receiver drops an id that it has seen."""
    signatures = (_signature(body, webhook_id, str(now), secret) for secret in secrets)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(signatures),
    }


def verify_webhook(
    body: bytes, headers: Mapping[str, str], secrets: Sequence[bytes], *, now: int
) -> str:
    """Return the id of a webhook that one of `secrets` signed at most `TOLERANCE_S` from `now`.

    The names of `headers` are in lower case. Whoever receives MUST drop an id that it has seen: a
    webhook is sent again until it was answered. Raises `WebhookMalformed`, `WebhookInvalid`.
    """
    webhook_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not 0 < len(webhook_id) <= MAX_ID_CHARACTERS or len(body) > MAX_BODY_BYTES:
        raise WebhookMalformed("a webhook has an id and a body of limited length")
    if not (at.isascii() and at.isdigit() and len(at) <= 12):
        raise WebhookMalformed("webhook-timestamp is in unix seconds")
    given = headers.get("webhook-signature", "").split(" ")
    if len(given) > MAX_SIGNATURES:
        raise WebhookMalformed(f"there are at most {MAX_SIGNATURES} signatures")
    if abs(now - int(at)) > TOLERANCE_S:
        raise WebhookInvalid("the webhook is not of now")
    good = [_signature(body, webhook_id, at, secret).encode("ascii") for secret in secrets]
    found = [text.encode("utf-8", "surrogatepass") for text in given]
    if not any(hmac.compare_digest(one, other) for one in good for other in found):
        raise WebhookInvalid("no secret at hand signed this webhook")
    return webhook_id


def _signature(body: bytes, webhook_id: str, at: str, secret: bytes) -> str:
    signed = f"{webhook_id}.{at}.".encode("utf-8", "surrogatepass") + body
    return _VERSION + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode("ascii")
