"""What is under way between a wallet and an issuer, as records that survive a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, TypeVar

from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.holder.issuers import InspectedOffer
from wallet.ports.holder import Put, Record

T = TypeVar("T")
KIND: Final = "intent"
GRANT_KIND: Final = "issuer_grant"


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a browser answer has to fit to: PKCE verifier, state, redirect URI, who was asked."""

    verifier: str = field(repr=False)
    state: str
    redirect_uri: str
    server: str


@dataclass(frozen=True, slots=True)
class Reissue:
    """Which card is issued anew, from which holding; with `keep` that one stays good."""

    card_id: str
    source: str
    keep: bool


@dataclass(frozen=True, slots=True)
class Intent:
    """An offer that was begun: key handles of the copies to come, by configuration.

    `arrived` holds what came and is not verified yet, `waiting` transaction ids, `holdings` under
    which names it is registered for recovery. A `reissue` has no offer that anyone made.
    """

    id: str
    offer: Mapping[str, Any] = field(repr=False)
    handles: Mapping[str, tuple[str, ...]]
    dpop: str | None = None
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    arrived: Mapping[str, Any] = field(default_factory=dict, repr=False)
    waiting: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorization: Authorization | None = field(default=None, repr=False)
    holdings: Mapping[str, str] = field(default_factory=dict)
    reissue: Reissue | None = None

    def to_put(self) -> Put:
        """Return the change that stores the intent."""
        value = asdict(self)
        del value["id"]
        return Put(KIND, self.id, to_json(value))

    def without(self, configuration_id: str) -> Intent:
        """Return the intent with one configuration done."""
        return replace(
            self,
            handles=_without(self.handles, configuration_id),
            arrived=_without(self.arrived, configuration_id),
            waiting=_without(self.waiting, configuration_id),
        )

    @property
    def all_handles(self) -> tuple[str, ...]:
        """The handles of all keys that were made for this intent."""
        copies = tuple(handle for handles in self.handles.values() for handle in handles)
        return copies if self.dpop is None else (*copies, self.dpop)


def _without(items: Mapping[str, T], name: str) -> dict[str, T]:
    return {key: item for key, item in items.items() if key != name}


def intent_of(record: Record) -> Intent:
    """Return the intent of its record."""
    value = parse_json_object(record.payload)
    value["handles"] = {name: tuple(items) for name, items in value["handles"].items()}
    value["identifiers"] = {name: tuple(items) for name, items in value["identifiers"].items()}
    if value["authorization"] is not None:
        value["authorization"] = Authorization(**value["authorization"])
    if value.get("reissue") is not None:
        value["reissue"] = Reissue(**value["reissue"])
    return Intent(record.record_id, **value)


def intent_id(inspected: InspectedOffer) -> str:
    """Return the id under which an offer is begun at most once."""
    offer = inspected.offer
    grant = offer.authorization_code
    secret = offer.pre_authorized_code or (grant.issuer_state if grant else None) or ""
    names = ",".join(offer.credential_configuration_ids)
    name = f"{offer.credential_issuer}\n{secret}\n{names if not secret else ''}"
    return base64url.encode(sha256(name.encode("utf-8", "surrogatepass")))


def reissue_id(reissue: Reissue) -> str:
    """Return the id under which a re-issue is begun at most once."""
    return base64url.encode(sha256(f"reissue\n{reissue.card_id}\n{reissue.source}".encode()))


@dataclass(frozen=True, slots=True)
class IssuerGrant:
    """What a card's issuer gave to renew it: a refresh token, bound to a key of ours."""

    card_id: str
    credential_issuer: str
    configuration_id: str
    refresh_token: str = field(repr=False)
    dpop: str
    identifier: str | None = None
    authorization_server: str | None = None
    client_id: str | None = None

    def to_put(self) -> Put:
        """Return the change that stores the grant."""
        value = asdict(self)
        del value["card_id"]
        return Put(GRANT_KIND, self.card_id, to_json(value))


def grant_of(record: Record) -> IssuerGrant:
    """Return the grant of its record."""
    return IssuerGrant(record.record_id, **parse_json_object(record.payload))
