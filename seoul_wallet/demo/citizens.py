"""Citizens' devices in bulk: each takes its card over OpenID4VCI with a key of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from wallet.adapters.http.fetch import GuardedClient
from wallet.credentials.sd_jwt import (
    ClaimPattern,
    bind_to_key,
    parse_sd_jwt,
    present_sd_jwt,
    select_disclosures,
)
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import UnavailableError
from wallet.ports.clock import Clock
from wallet.protocols.oid4vci.credential import (
    CredentialAnchor,
    CredentialRequest,
    parse_credential_response,
)
from wallet.protocols.oid4vci.offer import (
    CredentialOffer,
    parse_credential_offer,
    parse_offer_link,
)
from wallet.protocols.oid4vci.proof import build_key_proof
from wallet.protocols.oid4vci.token import (
    TokenRequest,
    parse_nonce_response,
    parse_token_response,
)
from wallet.trust.receipt import RECEIPT_CLAIM

DEVICES_AT_ONCE: Final = 2
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class DeviceFailed(UnavailableError):
    """The issuer did not answer a device as the protocol says."""

    code = "device_failed"


@dataclass(frozen=True, slots=True)
class HeldCard:
    """A card on a device: the credential, its key and where its receipt will be."""

    credential: str
    key: Es256SigningKey
    anchor: CredentialAnchor


class Devices:
    """Many devices, each with its own key, over one HTTP client."""

    def __init__(self, client: GuardedClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def take_all(self, links: Iterable[str], on_taken: Callable[[], None]) -> list[HeldCard]:
        """Take what every link offers, a few devices at once; `on_taken` is called for each."""

        def take(link: str) -> HeldCard:
            card = self.take(link)
            on_taken()
            return card

        with ThreadPoolExecutor(DEVICES_AT_ONCE) as pool:
            return list(pool.map(take, links))

    def take(self, link: str) -> HeldCard:
        """Take the credential that `link` offers. Raises `DeviceFailed`, `FetchFailed`."""
        offer = self._offer(link)
        issuer = offer.credential_issuer
        form = TokenRequest(offer.pre_authorized_code or "").to_form()
        token = parse_token_response(self._post(f"{issuer}/token", form, _FORM)).access_token
        nonce = parse_nonce_response(self._post(f"{issuer}/nonce", b"", {}))
        key = Es256SigningKey.generate()
        proof = build_key_proof(key, audience=issuer, nonce=nonce, issued_at=self._clock.now())
        request = CredentialRequest(offer.credential_configuration_ids[0], (proof,))
        answer = self._post(
            f"{issuer}/credential",
            to_json(request.to_json()),
            {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        (received,) = parse_credential_response(answer, development=True).credentials
        if received.anchor is None:
            raise DeviceFailed("the issuer sent no anchor")
        return HeldCard(received.text, key, received.anchor)

    def receipt(self, card: HeldCard) -> JsonObject | None:
        """Return the final anchor receipt of a card, or None while there is none."""
        answer = self._client.get(card.anchor.receipt_uri)
        body = parse_json_object(answer.body)
        if answer.status != 200 or body["state"] != "final":
            return None
        return {**body["receipt"], "salt": base64url.encode(card.anchor.salt)}

    def present(
        self,
        card: HeldCard,
        *,
        claims: Iterable[ClaimPattern],
        audience: str,
        nonce: str,
        receipt: JsonObject | None,
        key: Es256SigningKey | None = None,
    ) -> str:
        """Return a presentation of a card; `key` signs instead of the card's own, if given."""
        parsed = parse_sd_jwt(card.credential)
        processed = parsed.process(parsed.jws.peek_claims())
        chosen = select_disclosures(processed, tuple(claims))
        return bind_to_key(
            present_sd_jwt(parsed, chosen),
            key or card.key,
            audience=audience,
            nonce=nonce,
            issued_at=self._clock.now(),
            extra_claims={} if receipt is None else {RECEIPT_CLAIM: receipt},
        )

    def _offer(self, link: str) -> CredentialOffer:
        found = parse_offer_link(link, development=True)
        if isinstance(found, CredentialOffer):
            return found
        answer = self._client.get(found.uri)
        if answer.status != 200:
            raise DeviceFailed(f"the offer is not there (status {answer.status})")
        return parse_credential_offer(parse_json_object(answer.body), development=True)

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Any:
        answer = self._client.request("POST", url, headers=headers, body=body)
        if answer.status != 200:
            raise DeviceFailed(f"the issuer answered with status {answer.status}")
        return parse_json_object(answer.body)
