"""Delegating a card to somebody, acting with a card that somebody delegated, and taking it back.

A delegated card is one of its single-use copies: it leaves the wallet with no more disclosures
than the delegate may show, and its key, which stays, signs the delegation. So a delegation can be
revoked alone, by revoking that copy at its issuer, and what the delegate shows cannot be compared
with what the holder shows.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from wallet.credentials.delegation import (
    DelegationClaims,
    DelegationScope,
    NotDelegable,
    check_delegable,
    issue_delegation,
    parse_delegation_claims,
)
from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.credentials.jwe import DecryptionKey
from wallet.credentials.sd_jwt import (
    ClaimPattern,
    parse_sd_jwt,
    present_sd_jwt,
    select_disclosures,
)
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import ConflictError, SeoulWalletError
from wallet.holder.cards import Card, HeldCredential, HeldCredentials, to_put
from wallet.holder.copies import KIND as COPY_KIND
from wallet.holder.copies import Copies
from wallet.holder.delegation_messages import (
    Invitation,
    build_invitation,
    open_package,
    parse_invitation,
    peek_package,
    seal_package,
)
from wallet.holder.given import (
    KIND,
    GivenDelegation,
    KeptDelegation,
    kept_delegation,
    to_kept_put,
)
from wallet.holder.issuers import IssuerReader
from wallet.holder.received import CARD_ID_BYTES, check_anchor
from wallet.holder.revoking import revoke_copy
from wallet.holder.signing import HeldSigningKey
from wallet.holder.texts import shown
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver
from wallet.ports.holder import (
    Delete,
    HeldKeyUnknown,
    HolderTransport,
    KeyStore,
    Put,
    Record,
    RecordStore,
    RecordUnknown,
    StoreDamaged,
)
from wallet.verification.delegation import verify_received_delegation
from wallet.verification.evidence import Evidence
from wallet.verification.pipeline import verify_proof
from wallet.verification.policy import VerificationPolicy

INVITATION_KIND: Final = "delegation_invitation"
MAX_LABEL_CHARACTERS: Final = 100


class DelegationUnknown(ConflictError):
    """The wallet gave no delegation with this id."""

    code = "delegation_unknown"


class InvitationUnknown(ConflictError):
    """The package answers an invitation that this wallet did not make, or used already."""

    code = "invitation_unknown"


class NoCopyToDelegate(ConflictError):
    """The card has no spare copy: top it up, for a delegation needs one of its own."""

    code = "no_copy_to_delegate"


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationTerms:
    """What a delegate may do with a card.

    `claims` are the places that may be disclosed, `ttl_s` for how long, in seconds. `audiences`
    are verifiers by client identifier and `programmes` names of what they ask for; None sets no
    bound. `relation` is what the delegate is to the holder, one of `RELATIONS`, told to verifiers
    that ask; `label` is the holder's own note.
    """

    claims: tuple[ClaimPattern, ...]
    ttl_s: int
    audiences: tuple[str, ...] | None = None
    programmes: tuple[str, ...] | None = None
    relation: str | None = None
    label: str = ""

    def scope(self, vct: str) -> DelegationScope:
        """Return the scope for a card of this type."""
        return DelegationScope((vct,), self.claims, self.audiences, self.programmes)


class Delegations:
    """What this wallet gave to others and took from them. `top_up` gets copies of a card."""

    def __init__(
        self,
        *,
        records: RecordStore,
        keys: KeyStore,
        held: HeldCredentials,
        copies: Copies,
        transport: HolderTransport,
        dids: DidResolver,
        clock: Clock,
        issuers: IssuerReader,
        top_up: Callable[[str], int],
    ) -> None:
        self._records = records
        self._keys = keys
        self._held = held
        self._copies = copies
        self._transport = transport
        self._dids = dids
        self._clock = clock
        self._issuers = issuers
        self._top_up = top_up

    def invite(self, *, name: str = "") -> str:
        """Return an invitation to delegate something to this wallet, for one card, for a day.

        `name` is what the other will read. Raises `NameNotAcceptable`.
        """
        held, recipient = self._keys.generate(), DecryptionKey.generate()
        text = build_invitation(
            HeldSigningKey(self._keys, held), recipient.public, name=name, now=self._clock.now()
        )
        invitation = parse_invitation(text, now=self._clock.now())
        value = {"handle": held.handle, "secret": base64url.encode(recipient.secret())}
        self._records.write(Put(INVITATION_KIND, invitation.id, to_json(value), 0))
        return text

    def read_invitation(self, text: str) -> Invitation:
        """Return an invitation to show before `delegate`. Raises as `parse_invitation` does."""
        return parse_invitation(text, now=self._clock.now())

    def delegate(
        self,
        card_id: str,
        invitation: str,
        terms: DelegationTerms,
    ) -> tuple[GivenDelegation, str]:
        """Let whoever sent `invitation` show a card; return the delegation and its package.

        Only the claims of the terms go along, so nothing else can be shown. The package is for the
        inviting wallet alone, by any channel. Raises `CardUnknown`, `NotDelegable`,
        `DelegationMalformed`, `NoCopyToDelegate`, and as `parse_invitation` does.
        """
        now = self._clock.now()
        invited = parse_invitation(invitation, now=now)
        card = self._held.get(card_id).card()
        check_delegable((card.vct,), terms.programmes or ())
        if card.is_for_another:
            raise NotDelegable("a right to act for another cannot be handed on")
        if card.format != SD_JWT_VC_FORMAT:
            raise NotDelegable("a card of this format cannot be shown by another")
        scope = terms.scope(card.vct)
        record_id, copy = self._spare(card_id)
        text = issue_delegation(
            scope,
            HeldSigningKey(self._keys, self._keys.find(copy.key_handle)),
            delegate=invited.key,
            not_before=now,
            expires_at=min(now + terms.ttl_s, card.expires_at or now + terms.ttl_s),
            relation=terms.relation,
        )
        said = _claims_of(text)
        given = GivenDelegation(
            said.delegation_id,
            card.name("ko"),
            card.vct,
            shown(terms.label)[:MAX_LABEL_CHARACTERS] or invited.name,
            scope,
            said.expires_at,
            now,
        )
        parsed = copy.parsed()
        chosen = select_disclosures(parsed.process(parsed.jws.peek_claims()), scope.claims)
        part = replace(copy, credential=present_sd_jwt(parsed, chosen), delegation=text)
        package = seal_package(part, invited.recipient, invited.id)
        kept = KeptDelegation(given, copy)
        self._records.write(to_kept_put(kept, expected_version=0), Delete(COPY_KIND, record_id))
        return given, package

    def _spare(self, card_id: str) -> tuple[str, HeldCredential]:
        waiting = self._copies.of(card_id)
        if not waiting:
            try:
                self._top_up(card_id)
            except ConflictError as error:
                raise NoCopyToDelegate("the card has no spare copy") from error
            waiting = self._copies.of(card_id)
        if not waiting:
            raise NoCopyToDelegate("the card has no spare copy")
        return waiting[0]

    def accept(self, package: str) -> Card:
        """Take a card that was delegated to this wallet, after looking at all of it.

        Raises `InvitationUnknown`, `DelegationMessageMalformed`, `DecryptionFailed`,
        `OfferNotTrusted`, and what verifying a credential and its delegation raises.
        """
        now = self._clock.now()
        name = peek_package(package)
        try:
            record = self._records.get(INVITATION_KIND, name)
        except (RecordUnknown, ValueError):
            raise InvitationUnknown("no such invitation is open here") from None
        value = _read(record)
        held = open_package(package, DecryptionKey.from_secret(value["secret"], name))
        self._issuers.policy.check_issuer(held.credential_issuer)
        sd_jwt = parse_sd_jwt(held.credential)
        claims = sd_jwt.jws.peek_claims()
        did = parse_did(claims.get("iss"))
        self._issuers.policy.check_signer(did, held.credential_issuer)
        policy = VerificationPolicy(
            accepted_types=frozenset((str(claims.get("vct")),)), trust=None
        )
        proof = verify_proof(held.credential, Evidence(self._dids.resolve(did)), policy, now=now)
        key = self._keys.find(value["handle"])
        verify_received_delegation(held.delegation or "", proof, key.public_key, now=now)
        if held.anchor is not None:
            check_anchor(held.anchor, sd_jwt.jws.signing_input, held.credential_issuer)
        if held.receipt is not None:
            held.receipt.root_for(sd_jwt.jws.signing_input)
        kept = replace(
            held,
            id=secrets.token_hex(CARD_ID_BYTES),
            key_handle=value["handle"],
            received_at=now,
            version=0,
        )
        self._records.write(to_put(kept), Delete(INVITATION_KIND, name))
        return kept.card()

    def given(self) -> tuple[GivenDelegation, ...]:
        """Return what this wallet delegated, the oldest first, the revoked and past included."""
        found = [kept_delegation(record).given for record in self._records.list(KIND)]
        return tuple(sorted(found, key=lambda item: (item.given_at, item.id)))

    def revoke(self, delegation_id: str) -> GivenDelegation:
        """Have the issuer revoke the copy that a delegation is for; for good.

        Verifiers refuse it as soon as they see the new status list. Raises `DelegationUnknown`,
        `RevocationRefused`, `PeerUnreachable`, and as reading the issuer's metadata does.
        """
        try:
            record = self._records.get(KIND, delegation_id)
        except (RecordUnknown, ValueError):
            raise DelegationUnknown("no such delegation was given") from None
        kept = kept_delegation(record)
        if kept.given.revoked_at is not None:
            return kept.given
        revoke_copy(kept.copy, self._keys, self._transport, self._clock.now(), self._issuers)
        kept = KeptDelegation(replace(kept.given, revoked_at=self._clock.now()), kept.copy)
        self._records.write(to_kept_put(kept, expected_version=record.version))
        with suppress(HeldKeyUnknown):
            self._keys.delete(kept.copy.key_handle)
        return kept.given


def _read(record: Record) -> dict[str, Any]:
    try:
        value = parse_json_object(record.payload)
        return {"handle": value["handle"], "secret": base64url.decode(value["secret"])}
    except (KeyError, TypeError, SeoulWalletError) as error:
        raise StoreDamaged("a stored invitation cannot be read") from error


def _claims_of(text: str) -> DelegationClaims:
    parsed = parse_sd_jwt(text)
    return parse_delegation_claims(parsed.process(parsed.jws.peek_claims()).claims)
