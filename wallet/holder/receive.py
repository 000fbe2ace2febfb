"""Receiving credentials by a pre-authorized code (OpenID4VCI 1.0), so that a crash loses none.

Keys and intent are stored before anything is asked for, the access token as soon as it is there,
and each credential together with the note that it has arrived. What was cut short is found again
by `resume` and goes on from where it stopped, with the same keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import PublicKey, parse_jwk, thumbprint
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import (
    ConflictError,
    MalformedError,
    RejectedError,
    SeoulWalletError,
    UnsupportedError,
)
from wallet.holder.answers import AnswerUnexpected, json_answer, refusal_of
from wallet.holder.cards import HeldCredential, ReceiptState, to_put
from wallet.holder.issuers import (
    InspectedOffer,
    IssuerPolicy,
    UnsupportedOffer,
    inspect_offer,
    same_origin,
)
from wallet.holder.signing import HeldSigningKey
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver
from wallet.ports.holder import (
    Change,
    Delete,
    HeldKeyUnknown,
    HolderTransport,
    HttpAnswer,
    KeyStore,
    Put,
    Record,
    RecordStore,
    RecordUnknown,
    RedirectRefused,
    StoreDamaged,
    StoreFull,
    UrlRefused,
)
from wallet.protocols.oid4vci.credential import (
    MAX_CREDENTIAL_RESPONSE_BYTES,
    CredentialRequest,
    ReceivedCredential,
    parse_credential_response,
)
from wallet.protocols.oid4vci.metadata import CredentialConfiguration
from wallet.protocols.oid4vci.proof import build_key_proof
from wallet.protocols.oid4vci.token import (
    TokenRequest,
    parse_nonce_response,
    parse_token_response,
)
from wallet.trust.receipt import batch_leaf
from wallet.verification.evidence import Evidence
from wallet.verification.pipeline import verify_proof
from wallet.verification.policy import VerificationPolicy

KIND: Final = "intent"
CARD_ID_BYTES: Final = 6
MAX_TOKEN_RESPONSE_BYTES: Final = 64 * 1024


# Rejections that say nothing of the offer: the way there or the store was in the way.
_NO_VERDICT: Final = (UrlRefused, RedirectRefused, AnswerUnexpected, StoreFull, StoreDamaged)


class TxCodeNeeded(ConflictError):
    """The issuer wants the transaction code that it sent another way. Ask, then try again."""

    code = "tx_code_needed"


class OfferRefused(ConflictError):
    """The issuer does not honour the offer: used, expired, or another transaction code.

    `error` is the issuer's name for the reason, from the specification.
    """

    code = "offer_refused"

    def __init__(self, error: str) -> None:
        super().__init__(f"the issuer refused: {error[:64]}")
        self.error = error


class CredentialNotAsOffered(RejectedError):
    """What arrived is not what was offered: another type, another key, or not verifiable."""

    code = "credential_not_as_offered"


@dataclass(frozen=True, slots=True)
class _Intent:
    """What is under way: a key handle per configuration to come, and what came unverified."""

    id: str
    offer: Mapping[str, Any] = field(repr=False)
    handles: Mapping[str, str]
    access_token: str | None = field(default=None, repr=False)
    arrived: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def to_put(self) -> Put:
        value = {
            "offer": self.offer,
            "handles": self.handles,
            "access_token": self.access_token,
            "arrived": self.arrived,
        }
        return Put(KIND, self.id, to_json(value))

    def without(self, configuration_id: str) -> _Intent:
        return replace(
            self,
            handles={k: v for k, v in self.handles.items() if k != configuration_id},
            arrived={k: v for k, v in self.arrived.items() if k != configuration_id},
        )


def _intent_of(record: Record) -> _Intent:
    value = parse_json_object(record.payload)
    return _Intent(
        record.record_id,
        value["offer"],
        value["handles"],
        value["access_token"],
        value["arrived"],
    )


class Receiver:
    """Receives credentials into a record store. One at a time: two would use one offer twice."""

    def __init__(
        self,
        *,
        records: RecordStore,
        keys: KeyStore,
        transport: HolderTransport,
        dids: DidResolver,
        clock: Clock,
        policy: IssuerPolicy,
    ) -> None:
        self._records = records
        self._keys = keys
        self._transport = transport
        self._dids = dids
        self._clock = clock
        self._policy = policy

    def inspect(self, offer: str | Mapping[str, Any]) -> InspectedOffer:
        """See `inspect_offer`."""
        return inspect_offer(offer, self._transport, self._policy)

    def receive(
        self, offer: str | Mapping[str, Any] | InspectedOffer, *, tx_code: str | None
    ) -> tuple[HeldCredential, ...]:
        """See `Wallet.receive`."""
        inspected = offer if isinstance(offer, InspectedOffer) else self.inspect(offer)
        intent = self._find(inspected)
        if intent is None:
            if inspected.tx_code is not None and not tx_code:
                raise TxCodeNeeded("the issuer sent a transaction code another way")
            intent = self._begin(inspected)
        return self._go_on(intent, inspected, tx_code)

    def resume(self) -> tuple[HeldCredential, ...]:
        """Finish what was cut short, all of it; then raises the first error if there was one.

        What still waits for its transaction code is left: `receive` the offer again.
        """
        received: list[HeldCredential] = []
        errors: list[SeoulWalletError] = []
        for record in self._records.list(KIND):
            intent = _intent_of(record)
            try:
                inspected = self.inspect(intent.offer)
                if intent.access_token is not None or inspected.tx_code is None:
                    received += self._go_on(intent, inspected, None)
            except StoreDamaged:
                raise
            except SeoulWalletError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return tuple(received)

    def unfinished(self) -> int:
        """Return how many offers were cut short."""
        return len(self._records.list(KIND))

    def forget_unfinished(self) -> None:
        """Drop what was cut short, with its keys; an issued credential may be lost with it."""
        for record in self._records.list(KIND):
            self._drop(_intent_of(record))

    def _find(self, inspected: InspectedOffer) -> _Intent | None:
        try:
            return _intent_of(self._records.get(KIND, _intent_id(inspected)))
        except RecordUnknown:
            return None

    def _begin(self, inspected: InspectedOffer) -> _Intent:
        handles = {item.id: self._keys.generate().handle for item in inspected.configurations}
        intent = _Intent(_intent_id(inspected), inspected.offer.to_json(), handles)
        self._records.write(intent.to_put())
        return intent

    def _go_on(
        self, intent: _Intent, inspected: InspectedOffer, tx_code: str | None
    ) -> tuple[HeldCredential, ...]:
        received = []
        try:
            intent = self._with_token(intent, inspected, tx_code)
            for configuration in inspected.configurations:
                if configuration.id in intent.handles:
                    held, intent = self._fetch(intent, inspected, configuration)
                    received.append(held)
        except _NO_VERDICT:
            raise
        except (OfferRefused, RejectedError, MalformedError, UnsupportedError):
            # A verdict: trying the same again would end the same.
            self._drop(intent)
            raise
        return tuple(received)

    def _drop(self, intent: _Intent) -> None:
        self._records.write(Delete(KIND, intent.id))
        for handle in intent.handles.values():
            try:
                self._keys.delete(handle)
            except HeldKeyUnknown:
                continue

    def _with_token(
        self, intent: _Intent, inspected: InspectedOffer, tx_code: str | None
    ) -> _Intent:
        if intent.access_token is not None:
            return intent
        if inspected.tx_code is None:
            tx_code = None
        request = TokenRequest(inspected.offer.pre_authorized_code or "", tx_code)
        answer = self._transport.post_form(inspected.server.token_endpoint, request.to_form())
        value = _accepted(answer, "the token request", MAX_TOKEN_RESPONSE_BYTES)
        intent = replace(intent, access_token=parse_token_response(value).access_token)
        self._records.write(intent.to_put())
        return intent

    def _fetch(
        self, intent: _Intent, inspected: InspectedOffer, configuration: CredentialConfiguration
    ) -> tuple[HeldCredential, _Intent]:
        name = configuration.id
        key = HeldSigningKey(self._keys, self._keys.find(intent.handles[name]))
        if name not in intent.arrived:
            item = self._request(intent, inspected, configuration, key)
            intent = replace(intent, arrived={**intent.arrived, name: item.to_json()})
            self._records.write(intent.to_put())
        (item,) = parse_credential_response(
            {"credentials": [intent.arrived[name]]}, development=self._policy.development
        ).credentials
        held = self._verified(item, inspected, configuration, key.public_key, intent.handles[name])
        rest = intent.without(name)
        done: Change = rest.to_put() if rest.handles else Delete(KIND, intent.id)
        self._records.write(to_put(held), done)
        return held, rest

    def _request(
        self,
        intent: _Intent,
        inspected: InspectedOffer,
        configuration: CredentialConfiguration,
        key: HeldSigningKey,
    ) -> ReceivedCredential:
        answer = self._post_request(intent, inspected, configuration, key)
        refusal = refusal_of(answer)
        if refusal is not None and refusal.error == "invalid_nonce":
            # Nonces are short-lived, and one may be used up by an answer that never arrived.
            answer = self._post_request(intent, inspected, configuration, key)
        value = _accepted(answer, "the credential request", MAX_CREDENTIAL_RESPONSE_BYTES)
        items = parse_credential_response(value, development=self._policy.development).credentials
        if len(items) != 1:
            raise CredentialNotAsOffered("one key proof is answered by one credential")
        return items[0]

    def _post_request(
        self,
        intent: _Intent,
        inspected: InspectedOffer,
        configuration: CredentialConfiguration,
        key: HeldSigningKey,
    ) -> HttpAnswer:
        metadata = inspected.metadata
        if metadata.nonce_endpoint is None:
            raise UnsupportedOffer("the issuer has no nonce endpoint")
        answer = self._transport.post(metadata.nonce_endpoint)
        nonce = parse_nonce_response(
            _accepted(answer, "the nonce request", MAX_TOKEN_RESPONSE_BYTES)
        )
        proof = build_key_proof(
            key,
            audience=metadata.credential_issuer,
            nonce=nonce,
            issued_at=self._clock.now(),
        )
        return self._transport.post_json(
            metadata.credential_endpoint,
            CredentialRequest(configuration.id, (proof,)).to_json(),
            bearer=intent.access_token or "",
        )

    def _verified(
        self,
        item: ReceivedCredential,
        inspected: InspectedOffer,
        configuration: CredentialConfiguration,
        key: PublicKey,
        handle: str,
    ) -> HeldCredential:
        """Return the credential if it is what was offered, signed by the issuer, for this key."""
        issuer = inspected.offer.credential_issuer
        now = self._clock.now()
        sd_jwt = parse_sd_jwt(item.text)
        if sd_jwt.key_binding is not None:
            raise CredentialNotAsOffered("a credential is issued without key binding")
        did = parse_did(sd_jwt.jws.peek_claims().get("iss"))
        self._policy.check_signer(did, issuer)
        proof = verify_proof(
            item.text,
            Evidence(self._dids.resolve(did)),
            VerificationPolicy(accepted_types=frozenset((configuration.vct,)), trust=None),
            now=now,
        )
        confirmation = proof.claims.get("cnf")
        bound = confirmation.get("jwk") if isinstance(confirmation, dict) else None
        if thumbprint(parse_jwk(bound)) != thumbprint(key):
            raise CredentialNotAsOffered("the credential is bound to another key")
        if item.anchor is not None:
            leaf = batch_leaf(item.anchor.salt, sd_jwt.jws.signing_input)
            if not same_origin(item.anchor.receipt_uri, issuer):
                raise CredentialNotAsOffered("the receipt is at another host than the issuer")
            if item.anchor.receipt_uri.rpartition("/")[2] != base64url.encode(leaf):
                raise CredentialNotAsOffered("the receipt is for another credential or salt")
        return HeldCredential(
            id=secrets.token_hex(CARD_ID_BYTES),
            credential_issuer=issuer,
            configuration_id=configuration.id,
            sd_jwt=item.text,
            key_handle=handle,
            received_at=now,
            names=configuration.display,
            issuer_names=inspected.metadata.display,
            claim_descriptions=configuration.claims,
            anchor=item.anchor,
            receipt_state=ReceiptState.NONE if item.anchor is None else ReceiptState.PENDING,
        )


def _intent_id(inspected: InspectedOffer) -> str:
    offer = inspected.offer
    name = f"{offer.credential_issuer}\n{offer.pre_authorized_code}"
    return base64url.encode(sha256(name.encode("utf-8", "surrogatepass")))


def _accepted(answer: HttpAnswer, what: str, max_bytes: int) -> JsonObject:
    refusal = refusal_of(answer)
    if refusal is not None:
        raise OfferRefused(refusal.error)
    return json_answer(answer, what=what, max_bytes=max_bytes)
