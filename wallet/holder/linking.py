"""What lets two verifiers find out that they saw the same person, told before consent.

Of every presentation the log keeps marks: keyed digests of the copy, of its place in a status
list, and of the claims that single a person out. Equal marks of two verifiers are what these
could compare; without the wallet's own key a mark says nothing.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from wallet.credentials.account import ACCOUNT_ID
from wallet.credentials.disclosure import ClaimPath
from wallet.crypto.keys import parse_jwk, thumbprint
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import MalformedError, UnsupportedError
from wallet.holder.cards import HeldCredentials
from wallet.holder.choices import Answer, Choice
from wallet.holder.consent import ConsentRequest
from wallet.holder.log import DisclosedCard, LogEntry, PresentationLog
from wallet.holder.rights import shown_part
from wallet.ports.holder import Put, RecordStore, RecordUnknown
from wallet.status.token_status_list import parse_status_reference

KIND: Final = "settings"
KEY_ID: Final = "marks"
KEY_BYTES: Final = 32
MARK_BYTES: Final = 16
# A person's identifiers: the same for every verifier of a sector, or that logs people in.
PSEUDONYMS: Final = frozenset(("sector_id", "ward", ACCOUNT_ID))
# Claims that are few people's, or one's. Bands, counts and districts are not.
IDENTIFYING: Final = frozenset(
    ("name", "child_name", "birth_date", "address", "street", "phone", "email", "serial")
)
_IDENTIFYING_ENDS: Final = ("_id", "_no", "_number", "birth_date")


class Link(StrEnum):
    """By what two verifiers could tell that they saw the same person."""

    COPY = "copy"
    STATUS = "status"
    PSEUDONYM = "pseudonym"
    CLAIMS = "claims"


@dataclass(frozen=True, slots=True)
class LinkWarning:
    """One way in which this presentation could be joined with an earlier one.

    `verifier` and `verifier_name` saw it before, last at `at` (unix seconds). For `Link.COPY` it
    may be the same verifier: no unused copy is left, and the one at hand is shown again. `claims`
    are the names of the claims, for the links by claims.
    """

    link: Link
    card_id: str
    verifier: str
    verifier_name: str
    at: int
    claims: tuple[str, ...] = ()


class Linking:
    """Marks presentations and compares them with those before."""

    def __init__(self, records: RecordStore, held: HeldCredentials, log: PresentationLog) -> None:
        self._records = records
        self._held = held
        self._log = log
        self._known_key: bytes | None = None

    def marked(self, entry: LogEntry, consent: ConsentRequest) -> LogEntry:
        """Return the log entry of a presentation with its marks."""
        sent = [choice for answer in consent.answers for choice in answer.sent]
        cards: Sequence[DisclosedCard] = [
            replace(card, marks=tuple(mark for _, mark, _ in self._marks(choice)))
            for card, choice in zip(entry.cards, sent, strict=True)
        ]
        return replace(entry, cards=tuple(cards))

    def warnings(self, consent: ConsentRequest) -> tuple[LinkWarning, ...]:
        """Return by what this presentation could be joined with earlier ones, the newest first.

        One warning for each card, verifier and kind of link; a status index that goes with a
        reused copy is not told beside it. Asks nobody.
        """
        earlier = sorted(self._log.entries(), key=lambda entry: entry.at, reverse=True)
        found: dict[tuple[str, str, Link], LinkWarning] = {}
        for answer in consent.answers:
            for choice in answer.sent:
                marks = list(self._marks(choice))
                for entry in earlier:
                    for warning in _warnings(choice, marks, entry, consent.verifier):
                        key = (warning.card_id, warning.verifier, warning.link)
                        found.setdefault(key, warning)
        return tuple(
            warning
            for (card_id, verifier, link), warning in found.items()
            if link is not Link.STATUS or (card_id, verifier, Link.COPY) not in found
        )

    def preferring_unused(self, consent: ConsentRequest) -> ConsentRequest:
        """Return the request answered with cards whose copy nobody saw, where there are some."""
        seen = {
            mark for entry in self._log.entries() for card in entry.cards for mark in card.marks
        }
        for answer in consent.answers:
            unused = self._unused(answer, seen)
            if unused is not None:
                consent = consent.choosing(answer.query_id, unused.card.id)
        return consent

    def _unused(self, answer: Answer, seen: set[str]) -> Choice | None:
        if not self._is_used(answer.choice, seen):
            return None
        alike = (
            choice for choice in answer.choices if choice.disclosed == answer.choice.disclosed
        )
        return next((choice for choice in alike if not self._is_used(choice, seen)), None)

    def _is_used(self, choice: Choice, seen: set[str]) -> bool:
        return any(link is Link.COPY and mark in seen for link, mark, _ in self._marks(choice))

    def _marks(self, choice: Choice) -> Iterator[tuple[Link, str, str]]:
        contents = shown_part(self._held.get(choice.card.id), choice).contents()
        key = _key_of(contents.bound_to)
        if key is not None:
            yield Link.COPY, self._mark(Link.COPY, key), ""
        for place in _places(contents.status):
            yield Link.STATUS, self._mark(Link.STATUS, place), ""
        for path, value in _leaves(choice.disclosed, ()):
            link = _link_of(path)
            if link is not None:
                name = "/".join(str(part) for part in path)
                yield link, self._mark(link, [path[-1], value]), name

    def _mark(self, link: Link, value: Any) -> str:
        message = to_json([link.value, value])
        return base64url.encode(hmac.new(self._key(), message, sha256).digest()[:MARK_BYTES])

    def _key(self) -> bytes:
        if self._known_key is None:
            try:
                self._known_key = self._records.get(KIND, KEY_ID).payload
            except RecordUnknown:
                key = secrets.token_bytes(KEY_BYTES)
                self._records.write(Put(KIND, KEY_ID, key, expected_version=0))
                self._known_key = key
        return self._known_key


def _key_of(bound_to: Any) -> str | None:
    """Return what tells the holder's key from others: its thumbprint, or its DID."""
    if isinstance(bound_to, str):
        return bound_to
    try:
        return thumbprint(parse_jwk(bound_to))
    except (MalformedError, UnsupportedError):
        return None


