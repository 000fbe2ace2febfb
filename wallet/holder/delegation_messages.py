"""What goes between two wallets to delegate: an invitation there, a sealed package back.

Neither needs a server: a QR code or any messenger will do. The invitation is signed by the
delegate's new key and names a key to encrypt for; only that wallet can open the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.credentials.jose import claim_time, parse_compact_jws, sign_jws, verify_jws
from wallet.credentials.jwe import (
    CompactJwe,
    DecryptionKey,
    EncryptionKey,
    decrypt_jwe,
    encrypt_jwe,
    parse_encryption_jwk,
    parse_jwe,
)
from wallet.crypto.keys import PublicKey, SigningKey, parse_jwk, thumbprint
from wallet.encoding.json import parse_json_object, to_json
from wallet.encoding.names import parse_name
from wallet.errors import ConflictError, MalformedError
from wallet.holder.cards import KIND as CARD_KIND
from wallet.holder.cards import HeldCredential, held_from_record, to_put
from wallet.holder.texts import shown
from wallet.ports.holder import Record, StoreDamaged

INVITATION_TYPE: Final = "delegation-invitation+jwt"
INVITATION_TTL_S: Final = 24 * 3600
MAX_INVITATION_CHARACTERS: Final = 4096
MAX_PACKAGE_CHARACTERS: Final = 512 * 1024
_ENC: Final = "A256GCM"


class DelegationMessageMalformed(MalformedError):
    """Not an invitation to delegate, or not a package with a delegation."""

    code = "delegation_message_malformed"


class InvitationExpired(ConflictError):
    """The invitation to delegate is too old: ask for a new one."""

    code = "invitation_expired"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody's wish to act for the reader. `name` is their own word for themself."""

    key: PublicKey
    recipient: EncryptionKey
    name: str
    expires_at: int

    @property
    def id(self) -> str:
        """The thumbprint of the delegate's key."""
        return thumbprint(self.key)


def build_invitation(key: SigningKey, recipient: EncryptionKey, *, name: str, now: int) -> str:
    """Return an invitation. Raises `NameNotAcceptable`."""
    claims = {
        "enc": recipient.jwk,
        "iat": now,
        "exp": now + INVITATION_TTL_S,
        "name": parse_name(name).value if name else "",
    }
    return sign_jws(key, {"typ": INVITATION_TYPE, "jwk": key.public_key.jwk}, claims)


def parse_invitation(text: str, *, now: int) -> Invitation:
    """Return an invitation whose key signed it.

    Raises `DelegationMessageMalformed`, `InvitationExpired`, `SignatureInvalid`, `JwsMalformed`
    and those of keys and encodings. Who sent it is for people to know.
    """
    if len(text) > MAX_INVITATION_CHARACTERS:
        raise DelegationMessageMalformed("the invitation is too long")
    jws = parse_compact_jws(text.strip(), typ=INVITATION_TYPE)
    key = parse_jwk(jws.header.get("jwk"))
    verify_jws(jws, key)
    claims = jws.peek_claims()
    expires_at = claim_time(claims, "exp", required=True) or 0
    if now >= expires_at:
        raise InvitationExpired("the invitation is too old")
    name = claims.get("name")
    if type(name) is not str:
        raise DelegationMessageMalformed("the invitation has no name")
    return Invitation(key, parse_encryption_jwk(claims.get("enc")), shown(name), expires_at)


def seal_package(held: HeldCredential, recipient: EncryptionKey, invitation_id: str) -> str:
    """Return a credential with its delegation, for the wallet that sent the invitation alone.

    `held` has the delegation, and shows no more than is delegated.
    """
    value = parse_json_object(to_put(held).payload)
    value.pop("key_handle")
    return encrypt_jwe(to_json(value), EncryptionKey(recipient.key, invitation_id), enc=_ENC)


def peek_package(text: str) -> str:
    """Return the id of the invitation that a package answers, unverified.

    Raises `DelegationMessageMalformed`, and what `parse_jwe` raises.
    """
    return _package(text).kid or ""


def open_package(text: str, key: DecryptionKey) -> HeldCredential:
    """Return what a package holds; none of it is verified, and it has no key yet.

    Raises `DelegationMessageMalformed`, and what `decrypt_jwe` raises.
    """
    value = parse_json_object(decrypt_jwe(_package(text), key), max_bytes=MAX_PACKAGE_CHARACTERS)
    try:
        payload = to_json({**value, "key_handle": ""})
        held = held_from_record(Record(CARD_KIND, "", 0, payload))
    except StoreDamaged:
        raise DelegationMessageMalformed("the package lacks a part") from None
    labels = [*held.names, *held.issuer_names]
    for described in held.claim_descriptions:
        labels += described.display
    texts: list[object] = [held.credential, held.delegation, held.credential_issuer]
    texts.append(held.configuration_id)
    texts += [text for label in labels for text in (label.name, label.locale)]
    if held.format != SD_JWT_VC_FORMAT or any(type(text) is not str for text in texts):
        raise DelegationMessageMalformed("a text of the package is none")
    return held


def _package(text: str) -> CompactJwe:
    if len(text) > MAX_PACKAGE_CHARACTERS:
        raise DelegationMessageMalformed("the package is too long")
    return parse_jwe(text.strip())
