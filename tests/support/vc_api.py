"""Issuer, verifier and holder side of VC-API as one world, joined without sockets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from issuer.vc_api import PAIRS, DevelopmentIssuer
from seoul_wallet.contexts import development_json_ld
from seoul_wallet.holder_api import create_holder_app
from tests.support.clock import SettableClock
from tests.support.desk import Desk
from tests.support.issuing import issuer_world
from wallet.credentials.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from wallet.credentials.data_integrity.issue import ProofOptions, present_credentials
from wallet.crypto.keys import Ed25519SigningKey
from wallet.did.did_key import did_key_from_public_key
from wallet.encoding.json import JsonObject
from wallet.ports.facts import StatusListUnavailable

EXAMPLES: Final = "https://www.w3.org/ns/credentials/examples/v2"
CHALLENGE: Final = "a-challenge-used-once"
DOMAIN: Final = "https://agency.example"
DISCLOSING: Final = ("bbs-2023", "ecdsa-sd-2023")
PAIRS_IN_ORDER: Final = sorted(PAIRS)
EVERY_DERIVABLE: Final = [
    pair for pair in PAIRS_IN_ORDER if pair[0] in DISCLOSING or pair == ("bitstring", "bls")
]
EVERY_WHOLE: Final = [pair for pair in PAIRS_IN_ORDER if pair not in EVERY_DERIVABLE]


def credential(**changes: Any) -> JsonObject:
    """Return an unsecured credential of a synthetic subject."""
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", EXAMPLES],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "ExampleDegreeCredential"],
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:synthetic-subject",
            "degree": {"type": "ExampleBachelorDegree", "name": "합성학"},
            "alumniOf": {"name": "Synthetic University"},
        },
        **changes,
    }


class IssuersLists:
    """`ports.facts.CredentialSource` over the issuer's own application."""

    def __init__(self, client: FlaskClient, base_url: str) -> None:
        self._client = client
        self._base_url = base_url
        self.asked: list[str] = []

    def fetch_credential(self, uri: str) -> bytes:
        self.asked.append(uri)
        if not uri.startswith(self._base_url + "/"):
            raise StatusListUnavailable("there is no network here")
        answer = self._client.get(urlsplit(uri).path)
        if answer.status_code != 200:
            raise StatusListUnavailable("no such list")
        return answer.get_data()


@dataclass
class VcApi:
    """The three services, and an agency's steps against them."""

    clock: SettableClock
    development_issuer: DevelopmentIssuer
    issuer: FlaskClient
    verifier: FlaskClient
    holder: FlaskClient
    lists: IssuersLists

    def issue(self, suite: str, key: str, body: object, **options: Any) -> TestResponse:
        """POST a credential to the issuer."""
        given: Any = {"credential": body, "options": options}
        return self.issuer.post(f"/issuers/{suite}/{key}/credentials/issue", json=given)

    def issued(self, suite: str, key: str, body: JsonObject | None = None) -> JsonObject:
        """Return a credential as issued."""
        answer = self.issue(suite, key, credential() if body is None else body)
        assert answer.status_code == 201, answer.text
        secured: JsonObject = answer.get_json()["verifiableCredential"]
        return secured

    def derive(self, secured: object, pointers: object) -> TestResponse:
        """POST to the holder side."""
        body = {"verifiableCredential": secured, "options": {"selectivePointers": pointers}}
        return self.holder.post("/credentials/derive", json=body)

    def shown(self, suite: str, key: str, body: JsonObject | None = None) -> JsonObject:
        """Return a credential as a verifier gets it: derived, if only that is for verifiers."""
        secured = self.issued(suite, key, body)
        if (suite, key) not in EVERY_DERIVABLE:
            return secured
        answer = self.derive(secured, ["/credentialSubject/degree/name"])
        assert answer.status_code == 201, answer.text
        derived: JsonObject = answer.get_json()["verifiableCredential"]
        return derived

    def verify(self, secured: object) -> TestResponse:
        """POST a credential to the verifier."""
        body = {"verifiableCredential": secured, "options": {}}
        return self.verifier.post("/credentials/verify", json=body)

    def verify_presentation(self, presentation: object, **options: Any) -> TestResponse:
        """POST a presentation to the verifier."""
        body = {"verifiablePresentation": presentation, "options": options}
        return self.verifier.post("/presentations/verify", json=body)

    def revoke(self, secured: JsonObject, status: bool = True) -> TestResponse:
        """Set the status of a credential with the issuer."""
        body = {"credentialStatus": secured["credentialStatus"], "status": status}
        return self.issuer.post("/credentials/status", json=body)


def present(*credentials: JsonObject, now: int, **changes: Any) -> JsonObject:
    """Return a presentation by a synthetic holder for the challenge and domain.

    Without credentials it has no member for them.
    """
    key = Ed25519SigningKey.from_secret(b"\7" * 32)
    did = did_key_from_public_key(key.public_key)
    unsigned: JsonObject = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": did,
    }
    if credentials:
        unsigned["verifiableCredential"] = list(credentials)
    bound = {"challenge": CHALLENGE, "domain": DOMAIN, **changes}
    options = ProofOptions(f"{did}#{did.removeprefix('did:key:')}", created=now)
    return present_credentials(
        unsigned, key, options, EDDSA_RDFC_2022, json_ld=development_json_ld(), **bound
    ).document


def open_vc_api(folder: Path) -> tuple[VcApi, Callable[[], None]]:
    """Compose the services in `folder`; the second value closes them."""
    issuer = issuer_world(folder, vc_api=True)
    development = issuer.application.development_issuer
    assert development is not None
    lists = IssuersLists(issuer.client, issuer.base_url)
    desk = Desk(
        folder,
        {"development": True, "vc_api": True},
        clock=issuer.clock,
        lists=lists,
        json_ld=development_json_ld(),
    )
    holder = create_holder_app(desk.dids, issuer.clock, development_json_ld())
    world = VcApi(
        issuer.clock, development, issuer.client, desk.client, holder.test_client(), lists
    )

    def close() -> None:
        desk.verifier.close()
        issuer.close()

    return world, close
