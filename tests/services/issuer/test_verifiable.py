"""What the issuer issues passes the verifier's pipeline, and stops passing when revoked."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.issuing import FAMILY, IssuerWorld
from wallet.credentials.sd_jwt import (
    bind_to_key,
    parse_sd_jwt,
    present_sd_jwt,
    select_disclosures,
)
from wallet.crypto.keys import Es256SigningKey
from wallet.did.did_web import did_web_document_url
from wallet.did.document import DidDocument, parse_did_document
from wallet.did.syntax import Did
from wallet.encoding import base64url
from wallet.evidence import FactSources, collect
from wallet.protocols.oid4vci.credential import ReceivedCredential, parse_credential_response
from wallet.trust.receipt import RECEIPT_CLAIM
from wallet.verification.evidence import Fact
from wallet.verification.pipeline import verify_presentation
from wallet.verification.policy import TrustPolicy, VerificationPolicy
from wallet.verification.trust_steps import BatchRevoked, CredentialRevoked, CredentialSuspended

JWT, CWT = "application/statuslist+jwt", "application/statuslist+cwt"
VERIFIER, NONCE = "https://verifier.example", "a-nonce-of-the-verifier"


@dataclass
class OverTheClient:
    """`DidResolver` and `StatusListSource` over the test client of the issuer."""

    world: IssuerWorld
    form: str = JWT

    def get(self, url: str) -> bytes:
        path = url.removeprefix(self.world.base_url)
        answer = self.world.client.get(path, headers={"Accept": self.form})
        assert answer.content_type == self.form
        data: bytes = answer.data
        return data

    def resolve(self, did: Did) -> Fact[DidDocument]:
        answer = self.world.client.get(did_web_document_url(did).removeprefix(self.world.base_url))
        return Fact(parse_did_document(answer.get_json(), did), self.world.clock.now())

    def fetch(self, uri: str) -> Fact[bytes]:
        return Fact(self.get(uri), self.world.clock.now())


def present(world: IssuerWorld, item: ReceivedCredential, key: Es256SigningKey) -> str:
    """Disclose residence and the number of children, with the anchor receipt."""
    assert item.anchor is not None
    answer = world.client.get(item.anchor.receipt_uri.removeprefix(world.base_url)).get_json()
    receipt = {**answer["receipt"], "salt": base64url.encode(item.anchor.salt)}
    parsed = parse_sd_jwt(item.credential)
    wanted = [("seoul_resident",), ("child_count",)]
    chosen = select_disclosures(parsed.process(parsed.jws.peek_claims()), wanted)
    return bind_to_key(
        present_sd_jwt(parsed, chosen),
        key,
        audience=VERIFIER,
        nonce=NONCE,
        issued_at=world.clock.now(),
        extra_claims={RECEIPT_CLAIM: receipt},
    )


def verify(world: IssuerWorld, presentation: str, form: str = JWT) -> dict[str, object]:
    source = OverTheClient(world, form)
    parsed = parse_sd_jwt(presentation)
    evidence = collect(parsed, FactSources(source, source, world.replica))
    policy = VerificationPolicy(
        accepted_types=frozenset(("urn:seoul-wallet:multi-child-family-card:1",)),
        audience=VERIFIER,
        nonce=NONCE,
        trust=TrustPolicy(require_receipt=True),
    )
    verified = verify_presentation(presentation, evidence, policy, now=world.clock.now())
    return dict(verified.claims)


@pytest.fixture
def anchored(world: IssuerWorld) -> tuple[ReceivedCredential, Es256SigningKey]:
    """A card whose batch is final."""
    key = Es256SigningKey.generate()
    (item,) = parse_credential_response({"credentials": [world.issue(key)]}).credentials
    world.clock.set(world.clock.now() + 3600)
    settle(world)
    return item, key


def settle(world: IssuerWorld) -> None:
    world.application.work_once()
    world.follow()
    world.application.work_once()


def change(world: IssuerWorld, verb: str) -> None:
    (record,) = world.operate("/issuances/search", {"subject_id": FAMILY}).get_json()["issuances"]
    path = f"/issuances/{record['issuance_id']}/{verb}"
    assert world.operate(path, {"reason": "device_lost"}).status_code == 204
    settle(world)


Anchored = tuple[ReceivedCredential, Es256SigningKey]


def test_an_anchored_card_is_accepted_and_shows_only_what_was_chosen(
    world: IssuerWorld, anchored: Anchored
) -> None:
    claims = verify(world, present(world, *anchored))
    assert claims["seoul_resident"] is True
    assert claims["child_count"] == 2
    hidden = {"name", "valid_until", "youngest_birth_month", "holder_role", "iat"}
    assert hidden.isdisjoint(claims)


@pytest.mark.parametrize("form", [JWT, CWT])
def test_a_revoked_card_is_rejected(world: IssuerWorld, anchored: Anchored, form: str) -> None:
    change(world, "revoke")
    with pytest.raises(CredentialRevoked):
        verify(world, present(world, *anchored), form)


@pytest.mark.parametrize("form", [JWT, CWT])
def test_a_suspended_card_is_rejected_until_it_is_reinstated(
    world: IssuerWorld, anchored: Anchored, form: str
) -> None:
    change(world, "suspend")
    with pytest.raises(CredentialSuspended):
        verify(world, present(world, *anchored), form)
    change(world, "reinstate")
    assert verify(world, present(world, *anchored), form)["child_count"] == 2


def test_a_card_of_a_revoked_batch_is_rejected(world: IssuerWorld, anchored: Anchored) -> None:
    (record,) = world.operate("/issuances/search", {"subject_id": FAMILY}).get_json()["issuances"]
    place = world.batches.place(base64url.decode(record["leaf"]))
    assert place.root is not None
    path = f"/batches/{base64url.encode(place.root)}/revoke"
    assert world.operate(path, {}).status_code == 204
    world.follow()
    with pytest.raises(BatchRevoked):
        verify(world, present(world, *anchored))
