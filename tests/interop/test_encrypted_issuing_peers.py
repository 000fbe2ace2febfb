"""Encrypted credential requests and responses with joserfc (PyPI) as the wallet's encryption."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from tests.support.issuing import ALICE, BOB, FAMILY, HOLDER, IssuerWorld, issuer_world
from tests.support.oid4vci_wallet import CARD, TestWallet, error_of
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.token import TokenRequest

ALGORITHMS = ["ECDH-ES", "A128GCM", "A256GCM"]
JWT = "application/jwt"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    built = issuer_world(tmp_path)
    yield built
    built.close()


class Peer:
    """A wallet whose messages joserfc encrypts, and whose answers it decrypts."""

    def __init__(self, world: IssuerWorld, request_enc: str, response_enc: str) -> None:
        self.wallet = TestWallet(world)
        self.metadata = world.client.get("/.well-known/openid-credential-issuer").get_json()
        self.request_enc, self.response_enc = request_enc, response_enc
        self.key: Any = ECKey.generate_key("P-256")

    def send(self, endpoint: str, token: str, message: JsonObject) -> TestResponse:
        """POST an encrypted message that asks for an encrypted answer, to a key of its own."""
        self.key = ECKey.generate_key("P-256", {"use": "enc", "alg": "ECDH-ES", "kid": "answer-1"})
        offer = self.metadata["credential_request_encryption"]
        (jwk,) = offer["jwks"]["keys"]
        assert self.request_enc in offer["enc_values_supported"]
        asked = {"jwk": self.key.as_dict(private=False), "enc": self.response_enc}
        body = {**message, "credential_response_encryption": asked}
        header = {"alg": jwk["alg"], "enc": self.request_enc, "kid": jwk["kid"]}
        encrypted = jwe.encrypt_compact(
            header, json.dumps(body), ECKey.import_key(jwk), algorithms=ALGORITHMS
        )
        return self.wallet.post_resource(endpoint, token, encrypted.encode())

    def read(self, answer: TestResponse) -> JsonObject:
        """Return what an encrypted answer says."""
        assert answer.content_type == JWT
        found = jwe.decrypt_compact(answer.data, self.key, algorithms=ALGORITHMS)
        header = found.headers()
        assert (header["alg"], header["enc"], header["kid"]) == (
            "ECDH-ES", self.response_enc, "answer-1",
        )  # fmt: skip
        assert found.plaintext is not None
        said: JsonObject = json.loads(found.plaintext)
        return said


@pytest.mark.parametrize("response_enc", ["A128GCM", "A256GCM"])
@pytest.mark.parametrize("request_enc", ["A128GCM", "A256GCM"])
def test_joserfc_encrypts_what_our_issuer_reads_and_reads_what_it_encrypts(
    world: IssuerWorld, request_enc: str, response_enc: str
) -> None:
    peer = Peer(world, request_enc, response_enc)
    token = peer.wallet.pre_authorized()["access_token"]
    proofs = {"jwt": [peer.wallet.proof(), peer.wallet.proof()]}
    answer = peer.send(
        "/credential", token, {"credential_configuration_id": CARD, "proofs": proofs}
    )
    assert answer.status_code == 200
    said = peer.read(answer)
    assert len(said["credentials"]) == 2
    assert said["notification_id"]
    # Errors are never encrypted (§8.3.1.2), even if a credential would have been.
    again = peer.send(
        "/credential", token, {"credential_configuration_id": CARD, "proofs": proofs}
    )
    assert error_of(again)[0] == 401
    assert again.content_type == "application/json"


def test_a_deferred_answer_is_encrypted_for_the_key_of_its_own_request(
    world: IssuerWorld,
) -> None:
    peer = Peer(world, "A256GCM", "A128GCM")
    made = world.client.post(
        "/operator/credential-offers",
        json={"configuration_id": CARD, "subject_id": FAMILY, "holder_id": HOLDER,
              "tx_code": False, "hold": True},
        headers={"Authorization": f"Bearer {ALICE}"},
    )  # fmt: skip
    code = world.code_behind(made.get_json()["link"])
    token = peer.wallet.exchange(TokenRequest(code)).get_json()["access_token"]
    asked = {"credential_configuration_id": CARD, "proofs": {"jwt": [peer.wallet.proof()]}}
    held = peer.send("/credential", token, asked)
    assert held.status_code == 202
    waiting = {"transaction_id": peer.read(held)["transaction_id"]}
    still = peer.send("/deferred-credential", token, waiting)
    assert (still.status_code, peer.read(still)["transaction_id"]) == (
        202, waiting["transaction_id"],
    )  # fmt: skip
    bob = {"Authorization": f"Bearer {BOB}"}
    (approval,) = world.client.get("/operator/approvals", headers=bob).get_json()["approvals"]
    place = f"/operator/approvals/{approval['approval_id']}/approve"
    assert world.client.post(place, json={}, headers=bob).status_code == 200
    issued = peer.send("/deferred-credential", token, waiting)
    assert issued.status_code == 200
    assert len(peer.read(issued)["credentials"]) == 1
