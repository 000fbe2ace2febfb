"""The states of one grant, from the code to the issued credential and its renewals.

Offered or Authorized -> Exchanged -> Issued, by way of Waiting when a second person must agree;
Issued -> Exchanged again by refresh token; Invited -> Dead when a code took its place; Dead: too
many wrong transaction codes, or anything used twice. Each state is a frozen value and each
transition a function that gives the next one; `issuer.grants` stores them with compare-and-set,
so of two parallel uses one wins and the other sees it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError, RejectedError
from wallet.protocols.oid4vci.authorization_details import AuthorizationDetailsInvalid

MAX_TX_CODE_ATTEMPTS: Final = 5


class GrantInvalid(ConflictError):
    """The code, transaction code or refresh token is wrong, expired or used. Which is not told."""

    code = "grant_invalid"


class TxCodeMissing(MalformedError):
    """The offer asks for a transaction code and none was sent."""

    code = "tx_code_missing"


class TxCodeUnexpected(MalformedError):
    """A transaction code was sent for an offer that has none."""

    code = "tx_code_unexpected"


class AccessTokenInvalid(RejectedError):
    """The access token is unknown, expired, used up, revoked, or bound to another key."""

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
    """What a grant is for: a credential configuration, a subject of the register, its holder.

    `held_by` is the operator who holds the issuance until another one approves it. `ward_id` is
    the child that a guardianship is for. `guardian` (family, guardian) is whose wallet evidence
    about the holder goes to, when the holder is a child. `recovers` is the holding that is issued
    anew, if it is that; its copies are revoked unless it `keeps` them.
    """

    configuration_id: str
    subject_id: str
    holder_id: str
    held_by: str | None = None
    ward_id: str | None = None
    guardian: tuple[str, str] | None = None
    recovers: str | None = None
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """Who may use the tokens of a grant, and how.

    `jkt` is the thumbprint of the DPoP key, None for Bearer tokens. `identified` when the
    credential was asked for by `authorization_details`, whose requests name an identifier.
    """

    client_id: str | None = None
    jkt: str | None = None
    identified: bool = False

    def asked_for(self, configuration_ids: tuple[str, ...], granted: str) -> Terms:
        """Return the terms after a token request that names `configuration_ids`, or names none.

        Raises `AuthorizationDetailsInvalid` for anything but the one that is `granted`.
        """
        if not configuration_ids:
            return self
        if configuration_ids != (granted,):
            raise AuthorizationDetailsInvalid("the grant is for another credential configuration")
        return replace(self, identified=True)


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

    def exchange(self, terms: Terms, expires_at: int) -> Exchanged:
        """The code was exchanged for tokens; the grant lasts until `expires_at`."""
        return Exchanged(self.entitlement, expires_at, terms)


@dataclass(frozen=True, slots=True)
class Invited:
    """The offer asks the holder to authorize in a browser."""

    entitlement: Entitlement
    expires_at: int

    def take(self) -> Dead:
        """An authorization code took its place."""
        return Dead(self.expires_at)


@dataclass(frozen=True, slots=True)
class Authorized:
    """The holder agreed and the authorization code is out, for one client at one place."""

    entitlement: Entitlement
    expires_at: int
    terms: Terms
    redirect_uri: str
    code_challenge: str

    def exchange(self, terms: Terms, expires_at: int) -> Exchanged:
        """The code was exchanged for tokens; the grant lasts until `expires_at`."""
        return Exchanged(self.entitlement, expires_at, terms)

    def revoke(self) -> Dead:
        """Someone came with the code and not with what belongs to it."""
        return Dead(self.expires_at)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The access token is out and not used.

    `generation` counts the tokens, `round` the issuances: only an issuance that happened makes
    the next round.
    """

    entitlement: Entitlement
    expires_at: int
    terms: Terms = field(default_factory=Terms)
    generation: int = 0
    round: int = 0

    def issue(self) -> Issued:
        """The credentials are on record."""
        return Issued(*_shared(self))

    def hold(self) -> Waiting:
        """The request waits for another person's approval."""
        return Waiting(*_shared(self))

    def renew(self) -> Exchanged:
        """New tokens were given for the same issuance."""
        return replace(self, generation=self.generation + 1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The request is made; someone must approve it."""

    entitlement: Entitlement
    expires_at: int
    terms: Terms
    generation: int
    round: int

    def issue(self) -> Issued:
        """It was approved, and the credentials are on record."""
        return Issued(*_shared(self))

    def renew(self) -> Waiting:
        """New tokens were given; the wait goes on."""
        return replace(self, generation=self.generation + 1)


@dataclass(frozen=True, slots=True)
class Issued:
    """The credentials were issued; the token only serves to tell what became of them."""

    entitlement: Entitlement
    expires_at: int
    terms: Terms
    generation: int
    round: int

    def renew(self) -> Exchanged:
        """New tokens were given, for copies of the credential on new keys.

        What a second person approved once is not held again.
        """
        entitlement, expires_at, terms, generation, number = _shared(self)
        free = replace(entitlement, held_by=None, recovers=None, keeps=False)
        return Exchanged(free, expires_at, terms, generation + 1, number + 1)


@dataclass(frozen=True, slots=True)
class Dead:
    """Nothing comes of this grant any more."""

    expires_at: int


LiveState = Exchanged | Waiting | Issued
GrantState = Offered | Invited | Authorized | LiveState | Dead
_NAMES: Final[dict[type[GrantState], str]] = {
    Offered: "offered",
    Invited: "invited",
    Authorized: "authorized",
    Exchanged: "exchanged",
    Waiting: "waiting",
    Issued: "issued",
    Dead: "dead",
}


def _shared(state: LiveState) -> tuple[Entitlement, int, Terms, int, int]:
    return state.entitlement, state.expires_at, state.terms, state.generation, state.round


def encode_state(state: GrantState) -> bytes:
    """Return the state as it is stored."""
    return to_json({"state": _NAMES[type(state)], **asdict(state)})


def decode_state(stored: bytes) -> GrantState:
    """Return the state that `encode_state` was given."""
    members: dict[str, Any] = parse_json_object(stored)
    name = members.pop("state")
    if "entitlement" in members:
        members["entitlement"] = _entitlement(members["entitlement"])
    if "terms" in members:
        members["terms"] = Terms(**members["terms"])
    kind = next(kind for kind, known in _NAMES.items() if known == name)
    return kind(**members)


def _entitlement(value: dict[str, Any]) -> Entitlement:
    guardian = value.get("guardian")
    return Entitlement(**{**value, "guardian": None if guardian is None else tuple(guardian)})
