"""What follows a credential request: asking again (§9), and telling what became of it (§11)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.encryption import ResponseEncryption, parse_response_encryption
from wallet.protocols.oid4vci.offer import MAX_CODE_CHARACTERS
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed, object_of, text_member

MAX_FOLLOW_UP_BYTES: Final = 16 * 1024
MAX_EVENT_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class DeferredRequest:
    """A question for the credentials of an earlier request."""

    transaction_id: str
    response_encryption: ResponseEncryption | None = None

    def to_json(self) -> JsonObject:
        """Return the deferred credential request object."""
        request: JsonObject = {"transaction_id": self.transaction_id}
        if self.response_encryption is not None:
            request["credential_response_encryption"] = self.response_encryption.to_json()
        return request


def parse_deferred_request(value: object) -> DeferredRequest:
    """Return the request of its JSON value (§9.1).

    Raises `Oid4vciMessageMalformed`, `EncryptionParametersInvalid`.
    """
    request = object_of(value, "a deferred credential request")
    encryption = None
    if "credential_response_encryption" in request:
        encryption = parse_response_encryption(request["credential_response_encryption"])
    transaction_id = text_member(request, "transaction_id", max_characters=MAX_CODE_CHARACTERS)
    return DeferredRequest(transaction_id, encryption)


class NotificationEvent(StrEnum):
    """What became of issued credentials."""

    ACCEPTED = "credential_accepted"
    FAILURE = "credential_failure"
    DELETED = "credential_deleted"


@dataclass(frozen=True, slots=True)
class Notification:
    """A wallet's word on the credentials of one response. Its description is not kept."""

    notification_id: str
    event: NotificationEvent

    def to_json(self) -> JsonObject:
        """Return the notification request object."""
        return {"notification_id": self.notification_id, "event": self.event.value}


def parse_notification(value: object) -> Notification:
    """Return the notification of its JSON value (§11.1). Raises `Oid4vciMessageMalformed`."""
    request = object_of(value, "a notification")
    event = request.get("event")
    if event not in tuple(NotificationEvent):
        raise Oid4vciMessageMalformed("event is one of " + ", ".join(NotificationEvent))
    description = request.get("event_description", "")
    if type(description) is not str or len(description) > MAX_EVENT_CHARACTERS:
        raise Oid4vciMessageMalformed("event_description is a string of limited length")
    notification_id = text_member(request, "notification_id", max_characters=MAX_CODE_CHARACTERS)
    return Notification(notification_id, NotificationEvent(event))
