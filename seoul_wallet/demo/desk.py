"""The two desks of the demonstration: the department's operators and the agency's clerk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from issuer.voting import VOTING_CREDENTIAL
from wallet.adapters.http.fetch import GuardedClient
from wallet.credentials.jose import parse_compact_jws
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import UnavailableError
from wallet.protocols.oid4vp import REQUEST_OBJECT_MEDIA_TYPE

_JSON: Final = {"Content-Type": "application/json"}
_REQUEST_OBJECT_TYPE: Final = REQUEST_OBJECT_MEDIA_TYPE.removeprefix("application/")
OFFERS_AT_ONCE: Final = 500


class DeskFailed(UnavailableError):
    """A service answered a desk with another status than expected; the message holds its code."""

    code = "desk_failed"


class Department:
    """An operator of the issuing department, over its HTTP API."""

    def __init__(self, client: GuardedClient, url: str, token: str) -> None:
        self._client = client
        self._url = f"{url}/operator"
        self._headers = {**_JSON, "Authorization": f"Bearer {token}"}

    def offer_cards(self, cards: list[tuple[str, str]]) -> list[str]:
        """Offer the cards of (family, holder) pairs and return the offer links."""
        links: list[str] = []
        for start in range(0, len(cards), OFFERS_AT_ONCE):
            chunk = cards[start : start + OFFERS_AT_ONCE]
            body = {
                "cards": [{"family_id": family, "holder_id": holder} for family, holder in chunk],
                "tx_code": False,
            }
            links += [offer["link"] for offer in self._send("/offers/bulk", body, 201)["offers"]]
        return links

    def offer_card(self, family: str, holder: str) -> tuple[str, str | None]:
        """Offer one card and return its link and transaction code."""
        offer = self._send("/offers", {"family_id": family, "holder_id": holder}, 201)
        return offer["link"], offer["tx_code"]

    def offer_evidence(self, kind: str, person: str) -> str:
        """Offer one piece of evidence about a person to them and return the link."""
        body = {"kind": kind, "subject_id": person, "holder_id": person, "tx_code": False}
        link: str = self._send("/evidence-offers", body, 201)["link"]
        return link

    def offer_voting_credential(self, resident: str) -> str:
        """Offer a resident on the electoral roll their voting credential; return the link."""
        body = {
            "configuration_id": VOTING_CREDENTIAL,
            "subject_id": resident,
            "holder_id": resident,
            "tx_code": False,
        }
        link: str = self._send("/credential-offers", body, 201)["link"]
        return link

    def request_letter(self, appointment: str) -> str:
        """Ask for an appointment letter; another operator must approve it. Returns its id."""
        letter_id: str = self._send("/letters", {"appointment_id": appointment}, 201)["letter_id"]
        return letter_id

    def approve_letter(self, letter_id: str) -> None:
        """Approve a letter that someone else asked for."""
        self._send(f"/letters/{letter_id}/approval", {}, 200)

    def offer_letter(self, letter_id: str) -> str:
        """Offer an approved letter and return the link."""
        link: str = self._send(f"/letters/{letter_id}/offer", {"tx_code": False}, 201)["link"]
        return link

    def revoke(self, register_id: str, reason: str) -> None:
        """Revoke every credential that was issued for a subject of the register."""
        found = self._send("/issuances/search", {"subject_id": register_id}, 200)
        for issuance in found["issuances"]:
            self._send(f"/issuances/{issuance['issuance_id']}/revoke", {"reason": reason}, 204)

    def revoke_batch(self, root: str) -> None:
        """Revoke a whole anchored batch by its root, base64url."""
        self._send(f"/batches/{root}/revoke", {}, 204)

    def _send(self, path: str, body: JsonObject, expected: int) -> JsonObject:
        answer = self._client.request(
            "POST", self._url + path, headers=self._headers, body=to_json(body)
        )
        if answer.status != expected:
            code = parse_json_object(answer.body).get("code", "")
            raise DeskFailed(f"{path.split('/')[1]}: status {answer.status} {code}")
        return parse_json_object(answer.body) if answer.body else {}


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A presentation request that waits for an answer."""

    link: str
    request_uri: str
    result_uri: str
    result_token: str


class Agency:
    """A clerk of an agency, over the verifier's HTTP API."""

    def __init__(self, client: GuardedClient, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._headers = {**_JSON, "Authorization": f"Bearer {token}"}

    def open_request(self, query: str) -> OpenRequest:
        """Open a request for a configured query."""
        answer = self._post("/v1/requests", {"query": query}, 201)
        return OpenRequest(
            answer["link"], answer["request_uri"], answer["result_uri"], answer["result_token"]
        )

    def result(self, opened: OpenRequest) -> JsonObject:
        """Return how a request stands."""
        answer = self._client.get(
            opened.result_uri, headers={"Authorization": f"Bearer {opened.result_token}"}
        )
        return parse_json_object(answer.body)

    def verify(self, presentation: str, audience: str, nonce: str, query: str) -> JsonObject:
        """Check a presentation in hand and return the report."""
        body = {
            "presentation": presentation,
            "audience": audience,
            "nonce": nonce,
            "query": query,
        }
        return self._post("/v1/verify", body, 200)

    def fetch_request(self, opened: OpenRequest) -> JsonObject:
        """Return the claims of the signed request object, as a wallet would read them."""
        answer = self._client.get(opened.request_uri)
        jws = parse_compact_jws(answer.body, typ=_REQUEST_OBJECT_TYPE)
        return jws.peek_claims()

    def answer(self, request: JsonObject, query_id: str, presentation: str) -> tuple[int, Any]:
        """Post a wallet's response to the verifier; return status and body."""
        form = urlencode(
            {
                "vp_token": to_json({query_id: [presentation]}).decode(),
                "state": request["state"],
            }
        ).encode()
        answer = self._client.request(
            "POST",
            str(request["response_uri"]),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=form,
        )
        return answer.status, parse_json_object(answer.body)

    def _post(self, path: str, body: JsonObject, expected: int) -> JsonObject:
        answer = self._client.request(
            "POST", self._url + path, headers=self._headers, body=to_json(body)
        )
        if answer.status != expected:
            code = parse_json_object(answer.body).get("code", "")
            raise DeskFailed(f"{path}: status {answer.status} {code}")
        return parse_json_object(answer.body)