def _places(status: Any) -> Iterator[list[Any]]:
    """Yield list and index of each entry of a Token Status List or Bitstring Status List."""
    if isinstance(status, dict) and "status_list" in status:
        try:
            reference = parse_status_reference(status)
            yield [reference.uri, reference.index]
        except MalformedError:
            pass
        return
    for entry in status if isinstance(status, list) else [status]:
        if isinstance(entry, dict) and "statusListIndex" in entry:
            yield [entry.get("statusListCredential"), str(entry["statusListIndex"])]


def _warnings(
    choice: Choice, marks: Sequence[tuple[Link, str, str]], entry: LogEntry, verifier: str
) -> Iterator[LinkWarning]:
    seen = {mark for card in entry.cards for mark in card.marks}
    common = [(link, name) for link, mark, name in marks if mark in seen]
    for link in dict.fromkeys(link for link, _ in common):
        if entry.verifier == verifier and link is not Link.COPY:
            continue
        names = tuple(name for other, name in common if other is link and name)
        yield LinkWarning(
            link, choice.card.id, entry.verifier, entry.verifier_name, entry.at, names
        )


def _link_of(path: ClaimPath) -> Link | None:
    if path[0] in PSEUDONYMS:
        return Link.PSEUDONYM
    names = [part for part in path if isinstance(part, str)]
    if any(name in IDENTIFYING or name.endswith(_IDENTIFYING_ENDS) for name in names):
        return Link.CLAIMS
    return None


def _leaves(value: JsonObject | Any, path: ClaimPath) -> Iterator[tuple[ClaimPath, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _leaves(item, (*path, at))
    elif path:
        yield path, value
