"""Standard Webhooks: the published example, and everything that differs from it refused."""

from __future__ import annotations

from typing import Any

import pytest

from wallet.errors import SeoulWalletError
from wallet.protocols.standard_webhooks import (
    MAX_BODY_BYTES,
    WebhookInvalid,
    WebhookMalformed,
    WebhookSecretMalformed,
    parse_webhook_secret,
    verify_webhook,
    webhook_headers,
)

# The example of the specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
KEY, OTHER = parse_webhook_secret(SECRET), bytes(32)


def headers(**changes: str) -> dict[str, str]:
    found = webhook_headers(BODY, webhook_id=ID, secrets=[KEY], now=AT)
    return {**found, **{name.replace("_", "-"): value for name, value in changes.items()}}


def test_signs_as_the_published_example() -> None:
    assert headers() == {
        "webhook-id": ID,
        "webhook-timestamp": str(AT),
        "webhook-signature": SIGNATURE,
    }
    assert verify_webhook(BODY, headers(), [KEY], now=AT + 300) == ID


def test_of_two_secrets_both_sign_and_either_verifies() -> None:
    both = webhook_headers(BODY, webhook_id=ID, secrets=[OTHER, KEY], now=AT)
    for secrets in ([KEY], [OTHER], [KEY, OTHER]):
        assert verify_webhook(BODY, both, secrets, now=AT) == ID
    with pytest.raises(WebhookInvalid):
        verify_webhook(BODY, both, [b"x" * 32], now=AT)
    with pytest.raises(WebhookInvalid):
        verify_webhook(BODY, both, [], now=AT)


@pytest.mark.parametrize(
    ("changes", "now", "error"),
    [
        ({}, AT + 301, WebhookInvalid),
        ({}, AT - 301, WebhookInvalid),
        ({"webhook_id": "msg_other"}, AT, WebhookInvalid),
        ({"webhook_timestamp": str(AT + 1)}, AT, WebhookInvalid),
        ({"webhook_signature": SIGNATURE[:-2] + "A="}, AT, WebhookInvalid),
        ({"webhook_signature": SIGNATURE.replace("v1", "v2")}, AT, WebhookInvalid),
        ({"webhook_signature": ""}, AT, WebhookInvalid),
        ({"webhook_signature": "\ud800 é"}, AT, WebhookInvalid),
        ({"webhook_signature": " ".join([SIGNATURE] * 9)}, AT, WebhookMalformed),
        ({"webhook_id": ""}, AT, WebhookMalformed),
        ({"webhook_id": "x" * 129}, AT, WebhookMalformed),
        ({"webhook_timestamp": ""}, AT, WebhookMalformed),
        ({"webhook_timestamp": "-1"}, AT, WebhookMalformed),
        ({"webhook_timestamp": "١٢"}, AT, WebhookMalformed),
    ],
)
def test_refuses_a_webhook_that_was_changed_or_is_old(
    changes: dict[str, str], now: int, error: type[SeoulWalletError]
) -> None:
    with pytest.raises(error):
        verify_webhook(BODY, headers(**changes), [KEY], now=now)


def test_refuses_another_body_and_one_that_is_too_long() -> None:
    with pytest.raises(WebhookInvalid):
        verify_webhook(BODY + b" ", headers(), [KEY], now=AT)
    with pytest.raises(WebhookMalformed):
        verify_webhook(b"x" * (MAX_BODY_BYTES + 1), headers(), [KEY], now=AT)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!!!", "whsec_AAAA", "é", "A" * 100])
def test_refuses_what_is_no_secret(text: Any) -> None:
    with pytest.raises(WebhookSecretMalformed):
        parse_webhook_secret(text)
