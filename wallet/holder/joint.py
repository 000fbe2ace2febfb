"""Answering together: a child of 14 to 18 and its guardian, with a wallet each.

The child's wallet hands the verifier's signed request to the guardian's, by QR code or nearby.
That wallet verifies it by itself, shows it, and binds the guardianship to the same audience and
nonce. The part goes back encrypted, and the child's wallet sends one answer with both. Neither
gives the other a key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from wallet.credentials.jwe import (
    DecryptionKey,
    EncryptionKey,
    decrypt_jwe,
    encrypt_jwe,
    parse_encryption_jwk,
    parse_jwe,
)
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError
from wallet.holder.cards import HeldCredentials
from wallet.holder.choices import Answer, choices_for
from wallet.holder.consent import ConsentRequest, build_consent
from wallet.holder.present import Presenter
from wallet.holder.requests import RequestReader
from wallet.ports.clock import Clock
from wallet.protocols.dcql import MAX_CREDENTIAL_QUERIES
from wallet.protocols.dcql_answer import MAX_PRESENTATIONS
from wallet.verification.guardianship import SECTOR_ID, shared_ward

MAX_QUESTION_CHARACTERS: Final = 512 * 1024
MAX_PART_CHARACTERS: Final = 1024 * 1024
_ENC: Final = "A256GCM"


class JointMessageMalformed(MalformedError):
    """Not a question to take part in an answer, or not a part of one."""

    code = "joint_message_malformed"


class NothingToJoin(ConflictError):
    """There is nothing in this request that the other could add, or it is not signed."""

    code = "nothing_to_join"


@dataclass(frozen=True, slots=True)
class JointQuestion:
    """What a child's wallet asks a guardian's: show `text`, then put in what comes back."""

    text: str
    consent: ConsentRequest
    key: DecryptionKey = field(repr=False)

    def answered(self, part: str) -> ConsentRequest:
        """Return the request with the guardian's part, to be presented.

        Raises `JointMessageMalformed`, and what `decrypt_jwe` raises. Whether the part holds is
        for the verifier to judge.
        """
        if len(part) > MAX_PART_CHARACTERS:
            raise JointMessageMalformed("the part is too long")
        data = decrypt_jwe(parse_jwe(part.strip()), self.key)
        value = parse_json_object(data, max_bytes=MAX_PART_CHARACTERS)
        lacking = {item.query_id for item in self.consent.missing}
        if value.keys() != lacking:
            raise JointMessageMalformed("the part answers something else than was asked")
        return replace(
            self.consent,
            missing=(),
            contributed={name: _presentations(items) for name, items in value.items()},
        )


@dataclass(frozen=True, slots=True)
class JointRequest:
    """A request as the guardian is asked about it: `consent` has the guardian's part alone."""

    consent: ConsentRequest
    recipient: EncryptionKey

    def agreed(self, consent: ConsentRequest) -> JointRequest:
        """Return the same with the part as the guardian chose it (`ConsentRequest.choosing`)."""
        return replace(self, consent=consent)


class Joint:
    """Both sides of answering together. `spend` notes that the cards of a request were shown."""

    def __init__(
        self,
        reader: RequestReader,
        held: HeldCredentials,
        presenter: Presenter,
        clock: Clock,
        spend: Callable[[ConsentRequest], None],
    ) -> None:
        self._reader = reader
        self._held = held
        self._presenter = presenter
        self._clock = clock
        self._spend = spend

    def ask(self, consent: ConsentRequest) -> JointQuestion:
        """Return the question for what is missing of a reviewed request.

        It holds the verifier's request and the child's identifier in the sector that is asked
        for. Raises `NothingToJoin`.
        """
        if consent.request_object is None or not consent.missing or not consent.answers:
            raise NothingToJoin("a signed request is needed, and a part that is missing")
        key = DecryptionKey.generate()
        ward: JsonObject = {}
        for answer in consent.answers:
            about = answer.choice.disclosed.get(SECTOR_ID)
            ward |= about if isinstance(about, dict) else {}
        value = {
            "request_object": consent.request_object.compact,
            "lacking": [item.query_id for item in consent.missing],
            "ward": ward,
            "enc": key.public.jwk,
        }
        return JointQuestion(base64url.encode(to_json(value)), consent, key)

    def review(self, text: str, *, language: str = "en") -> JointRequest:
        """Read a child's question: who asks the child, and what the guardian would add.

        Raises `JointMessageMalformed`, and as `Wallet.review` does.
        """
        value = _question(text)
        verified = self._reader.read_object(value["request_object"])
        now, held = self._clock.now(), self._held.all()
        consent = build_consent(
            verified,
            held,
            language=language,
            now=now,
            registration=self._reader.standing(verified),
        )
        queries = verified.request.dcql_query.credentials
        if any(name not in queries for name in value["lacking"]):
            raise JointMessageMalformed("the question is about another request")
        answers = []
        about = {SECTOR_ID: value["ward"]}
        for name in value["lacking"]:
            choices = tuple(
                choice
                for choice in choices_for(queries[name], verified.request.client_metadata, held)
                if choice.card.is_valid_at(now) and shared_ward(about, choice.card.claims)
            )
            if not choices:
                raise NothingToJoin("this wallet has no right to act for this child")
            answers.append(Answer(name, True, choices))
        part = replace(consent, answers=tuple(answers), optional=(), missing=())
        return JointRequest(part, parse_encryption_jwk(value["enc"]))

    def contribute(self, joint: JointRequest) -> str:
        """Return the guardian's part, for the child's wallet. Handing it in *is* the consent.

        Raises `RequestExpired`, `AlreadyPresented`.
        """
        vp_token = self._presenter.contribute(joint.consent)
        self._spend(joint.consent)
        return encrypt_jwe(to_json(vp_token), joint.recipient, enc=_ENC)


def _question(text: str) -> JsonObject:
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise JointMessageMalformed("the question is too long")
    data = base64url.decode(text.strip())
    value = parse_json_object(data, max_bytes=MAX_QUESTION_CHARACTERS)
    lacking, ward = value.get("lacking"), value.get("ward")
    if type(value.get("request_object")) is not str or not isinstance(ward, Mapping):
        raise JointMessageMalformed("the question lacks a part")
    if type(lacking) is not list or not 0 < len(lacking) <= MAX_CREDENTIAL_QUERIES:
        raise JointMessageMalformed("the question asks for nothing")
    if any(type(name) is not str for name in lacking):
        raise JointMessageMalformed("a query has a name")
    return value


def _presentations(items: Any) -> tuple[str, ...]:
    if type(items) is not list or not 0 < len(items) <= MAX_PRESENTATIONS:
        raise JointMessageMalformed("a part holds presentations")
    if any(type(item) is not str for item in items):
        raise JointMessageMalformed("a presentation is a string")
    return tuple(items)
