"""The states of one offer, from the pre-authorized code to the issued credential.

Offered -> Exchanged -> Issued, or Dead: too many wrong transaction codes, or a code used twice.
Each state is a frozen value and each transition a function that gives the next one; `Grants`
stores them with compare-and-set, so of two parallel uses one wins and the other sees it.

What is secret is derived forwards only: the offer's id gives the code, the code gives the grant's
id. The store holds digests, so neither it nor a log of grant ids gives a usable code.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError, RejectedError
from wallet.ports.sessions import SessionConflict, SessionStore, SessionUnknown

GRANT: Final = "issuer.grant"
TOKEN: Final = "issuer.token"  # noqa: S105 (the kind of a session, not a token)
NONCE: Final = "issuer.c_nonce"
MAX_TX_CODE_ATTEMPTS: Final = 5
TX_CODE_DIGITS: Final = 6
_SECRET_BYTES: Final = 32
# A grant changes at most once per attempt, then once more: more collisions cannot happen.
_MAX_COLLISIONS: Final = MAX_TX_CODE_ATTEMPTS + 3


class GrantInvalid(ConflictError):
    """The code or transaction code is wrong, expired or used. Which of them is not told."""

    code = "grant_invalid"


class TxCodeMissing(MalformedError):
    """The offer asks for a transaction code and none was sent."""

    code = "tx_code_missing"


class TxCodeUnexpected(MalformedError):
    """A transaction code was sent for an offer that has none."""

    code = "tx_code_unexpected"


class AccessTokenInvalid(RejectedError):
    """The access token is unknown, expired, used up or revoked."""

    code = "access_token_invalid"


class NonceInvalid(ConflictError):
    """The c_nonce was never given out, has expired or was used."""

    code = "c_nonce_invalid"


class OfferUnknown(ConflictError):
    """The offer does not exist, has expired or was taken."""

    code = "offer_unknown"
    status = 404


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a grant is for: a credential configuration, a subject of the register, its holder."""

    configuration_id: str
    subject_id: str
    holder_id: str


