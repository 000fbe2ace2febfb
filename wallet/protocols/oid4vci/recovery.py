"""Re-issue by a recovery key: an extension of OpenID4VCI of this project's own, and optional.

No specification names it. An issuer that has it says so by the member `seoul_wallet_recovery` of
its metadata and by the grant type `RECOVERY_GRANT`; other wallets ignore both. A wallet has one
recovery key for each issuer. Every message is a *recovery proof*, a JWS by that key over the
issuer (`aud`), the time (`iat`), a c_nonce (`nonce`) and one act:

- `register`, in the member `seoul_wallet_recovery` of a credential request: what is issued is the
  holding `holding` of the device `device`. Its nonce is that of a key proof beside it.
- `reissue`, in a token request: tokens to get the holding `source` anew, on `device`. Unless
  `keep`, the copies of `source` are revoked when the new ones are issued.
- `devices` and `lost`: which devices there are, and that the device `lost` is lost.
- `replace`: all that was registered by one key belongs to another from now on. Two proofs over
  one nonce, by the old key and by the new one, each naming the `other` key's thumbprint; the new
  key's has the devices' `labels` sealed anew. Said again, it changes nothing.

Holdings and devices are random names that the wallet chooses, other ones for every issuer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from wallet.credentials.jose import claim_time, parse_compact_jws, sign_jws, verify_jws
from wallet.crypto.keys import PublicKey, SignatureInvalid, SigningKey, parse_jwk, thumbprint
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.protocols.oid4vci.token import MAX_NONCE_CHARACTERS
from wallet.protocols.oid4vci.url import (
    Oid4vciMessageMalformed,
    check_url,
    list_of,
    object_of,
    text_member,
)

RECOVERY_MEMBER: Final = "seoul_wallet_recovery"
RECOVERY_PROOF_TYPE: Final = "seoul-wallet-recovery+jwt"
MAX_RECOVERY_PROOF_CHARACTERS: Final = 4 * 1024
# That of a new key has labels in it.
MAX_REPLACE_PROOF_CHARACTERS: Final = 12 * 1024
MAX_LABELS: Final = 24
MAX_RECOVERY_REQUEST_BYTES: Final = 16 * 1024
MAX_DEVICE_LIST_BYTES: Final = 1024 * 1024
MAX_PROOF_AGE_S: Final = 300
MAX_CLOCK_SKEW_S: Final = 60
MAX_LABEL_CHARACTERS: Final = 256
MAX_DEVICES: Final = 200
MAX_HOLDINGS: Final = 1000
MAX_EVENTS: Final = 200
ID_BYTES: Final = 24
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22,64}\Z")
_LABEL: Final = re.compile(rf"[A-Za-z0-9_-]{{0,{MAX_LABEL_CHARACTERS}}}\Z")
_ALGORITHM: Final = "ES256"


class RecoveryProofMalformed(MalformedError):
    """Not a recovery proof: not a JWS of its type by one key, or without what its act needs."""

    code = "recovery_proof_malformed"


class RecoveryProofInvalid(RejectedError):
    """The recovery proof is for another issuer, act or time, wrongly signed, or out of place."""

    code = "recovery_proof_invalid"


class RecoveryAct(StrEnum):
    """What a recovery proof is for."""

    REGISTER = "register"
    REISSUE = "reissue"
    DEVICES = "devices"
    LOST = "lost"
    REPLACE = "replace"


_NEEDED: Final = {
    RecoveryAct.REGISTER: ("holding",),
    RecoveryAct.REISSUE: ("source",),
    RecoveryAct.DEVICES: (),
    RecoveryAct.LOST: ("lost",),
    RecoveryAct.REPLACE: ("other",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryStatement:
    """What is signed beside issuer, time and nonce.

    `device` is the device that speaks. `label` is sealed text that only the wallet's devices can
    read, in base64url; it goes with `register`. The others go with the act that names them.
    """

    act: RecoveryAct
    device: str
    label: str = ""
    holding: str | None = None
    source: str | None = None
    keep: bool = False
    lost: str | None = None
    other: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerifiedRecoveryProof:
    """A statement whose key signed for this issuer. Whether `nonce` is unused is yet to be seen,
    and whether the key is registered."""

    key_id: str
    statement: RecoveryStatement
    nonce: str


@dataclass(frozen=True, slots=True)
class RecoveryOffer:
    """Where an issuer takes the acts that are no request for tokens or credentials.

    `key_endpoint` is None where keys cannot be replaced.
    """

    devices_endpoint: str
    lost_endpoint: str
    key_endpoint: str | None = None

    def to_json(self) -> JsonObject:
        """Return the metadata member."""
        member = {"devices_endpoint": self.devices_endpoint, "lost_endpoint": self.lost_endpoint}
        if self.key_endpoint is not None:
            member["key_endpoint"] = self.key_endpoint
        return member


def parse_recovery_offer(value: object, *, development: bool = False) -> RecoveryOffer | None:
    """Return the offer of a metadata member, None if it is absent.

    Raises `Oid4vciMessageMalformed`.
    """
    if value is None:
        return None
    member = object_of(value, RECOVERY_MEMBER)
    return RecoveryOffer(
        check_url(member.get("devices_endpoint"), development=development),
        check_url(member.get("lost_endpoint"), development=development),
        check_url(member["key_endpoint"], development=development)
        if "key_endpoint" in member
        else None,
    )


def build_recovery_proof(
    key: SigningKey, statement: RecoveryStatement, *, audience: str, nonce: str, issued_at: int
) -> str:
    """Return the proof of a statement for the `credential_issuer` called `audience`."""
    claims: JsonObject = {
        "aud": audience,
        "iat": issued_at,
        "nonce": nonce,
        "act": statement.act.value,
        "device": statement.device,
    }
    for name in ("label", "holding", "source", "keep", "lost", "other", "labels"):
        if getattr(statement, name):
            claims[name] = getattr(statement, name)
    return sign_jws(key, {"typ": RECOVERY_PROOF_TYPE, "jwk": key.public_key.jwk}, claims)


def verify_recovery_proof(
    proof: str, *, act: RecoveryAct, audience: str, now: int
) -> VerifiedRecoveryProof:
    """Return what a valid recovery proof for `act` says.

    `aud` is `audience`, alone; `iat` is at most `MAX_PROOF_AGE_S` old. Raises only
    `RecoveryProofMalformed` and `RecoveryProofInvalid`. Does not check the nonce (use it up, then
    trust the key) nor that the key is known.
    """
    try:
        most = MAX_RECOVERY_PROOF_CHARACTERS
        if act is RecoveryAct.REPLACE:
            most = MAX_REPLACE_PROOF_CHARACTERS
        if len(proof) > most:
            raise RecoveryProofMalformed(f"longer than {most} characters")
        jws = parse_compact_jws(proof, typ=RECOVERY_PROOF_TYPE)
        if jws.header["alg"] != _ALGORITHM:
            raise RecoveryProofMalformed(f"expected alg {_ALGORITHM}")
        key: PublicKey = parse_jwk(jws.header.get("jwk"))
        verify_jws(jws, key)
        claims = jws.peek_claims()
        issued_at = claim_time(claims, "iat", required=True) or 0
        if claims.get("aud") != audience or claims.get("act") != act.value:
            raise RecoveryProofInvalid("aud or act is not of this request")
        if not now - MAX_PROOF_AGE_S <= issued_at <= now + MAX_CLOCK_SKEW_S:
            raise RecoveryProofInvalid("iat is too old or in the future")
        nonce = text_member(claims, "nonce", max_characters=MAX_NONCE_CHARACTERS)
        return VerifiedRecoveryProof(thumbprint(key), _statement(act, claims), nonce)
    except SignatureInvalid:
        raise RecoveryProofInvalid("the recovery proof's signature does not verify") from None
    except (RecoveryProofMalformed, RecoveryProofInvalid):
        raise
    except (MalformedError, UnsupportedError) as error:
        raise RecoveryProofMalformed(f"not a recovery proof: {error}") from error


def _statement(act: RecoveryAct, claims: JsonObject) -> RecoveryStatement:
    names = {name: _id_of(claims, name) for name in ("device", *_NEEDED[act])}
    keep, label = claims.get("keep", False), claims.get("label", "")
    if type(keep) is not bool or type(label) is not str or not _LABEL.match(label):
        raise RecoveryProofMalformed("keep is a boolean, label is short and base64url")
    labels = object_of(claims.get("labels", {}), "labels")
    if len(labels) > MAX_LABELS or not all(
        _ID.match(device) and type(sealed) is str and _LABEL.match(sealed)
        for device, sealed in labels.items()
    ):
        raise RecoveryProofMalformed(f"labels are those of at most {MAX_LABELS} devices")
    return RecoveryStatement(act=act, keep=keep, label=label, labels=labels, **names)


def _id_of(value: Mapping[str, Any], name: str) -> str:
    text = text_member(value, name, max_characters=64)
    if not _ID.match(text):
        raise Oid4vciMessageMalformed(f"{name} is 22 to 64 characters of base64url")
    return text


def parse_recovery_request(value: object) -> str:
    """Return the proof of the body of a request to a recovery endpoint, unverified.

    Raises `Oid4vciMessageMalformed`.
    """
    body = object_of(value, "a recovery request")
    return text_member(body, "proof", max_characters=MAX_RECOVERY_PROOF_CHARACTERS)


def parse_replace_request(value: object) -> tuple[str, str]:
    """Return the proofs of a request to replace a key, by the old and the new one, unverified.

    Raises `Oid4vciMessageMalformed`.
    """
    proof = parse_recovery_request(value)
    most = MAX_REPLACE_PROOF_CHARACTERS
    return proof, text_member(object_of(value, "it"), "new_proof", max_characters=most)


@dataclass(frozen=True, slots=True)
class ListedHolding:
    """A credential with its copies on one device: `state` is active, replaced or lost."""

    holding: str
    configuration_id: str
    state: str
    at: int


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """A device as its issuer knows it; `state` is active or lost, `at` since when it is known."""

    device: str
    label: str
    state: str
    at: int
    holdings: tuple[ListedHolding, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """Something that was done by the recovery key: an act, the device that spoke, when."""

    act: str
    device: str
    at: int


@dataclass(frozen=True, slots=True)
class DeviceList:
    """What an issuer tells the owner of a recovery key."""

    devices: tuple[ListedDevice, ...]
    events: tuple[ListedEvent, ...] = ()

    def to_json(self) -> JsonObject:
        """Return the answer of the devices endpoint."""
        return {
            "devices": [
                {
                    "device": item.device,
                    "label": item.label,
                    "state": item.state,
                    "at": item.at,
                    "holdings": [
                        {
                            "holding": held.holding,
                            "configuration_id": held.configuration_id,
                            "state": held.state,
                            "at": held.at,
                        }
                        for held in item.holdings
                    ],
                }
                for item in self.devices
            ],
            "events": [
                {"act": item.act, "device": item.device, "at": item.at} for item in self.events
            ],
        }


def parse_device_list(value: object) -> DeviceList:
    """Return the answer of the devices endpoint. Raises `Oid4vciMessageMalformed`."""
    answer = object_of(value, "a device list")
    devices = list_of(answer.get("devices"), "devices", max_items=MAX_DEVICES)
    events = list_of(answer.get("events", []), "events", max_items=MAX_EVENTS)
    return DeviceList(tuple(map(_device, devices)), tuple(map(_event, events)))


def _device(value: object) -> ListedDevice:
    item = object_of(value, "a device")
    label = item.get("label", "")
    if type(label) is not str or not _LABEL.match(label):
        raise Oid4vciMessageMalformed("label is short and base64url")
    holdings = list_of(item.get("holdings", []), "holdings", max_items=MAX_HOLDINGS)
    return ListedDevice(
        _id_of(item, "device"), label, _word(item, "state"), _time(item),
        tuple(map(_holding, holdings)),
    )  # fmt: skip


def _holding(value: object) -> ListedHolding:
    item = object_of(value, "a holding")
    configuration_id = text_member(item, "configuration_id", max_characters=300)
    return ListedHolding(
        _id_of(item, "holding"), configuration_id, _word(item, "state"), _time(item)
    )


def _event(value: object) -> ListedEvent:
    item = object_of(value, "an event")
    return ListedEvent(_word(item, "act"), _id_of(item, "device"), _time(item))


def _word(item: Mapping[str, Any], name: str) -> str:
    return text_member(item, name, max_characters=32)


def _time(item: Mapping[str, Any]) -> int:
    at: Any = item.get("at")
    if type(at) is not int or at < 0:
        raise Oid4vciMessageMalformed("at is a time in seconds")
    return at