@dataclass(frozen=True, slots=True)
class Offered:
    """The code is out. `tx_code_digest` is base64url, None when no transaction code is asked."""

    entitlement: Entitlement
    expires_at: int
    tx_code_digest: str | None = None
    failed_attempts: int = 0

    def refuse(self) -> Offered | Dead:
        """Count a wrong transaction code."""
        failed = self.failed_attempts + 1
        if failed >= MAX_TX_CODE_ATTEMPTS:
            return Dead(self.expires_at)
        return replace(self, failed_attempts=failed)

    def exchange(self, expires_at: int) -> Exchanged:
        """The code was exchanged for an access token that lasts until `expires_at`."""
        return Exchanged(self.entitlement, expires_at)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The access token is out and not used."""

    entitlement: Entitlement
    expires_at: int

    def issue(self) -> Issued:
        """The credentials are on record."""
        return Issued(self.expires_at)

    def revoke(self) -> Dead:
        """The code was used a second time: whoever has the token may have stolen it."""
        return Dead(self.expires_at)


@dataclass(frozen=True, slots=True)
class Issued:
    """The credentials were issued; the token is used up."""

    expires_at: int


@dataclass(frozen=True, slots=True)
class Dead:
    """Nothing comes of this grant any more."""

    expires_at: int


GrantState = Offered | Exchanged | Issued | Dead
_NAMES: Final[dict[type[GrantState], str]] = {
    Offered: "offered",
    Exchanged: "exchanged",
    Issued: "issued",
    Dead: "dead",
}


def _encode(state: GrantState) -> bytes:
    return to_json({"state": _NAMES[type(state)], **asdict(state)})


def _decode(stored: bytes) -> GrantState:
    members = parse_json_object(stored)
    name = members.pop("state")
    if "entitlement" in members:
        members["entitlement"] = Entitlement(**members["entitlement"])
    kind = next(kind for kind, known in _NAMES.items() if known == name)
    return kind(**members)


def _derive(label: str, secret: str) -> str:
    return base64url.encode(sha256(f"seoul-wallet {label}\0{secret}".encode()))


def _code_of(offer_id: str) -> str:
    return _derive("pre-authorized code", offer_id)


def _tx_code_digest(code: str, tx_code: str) -> str:
    # Keyed with the code, which is not stored: six digits alone would be found by trying.
    return base64url.encode(hmac.digest(code.encode(), tx_code.encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class NewOffer:
    """An offer that was just made. Both are secrets: one for the QR code, one for another way."""

    offer_id: str
    tx_code: str | None


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """An offer that can still be taken."""

    pre_authorized_code: str
    state: Offered


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """A grant whose access token was shown, and the version of its state."""

    grant_id: str
    state: Exchanged
    version: int


class Grants:
    """Grants and nonces in a session store. Every method may raise `StorageUnavailable`."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def open(
        self, entitlements: Sequence[Entitlement], *, with_tx_code: bool, expires_at: int
    ) -> tuple[NewOffer, ...]:
        """Make one offer each, all in one transaction, good until `expires_at`."""
        offers = []
        states: dict[str, bytes] = {}
        for entitlement in entitlements:
            offer_id = secrets.token_urlsafe(_SECRET_BYTES)
            code = _code_of(offer_id)
            tx_code = f"{secrets.randbelow(10**TX_CODE_DIGITS):06d}" if with_tx_code else None
            digest = None if tx_code is None else _tx_code_digest(code, tx_code)
            states[_derive("grant", code)] = _encode(Offered(entitlement, expires_at, digest))
            offers.append(NewOffer(offer_id, tx_code))
        self._store.create_many(GRANT, states, expires_at=expires_at)
        return tuple(offers)

    def offer(self, offer_id: str, *, now: int) -> OpenOffer:
        """Return the offer with this id. Raises `OfferUnknown`."""
        code = _code_of(offer_id)
        try:
            stored = self._store.load(GRANT, _derive("grant", code), now=now)
        except SessionUnknown:
            raise OfferUnknown("there is no such offer") from None
        state = _decode(stored.state)
        if not isinstance(state, Offered):
            raise OfferUnknown("there is no such offer")
        return OpenOffer(code, state)

    def exchange(self, code: str, tx_code: str | None, *, now: int, token_expires_at: int) -> str:
        """Exchange a pre-authorized code for a new access token (§6.1).

        A wrong transaction code is counted durably before it is answered; after
        `MAX_TX_CODE_ATTEMPTS` the code is dead. A code used again also revokes the token it gave.
        Raises `GrantInvalid`, `TxCodeMissing`, `TxCodeUnexpected`.
        """
        grant_id = _derive("grant", code)
        for _ in range(_MAX_COLLISIONS):
            try:
                stored = self._store.load(GRANT, grant_id, now=now)
                state = _decode(stored.state)
                following = self._after_use(state, code, tx_code, token_expires_at)
                self._store.replace(
                    GRANT,
                    grant_id,
                    _encode(following),
                    expected_version=stored.version,
                    expires_at=max(following.expires_at, stored.expires_at),
                )
            except SessionUnknown:
                break
            except SessionConflict:
                continue
            if isinstance(following, Exchanged):
                token = secrets.token_urlsafe(_SECRET_BYTES)
                # A crash before this line leaves a grant that nobody can use: a new offer is due.
                self._store.create(TOKEN, token, grant_id.encode(), expires_at=token_expires_at)
                return token
            break
        raise GrantInvalid("the code is wrong, expired or used")

    def _after_use(
        self, state: GrantState, code: str, tx_code: str | None, token_expires_at: int
    ) -> GrantState:
        if isinstance(state, Exchanged):
            return state.revoke()
        if not isinstance(state, Offered):
            raise GrantInvalid("the code is wrong, expired or used")
        if state.tx_code_digest is None and tx_code is not None:
            raise TxCodeUnexpected("this offer has no transaction code")
        if state.tx_code_digest is not None:
            if tx_code is None:
                raise TxCodeMissing("this offer needs its transaction code")
            given = _tx_code_digest(code, tx_code)
            if not hmac.compare_digest(given, state.tx_code_digest):
                return state.refuse()
        return state.exchange(token_expires_at)

    def by_token(self, token: str, *, now: int) -> LiveGrant:
        """Return the grant of an unused access token. Raises `AccessTokenInvalid`."""
        try:
            grant_id = self._store.load(TOKEN, token, now=now).state.decode()
            stored = self._store.load(GRANT, grant_id, now=now)
        except SessionUnknown:
            raise AccessTokenInvalid("the access token is unknown or expired") from None
        state = _decode(stored.state)
        if not isinstance(state, Exchanged):
            raise AccessTokenInvalid("the access token is used up or revoked")
        return LiveGrant(grant_id, state, stored.version)

    def finish(self, grant: LiveGrant) -> None:
        """Use up the access token. Losing to someone who did the same is success."""
        try:
            self._store.replace(
                GRANT,
                grant.grant_id,
                _encode(grant.state.issue()),
                expected_version=grant.version,
                expires_at=grant.state.expires_at,
            )
        except SessionConflict:
            return

    def new_nonce(self, *, expires_at: int) -> str:
        """Return a new c_nonce, good once until `expires_at`."""
        nonce = secrets.token_urlsafe(_SECRET_BYTES)
        self._store.create(NONCE, nonce, b"", expires_at=expires_at)
        return nonce

    def use_nonce(self, nonce: str, *, now: int) -> None:
        """Use up a c_nonce. Raises `NonceInvalid`."""
        try:
            self._store.take(NONCE, nonce, now=now)
        except SessionUnknown:
            raise NonceInvalid("the c_nonce is unknown, expired or used") from None

    def purge(self, *, now: int) -> int:
        """Forget what expired; return how many."""
        return self._store.purge(now=now)
